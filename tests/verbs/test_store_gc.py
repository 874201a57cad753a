"""`store gc`: what nothing refers to is shown, and taken away if somebody says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from obstore.store import MemoryStore as BucketInMemory

from assent.core.bundle import read_manifest
from assent.core.digest import Digest, canonical_json, digest_of
from assent.core.entry import Kind
from assent.errors import IntegrityError, OutsideError, UsageError
from assent.keeping.plan import Why
from assent.ports import Held, NoAccessError, Source, StaysError
from assent.recording.pointers import point_all
from assent.stores.age_notes import Note
from assent.stores.buckets import Bucket
from assent.stores.objects import ObjectStore, parsed
from assent.verbs.retire import retire
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


@pytest.mark.threat(63)
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


@pytest.mark.threat(63)
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


def in_a_bucket(place: Place) -> Bucket:
    """Let the store be one that tells no ages, with what was added so far in it."""
    objects = BucketInMemory()
    bucket = Bucket(parsed("s3://models/team"), lambda: objects)
    held = place.store.blobs
    store = ObjectStore(bucket)
    store.add([Source(content=content) for content in held.values()])
    place.store = store  # type: ignore[assignment]  # it has the port of a store
    return bucket


def counted(bucket: Bucket, days: float) -> None:
    """Let so many days go by since anybody has used what is counted."""
    at = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    for name in bucket.names("tmp/used"):
        of = Digest(f"sha256:{name.rpartition('/')[2]}")
        bucket.put(name, canonical_json(Note(at=at, of=of)))


def blobs_of(bucket: Bucket) -> set[str]:
    return {f"sha256:{name.rpartition('/')[2]}" for name in bucket.names("blobs")}


def test_a_bucket_is_rid_of_all_blobs_once_they_are_counted(place: Place) -> None:
    kept = place.version(1)
    gone = left_behind(place, "candidate")
    place.store.add([Source(content=b"an upload that was given up")])
    needed = set(read_manifest(place.store.read(kept)).blobs)
    bucket = in_a_bucket(place)
    stray = blobs_of(bucket) - needed - {gone}
    plan = store_gc(place.open(), older_than_s=MONTH_S)
    assert (plan.bundles, plan.blobs, plan.uncounted) == ((), 0, len(stray))
    assert bucket.names("tmp") == []
    first = store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert (first.bundles, first.blobs, first.uncounted) == ((), 0, len(stray))
    assert blobs_of(bucket) == {*needed, *stray, gone}
    counted(bucket, days=29)
    store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert blobs_of(bucket) == {*needed, *stray, gone}
    counted(bucket, days=31)
    last = store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert [(old.bundle, old.removed) for old in last.bundles] == [(gone, True)]
    assert (last.blobs, last.uncounted, last.spared) == (len(stray), 0, 0)
    assert blobs_of(bucket) == needed
    assert bucket.names("tmp") == []


def test_a_purge_in_a_bucket_is_finished_by_a_clean_up(place: Place) -> None:
    purged, kept = place.version(1), place.version(2)
    needed = set(read_manifest(place.store.read(kept)).blobs)
    bucket = in_a_bucket(place)
    point_all(place.open(), MODEL, place.entries)
    said = retire(place.open(), MODEL, "v1", reason="erase", purge=True).sentence
    assert "its manifest stay" in said
    assert purged in blobs_of(bucket)
    young = store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert [(old.why, old.removed) for old in young.bundles] == [(Why.PURGED, False)]
    counted(bucket, days=1)
    done = store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert [(old.why, old.removed) for old in done.bundles] == [(Why.PURGED, True)]
    assert done.blobs == 3
    assert blobs_of(bucket) == needed


def test_what_a_store_removes_not_at_all_is_said_after_the_rest_was_counted(place: Place) -> None:
    gone, other = left_behind(place, "candidate"), left_behind(place, "another")
    aged(place)
    asked = []
    held, remove = place.store.held, place.store.remove

    def listed() -> Iterator[Held]:
        for one in held():
            yield replace(one, age_s=None) if one.digest == other else one

    def refusing(digest: Digest, *, older_than_s: float) -> bool:
        asked.append(digest)
        if digest == gone:
            raise OutsideError("removing", "this registry removes nothing")
        return remove(digest, older_than_s=older_than_s)

    place.store.held, place.store.remove = listed, refusing  # type: ignore[method-assign]  # a registry
    with pytest.raises(OutsideError, match="removes nothing"):
        store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert asked[0] == other


def test_one_blob_that_cannot_go_does_not_keep_the_others(place: Place) -> None:
    left_behind(place, "candidate")
    aged(place)
    stuck = digest_of(b"candidate")
    remove = place.store.remove

    def large(digest: Digest, *, older_than_s: float) -> bool:
        if digest == stuck:
            raise StaysError("removing", "it is too large")
        return remove(digest, older_than_s=older_than_s)

    place.store.remove = large  # type: ignore[method-assign]  # a bucket
    done = store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert (done.stuck, done.spared) == ((stuck,), 0)
    assert list(place.store.blobs) == [stuck]


@pytest.mark.threat(63)
def test_a_pointer_that_the_ledger_does_not_know_ends_it(place: Place) -> None:
    place.version(1)
    left_behind(place, "candidate")
    place.write(Kind.NOTED, 1, place.version(2))
    aged(place)
    place.ledger.contents[MODEL].pop()
    with pytest.raises(IntegrityError):
        store_gc(place.open(), older_than_s=MONTH_S, delete=True)


@pytest.mark.threat(63)
@pytest.mark.parametrize("how", ["lose", "corrupt"])
def test_where_it_is_not_known_what_is_needed_nothing_is_taken(place: Place, how: str) -> None:
    version = place.version(1)
    gone = left_behind(place, "candidate")
    aged(place)
    getattr(place.store, how)(version)
    with pytest.raises(IntegrityError, match="nobody knows what they need"):
        store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert gone in place.store.blobs


def evidence_of(place: Place, bundle: Digest) -> Digest:
    return Digest(read_manifest(place.store.read(bundle)).evidence.digest)


@pytest.mark.threat(63)
def test_a_candidate_whose_evidence_cannot_be_asked_for_ends_it(place: Place) -> None:
    """Nobody knows whether a branch ends with its commit."""
    bundle = place.bundle(0.9)
    evidence, read = evidence_of(place, bundle), place.store.read
    aged(place)

    def silent(digest: Digest) -> bytes:
        if digest == evidence:
            raise NoAccessError("reading", "the registry does not answer")
        return read(digest)

    place.store.read = silent  # type: ignore[method-assign]  # the network
    with pytest.raises(NoAccessError):
        store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert bundle in place.store.blobs


def test_a_candidate_whose_evidence_is_damaged_may_be_open(place: Place) -> None:
    bundle = place.bundle(0.9)
    evidence = evidence_of(place, bundle)
    aged(place)
    place.store.corrupt(evidence)
    result = store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert (result.bundles, result.kept) == ((), {"open": 1})


def test_a_candidate_whose_evidence_is_gone_is_of_no_use(place: Place) -> None:
    bundle = place.bundle(0.9)
    evidence = evidence_of(place, bundle)
    aged(place)
    place.store.lose(evidence)
    result = store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert [(old.bundle, old.removed) for old in result.bundles] == [(bundle, True)]


def test_what_the_ledger_notes_and_no_longer_looks_like_a_bundle_ends_it(place: Place) -> None:
    """Its first bytes are damaged, by which a manifest is told from other blobs."""
    place.version(1)
    noted = left_behind(place, "candidate")
    place.write(Kind.OVERRIDDEN, 1, noted)
    aged(place)
    before = set(place.store.blobs)
    place.store.corrupt(noted)
    with pytest.raises(IntegrityError, match="nobody knows what they need"):
        store_gc(place.open(), older_than_s=MONTH_S, delete=True)
    assert set(place.store.blobs) == before


def test_a_day_is_the_least(place: Place) -> None:
    with pytest.raises(UsageError, match="being written"):
        store_gc(place.open(), older_than_s=DAY_S - 1)
