"""Whatever is changed on a ledger's branch, or in the pointers beside it, is noticed."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from assent.core.digest import canonical_json
from assent.core.entry import FORMAT, Draft, Kind, decode_entry, encode_entry, entry_digest
from assent.core.registry import ChainError
from assent.errors import IntegrityError, OutsideError, PolicyError
from assent.ledgers.git import layout
from assent.ledgers.git.commits import imported
from assent.recording.appending import Intent, record
from assent.recording.pointers import point_version_again
from assent.recording.reading import read_ledger
from assent.verbs import verify as verifying
from assent.verbs.note import note
from assent.verbs.recover import recover
from assent.verbs.resolve import resolve
from assent.verbs.retire import retire
from assent.verbs.verify import Area, verify
from assent.wiring import open_workspace
from assent.workspace import Workspace
from tests.builders import approved, draft, new_repository, promoted, registered, run_git, subject
from tests.effort import IS_SOAK, more_in_soak

BRANCH = "assent/churn"
CONFIG = """\
store: store
models:
  churn:
    model: model.bin
    metrics: [metrics.json]
    gates: [{metric: accuracy, min: 0}]
    approvals: {count: 0}
    stages: {staging: {}, production: {}}
"""
SAMPLE = 24
"""How many of the changes are tried where not all of them are."""


def history() -> Iterator[Draft]:
    """Sixty entries of many kinds: 24 versions, of which v2 is retired and v3 serves."""
    yield from map(registered, range(1, 21))
    yield promoted(2, "staging")
    yield promoted(3, "staging", 2)
    yield promoted(3, "production")
    yield draft(Kind.RETIRED, subject("b2", 2), reason="leak")
    for number in range(21, 25):
        yield approved(f"b{number}", "bob")
        yield registered(number)
    for number in range(28):
        yield draft(Kind.NOTED, reason=f"event {number}")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of ten and folders of twenty; nobody else writes, so nobody is waited for."""
    monkeypatch.setattr(layout, "BLOCK", 10)
    monkeypatch.setattr(layout, "FILES", 2)
    monkeypatch.setattr(verifying, "PAUSE_S", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository whose ledger and whose pointers verify."""
    folder = new_repository(tmp_path / "work")
    (folder / "assent.yaml").write_text(CONFIG)
    run_git(folder, "add", "assent.yaml")
    run_git(folder, "commit", "-qm", "configure")
    write(folder, b"".join(imported("churn", history())))
    verify(opened(folder), ["churn"], repair=True, blobs=False)
    assert faults(folder) == []
    return folder


def write(folder: Path, stream: bytes) -> None:
    words = ["git", "fast-import", "--quiet", "--done", "--force"]
    subprocess.run(words, cwd=folder, input=stream, check=True)


def opened(folder: Path) -> Workspace:
    return open_workspace(
        folder, environ={}, now=datetime(2026, 2, 1, tzinfo=UTC), say=lambda words: None
    )


def faults(folder: Path) -> list[str]:
    found = verify(opened(folder), ["churn"], blobs=False).faults
    return [f"{fault.area}: {fault.problem}" for fault in found]


def commit(folder: Path, *lines: bytes) -> str:
    """Change the branch behind Assent's back; the commit that was there before."""
    before = run_git(folder, "rev-parse", BRANCH)
    head = b"commit refs/heads/%s\ncommitter m <m> 0 +0000\ndata 1\nx\nfrom %s\n"
    write(folder, head % (BRANCH.encode(), before.encode()) + b"\n".join(lines) + b"\ndone\n")
    return before


def put(path: str, content: bytes, mode: str = "100644") -> bytes:
    return f"M {mode} inline {path}\ndata {len(content)}\n".encode() + content


def files(folder: Path) -> dict[str, bytes]:
    names = run_git(folder, "ls-tree", "-r", "--name-only", BRANCH).splitlines()
    return {name: show(folder, name) for name in names}


def show(folder: Path, name: str) -> bytes:
    words = ["git", "show", f"{BRANCH}:{name}"]
    return subprocess.run(words, cwd=folder, capture_output=True, check=True).stdout


def newest(folder: Path) -> tuple[str, list[bytes]]:
    """The file of the newest entries, and its lines."""
    [path] = filter(layout.is_open, files(folder))
    return path, layout.lines_of(show(folder, path))


def changes(there: dict[str, bytes], chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """Each file: a digit changed, its end lost, a line too many, gone, another's, executable."""
    for path, content in there.items():
        places = [place for place, byte in enumerate(content) if byte in b"0123456789"]
        place = chance.choice(places)
        other = b"%d" % ((content[place] - 47) % 10)
        yield f"{path}: a digit", put(path, content[:place] + other + content[place + 1 :])
        yield f"{path}: cut", put(path, content[: len(content) // 2])
        yield f"{path}: more", put(path, content + b"\n")
        yield f"{path}: emptied", put(path, b"")
        yield f"{path}: gone", b"D " + path.encode()
        twin = chance.choice([one for one in there if there[one] != content])
        yield f"{path}: as {twin}", put(path, there[twin])
        yield f"{path}: executable", put(path, content, "100755")


@pytest.mark.threat(26)
@pytest.mark.threat(44)
def test_a_change_of_any_file_is_noticed_and_nothing_is_written_on_top(folder: Path) -> None:
    chance = random.Random(7)
    tried = list(changes(files(folder), chance))
    if not IS_SOAK:
        tried = chance.sample(tried, SAMPLE)
    for name, line in tried:
        before = commit(folder, line)
        assert faults(folder), name
        tip = run_git(folder, "rev-parse", BRANCH)
        with pytest.raises(IntegrityError):
            note(opened(folder), "churn", "an event")
        assert run_git(folder, "rev-parse", BRANCH) == tip
        run_git(folder, "update-ref", f"refs/heads/{BRANCH}", before)
        assert faults(folder) == [], name


@pytest.mark.threat(44)
@pytest.mark.parametrize(
    "path",
    [
        ".gitattributes",
        ".github/workflows/x.yml",
        "index/00/00.jsonl",
        "000000070.jsonl",
        "entries/x",
        *more_in_soak("README.md", "index/more.json", "index/versions/000/000101.jsonl"),
        *more_in_soak("000000001.jsonl", "entries/002/note.json", "registry.yaml.orig"),
    ],
)
def test_what_does_not_belong_there_is_named(folder: Path, path: str) -> None:
    commit(folder, put(path, b"{}\n"))
    assert any(path.rpartition("/")[2] in fault for fault in faults(folder))
    with pytest.raises(IntegrityError):
        note(opened(folder), "churn", "an event")
    verify(opened(folder), ["churn"], repair=True, blobs=False)
    if not path.startswith("entries/00"):
        assert faults(folder) == []
        note(opened(folder), "churn", "an event")


@pytest.mark.threat(44)
def test_folders_that_no_file_shows_are_noticed(folder: Path) -> None:
    """An empty folder is in no list of files."""
    root = run_git(folder, "ls-tree", BRANCH)
    empty = subprocess.run(
        ["git", "hash-object", "-t", "tree", "-w", "--stdin"],
        cwd=folder, input=b"", capture_output=True, check=True,
    ).stdout.decode().strip()  # fmt: skip
    made = subprocess.run(
        ["git", "mktree"], cwd=folder, capture_output=True, check=True,
        input=f"{root}\n040000 tree {empty}\tempty\n".encode(),
    ).stdout.decode().strip()  # fmt: skip
    tip = run_git(folder, "commit-tree", made, "-p", BRANCH, "-m", "x")
    run_git(folder, "update-ref", f"refs/heads/{BRANCH}", tip)
    assert faults(folder) == ["state: not what the entries add up to: 'its folders'"]
    verify(opened(folder), ["churn"], repair=True, blobs=False)
    assert faults(folder) == []
    note(opened(folder), "churn", "an event")


def test_a_copy_that_has_lost_what_it_had_is_fetched_again(folder: Path) -> None:
    [copy] = (folder / ".git/assent").glob("*/ledger.git")
    for pack in (copy / "objects").rglob("*"):
        if pack.is_file():
            pack.unlink()
    assert resolve(opened(folder), "churn", "production").version == 3
    assert faults(folder) == []


@pytest.mark.threat(45)
def test_a_store_that_is_not_there_is_no_empty_one(folder: Path) -> None:
    (folder / "store").rename(folder / "elsewhere")
    assert resolve(opened(folder), "churn", "production").version == 3
    view = read_ledger(opened(folder), "churn")
    for verb in (
        lambda: note(opened(folder), "churn", "an event"),
        lambda: record(opened(folder), "churn", lambda view: Intent(outcome=None)),
        lambda: point_version_again(opened(folder), view, 1, 0),
    ):
        with pytest.raises(OutsideError, match="knows nothing of this model"):
            verb()
    assert not (folder / "store").exists()
    verify(opened(folder), ["churn"], repair=True, blobs=False)
    note(opened(folder), "churn", "an event")


@pytest.mark.threat(44)
def test_a_version_is_not_unretired_by_a_line_of_the_index(folder: Path) -> None:
    bundle = registered(2).subject.bundle
    assert bundle is not None
    path = layout.record_path(bundle)
    commit(folder, put(path, show(folder, path).replace(b',"retired":true', b"")))
    for verb in (
        lambda: resolve(opened(folder), "churn", "v2"),
        lambda: retire(opened(folder), "churn", "v1", reason="x"),
    ):
        with pytest.raises(IntegrityError, match="index"):
            verb()
    assert faults(folder) == [f"state: not what the entries add up to: '{path}'"]
    verify(opened(folder), ["churn"], repair=True, blobs=False)
    assert resolve(opened(folder), "churn", "v2").retired


@pytest.mark.threat(26)
@pytest.mark.threat(44)
@pytest.mark.parametrize("seq", [3, 41, 52])
def test_an_entry_that_was_edited_is_not_read(folder: Path, seq: int) -> None:
    """Of a full folder, of a full block, and of none: who approved is read from such entries."""
    paths = [layout.block_path(seq), layout.open_path(seq)]
    [path] = [one for one in paths if one in files(folder)]
    lines = layout.lines_of(show(folder, path))
    number = seq % layout.BLOCK
    lines[number] = lines[number].replace(b'"login":"alice"', b'"login":"mallo"')
    commit(folder, put(path, b"".join(lines)))
    view = read_ledger(opened(folder), "churn")
    with pytest.raises(ChainError):
        view.entry(seq)


@pytest.mark.threat(26)
def test_a_broken_chain_is_not_called_a_rollback(folder: Path) -> None:
    """The newest entry was edited, and one before it: what this clone has seen is still there."""
    path, lines = newest(folder)
    edited = [line.replace(b'"login":"alice"', b'"login":"mallo"') for line in lines]
    commit(folder, put(path, b"".join(edited)))
    with pytest.raises(ChainError) as caught:
        resolve(opened(folder), "churn", "production")
    assert "rolled back" not in str(caught.value)


@pytest.mark.threat(44)
def test_a_key_that_gitops_tools_would_read_is_noticed(folder: Path) -> None:
    commit(folder, put("registry.yaml", show(folder, "registry.yaml") + b"image: evil\n"))
    with pytest.raises(IntegrityError, match=r"registry\.yaml"):
        resolve(opened(folder), "churn", "production")
    assert faults(folder) == ["state: not what the entries add up to: 'registry.yaml'"]


@pytest.mark.threat(44)
def test_an_entry_that_states_other_derived_files_is_no_repair(folder: Path) -> None:
    """Whoever may push can append an entry that fits the chain; it lies about the index."""
    path, lines = newest(folder)
    before = decode_entry(lines[-1])
    lie = msgspec.structs.replace(
        before,
        seq=before.seq + 1,
        prev=entry_digest(lines[-1]),
        reason="a lie",
        derived=registered(1).subject.bundle,
    )
    commit(
        folder,
        b"D " + path.encode(),
        put(layout.block_path(before.seq), b"".join(lines)),
        put(layout.open_path(lie.seq), encode_entry(lie)),
    )
    before_repair = _pointers(folder)
    assert faults(folder)[0].startswith("chain: entry 60: it states something else")
    left = verify(opened(folder), ["churn"], repair=True, blobs=False).faults
    assert not any(fault.repaired for fault in left)
    assert _pointers(folder) == before_repair


@pytest.mark.threat(45)
@pytest.mark.threat(46)
@pytest.mark.parametrize("entries", [1, 8, 60])
def test_a_ledger_cut_off_is_noticed_by_who_has_never_seen_it(folder: Path, entries: int) -> None:
    """As a new clone in a job: nothing is remembered, but the store knows the entries."""
    if entries == 60:
        run_git(folder, "update-ref", "-d", f"refs/heads/{BRANCH}")
    else:
        run_git(folder, "update-ref", f"refs/heads/{BRANCH}", f"{BRANCH}~{entries}")
    _forget(folder)
    with pytest.raises(IntegrityError, match="was derived from entry 59"):
        resolve(opened(folder), "churn", "production")
    tip = run_git(folder, "for-each-ref")
    with pytest.raises(IntegrityError, match="was derived from entry 59"):
        note(opened(folder), "churn", "an event")
    before = _pointers(folder)
    result = verify(opened(folder), ["churn"], repair=True, blobs=False)
    assert {fault.area for fault in result.faults} == {Area.CHAIN}
    assert not any(fault.repaired for fault in result.faults)
    assert _pointers(folder) == before
    assert run_git(folder, "for-each-ref") == tip


@pytest.mark.threat(45)
@pytest.mark.threat(46)
def test_a_ledger_rewritten_to_the_same_length_is_noticed(folder: Path) -> None:
    *kept, _ = history()
    forged = [*kept, draft(Kind.NOTED, reason="another event")]
    run_git(folder, "update-ref", "-d", f"refs/heads/{BRANCH}")
    write(folder, b"".join(imported("churn", forged)))
    _forget(folder)
    with pytest.raises(IntegrityError, match="another entry 59"):
        read_ledger(opened(folder), "churn")
    before = _pointers(folder)
    assert verify(opened(folder), ["churn"], repair=True, blobs=False).exit_code == 4
    assert _pointers(folder) == before


@pytest.mark.threat(45)
def test_a_stage_that_the_ledger_never_filled_so_is_a_witness(folder: Path) -> None:
    place = folder / "store/churn/stages/production"
    other = registered(9).subject.bundle or ""
    entry = msgspec.json.decode(place.read_bytes())["entry"]
    place.write_text(place.read_text().replace(entry, other))
    with pytest.raises(IntegrityError, match="another entry 22"):
        note(opened(folder), "churn", "an event")
    left = verify(opened(folder), ["churn"], repair=True, blobs=False).faults
    assert [fault.repaired for fault in left] == [False]


@pytest.mark.threat(45)
@pytest.mark.parametrize("what", ["missing", "garbled"])
def test_without_a_head_the_other_pointers_are_witnesses(folder: Path, what: str) -> None:
    *kept, _ = history()
    forged = [registered(1, reason="forged"), *kept[1:], *([draft(Kind.NOTED, reason="x")] * 5)]
    run_git(folder, "update-ref", "-d", f"refs/heads/{BRANCH}")
    write(folder, b"".join(imported("churn", forged)))
    _forget(folder)
    head = folder / "store/churn/head"
    head.unlink()
    if what == "garbled":
        head.write_text('{"seq": -9, "entry": "sha256:' + "0" * 64 + '"}')
    for verb in (
        lambda: resolve(opened(folder), "churn", "production"),
        lambda: note(opened(folder), "churn", "an event"),
    ):
        with pytest.raises(IntegrityError, match="than the ledger has"):
            verb()
    assert verify(opened(folder), ["churn"], repair=True, blobs=False).exit_code == 4
    assert not head.exists() or "-9" in head.read_text()


def test_a_damaged_memory_is_none(folder: Path) -> None:
    [seen] = (folder / ".git/assent").glob("*/seen/churn")
    for text in ("x y", "9" * 5000 + " sha256:0", "-3 sha256:" + "0" * 64, "5 nonsense"):
        seen.write_text(text)
        assert resolve(opened(folder), "churn", "production").version == 3


@pytest.mark.threat(46)
def test_lost_entries_are_not_given_up_where_a_branch_here_has_them(folder: Path) -> None:
    """The ledger was rewritten, and is longer than the one that a branch of this clone has."""
    run_git(folder, "update-ref", "refs/remotes/origin/assent/churn", BRANCH)
    run_git(folder, "remote", "add", "origin", str(folder))
    *kept, _ = history()
    forged = [registered(1, reason="forged"), *kept[1:], *([draft(Kind.NOTED, reason="x")] * 5)]
    run_git(folder, "update-ref", "-d", f"refs/heads/{BRANCH}")
    write(folder, b"".join(imported("churn", forged)))
    with pytest.raises(PolicyError, match="has another entry 59"):
        recover(opened(folder), "churn", reason="lost")


@pytest.mark.threat(27)
def test_pointers_moved_by_hand_or_damaged_are_restored(folder: Path) -> None:
    right = _pointers(folder)
    store = folder / "store/churn"
    (store / "stages/production").write_bytes((store / "versions/4").read_bytes())
    (store / "versions/5").write_text("{}")
    (store / "versions/6").unlink()
    (store / "head").write_text("damaged")
    assert len(faults(folder)) == 4
    assert resolve(opened(folder), "churn", "production").version == 3
    assert verify(opened(folder), ["churn"], repair=True, blobs=False).exit_code == 0
    assert _pointers(folder) == right


def test_a_later_minor_format_is_read_and_not_written(folder: Path) -> None:
    path, lines = newest(folder)
    before = msgspec.to_builtins(decode_entry(lines.pop()))
    fields = {**before, "format": f"{FORMAT}.1", "hue": "blue"}
    commit(folder, put(path, b"".join([*lines, canonical_json(fields) + b"\n"])))
    (folder / "store/churn/head").unlink()
    (folder / ".git/assent").rename(folder / "seen")
    assert resolve(opened(folder), "churn", "production").version == 3
    with pytest.raises(IntegrityError, match="which this release cannot write"):
        note(opened(folder), "churn", "an event")
    result = verify(opened(folder), ["churn"], blobs=False)
    assert "a later format has written it" in " ".join(result.not_compared)


def _forget(folder: Path) -> None:
    (folder / ".git/assent").rename(folder / ".git/seen")


def _pointers(folder: Path) -> dict[str, bytes]:
    places = sorted(path for path in (folder / "store/churn").rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in places}


@pytest.mark.threat(27)
def test_a_pointer_that_two_readers_read_differently_is_damaged(folder: Path) -> None:
    """Of a key that is there twice, some take the first value."""
    place = folder / "store/churn/versions/9"
    before = place.read_bytes()
    other = registered(8).subject.bundle or ""
    place.write_bytes(b'{"bundle":"%s",%s' % (other.encode(), before.lstrip()[1:]))
    assert any("versions/9" in fault for fault in faults(folder))
    verify(opened(folder), ["churn"], repair=True, blobs=False)
    assert place.read_bytes() == before


@pytest.mark.threat(46)
def test_numbers_that_are_given_again_after_a_loss_are_said(folder: Path) -> None:
    """The last version came with entry 31: what is left ends before it."""
    run_git(folder, "update-ref", f"refs/heads/{BRANCH}", f"{BRANCH}~29")
    _forget(folder)
    done = recover(opened(folder), "churn", reason="restored from a backup")
    assert done.numbers == (24,)
    assert verify(opened(folder), ["churn"], blobs=False).faults == ()
