"""`store copy`: what the ledgers name, into another store, with its digests."""

from __future__ import annotations

import pytest

from assent.core.bundle import ModelFile, config_blob, manifest_blob
from assent.core.digest import Digest, digest_of
from assent.core.entry import Kind
from assent.errors import ExitCode, OutsideError, UsageError
from assent.ports import Pointer, Source
from assent.testing.store import MemoryStore
from assent.verbs.approve import approve
from assent.verbs.retire import retire
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


def test_a_version_that_was_chosen_and_is_purged_is_counted(
    place: Place, target: MemoryStore
) -> None:
    place.version(1)
    place.version(2)
    retire(place.open(), MODEL, "v1", reason="erase", purge=True)
    workspace = place.open(store_at=lambda _: target)
    chosen = store_copy(workspace, OTHER, model=MODEL, names=["v1"])
    assert (chosen.versions, chosen.purged) == (0, 1)
    other = store_copy(workspace, OTHER, model=MODEL, names=["v2"])
    assert (other.versions, other.purged) == (1, 0)


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


def test_what_serves_from_there_keeps_what_it_has_where_the_new_version_has_not_come(
    place: Place, target: MemoryStore
) -> None:
    first = place.version(1)
    place.hold("production", 1)
    workspace = place.open(store_at=lambda _: target)
    store_copy(workspace, OTHER)
    second = place.version(2)
    place.hold("production", 2, replaces=1)
    [blob] = [digest for digest, content in place.store.blobs.items() if content == b"v2"]
    place.store.blobs[blob] = b"x2"
    result = store_copy(workspace, OTHER)
    assert result.exit_code is ExitCode.INTEGRITY
    served = target.pointer(f"{MODEL}/stages/production")
    assert served is not None
    assert served.bundle == first
    assert f"{MODEL}/versions/2" not in target.pointers(MODEL)
    place.store.blobs[blob] = b"v2"
    assert store_copy(workspace, OTHER).exit_code is ExitCode.DONE
    served = target.pointer(f"{MODEL}/stages/production")
    assert served is not None
    assert served.bundle == second


def test_a_move_is_not_recorded_without_what_was_approved(
    place: Place, target: MemoryStore
) -> None:
    place.version(1)
    bundle = place.bundle(0.9, content=b"candidate")
    place.approve(bundle, "bob")
    approve(place.open(), MODEL, name=bundle)
    [blob] = [digest for digest, content in place.store.blobs.items() if content == b"candidate"]
    place.store.blobs[blob] = b"CANDIDATE"
    workspace = place.open(store_at=lambda _: target)
    result = store_copy(workspace, OTHER, is_move=True, reason="hosted")
    assert [lacking.bundle for lacking in result.lacking] == [bundle]
    assert (result.exit_code, result.entries) == (ExitCode.INTEGRITY, ())


def test_a_move_is_not_recorded_without_what_was_registered_meanwhile(place: Place) -> None:
    place.version(1)

    class Slow(MemoryStore):
        """Somebody registers while it is copied to."""

        def restore(self, name: str, pointer: Pointer, *, instead_of: Pointer | None) -> bool:
            if len(place.log) == 1:
                place.version(2)
            return super().restore(name, pointer, instead_of=instead_of)

    target = Slow()
    workspace = place.open(store_at=lambda _: target)
    with pytest.raises(OutsideError, match="v2 was registered while") as caught:
        store_copy(workspace, OTHER, is_move=True, reason="hosted")
    assert "copy once more" in (caught.value.hint or "")
    assert place.log == ["register v1", "register v2"]
    assert store_copy(workspace, OTHER, is_move=True, reason="hosted").entries


def test_a_hint_brings_no_other_models_bytes_along(place: Place, target: MemoryStore) -> None:
    place.version(1)
    foreign = manifest_of(place, "fraud", b"others")
    place.store.remember(f"{MODEL}/inputs/{'0' * 64}", foreign)
    result = store_copy(place.open(store_at=lambda _: target), OTHER)
    assert (result.candidates, result.exit_code) == (0, ExitCode.DONE)
    assert foreign not in target.blobs
    assert b"others" not in target.blobs.values()


def manifest_of(place: Place, model: str, content: bytes) -> Digest:
    """A bundle of another model in the same store."""
    file = ModelFile(path="m", digest=digest_of(content), size_bytes=len(content))
    config = config_blob(model, [file])
    manifest = manifest_blob(model, [file], config, b"{}")
    place.store.add([Source(content=part) for part in (content, b"{}", config, manifest)])
    return digest_of(manifest)
