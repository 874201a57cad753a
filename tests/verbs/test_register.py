"""`register`: which bytes get a version, and which do not."""

from __future__ import annotations

import pytest

from assent.core.digest import Digest
from assent.errors import ExitCode, IntegrityError, PolicyError, UsageError
from assent.verbs.approve import approve
from assent.verbs.register import register
from tests.verbs.place import MODEL, Place


def approved(place: Place, accuracy: float = 0.8) -> Digest:
    bundle = place.bundle(accuracy)
    place.approve(bundle, "bob")
    approve(place.open(), MODEL)
    return bundle


def test_approved_bytes_get_a_version_once(place: Place) -> None:
    bundle = approved(place)
    decided = register(place.open(), MODEL)
    assert (decided.version, decided.bundle, decided.exit_code) == (1, bundle, ExitCode.DONE)
    pointer = place.store.pointer("churn/versions/1")
    assert pointer is not None
    assert (pointer.bundle, pointer.seq) == (bundle, 1)
    again = register(place.open(), MODEL)
    assert again.was_so
    assert again.version == 1
    assert place.log == [f"approve {bundle[:19]}", "register v1"]
    assert [one.login for one in place.entries[-1].authors] == ["alice"]


def test_a_pointer_that_an_earlier_run_could_not_write_is_written(place: Place) -> None:
    approved(place)
    register(place.open(), MODEL)
    before = place.store.pointer("churn/versions/1")
    del place.store._pointers["churn/versions/1"]
    register(place.open(), MODEL)
    assert place.store.pointer("churn/versions/1") == before


def test_without_an_approval_it_waits(place: Place) -> None:
    bundle = place.bundle()
    decided = register(place.open(), MODEL)
    assert (decided.exit_code, decided.entries) == (ExitCode.WAITING, ())
    assert decided.sentence == f"{bundle[:19]} was not registered"


def test_a_failed_gate_blocks_whoever_approved(place: Place) -> None:
    approved(place, 0.6)
    decided = register(place.open(), MODEL)
    assert (decided.exit_code, decided.entries) == (ExitCode.BLOCKED, ())
    assert [one.rule for one in decided.verdict.blocking] == ["accuracy min 0.7"]


def test_bytes_that_are_not_what_was_approved_are_not_registered(place: Place) -> None:
    approved(place)
    [blob] = [digest for digest, content in place.store.blobs.items() if content == b"weights"]
    place.store.blobs[blob] = b"others!"
    with pytest.raises(IntegrityError, match="is corrupt") as caught:
        register(place.open(), MODEL)
    assert "model.bin" in caught.value.problem
    assert len(place.entries) == 1


def test_a_bundle_that_is_of_no_step_of_the_base_branch(place: Place) -> None:
    (place.folder / "params.json").write_text('{"accuracy": 0.99}')
    bundle = place.bundle(0.99)
    (place.folder / "params.json").write_text('{"accuracy": 0.8}')
    with pytest.raises(PolicyError, match="other inputs") as caught:
        register(place.open(), MODEL, name=bundle)
    assert "assent review" in (caught.value.hint or "")


def test_before_there_is_a_model_nothing_is_wrong_in_ci_and_a_person_is_told(place: Place) -> None:
    with pytest.raises(UsageError, match="there is none yet"):
        register(place.open(), MODEL)


def test_somebody_else_registers_first(place: Place) -> None:
    bundle = approved(place)
    ledger = place.racing(lambda: place.write_registered(bundle))
    decided = register(place.open(ledger=ledger), MODEL)
    assert decided.was_so
    assert place.log.count("register v1") == 1
    assert len(place.log) == 2
