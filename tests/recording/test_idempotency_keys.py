"""A request that is said again after a run that was cut off has the key of that run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from assent.core.entry import Draft, Entry, Kind
from assent.core.evidence import Run
from assent.git import Repository
from assent.ports import Pointer, View
from assent.recording.appending import Intent, record
from assent.recording.idempotency_keys import LOOKED_AT, Key, OvertakenError, keyed
from assent.testing.ledger import MemoryLedger
from assent.testing.store import MemoryStore
from tests.builders import AT, draft, new_repository, promoted, registered, subject


class Place:
    """What the keys need of a workspace."""

    def __init__(self, work: Path, *, now: str = AT, run: Run | None = None) -> None:
        self.work, self.now, self.run = work, now, run


def of(place: Any, *asked: str | None) -> Key:
    """The key of a request that ends well."""
    with keyed(place, "churn", *asked) as key:
        return key


class CutOffError(Exception):
    """What stands for a kill here: no line after it is run."""


def cut_off(place: Any, *asked: str | None) -> Key:
    kept: list[Key] = []

    def work() -> None:
        with keyed(place, "churn", *asked) as key:
            kept.append(key)
            raise CutOffError

    with pytest.raises(CutOffError):
        work()
    return kept[0]


def test_each_request_that_ends_well_is_one_of_its_own(tmp_path: Path) -> None:
    place = Place(tmp_path)
    first, second = of(place, "note", "x"), of(place, "note", "x")
    assert first.value != second.value
    assert not first.is_repeated
    assert not second.is_repeated
    assert list((tmp_path / "pending").iterdir()) == []


@pytest.mark.threat(32)
def test_one_that_was_cut_off_is_taken_up_by_the_same_words_alone(tmp_path: Path) -> None:
    place = Place(tmp_path)
    lost = cut_off(place, "note", "x", None)
    assert of(place, "note", "x", "").value != lost.value  # None is not nothing
    assert of(place, "note", "y", None).value != lost.value
    assert of(place, "note", "x", None) == Key(lost.value, is_repeated=True)
    assert of(place, "note", "x", None).value != lost.value  # done: the next is another


def test_one_that_goes_on_is_not_taken_up(tmp_path: Path) -> None:
    """Two people may note the same at the same time."""
    place: Any = Place(tmp_path)
    with keyed(place, "churn", "note", "x") as one, keyed(place, "churn", "note", "x") as other:
        assert one.value != other.value
        assert not other.is_repeated


def test_after_a_day_the_same_words_mean_something_new(tmp_path: Path) -> None:
    lost = cut_off(Place(tmp_path), "note", "x")
    later = (datetime.fromisoformat(AT) + timedelta(days=1)).isoformat()
    key = of(Place(tmp_path, now=later), "note", "x")
    assert key.value != lost.value
    assert list((tmp_path / "pending").iterdir()) == []


def test_where_nothing_can_be_kept_the_verb_works_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "pending").write_text("in the way")
    assert of(Place(tmp_path), "note", "x").value != of(Place(tmp_path), "note", "x").value


@pytest.mark.threat(32)
def test_in_ci_the_run_and_the_words_are_the_key(tmp_path: Path) -> None:
    """Whatever the attempt, and in a clone that knows nothing of the one before."""
    run = Run(system="github", id="7", attempt=1)
    first = of(Place(tmp_path / "a", run=run), "note", "x")
    again = of(Place(tmp_path / "b", run=replace(run, attempt=2)), "note", "x")
    assert first.value == again.value
    assert again.is_repeated
    assert of(Place(tmp_path, run=replace(run, id="8")), "note", "x").value != first.value
    assert of(Place(tmp_path, run=run), "note", "y").value != first.value


def ledger_with(*drafts: Draft) -> Any:
    ledger = MemoryLedger()
    for one in drafts:
        ledger.append(ledger.read("churn"), [one])
    return ledger.read("churn")


def test_what_was_written_is_found_among_the_newest_entries() -> None:
    key = Key("0123456789abcdef", is_repeated=True)
    # The reason of the others holds the key as well: it is no key there.
    noted = [draft(Kind.NOTED, reason=f"not {key.value}")] * 2
    mine = draft(Kind.NOTED, reason="mine", key=key.value)
    [found] = key.written(ledger_with(*noted, mine, *noted))
    assert (found.seq, found.reason) == (2, "mine")
    assert key.written(ledger_with(*noted)) == ()
    assert key.written(ledger_with()) == ()
    assert key.written(ledger_with(mine, *noted * (LOOKED_AT // 2))) == ()


def test_another_attempt_of_a_run_counts_while_it_stands() -> None:
    """Whoever runs a job again after others have moved on means it anew."""
    key = Key("0123456789abcdef", is_repeated=True, is_of_run=True)
    moved = promoted(1, "production", key=key.value)
    view = ledger_with(registered(1), registered(2), moved)
    assert key.written(view)
    later = ledger_with(registered(1), registered(2), moved, promoted(2, "production", 1))
    assert key.written(later) == ()
    assert key.written(later, ours_after=1)  # this very process has written it
    assert key.written(later, ours_after=later.state.seq - 1) == ()


def test_what_a_person_had_done_and_others_undid_is_said_and_asked_for_again(
    tmp_path: Path,
) -> None:
    """Neither done again, which may be too much, nor said to be so."""
    place: Any = Place(tmp_path)
    lost = cut_off(place, "clear", "production")
    cleared = draft(Kind.CLEARED, subject("b1", 1), stage="production", replaces=1, key=lost.value)
    until = (registered(1), promoted(1, "production"), cleared)
    with keyed(place, "churn", "clear", "production") as key:
        assert key.written(ledger_with(*until))
    lost = cut_off(place, "clear", "production")
    cleared = replace(cleared, key=lost.value)
    later = ledger_with(*until[:2], cleared, promoted(1, "production"))
    with (
        pytest.raises(OvertakenError, match=r"changed, and holds v1\. Nothing was done now"),
        keyed(place, "churn", "clear", "production") as key,
    ):
        key.written(later)
    assert not of(place, "clear", "production").is_repeated


class OvertakenLedger(MemoryLedger):
    """Somebody else notes something before the first entry that is to be written."""

    is_first = True

    def append(self, view: View, drafts: Sequence[Draft]) -> tuple[Entry, ...]:
        if self.is_first:
            self.is_first = False
            super().append(view, [draft(Kind.NOTED, reason="somebody else")])
        return super().append(view, drafts)


@pytest.mark.threat(32)
def test_a_lost_race_does_not_make_an_earlier_attempt_ours(tmp_path: Path) -> None:
    """What it did stands no more, so it is asked for anew: also where others write meanwhile."""
    key = Key("0123456789abcdef", is_repeated=True, is_of_run=True)
    before, again = (promoted(1, "production", held, key=key.value) for held in (None, 2))
    ledger, store = OvertakenLedger(), MemoryStore()
    for one in (registered(1), registered(2), before, promoted(2, "production", 1)):
        MemoryLedger.append(ledger, ledger.read("churn"), [one])
    head = ledger.read("churn")
    store.point("churn/head", Pointer(seq=head.state.seq, entry=head.head))
    place: Any = SimpleNamespace(
        ledger=ledger,
        store=store,
        config=SimpleNamespace(policies={}, ledger="origin"),
        repository=Repository(new_repository(tmp_path / "work")),
        root=tmp_path / "work",
        base=None,
        base_config=lambda: None,
        require_trusted=lambda doing: None,
        say=lambda words: None,
    )
    resolved = Intent(outcome=None, drafts=(again,))
    entries = record(place, "churn", lambda view: resolved, key=key).entries
    assert [entry.seq for entry in entries] == [5]
    assert ledger.read("churn").state.stages["production"].version == 1
