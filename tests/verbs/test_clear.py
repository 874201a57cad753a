"""`clear`: a stage holds nothing any more."""

from __future__ import annotations

import pytest

from assent.core.entry import Kind
from assent.errors import UsageError
from assent.verbs.clear import clear
from tests.verbs.place import MODEL, Place


def test_a_stage_is_emptied_with_a_reason(place: Place) -> None:
    place.version(1)
    place.hold("staging", 1)
    decided = clear(place.open(), MODEL, "staging", reason="the trial is over")
    assert decided.sentence == "cleared staging, which held v1"
    entry = place.entries[-1]
    assert (entry.kind, entry.reason, entry.replaces) == (Kind.CLEARED, "the trial is over", 1)
    assert "staging" not in place.ledger.read(MODEL).state.stages
    pointer = place.store.pointer("churn/stages/staging")
    assert pointer is not None
    assert (pointer.version, pointer.bundle) == (None, None)


def test_one_that_holds_nothing_stays_so(place: Place) -> None:
    decided = clear(place.open(), MODEL, "staging", reason="to be sure")
    assert (decided.was_so, decided.sentence) == (True, "staging holds nothing")
    assert place.entries == []


def test_a_stage_that_left_the_configuration_can_be_emptied(place: Place) -> None:
    place.version(1)
    place.hold("canary", 1)
    assert clear(place.open(), MODEL, "canary", reason="it is gone").entries


def test_no_stage_and_no_reason(place: Place) -> None:
    with pytest.raises(UsageError, match="no stage of this name") as caught:
        clear(place.open(), MODEL, "prod", reason="x")
    assert "staging, production" in (caught.value.hint or "")
    with pytest.raises(UsageError, match="reason"):
        clear(place.open(), MODEL, "staging", reason=" ")
