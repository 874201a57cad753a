"""The ledger in a bucket: the entries of Git, a race that one wins, lines that break, and whoever
removes or overwrites what lies there.
"""

from __future__ import annotations

import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from itertools import chain, count
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.buckets import TRIES, Bucket, open_bucket, parsed
from assent.core.entry import GENESIS, Draft, Kind, decode_entry, encode_entry
from assent.core.registry import NEWEST, ChainError, LostError, State, extend, fold
from assent.errors import IntegrityError, OutsideError, UsageError
from assent.git import Repository
from assent.ledgers import layout
from assent.ledgers.git.ledger import GitLedger
from assent.ledgers.index import Index
from assent.ledgers.objects import appends
from assent.ledgers.objects.ledger import ObjectLedger, open_ledger
from assent.ports import DoubtError, MovedError
from tests.builders import digest, draft, new_repository, promoted, registered
from tests.effort import IS_SOAK, more_in_soak
from tests.stores import services
from tests.stores.proxies import Fault, proxied
from tests.stores.services import Service, service

S3, GOOGLE = services.Kind.S3, services.Kind.GOOGLE
QUICK = timedelta(milliseconds=1)
HEEDING = [kind for kind in services.Kind if kind is not services.Kind.S3_UNCONDITIONAL]


class Place:
    """A ledger in a bucket, and what lies there."""

    def __init__(self, at: Service, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = at
        self.home = home
        self.address = at.address()
        self._monkeypatch = monkeypatch
        self._let_in(at.environment)
        self.bucket = open_bucket(parsed(self.address), at.environment)

    def _let_in(self, told: dict[str, str]) -> None:
        for name, value in told.items():
            self._monkeypatch.setenv(name, value)

    def ledger(self, home: str = "home") -> ObjectLedger:
        """The ledger as a clone has it; another `home` has seen nothing of it."""
        self._let_in(self.at.environment)
        return open_ledger(self.address, self.at.environment, self.home / home, lambda _: None)

    def through(self, host: str) -> ObjectLedger:
        """The same through a line at another host, by a clone that has seen nothing of it."""
        told = services.environment(self.at.kind, host)
        self._let_in(told)
        backoff = {"init_backoff": QUICK, "max_backoff": QUICK, "base": 2}
        retries = {"max_retries": TRIES - 1, "retry_timeout": timedelta(60), "backoff": backoff}
        bucket = open_bucket(parsed(self.address), told, retries)  # type: ignore[arg-type]  # a TypedDict
        return ObjectLedger(bucket, self.home / f"through {host}", lambda _: None)

    def names(self) -> list[str]:
        return self.bucket.names("churn")

    def content(self, name: str) -> bytes:
        answer = self.bucket.read(name, 64 << 20)
        assert answer is not None
        return answer[0]

    def edit(self, name: str, old: bytes, new: bytes) -> None:
        content = self.content(name)
        assert old in content
        self.bucket.put(name, content.replace(old, new))


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    kind = request.node.callspec.params.get("kind") if hasattr(request.node, "callspec") else None
    return Place(service(kind or GOOGLE), tmp_path / "clones", monkeypatch)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of three and folders of two: constants, not behaviours, are changed."""
    monkeypatch.setattr(layout, "BLOCK", 3)
    monkeypatch.setattr(layout, "FILES", 2)
    monkeypatch.setattr(appends, "FILES", 4)


def fill(ledger: ObjectLedger | GitLedger, count: int, first: int = 1) -> None:
    for number in range(first, first + count):
        ledger.append(ledger.read("churn"), [registered(number)])


def noted(reason: str) -> Draft:
    return draft(Kind.NOTED, reason=reason)


def entry_object(seq: int) -> str:
    return appends.append_name("churn", seq)


# --- the entries of Git ---------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> list[list[Draft]]:
    """What is appended at once, one after the other."""
    drafts: list[Draft] = []
    held: int | None = None
    most = draw(st.integers(1, 30 if IS_SOAK else 12))
    versions = 0
    for number in range(most):
        move = draw(st.integers(0, 3))
        if move == 0 and versions and held != versions:
            drafts.append(promoted(versions, "staging", replaces=held))
            held = versions
        elif move == 1:
            drafts.append(noted(f"alert {number} — ünïcode"))
        else:
            versions += 1
            drafts.append(registered(versions))
    cuts = sorted(draw(st.sets(st.integers(1, most - 1), max_size=most - 1)) if most > 1 else [])
    return [drafts[start:end] for start, end in zip([0, *cuts], [*cuts, most], strict=True)]


@pytest.mark.usefixtures("small_blocks")
def test_entries_and_all_that_follows_are_those_of_any_ledger(place: Place) -> None:
    runs = count()

    @given(histories())
    def check(history: list[list[Draft]]) -> None:
        place.address = place.at.address()
        ledger = place.ledger(f"home{next(runs)}")
        for drafts in history:
            ledger.append(ledger.read("churn"), drafts)
        contents = written(list(chain(*history)))
        view, registry = ledger.read("churn"), fold("churn", contents)
        assert list(view.entries()) == contents
        assert (view.state, view.head) == (registry.state, registry.head)
        assert view.astray(registry) == ()
        assert [view.entry(seq) for seq in range(len(contents))] == contents
        assert list(view.entries(len(contents) // 2)) == contents[len(contents) // 2 :]
        for bundle, record in registry.records.items():
            assert view.record(bundle) == record
        for version, bundle in registry.versions.items():
            assert view.bundle_of(version) == bundle

    check()


def written(drafts: list[Draft]) -> list[bytes]:
    """What Git's ledger writes of them: see `ledgers/git/commits.py`."""
    index, steps = Index({}, {}, "sha1"), []
    for step in extend(State(model="churn"), {}, GENESIS, drafts, index.derive):
        steps.append(step.content)
        index.files(step)
    return steps


def test_entries_are_those_of_git_byte_for_byte(place: Place, tmp_path: Path) -> None:
    drafts = [*(registered(number) for number in range(1, 70)), noted("alert")]
    drafts += [promoted(7, "staging"), promoted(69, "staging", replaces=7)]
    git = GitLedger(Repository(new_repository(tmp_path / "work")), None)
    ledger = place.ledger()
    for start in range(0, len(drafts), 9):
        for each in (git, ledger):
            each.append(each.read("churn"), drafts[start : start + 9])
    here, there = ledger.read("churn"), git.read("churn")
    assert list(here.entries()) == list(there.entries())
    assert [here.entry(seq) for seq in range(72)] == [there.entry(seq) for seq in range(72)]
    assert place.content("churn/registry.yaml") == layout.state_file(there.state)


def test_entries_of_a_repository_with_other_ids_are_adopted_too(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DEFAULT_HASH", "sha256")
    source = GitLedger(Repository(new_repository(tmp_path / "work")), None)
    fill(source, NEWEST + 1)
    contents = list(source.read("churn").entries())
    ledger = place.ledger()
    ledger.adopt(ledger.read("churn"), contents)
    assert list(ledger.read("churn").entries()) == contents
    fill(ledger, 1, first=NEWEST + 2)
    view = place.ledger().read("churn")
    assert view.object_format == "sha256"
    assert view.astray(fold("churn", view.entries())) == ()


@pytest.mark.parametrize("kind", [S3, GOOGLE])
def test_an_append_is_one_object_that_shows_its_entries(place: Place, kind: services.Kind) -> None:
    ledger = place.ledger()
    written = ledger.append(ledger.read("churn"), [registered(1), promoted(1, "staging")])
    ledger.append(ledger.read("churn"), [noted("alert")])
    names = [name for name in place.names() if "/entries/" in name]
    assert names == [entry_object(0), entry_object(2)]
    *lines, write = layout.lines_of(place.content(names[0]))
    assert lines == [encode_entry(entry) for entry in written]
    assert write.startswith(b'{"write":"')


# --- a race ---------------------------------------------------------------------------------------


@pytest.mark.threat(24)
@pytest.mark.parametrize("kind", HEEDING)
@pytest.mark.parametrize("writers", [4, *more_in_soak(16)])
def test_of_those_who_append_at_once_one_is_first(
    place: Place, kind: services.Kind, writers: int
) -> None:
    """All say the very same in the same second, again and again."""
    rounds, barrier = 3, threading.Barrier(writers)
    ledgers = [place.ledger(f"home{number}") for number in range(writers)]

    def write(ledger: ObjectLedger) -> int:
        written = 0
        for _ in range(rounds):
            view = ledger.read("churn")
            barrier.wait()
            with suppress(MovedError):
                ledger.append(view, [noted("alert"), noted("alert")])
                written += 1
            barrier.wait()
        return written

    with ThreadPoolExecutor(writers) as pool:
        written = list(pool.map(write, ledgers))
    assert sum(written) == rounds
    view = place.ledger("another").read("churn")
    assert view.state.seq + 1 == 2 * rounds
    assert view.astray(fold("churn", view.entries())) == ()


@pytest.mark.threat(24)
def test_a_service_that_ignores_conditions_keeps_no_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(service(services.Kind.S3_UNCONDITIONAL), tmp_path, monkeypatch)
    ledger = place.ledger()
    for _ in range(2):  # what was tried before lies there
        with pytest.raises(UsageError, match="it ignores `If-None-Match") as told:
            ledger.append(ledger.read("churn"), [registered(1)])
        assert "S3, Google and Azure" in (told.value.hint or "")
    assert place.names() == []
    assert ledger.models() == []


# --- a line that breaks ---------------------------------------------------------------------------

BREAKS = [fault for fault in Fault if fault.name != "EXPIRED"]


@pytest.mark.threat(27)
@pytest.mark.parametrize("kind", HEEDING)
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.HALF_SENT, *more_in_soak(*BREAKS)])
def test_what_breaks_writes_nothing_twice(place: Place, kind: services.Kind, fault: Fault) -> None:
    """Each request of an append breaks once, in each way; who is told nothing has written."""
    fill(place.ledger(), 2)
    onlooker = place.ledger("looking on")
    view = onlooker.read("churn")  # not through the line
    with proxied(place.at.host) as line:
        ledger = place.through(line.host)
        ledger.append(ledger.read("churn"), [noted("alert")])
        needed = len(line.asked)
        for number in range(needed) if IS_SOAK or kind is GOOGLE else range(0, needed, 4):
            before = onlooker.read("churn").state.seq
            line.plan = {len(line.asked) + number: fault}.get
            ledger = place.through(line.host)
            ledger.append(ledger.read("churn"), [noted(f"alert {number}")])
            view = onlooker.read("churn")
            assert view.state.seq == before + 1
    assert view.astray(fold("churn", view.entries())) == ()


