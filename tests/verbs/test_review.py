"""`review`: what is compared with what, what the notice says, and that nothing is decided."""

from __future__ import annotations

import pytest

from assent.core.digest import short
from assent.core.verdict import Decision
from assent.errors import ExitCode, UsageError
from assent.verbs.approve import approve
from assent.verbs.retire import retire
from assent.verbs.review import review
from tests.verbs.place import MODEL, Place


def test_a_candidate_is_compared_with_what_production_holds_and_shown(place: Place) -> None:
    place.version(1)
    place.version(2)
    place.hold("production", 1)
    bundle = place.bundle(0.9)
    before = place.log
    result = review(place.open(), MODEL, name=bundle)
    diff = result.report.diff
    assert diff.baseline is not None
    assert (diff.baseline.version, diff.candidate.bundle) == (1, bundle)
    [accuracy] = diff.metrics
    assert (accuracy.name, accuracy.old, accuracy.new) == ("accuracy", 0.801, 0.9)
    assert result.report.verdict.decision is Decision.PENDING
    assert result.exit_code is ExitCode.WAITING
    [notice] = place.forge.notices
    assert (notice.bundle, notice.decision) == (bundle, Decision.PENDING)
    assert short(bundle) in notice.body
    assert place.log == before
    assert result.html.is_file()


def test_without_a_stage_that_holds_one_the_newest_version_is_the_baseline(place: Place) -> None:
    place.version(1)
    place.version(2)
    diff = review(place.open(), MODEL, name=place.bundle(0.9)).report.diff
    assert diff.baseline is not None
    assert diff.baseline.version == 2


def test_the_first_model_has_nothing_to_be_compared_with(place: Place) -> None:
    report = review(place.open(), MODEL, name=place.bundle()).report
    assert report.diff.baseline is None
    assert not report.diff.is_unchanged


def test_where_all_versions_were_purged_it_is_not_said_that_there_were_none(place: Place) -> None:
    for number in (1, 2):
        place.version(number)
    for number in (1, 2):
        retire(place.open(), MODEL, f"v{number}", reason="erase", purge=True)
    report = review(place.open(), MODEL, name=place.bundle(0.9)).report
    assert report.diff.baseline is None
    assert any("all that there were are retired or purged" in note for note in report.notes)
    assert not any("registered yet" in note for note in report.notes)


def test_a_failed_gate_blocks_and_an_approval_settles_what_waits(place: Place) -> None:
    bad = place.bundle(0.6)
    assert review(place.open(), MODEL, name=bad).exit_code is ExitCode.BLOCKED
    good = place.bundle(0.9)
    place.approve(good, "bob")
    approve(place.open(), MODEL, name=good)
    assert review(place.open(), MODEL, name=good).exit_code is ExitCode.DONE


def test_what_there_is_not(place: Place) -> None:
    with pytest.raises(UsageError):
        review(place.open(), MODEL, name="v1")
    assert place.forge.notices == []
