"""`rollback`: back to what a stage has held, with a reason."""

from __future__ import annotations

import pytest

from assent.core.entry import Kind
from assent.errors import ExitCode, UsageError
from assent.verbs.rollback import rollback
from tests.verbs.place import MODEL, Place


@pytest.fixture
def held(place: Place) -> Place:
    """Production held v1, then v2."""
    for number in (1, 2, 3):
        place.version(number)
    place.hold("production", 1)
    place.hold("production", 2, replaces=1)
    return place


def test_without_a_version_it_is_the_one_before(held: Place) -> None:
    decided = rollback(held.open(), MODEL, "production", reason="worse in the north")
    assert decided.sentence == "rolled production back to v1 from v2"
    entry = held.entries[-1]
    assert (entry.kind, entry.reason, entry.replaces) == (Kind.ROLLED_BACK, "worse in the north", 2)
    pointer = held.store.pointer("churn/stages/production")
    assert pointer is not None
    assert pointer.version == 1


def test_only_what_the_stage_has_held_returns(held: Place) -> None:
    decided = rollback(held.open(), MODEL, "production", to="v3", reason="it is better")
    assert (decided.exit_code, decided.entries) == (ExitCode.BLOCKED, ())


def test_what_is_retired_does_not_return(held: Place) -> None:
    bundle = held.ledger.read(MODEL).bundle_of(1)
    assert bundle is not None
    held.write(Kind.RETIRED, 1, bundle)
    decided = rollback(held.open(), MODEL, "production", to="v1", reason="it is better")
    assert (decided.exit_code, decided.entries) == (ExitCode.BLOCKED, ())


@pytest.mark.parametrize("reason", [None, "", "  \n"])
def test_a_person_says_why(held: Place, reason: str | None) -> None:
    with pytest.raises(UsageError, match="reason"):
        rollback(held.open(), MODEL, "production", reason=reason)


def test_nothing_before_and_nothing_at_all(held: Place) -> None:
    with pytest.raises(UsageError, match="it held nothing"):
        rollback(held.open(), MODEL, "staging", reason="x")
    held.hold("staging", 3)
    with pytest.raises(UsageError, match="nothing before v3") as caught:
        rollback(held.open(), MODEL, "staging", reason="x")
    assert "--to" in (caught.value.hint or "")
    with pytest.raises(UsageError, match="'newest' is no version"):
        rollback(held.open(), MODEL, "production", to="newest", reason="x")


def test_to_where_it_is(held: Place) -> None:
    decided = rollback(held.open(), MODEL, "production", to="v2", reason="sure?")
    assert (decided.was_so, decided.sentence) == (True, "production holds v2 already")


def test_what_it_went_back_from_is_not_what_it_held_before(held: Place) -> None:
    """Going back once more does not return to the version that was bad."""
    rollback(held.open(), MODEL, "production", reason="worse")
    with pytest.raises(UsageError, match="nothing before v1"):
        rollback(held.open(), MODEL, "production", reason="still worse")