@pytest.mark.threat(27)
def test_an_append_that_nobody_answers_is_in_doubt(place: Place) -> None:
    """It was sent, and arrives although the line is dead from then on."""
    fill(place.ledger(), 2)

    def dead_once_written(number: int) -> Fault | None:
        asked = unquote(line.asked[number])
        is_entry = asked.startswith("PUT") and "/churn/entries/" in asked
        is_dead.extend([True] if is_entry else [])
        return (
            (Fault.LOST if is_entry and len(is_dead) == 1 else Fault.REFUSED) if is_dead else None
        )

    is_dead: list[bool] = []
    with proxied(place.at.host, dead_once_written) as line:
        ledger = place.through(line.host)
        view = ledger.read("churn")
        with pytest.raises(DoubtError, match="in doubt whether it was written"):
            ledger.append(view, [noted("alert")])
    assert place.ledger().read("churn").state.seq == 2


@pytest.mark.threat(27)
def test_an_append_that_was_sent_twice_and_is_not_shown_is_in_doubt(place: Place) -> None:
    """The second time it is said that there is one; whose it is, nobody says any more."""
    fill(place.ledger(), 2)

    def dead_once_repeated(number: int) -> Fault | None:
        asked = unquote(line.asked[number])
        sent.extend([asked] if asked.startswith("PUT") and "/churn/entries/" in asked else [])
        if len(sent) < 2:
            return Fault.LOST if asked in sent else None
        return None if asked.startswith("PUT") else Fault.REFUSED

    sent: list[str] = []
    with proxied(place.at.host, dead_once_repeated) as line:
        ledger = place.through(line.host)
        view = ledger.read("churn")
        with pytest.raises(DoubtError, match="in doubt whether it was written"):
            ledger.append(view, [noted("alert")])
    assert place.ledger().read("churn").state.seq == 2


