"""`store du`: what each model keeps, each blob counted once."""

from __future__ import annotations

from assent.core.entry import Kind
from assent.ports import Source
from assent.verbs.store_du import store_du
from tests.keeping.test_plan import keep
from tests.verbs.place import MODEL, Place


def test_versions_candidates_and_what_nothing_needs(place: Place) -> None:
    place.version(1)
    place.version(2)
    place.bundle(0.9, content=b"candidate")
    place.store.add([Source(content=b"12345")])
    result = store_du(place.open())
    [use] = result.models
    assert (use.model, use.versions, use.candidates, use.purged) == (MODEL, 2, 1, 0)
    total = sum(map(len, place.store.blobs.values()))
    assert (result.size_bytes, result.unneeded, result.unneeded_bytes) == (total, 1, 5)
    assert use.size_bytes == use.own_bytes == total - 5
    assert result.shared_bytes == 0


def test_what_two_models_share_is_told(place: Place) -> None:
    other = keep(place.store, 1, model="fraud")
    twin = keep(place.store, 1)
    shared = set(other.blobs) & set(twin.blobs)
    result = store_du(place.open())
    assert result.shared_bytes == sum(len(place.store.blobs[digest]) for digest in shared) > 0
    uses = {use.model: use for use in result.models}
    assert (uses["fraud"].is_known, uses[MODEL].is_known) == (False, True)
    own = sum(use.own_bytes for use in uses.values())
    assert own + result.shared_bytes == result.size_bytes
    assert all(use.size_bytes == use.own_bytes + result.shared_bytes for use in uses.values())


def test_a_purged_version_and_a_damaged_manifest_are_counted(place: Place) -> None:
    place.write(Kind.PURGED, 1, place.version(1))
    second = place.version(2)
    place.store.blobs[second] = place.store.blobs[second][:-1] + b" "
    result = store_du(place.open())
    assert (result.models[0].purged, result.damaged) == (1, 1)
