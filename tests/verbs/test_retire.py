"""`retire`: a version that must not be promoted any more."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pytest

from assent.core.bundle import read_manifest
from assent.core.digest import Digest, digest_of
from assent.core.entry import Kind
from assent.core.kept_inspection import manifest_of
from assent.errors import AssentError, ExitCode, IntegrityError, OutsideError, UsageError
from assent.ports import Held, NotInStoreError, Source, StaysError
from assent.testing.store import MemoryStore
from assent.verbs.retire import retire
from tests.verbs.place import MODEL, Place


def test_a_version_is_retired_once_with_a_reason(place: Place) -> None:
    place.version(1)
    decided = retire(place.open(), MODEL, "v1", reason="trained on the wrong year")
    assert decided.sentence == "retired v1"
    assert (place.entries[-1].kind, place.entries[-1].reason) == (
        Kind.RETIRED,
        "trained on the wrong year",
    )
    again = retire(place.open(), MODEL, "v1", reason="once more")
    assert (again.was_so, again.exit_code) == (True, ExitCode.DONE)
    assert len(place.entries) == 2


def test_one_that_a_stage_holds_is_not(place: Place) -> None:
    place.version(1)
    place.hold("staging", 1)
    decided = retire(place.open(), MODEL, "v1", reason="old")
    assert (decided.exit_code, decided.entries) == (ExitCode.BLOCKED, ())
    [finding] = decided.verdict.blocking
    assert finding.reason == "v1 is in staging"
    assert "clear the stage first" in finding.remedy


def test_one_that_is_promoted_meanwhile_is_not(place: Place) -> None:
    place.version(1)
    ledger = place.racing(lambda: place.hold("staging", 1))
    decided = retire(place.open(ledger=ledger), MODEL, "v1", reason="old")
    assert (decided.exit_code, decided.entries) == (ExitCode.BLOCKED, ())
    assert place.log[-1] == "promote v1 to staging"


def test_no_version_and_no_reason(place: Place) -> None:
    place.version(1)
    with pytest.raises(UsageError):
        retire(place.open(), MODEL, "v2", reason="old")
    with pytest.raises(UsageError, match="reason"):
        retire(place.open(), MODEL, "v1", reason="")


def test_a_purged_version_has_no_bytes_but_those_that_others_need(place: Place) -> None:
    first = place.version(1, content=b"shared")
    second = place.version(2, content=b"shared")
    for digest in place.store.blobs:
        place.store.age(digest, 86_400)
    bundle = read_manifest(place.store.read(first))
    decided = retire(place.open(), MODEL, "v1", reason="erase", purge=True)
    assert decided.sentence.startswith("purged v1; ")
    assert "which others need" in decided.sentence
    assert (place.entries[-1].kind, place.log[-1]) == (Kind.PURGED, "purge v1")
    needed = set(read_manifest(place.store.read(second)).blobs)
    assert set(bundle.blobs) & place.store.blobs.keys() == set(bundle.blobs) & needed
    again = retire(place.open(), MODEL, "v1", reason="erase", purge=True)
    assert (again.was_so, again.exit_code) == (True, ExitCode.DONE)
    assert "its manifest is not in the store" in again.sentence
    assert "its blobs were not looked for" in again.sentence


def aged(place: Place) -> None:
    for digest in place.store.blobs:
        place.store.age(digest, 86_400)


def test_what_was_just_used_stays_with_the_manifest_until_it_is_done_again(place: Place) -> None:
    first = place.version(1)
    blobs = set(read_manifest(place.store.read(first)).blobs)
    said = retire(place.open(), MODEL, "v1", reason="erase", purge=True).sentence
    assert "blobs and its manifest stay" in said
    assert "run this again after two hours" in said
    assert blobs <= place.store.blobs.keys()
    aged(place)
    again = retire(place.open(), MODEL, "v1", reason="erase", purge=True).sentence
    assert "taken away" in again
    assert "stay" not in again
    assert not blobs & place.store.blobs.keys()


@pytest.mark.parametrize("how", ["lose", "corrupt"])
def test_what_a_damaged_neighbour_may_need_stays(place: Place, how: str) -> None:
    first = place.version(1, content=b"shared")
    second = place.version(2, content=b"shared")
    needed = set(read_manifest(place.store.read(second)).blobs) - {second}
    manifest = place.store.blobs[second]
    getattr(place.store, how)(second)
    aged(place)
    said = retire(place.open(), MODEL, "v1", reason="erase", purge=True).sentence
    assert "its bytes stay" in said
    assert {first, *needed} <= place.store.blobs.keys()
    place.store.blobs[second] = manifest
    assert "taken away" in retire(place.open(), MODEL, "v1", reason="x", purge=True).sentence
    assert needed <= place.store.blobs.keys()
    assert first not in place.store.blobs


def test_what_a_candidate_may_need_that_the_ledger_names_stays(place: Place) -> None:
    """The first bytes of its manifest are damaged, by which it is told from other blobs."""
    place.version(1, content=b"shared")
    place.version(2)
    named = place.bundle(0.9, content=b"shared")
    place.write(Kind.OVERRIDDEN, 2, named)
    needed = set(read_manifest(place.store.read(named)).blobs)
    place.store.corrupt(named)
    aged(place)
    said = retire(place.open(), MODEL, "v1", reason="erase", purge=True).sentence
    assert "its bytes stay: manifests are missing or damaged" in said
    assert needed <= place.store.blobs.keys()


def test_of_two_versions_without_manifests_each_can_be_purged(place: Place) -> None:
    for number in (1, 2):
        place.store.lose(place.version(number))
    for name in ("v1", "v2"):
        decided = retire(place.open(), MODEL, name, reason="lost", purge=True)
        assert "its manifest is not in the store" in decided.sentence
    assert place.log[-2:] == ["purge v1", "purge v2"]


def test_a_manifest_that_stays_is_not_said_to_be_taken_away(place: Place) -> None:
    first = place.version(1)
    aged(place)
    remove = place.store.remove

    def spared(digest: Digest, *, older_than_s: float) -> bool:
        return digest != first and remove(digest, older_than_s=older_than_s)

    place.store.remove = spared  # type: ignore[method-assign]  # somebody else's doing
    said = retire(place.open(), MODEL, "v1", reason="erase", purge=True).sentence
    assert "its manifest stays" in said


def test_nothing_is_recorded_where_the_store_cannot_be_listed(place: Place) -> None:
    place.version(1)

    def unlisted() -> Iterator[Held]:
        raise IntegrityError("looking", "an index that nobody can read")

    held, place.store.held = place.store.held, unlisted  # type: ignore[method-assign]  # damaged
    with pytest.raises(IntegrityError):
        retire(place.open(), MODEL, "v1", reason="erase", purge=True)
    assert len(place.entries) == 1
    place.store.held = held  # type: ignore[method-assign]  # mended
    retire(place.open(), MODEL, "v1", reason="erase", purge=True)
    assert place.log[-1] == "purge v1"


@pytest.mark.parametrize("error", [IntegrityError, NotInStoreError, OutsideError])
def test_whatever_goes_wrong_after_the_entry_says_that_it_stands(
    place: Place, error: type[AssentError]
) -> None:
    first = place.version(1)

    def broken(model: str, bundles: Collection[Digest] = ()) -> None:
        raise error("listing", "that went wrong")

    place.store.relist = broken  # type: ignore[method-assign]  # the store breaks
    with pytest.raises(AssentError, match="the ledger says that the version is purged") as raised:
        retire(place.open(), MODEL, "v1", reason="erase", purge=True)
    assert first in str(raised.value)
    assert raised.value.hint is not None
    assert raised.value.hint.endswith("run the verb again")
    assert place.log[-1] == "purge v1"


def test_what_is_said_of_the_files_of_another_version_too_stays(place: Place) -> None:
    [said] = place.store.add([Source(content=manifest_of(b"{}"))])
    for number in (1, 2):
        bundle = place.bundle(0.8 + number / 1000, content=b"the same")
        place.write(Kind.REGISTERED, number, bundle, inspection=said.digest)
    aged(place)
    retire(place.open(), MODEL, "v1", reason="erase", purge=True)
    assert said.digest in place.store.blobs
    retire(place.open(), MODEL, "v2", reason="erase", purge=True)
    assert said.digest not in place.store.blobs


def test_all_that_was_ever_said_of_the_files_goes(place: Place) -> None:
    """By the code that approved it, and by later code that registered it."""
    bundle = place.bundle(0.8)
    said = [place.store.add([Source(content=manifest_of(text))])[0] for text in (b"{}", b"[]")]
    place.write(Kind.REGISTERED, 1, bundle, inspection=said[0].digest)
    place.write(Kind.NOTED, 1, bundle, inspection=said[1].digest, reason="seen")
    aged(place)
    retire(place.open(), MODEL, "v1", reason="erase", purge=True)
    assert not {one.digest for one in said} & place.store.blobs.keys()


def test_a_purge_that_was_cut_off_is_finished(place: Place) -> None:
    first = place.version(1)
    place.write(Kind.PURGED, 1, first)
    aged(place)
    assert first in place.store.blobs
    retire(place.open(), MODEL, "v1", reason="erase", purge=True)
    assert first not in place.store.blobs
    assert first not in place.store.remembered(MODEL)
    assert len(place.entries) == 2


def test_what_a_stage_holds_is_not_purged(place: Place) -> None:
    first = place.version(1)
    place.hold("staging", 1)
    decided = retire(place.open(), MODEL, "v1", reason="erase", purge=True)
    assert decided.exit_code is ExitCode.BLOCKED
    assert first in place.store.blobs


def test_a_store_that_removes_nothing_is_said_after_the_entry(place: Place) -> None:
    place.version(1)

    class Keeping(MemoryStore):
        def remove(self, digest: Digest, *, older_than_s: float) -> bool:
            raise OutsideError("removing", "this registry removes nothing")

    store = Keeping()
    vars(store).update(vars(place.store))
    with pytest.raises(OutsideError, match="the ledger says that the version is purged"):
        retire(place.open(store=store), MODEL, "v1", reason="erase", purge=True)
    assert place.log[-1] == "purge v1"


def test_a_blob_that_the_store_cannot_remove_is_named_and_the_others_go(place: Place) -> None:
    first = place.version(1)
    blobs = set(read_manifest(place.store.read(first)).blobs)
    aged(place)
    stuck = digest_of(b"v1")
    remove = place.store.remove

    def large(digest: Digest, *, older_than_s: float) -> bool:
        if digest == stuck:
            raise StaysError("removing", "it is too large")
        return remove(digest, older_than_s=older_than_s)

    place.store.remove = large  # type: ignore[method-assign]  # a bucket
    said = retire(place.open(), MODEL, "v1", reason="erase", purge=True).sentence
    assert f"tools of the service: {stuck}" in said
    assert blobs & place.store.blobs.keys() == {first, stuck}
    del place.store.blobs[stuck]
    assert "stay" not in retire(place.open(), MODEL, "v1", reason="x", purge=True).sentence
    assert first not in place.store.blobs


def test_where_the_tag_of_a_bundle_was_moved_nothing_is_said_to_be_taken(place: Place) -> None:
    class Moved(MemoryStore):
        """As a registry: it removes by the tag, and that names something else."""

        @property
        def lists_blobs(self) -> bool:
            return False

        def remove(self, digest: Digest, *, older_than_s: float) -> bool:
            del digest, older_than_s
            return False

    bundle = place.version(1)
    store = Moved()
    store.add([Source(content=content) for content in place.store.blobs.values()])
    store._pointers = place.store._pointers
    decided = retire(place.open(store=store), MODEL, "v1", reason="erase it", purge=True)
    assert "its manifest stays: the tag that is to keep it names something else" in decided.sentence
    assert bundle in decided.sentence
    assert "0 B taken away" in decided.sentence
    assert bundle in store.blobs
