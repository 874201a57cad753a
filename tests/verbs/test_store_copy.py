"""`store copy`: what the ledgers name, into another store, with its digests."""

from __future__ import annotations

import pytest

from assent.core.entry import Kind
from assent.errors import ExitCode, UsageError
from assent.testing.store import MemoryStore
from assent.verbs.store_copy import store_copy
from assent.verbs.verify import verify
from tests.verbs.place import MODEL, Place

OTHER = "oci://registry.example/models"


@pytest.fixture
def target() -> MemoryStore:
    return MemoryStore()


def test_all_of_it_and_then_nothing(place: Place, target: MemoryStore) -> None:
    place.version(1)
    place.hold("staging", 1)
    waiting = place.bundle(0.9, content=b"candidate")
    workspace = place.open(store_at=lambda _: target)
    result = store_copy(workspace, OTHER)
    assert (result.versions, result.candidates, result.exit_code) == (1, 1, ExitCode.DONE)
    assert (result.source, result.target) == (workspace.store_address, OTHER)
    assert target.blobs == place.store.blobs
    assert target.pointers(MODEL) == place.store.pointers(MODEL)
    assert target.remembered(MODEL) == place.store.remembered(MODEL) >= {waiting}
    assert verify(place.open(store=target), [MODEL]).exit_code is ExitCode.DONE
    again = store_copy(workspace, OTHER)
    assert (again.sent_bytes, again.pointers, again.versions) == (0, 0, 1)


def test_what_is_lacking_is_named_and_the_rest_copied(place: Place, target: MemoryStore) -> None:
    first = place.version(1)
    place.version(2)
    place.store.corrupt(first)
    result = store_copy(place.open(store_at=lambda _: target), OTHER)
    assert [(lacking.version, lacking.bundle) for lacking in result.lacking] == [(1, first)]
    assert (result.versions, result.exit_code) == (1, ExitCode.INTEGRITY)


def test_a_stage_that_was_emptied_since_is_empty_there(place: Place, target: MemoryStore) -> None:
    bundle = place.version(1)
    place.hold("staging", 1)
    workspace = place.open(store_at=lambda _: target)
    store_copy(workspace, OTHER)
    place.write(Kind.CLEARED, 1, bundle, stage="staging", replaces=1)
    store_copy(workspace, OTHER)
    emptied = target.pointer(f"{MODEL}/stages/staging")
    assert emptied is not None
    assert emptied.version is None
    assert verify(place.open(store=target), [MODEL]).faults == ()


def test_a_store_of_another_ledger_is_left_alone(place: Place, target: MemoryStore) -> None:
    """What stands there was derived from entries that this ledger does not have."""
    place.version(1)
    place.hold("staging", 1)
    workspace = place.open(store_at=lambda _: target)
    store_copy(workspace, OTHER)
    place.ledger.contents[MODEL].pop()
    place.store.restore(
        f"{MODEL}/stages/staging",
        place.store.pointers(MODEL)[f"{MODEL}/versions/1"],  # type: ignore[arg-type]  # it is there
        instead_of=place.store.pointer(f"{MODEL}/stages/staging"),
    )
    head = place.ledger.read(MODEL)
    standing = place.store.pointer(f"{MODEL}/head")
    pointer = target.pointers(MODEL)[f"{MODEL}/versions/1"]
    assert pointer is not None
    assert standing is not None
    behind = type(pointer)(seq=head.state.seq, entry=head.head)
    place.store.restore(f"{MODEL}/head", behind, instead_of=standing)
    before = target.pointers(MODEL)
    result = store_copy(workspace, OTHER)
    [lacking] = result.lacking
    assert "was derived from entry" in lacking.problem
    assert target.pointers(MODEL) == before


def test_that_it_has_moved_is_recorded_once_and_only_when_it_has(
    place: Place, target: MemoryStore
) -> None:
    first = place.version(1)
    workspace = place.open(store_at=lambda _: target)
    content = place.store.blobs[first]
    place.store.corrupt(first)
    assert store_copy(workspace, OTHER, is_move=True, reason="hosted").entries == ()
    place.store.blobs[first] = content
    result = store_copy(workspace, OTHER, is_move=True, reason="hosted")
    [entry] = result.entries
    assert (entry.kind, entry.reason) == (Kind.MOVED, "hosted")
    assert entry.links == {"from": workspace.store_address, "to": OTHER}
    assert place.log[-1] == "move the store of churn"
    assert target.pointers(MODEL) == place.store.pointers(MODEL)
    assert store_copy(workspace, OTHER, is_move=True, reason="hosted").entries == ()


def test_only_some_versions(place: Place, target: MemoryStore) -> None:
    for number in (1, 2):
        place.version(number)
    place.hold("staging", 2)
    place.bundle(0.9, content=b"candidate")
    workspace = place.open(store_at=lambda _: target)
    result = store_copy(workspace, OTHER, names=["staging"])
    assert (result.versions, result.candidates) == (1, 0)
    assert sorted(target.pointers(MODEL)) == [
        f"{MODEL}/{name}" for name in ("head", "stages/staging", "versions/2")
    ]
    with pytest.raises(UsageError, match="no version and no stage"):
        store_copy(workspace, OTHER, names=["production"])
    with pytest.raises(UsageError, match="as a whole"):
        store_copy(workspace, OTHER, names=["v1"], is_move=True, reason="x")
    with pytest.raises(UsageError, match="reason"):
        store_copy(workspace, OTHER, is_move=True)
    with pytest.raises(UsageError, match="to copy from"):
        store_copy(workspace, workspace.store_address)
