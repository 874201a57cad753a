"""`store gc`: what nothing refers to is shown, and taken away if somebody says so."""

from __future__ import annotations

import pytest

from assent.core.digest import Digest
from assent.core.entry import Kind
from assent.errors import IntegrityError, UsageError
from assent.keeping.plan import Why
from assent.verbs.store_gc import store_gc
from tests.verbs.place import MODEL, Place

DAY_S = 86_400.0
MONTH_S = 30 * DAY_S


def left_behind(place: Place, name: str) -> Digest:
    """A candidate of a change whose branch is gone."""
    head = place.forge.open_change
    bundle = place.bundle(0.9, content=name.encode())
    assert head is not None
    place.commit(0.8)
    place.commit(0.81)
    return bundle


def aged(place: Place) -> None:
    for digest in place.store.blobs:
        place.store.age(digest, 2 * MONTH_S)


@pytest.fixture(autouse=True)
def no_branch_ends_there(place: Place) -> None:
    """Bundles of the place are made at the newest commit of `main`, which then moves on."""
    place.commit(0.8)


def test_it_is_shown_first_and_then_taken_away(place: Place) -> None:
    kept = place.version(1)
    gone = left_behind(place, "candidate")
    aged(place)
    before = dict(place.store.blobs)
    plan = store_gc(place.open(), older_than_s=MONTH_S)
    assert [(old.bundle, old.why, old.removed) for old in plan.bundles] == [
        (gone, Why.EXPIRED, False)
    ]
    assert (plan.deleted, plan.kept) == (False, {"referred": 1})
    assert place.store.blobs == before
    done = store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert [(old.bundle, old.removed) for old in done.bundles] == [(gone, True)]
    assert (done.blobs, done.size_bytes) == (plan.blobs, plan.size_bytes)
    assert gone not in place.store.blobs
    assert kept in place.store.blobs
    assert gone not in place.store.remembered(MODEL)
    assert store_gc(place.open(), older_than_s=MONTH_S).bundles == ()


def test_what_the_ledger_notes_stays(place: Place) -> None:
    place.version(1)
    noted = left_behind(place, "candidate")
    place.write(Kind.OVERRIDDEN, 1, noted)
    aged(place)
    result = store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert (result.bundles, result.kept) == ((), {"referred": 2})


def test_what_a_branch_ends_with_stays(place: Place) -> None:
    bundle = place.bundle(0.9)
    aged(place)
    result = store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert (result.bundles, result.kept) == ((), {"open": 1})
    assert bundle in place.store.blobs


def test_what_is_used_meanwhile_is_spared(place: Place) -> None:
    """Between the plan and the deed somebody reviews it."""
    gone = left_behind(place, "candidate")
    aged(place)
    store, remove = place.store, place.store.remove

    def late(digest: Digest, *, older_than_s: float) -> bool:
        store.renew(list(store.blobs))
        return remove(digest, older_than_s=older_than_s)

    store.remove = late  # type: ignore[method-assign]  # somebody else's doing
    result = store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert [old.removed for old in result.bundles] == [False]
    assert result.spared == 1
    assert gone in store.blobs
    assert gone in store.remembered(MODEL)


def test_a_pointer_that_the_ledger_does_not_know_ends_it(place: Place) -> None:
    place.version(1)
    left_behind(place, "candidate")
    place.write(Kind.NOTED, 1, place.version(2))
    aged(place)
    place.ledger.contents[MODEL].pop()
    with pytest.raises(IntegrityError):
        store_gc(place.open(), older_than_s=MONTH_S, delete=True)


@pytest.mark.parametrize("how", ["lose", "corrupt"])
def test_where_it_is_not_known_what_is_needed_nothing_is_taken(place: Place, how: str) -> None:
    version = place.version(1)
    gone = left_behind(place, "candidate")
    aged(place)
    getattr(place.store, how)(version)
    with pytest.raises(IntegrityError, match="nobody knows what they need"):
        store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert gone in place.store.blobs


def test_a_day_is_the_least(place: Place) -> None:
    with pytest.raises(UsageError, match="being written"):
        store_gc(place.open(), older_than_s=DAY_S - 1)
