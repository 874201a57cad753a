"""`retire`: a version that must not be promoted any more."""

from __future__ import annotations

import pytest

from assent.core.entry import Kind
from assent.errors import ExitCode, UsageError
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
