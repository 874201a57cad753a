"""`ledger move`: every entry elsewhere, byte for byte, and nothing is written to the old place."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from assent.core.entry import Draft, Entry, Kind, sentence
from assent.errors import IntegrityError, OutsideError, UsageError
from assent.ports import View
from assent.testing.ledger import MemoryLedger
from assent.testing.store import MemoryStore
from assent.verbs import ledger_move as verb
from assent.verbs.ledger_move import ledger_move
from assent.verbs.note import note
from assent.verbs.store_copy import store_copy
from assent.verbs.verify import verify
from assent.workspace import Workspace
from tests.builders import registered
from tests.verbs.place import CONFIG, MODEL, Place

THERE = "s3://bucket/decisions"
WHY = "nobody may push branches"


@pytest.fixture
def there() -> MemoryLedger:
    return MemoryLedger()


def opened(place: Place, there: MemoryLedger) -> Workspace:
    return place.open(ledger_at=lambda _: there)


def merged(place: Place, ledger: str) -> None:
    """Have the base branch name a ledger, and this checkout with it."""
    (place.folder / "assent.yaml").write_text(f"ledger: {ledger}\n{CONFIG}")
    place.commit(0.8)


def moved(place: Place, there: MemoryLedger) -> Workspace:
    """A run whose `assent.yaml` names the new place."""
    merged(place, THERE)
    return place.open(ledger=there, ledger_at=lambda _: place.ledger)


def old(place: Place) -> Workspace:
    """A run whose `assent.yaml` names the old place."""
    merged(place, "git")
    return place.open()


def test_all_entries_are_there_and_the_last_says_so(place: Place, there: MemoryLedger) -> None:
    place.version(1)
    place.hold("staging", 1)
    result = ledger_move(opened(place, there), f"{THERE}/", reason=WHY)
    assert (result.source, result.target) == ("git", THERE)
    assert [(each.entries, each.written) for each in result.models] == [(3, 3)]
    assert there.contents == place.ledger.contents
    [entry] = result.entries
    assert (entry.kind, entry.reason, sentence(entry)) == (
        Kind.MOVED,
        WHY,
        f"move the ledger of {MODEL}",
    )
    assert entry.links == {"what": "ledger", "from": "git", "to": THERE}
    again = ledger_move(opened(place, there), THERE, reason=WHY)
    assert ([each.written for each in again.models], again.entries) == ([0], ())
    assert verify(moved(place, there), [MODEL]).faults == ()


def test_nothing_is_written_to_the_old_place(place: Place, there: MemoryLedger) -> None:
    place.version(1)
    ledger_move(opened(place, there), THERE, reason=WHY)
    with pytest.raises(UsageError, match=f"it has moved to {THERE}, says entry 1") as told:
        note(old(place), MODEL, "alert")
    assert f"merge `ledger: {THERE}`" in (told.value.hint or "")
    note(moved(place, there), MODEL, "alert")
    with pytest.raises(UsageError, match="it has moved"):  # it is behind, and that is no loss
        note(old(place), MODEL, "alert")
    assert len(place.entries) == 2


def test_back_again_it_goes_on(place: Place, there: MemoryLedger) -> None:
    place.version(1)
    ledger_move(opened(place, there), THERE, reason=WHY)
    note(moved(place, there), MODEL, "alert")
    result = ledger_move(moved(place, there), "git:origin", reason="back")
    assert [(each.entries, each.written) for each in result.models] == [(4, 2)]
    assert place.ledger.contents == there.contents
    note(old(place), MODEL, "at home")
    assert len(place.entries) == 5


def test_a_move_that_was_cut_off_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 4):
        place.version(number)
    monkeypatch.setattr(verb, "AT_ONCE", 1)

    class CutOff(MemoryLedger):
        left = 0

        def adopt(self, view: View, contents: Sequence[bytes]) -> None:
            if not self.left:
                raise OutsideError("writing", "the line is dead")
            self.left -= 1
            super().adopt(view, contents)

    there = CutOff()
    for left in (0, 1, 2, 0):  # the last before the entry that says so is there
        there.left = left
        with pytest.raises(OutsideError):
            ledger_move(opened(place, there), THERE, reason=WHY)
    with pytest.raises(UsageError, match="it has moved"):
        note(old(place), MODEL, "alert")
    there.left = 1
    result = ledger_move(opened(place, there), THERE, reason=WHY)
    assert (result.models[0].written, result.entries) == (1, ())
    assert there.contents == place.ledger.contents


@pytest.mark.threat(24)
def test_two_who_move_at_once_both_end_well(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one is first in all: to write there, and to say so here."""
    for number in range(1, 4):
        place.version(number)
    monkeypatch.setattr(verb, "AT_ONCE", 2)

    class Beaten(MemoryLedger):
        left = 2

        def adopt(self, view: View, contents: Sequence[bytes]) -> None:
            if self.left:
                self.left -= 1
                super().adopt(view, contents)
            super().adopt(view, contents)

    there, append = Beaten(), place.ledger.append
    others = list[tuple[Entry, ...]]()

    def late(view: View, drafts: Sequence[Draft]) -> tuple[Entry, ...]:
        if not others:
            others.append(append(view, drafts))
        return append(view, drafts)

    monkeypatch.setattr(place.ledger, "append", late)
    result = ledger_move(opened(place, there), THERE, reason=WHY)
    assert (result.models[0].entries, result.entries) == (4, ())
    assert there.contents == place.ledger.contents


@pytest.mark.parametrize("count", [1, 5])
def test_where_another_ledger_is_nothing_is_moved(
    place: Place, there: MemoryLedger, count: int
) -> None:
    place.version(1)
    for number in range(1, count + 1):
        draft = msgspec.structs.replace(registered(number), model=MODEL)
        there.append(there.read(MODEL), [draft])
    with pytest.raises(IntegrityError, match=f"another ledger of {MODEL} there, of {count} entr"):
        ledger_move(opened(place, there), THERE, reason=WHY)
    assert len(place.entries) == 1


@pytest.mark.parametrize(("target", "reason"), [("git:origin", WHY), (THERE, " ")])
def test_what_says_nothing_moves_nothing(place: Place, target: str, reason: str) -> None:
    with pytest.raises(UsageError):
        ledger_move(place.open(), target, reason=reason)


def test_where_the_store_went_is_still_known(place: Place, there: MemoryLedger) -> None:
    place.version(1)
    other, address = MemoryStore(), "oci://registry.example/models"
    copied = store_copy(
        place.open(store_at=lambda _: other), address, reason=WHY, is_move=True
    ).entries
    assert len(copied) == 1
    ledger_move(opened(place, there), THERE, reason=WHY)
    here = moved(place, there)
    workspace = place.open(ledger=there, config=here.config, store_at=lambda _: other)
    assert store_copy(workspace, address, reason=WHY, is_move=True).entries == ()