@pytest.mark.threat(25)
def test_who_is_killed_between_two_objects_leaves_nothing_that_counts(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the entries, what is derived from them lies there; after them, only what people read
    is old.
    """
    fill(place.ledger(), 2)

    class KilledError(Exception):
        pass

    for step in ("create", "read"):  # the last is of `registry.yaml`
        ledger = place.ledger("killed")
        view = ledger.read("churn")

        def killed(self: Bucket, *_: object) -> None:
            raise KilledError

        ledger.require_writable()
        view.check()
        with monkeypatch.context() as patch:
            patch.setattr(Bucket, step, killed)
            with pytest.raises(KilledError):
                ledger.append(view, [noted(f"alert in {step}")])
        there = place.ledger("next")
        registry = fold("churn", there.read("churn").entries())
        old = () if step == "create" else ("registry.yaml",)
        assert there.read("churn").astray(registry) == old
        there.append(there.read("churn"), [noted("next")])
    reasons = [decode_entry(line).reason for line in place.ledger().read("churn").entries(2)]
    assert reasons == ["next", "alert in read", "next"]


# --- whoever removes or overwrites ----------------------------------------------------------------


@pytest.mark.threat(26)
def test_a_clone_notices_that_what_it_has_seen_is_gone(place: Place) -> None:
    fill(place.ledger(), 3)
    place.bucket.remove(entry_object(2))
    with pytest.raises(LostError, match="was rolled back"):
        place.ledger().read("churn")
    assert place.ledger("another").read("churn").state.seq == 1  # what the store knows, it hears
    for seq in range(2):
        place.bucket.remove(entry_object(seq))
    with pytest.raises(LostError, match="has disappeared"):
        place.ledger().read("churn")
    place.ledger().forget("churn")
    assert place.ledger().read("churn").state.seq == -1


@pytest.mark.threat(26)
def test_another_entry_in_the_place_of_the_newest_is_noticed(place: Place) -> None:
    fill(place.ledger(), 3)
    place.bucket.remove(entry_object(2))
    other = place.ledger("another")
    other.append(other.read("churn"), [noted("forged")])
    with pytest.raises(LostError, match="not the entry this clone has seen"):
        place.ledger().read("churn")


@pytest.mark.threat(26)
@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("change", ["changed", "removed", "emptied", "replaced"])
def test_an_old_entry_that_is_not_what_it_was_is_found(place: Place, change: str) -> None:
    fill(place.ledger(), 9)
    for seq in range(8):  # of the last one the store knows, and whoever has seen it
        name = entry_object(seq)
        whole = place.content(name)
        match change:
            case "changed":
                place.edit(name, b"alice", b"mallory")
            case "removed":
                place.bucket.remove(name)
            case "emptied":
                place.bucket.put(name, b"")
            case _:
                place.bucket.put(name, place.content(entry_object(seq + 1)))
        view = place.ledger(change).read("churn")
        with pytest.raises(ChainError) as told:
            fold("churn", view.entries())
        assert told.value.seq in (seq, seq + 1)
        place.bucket.put(name, whole)
    view = place.ledger().read("churn")
    assert view.astray(fold("churn", view.entries())) == ()


@pytest.mark.threat(26)
@pytest.mark.usefixtures("small_blocks")
def test_nothing_is_written_after_an_entry_that_was_changed(place: Place) -> None:
    fill(place.ledger(), 8)
    place.edit(entry_object(6), b"alice", b"mallory")  # the newest is 7, in a block that is open
    ledger = place.ledger()
    with pytest.raises(ChainError):
        ledger.append(ledger.read("churn"), [noted("alert")])


@pytest.mark.threat(26)
@pytest.mark.usefixtures("small_blocks")
def test_what_lies_behind_a_gap_is_found(place: Place) -> None:
    fill(place.ledger(), 9)
    for seq in (3, 4):
        place.bucket.remove(entry_object(seq))
    place.bucket.remove("churn/registry.yaml")
    view = place.ledger("another").read("churn")
    with pytest.raises(ChainError, match="entry 3: it is missing"):
        fold("churn", view.entries())
    place.bucket.put("churn/registry.yaml", b"seq: 2\n")  # so that one begins before the gap
    view = place.ledger("a third").read("churn")
    assert view.state.seq == 2
    with pytest.raises(ChainError, match="entry 3: it is missing; an object of entry 5 is there"):
        fold("churn", view.entries())


@pytest.mark.threat(26)
@pytest.mark.parametrize(
    "name",
    [
        "entries/00000/0000000050.jsonl",
        "entries/00000/000000050.jsonl.bak",
        "entries/00000/sub/000000050.jsonl",
        "entries/00000/\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0665\u0660.jsonl",
        "entries/00009/000000050.jsonl",
        "entries/000099/000009900.jsonl",
        "entries/9/x",
    ],
)
def test_what_has_no_name_of_an_append_hides_none(place: Place, name: str) -> None:
    """A list ends with it, and the newest append has several entries: no name leads to it."""
    ledger = place.ledger()
    ledger.append(ledger.read("churn"), [registered(1), noted("alert")])
    place.bucket.put(f"churn/{name}", b"junk\n")
    view = place.ledger("another").read("churn")
    assert view.state.seq == 1
    assert view.astray(fold("churn", view.entries())) == ()


@pytest.mark.threat(26)
def test_a_list_that_hides_all_makes_no_empty_ledger(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(place.ledger(), 3)
    place.bucket.remove("churn/registry.yaml")
    monkeypatch.setattr(Bucket, "folders", lambda *_: [])
    assert place.ledger("another").read("churn").state.seq == 2


@pytest.mark.threat(26)
def test_a_newest_object_that_holds_no_entry_is_named(place: Place) -> None:
    fill(place.ledger(), 1)
    place.bucket.put(entry_object(1), b"junk" * 99 + b'\n{"write":"0123456789abcdef"}\n')
    with pytest.raises(ChainError, match="entry 1: not an entry"):
        place.ledger("another").read("churn")


@pytest.mark.threat(39)
@pytest.mark.parametrize("line", [b"\n", b"a\n"])
def test_an_object_of_endless_short_lines_is_no_append(place: Place, line: bytes) -> None:
    """Each line of 64 MiB would be an object in memory, of which nothing is made here."""
    fill(place.ledger(), 1)
    place.bucket.put(entry_object(1), line * (1 << 20) + b'{"write":"0123456789abcdef"}\n')
    tracemalloc.start()
    with pytest.raises(ChainError, match="its object is damaged"):
        place.ledger("another").read("churn")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 << 20


def test_a_state_that_was_shown_once_and_is_not_the_newest_is_named(place: Place) -> None:
    """Whoever was to write the next one was killed, or the service refused it."""
    fill(place.ledger(), 3)
    older = place.content("churn/registry.yaml")
    ledger = place.ledger()
    ledger.append(ledger.read("churn"), [noted("the newest")])
    place.bucket.put("churn/registry.yaml", older)
    ledger = place.ledger("another")
    view = ledger.read("churn")
    registry = fold("churn", view.entries())
    assert view.astray(registry) == ("registry.yaml",)
    ledger.rebuild(view, registry)
    assert place.content("churn/registry.yaml") == layout.state_file(view.state)


@pytest.mark.parametrize("shown", [b"", b"seq: 0\n", b"seq: 999999\n", b"seq: 7\n", b"\xff", None])
def test_what_people_read_leads_nobody_astray(place: Place, shown: bytes | None) -> None:
    fill(place.ledger(), 8)
    if shown is None:
        place.bucket.remove("churn/registry.yaml")
    else:
        place.bucket.put("churn/registry.yaml", shown)
    ledger = place.ledger("another")
    view = ledger.read("churn")
    assert view.state.seq == 7
    registry = fold("churn", view.entries())
    assert view.astray(registry) == ("registry.yaml",)
    ledger.rebuild(view, registry)
    assert ledger.read("churn").astray(registry) == ()
    assert place.content("churn/registry.yaml") == layout.state_file(view.state)


@pytest.mark.threat(44)
@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("change", ["edited", "removed", "of another"])
def test_what_is_derived_is_not_believed_and_is_derived_again(place: Place, change: str) -> None:
    """Each object of what is derived in turn, whichever reads it."""
    fill(place.ledger(), 8)
    ledger = place.ledger()
    ledger.append(ledger.read("churn"), [promoted(2, "staging")])
    names = [name for name in place.names() if "/derived/" in name]
    registry = fold("churn", place.ledger().read("churn").entries())
    needed = 0
    for name in names if IS_SOAK else names[::2]:
        whole = place.content(name)
        match change:
            case "edited":
                place.bucket.put(name, whole.replace(b'"versions":', b'"versions": '))
                place.edit(name, b"sha256:", b"sha256:0")
            case "removed":
                place.bucket.remove(name)
            case _:
                place.bucket.put(name, place.content(names[names.index(name) - 1]))
        ledger = place.ledger("another")
        view = ledger.read("churn", strict=False)
        astray = view.astray(registry)
        assert astray is not None
        for bundle, record in registry.records.items():
            try:
                assert view.record(bundle) in (record, None if astray else record)
            except IntegrityError:
                assert astray
        if astray:
            needed += 1
            ledger.rebuild(view, registry)
            assert ledger.read("churn").astray(registry) == ()
            ledger.append(ledger.read("churn"), [noted("alert")])
            registry = fold("churn", ledger.read("churn").entries())
            assert place.ledger("a third").read("churn").astray(registry) == ()
        else:
            place.bucket.put(name, whole)
    assert needed


@pytest.mark.usefixtures("small_blocks")
def test_a_repair_takes_nothing_from_who_writes_at_the_same_time(place: Place) -> None:
    fill(place.ledger(), 8)
    writer, repairer = place.ledger("writer"), place.ledger("repairer")
    view = repairer.read("churn")
    registry = fold("churn", view.entries())
    writer.append(writer.read("churn"), [noted("alert")])
    repairer.rebuild(view, registry)
    there = place.ledger("another").read("churn")
    assert there.astray(fold("churn", there.entries())) == ()


def test_a_state_that_is_damaged_is_refused_by_whoever_decides(place: Place) -> None:
    fill(place.ledger(), 2)
    newest = [name for name in place.names() if "/derived/" in name][-1]
    place.edit(newest, b'"versions":2', b'"versions":3')
    with pytest.raises(IntegrityError, match="not what entry 1 says") as told:
        place.ledger().read("churn")
    assert "verify --repair" in (told.value.hint or "")


@pytest.mark.parametrize("kind", HEEDING)
def test_no_bucket_is_not_an_empty_ledger(place: Place, kind: services.Kind) -> None:
    nowhere = place.address.replace("models", "nowhere")
    ledger = open_ledger(nowhere, place.at.environment, place.home, lambda _: None)
    for ask in (lambda: ledger.read("churn"), ledger.models, ledger.require_writable):
        with pytest.raises(OutsideError, match="there is no bucket 'nowhere'") as told:
            ask()
        assert "make it, or correct `ledger` in assent.yaml" in (told.value.hint or "")


# --- what it costs --------------------------------------------------------------------------------


def test_reading_costs_the_same_with_few_and_with_many_entries(place: Place) -> None:
    costs = []
    steps = 0
    for entries in (10, 300):
        ledger = place.ledger()
        while steps < entries:
            here = ledger.read("churn").state.versions
            batch = [registered(here + number) for number in range(1, 40)]
            ledger.append(ledger.read("churn"), batch)
            steps += len(batch)
        ledger.append(ledger.read("churn"), [noted("alert")])
        with proxied(place.at.host) as line:
            view = place.through(line.host).read("churn")
            assert view.record(digest("b1")) is not None
            assert view.bundle_of(1) == digest("b1")
            costs.append(len(line.asked))
    assert costs[1] <= costs[0] + 4  # folders of what is derived, and of versions not listed
    assert costs[0] <= 8
