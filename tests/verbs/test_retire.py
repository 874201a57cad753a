"""`retire`: a version that must not be promoted any more."""

from __future__ import annotations

import pytest

from assent.core.bundle import read_manifest
from assent.core.digest import Digest
from assent.core.entry import Kind
from assent.errors import ExitCode, OutsideError, UsageError
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
    assert "its bytes are not in the store" in again.sentence


def test_a_purge_that_was_cut_off_is_finished(place: Place) -> None:
    first = place.version(1)
    place.write(Kind.PURGED, 1, first)
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
