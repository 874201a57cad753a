"""`doctor`: what is missing, and what the forge does not enforce."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assent.errors import ExitCode
from assent.ports import Protection, ProtectionState
from assent.stores.directory import DirectoryStore
from assent.verbs.doctor import DoctorResult, doctor
from tests.builders import run_git
from tests.verbs.place import MODEL, Place


def said(result: DoctorResult) -> dict[str, tuple[bool, str]]:
    return {check.name: (check.is_fine, check.said) for check in result.checks}


def test_all_is_there(place: Place) -> None:
    place.version(1)
    result = doctor(place.open(), [MODEL])
    assert result.exit_code is ExitCode.DONE
    found = said(result)
    assert found["policy of churn"] == (True, "1 gates, 1 approvals, staging, production")
    assert found["ledger of churn"] == (True, "1 versions, 1 entries")
    assert result.guards is None


def test_what_cannot_be_read_is_named_with_a_way_out_and_hides_nothing(place: Place) -> None:
    place.ledger.contents[MODEL] = [b"{}\n"]
    run_git(place.folder, "rm", "-q", "--cached", "assent.yaml")
    run_git(place.folder, "commit", "-qm", "without")
    result = doctor(place.open(), [MODEL])
    assert result.exit_code is ExitCode.USAGE
    wrong = {check.name: check.hint for check in result.checks if not check.is_fine}
    assert wrong.keys() == {"policy of churn", "ledger of churn"}
    assert "merge it to main" in wrong["policy of churn"]


def test_the_store_is_tried_only_when_that_is_asked_for(place: Place) -> None:
    doctor(place.open(), [MODEL])
    assert place.store.blobs == {}
    fine, words = said(doctor(place.open(), [MODEL], store=True))["store"]
    assert fine
    assert "may be read and written" in words
    assert place.store.blobs


def test_what_the_folder_of_a_store_can_do_is_tried_and_said(place: Place, tmp_path: Path) -> None:
    workspace = place.open()
    folder = replace(workspace, store=DirectoryStore(tmp_path / "store"))
    assert not [name for name in said(doctor(folder, [MODEL])) if name.startswith("store:")]
    assert not (tmp_path / "store").exists()
    lines = said(doctor(folder, [MODEL], store=True))
    assert lines["store: locks"] == (True, "yes")
    assert lines["store: hard links"] == (True, "yes")
    assert lines["store: names"][0]
    assert lines["store"][1].endswith("pointers")


@pytest.mark.parametrize("state", list(ProtectionState))
def test_strict_counts_what_the_forge_does_not_enforce(
    place: Place, state: ProtectionState
) -> None:
    place.forge.guarded = (Protection(name="reviews", state=state, reason=""),)
    is_enforced = state is ProtectionState.ENFORCED
    lenient = doctor(place.open(), [MODEL], forge=True)
    assert lenient.exit_code is ExitCode.DONE
    assert lenient.guards == place.forge.guarded
    strict = doctor(place.open(), [MODEL], forge=True, strict=True)
    assert strict.exit_code is (ExitCode.DONE if is_enforced else ExitCode.BLOCKED)
