"""`verify --recover`: a person gives up what is lost, and says why."""

from __future__ import annotations

import pytest

from assent.core.entry import Kind
from assent.errors import PolicyError, UsageError
from assent.verbs.recover import recover
from tests.verbs.place import MODEL, Place


@pytest.fixture
def cut(place: Place) -> Place:
    """The store knows of v2 in production, and the ledger has lost that."""
    for number in (1, 2):
        place.version(number)
        place.hold("production", number, replaces=1 if number == 2 else None)
    del place.ledger.contents[MODEL][2:]
    return place


def test_the_loss_is_noted_with_its_witnesses_and_the_pointers_follow(cut: Place) -> None:
    done = recover(cut.open(), MODEL, reason="the disk of the server burned")
    assert done.numbers == (2,)
    assert "churn/stages/production" in done.given_up
    entry = cut.entries[-1]
    assert (entry.kind, entry.seq) == (Kind.NOTED, done.seq)
    assert (entry.reason or "").endswith("the disk of the server burned")
    pointer = cut.store.pointer("churn/stages/production")
    assert pointer is not None
    assert pointer.version == 1


def test_where_nothing_is_missing_nothing_is_given_up(place: Place) -> None:
    place.version(1)
    with pytest.raises(UsageError, match="nothing is missing"):
        recover(place.open(), MODEL, reason="to be sure")
    assert len(place.entries) == 1


def test_a_job_cannot_decide_that_and_a_person_says_why(cut: Place) -> None:
    with pytest.raises(PolicyError, match="a job cannot decide"):
        recover(cut.open(environ={"CI": "true"}), MODEL, reason="burned")
    with pytest.raises(UsageError, match="reason"):
        recover(cut.open(), MODEL, reason="")
    assert len(cut.entries) == 2
