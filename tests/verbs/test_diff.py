"""`diff`: any two things that have a bundle."""

from __future__ import annotations

import pytest

from assent.errors import UsageError
from assent.verbs.diff import diff
from tests.verbs.place import MODEL, Place


def test_two_versions_by_their_names(place: Place) -> None:
    first, second = place.version(1), place.version(2)
    result = diff(place.open(), MODEL, "v1", "v2")
    assert (result.old, result.new) == ("v1", "v2")
    assert result.diff.baseline is not None
    assert (result.diff.baseline.bundle, result.diff.candidate.bundle) == (first, second)
    [accuracy] = result.diff.metrics
    assert (accuracy.old, accuracy.new, accuracy.better) == (0.801, 0.802, "higher")
    turned = diff(place.open(), MODEL, "v2", "v1").diff.metrics[0]
    assert (turned.old, turned.new) == (0.802, 0.801)


def test_without_names_the_working_tree_is_compared_with_what_production_holds(
    place: Place,
) -> None:
    held = place.version(1)
    place.version(2)
    place.hold("production", 1)
    made = place.bundle(0.9)
    result = diff(place.open(), MODEL)
    assert (result.old, result.new) == ("baseline", "working tree")
    assert result.diff.baseline is not None
    assert (result.diff.baseline.bundle, result.diff.candidate.bundle) == (held, made)


def test_before_there_is_a_version_the_bundle_of_the_base_branch_is_the_baseline(
    place: Place,
) -> None:
    first = place.bundle()
    other = place.bundle(0.9, content=b"other weights")
    place.commit(0.7)
    newest = place.bundle(0.7)
    result = diff(place.open(), MODEL, new=other)
    assert result.diff.baseline is not None
    assert result.diff.baseline.bundle == newest != first


def test_a_thing_is_the_same_as_itself(place: Place) -> None:
    place.version(1)
    result = diff(place.open(), MODEL, "v1", "v1")
    assert [metric.is_changed for metric in result.diff.metrics] == [False]
    assert result.diff.model_files.sameness is not None


def test_nothing_to_compare_with_is_said_and_not_taken_for_no_change(place: Place) -> None:
    bundle = place.bundle()
    place.commit(0.9)  # of which there is none
    with pytest.raises(UsageError, match="no baseline"):
        diff(place.open(), MODEL, new=bundle)
    with pytest.raises(UsageError, match="no such version"):
        diff(place.open(), MODEL, "v7", bundle)


def test_a_diff_decides_nothing(place: Place) -> None:
    place.version(1)
    before = place.log
    diff(place.open(), MODEL, "v1", "v1")
    assert (place.log, place.forge.notices) == (before, [])


def test_a_stage_that_was_mistyped(place: Place) -> None:
    place.bundle()
    with pytest.raises(UsageError) as caught:
        diff(place.open(), MODEL, "prodution")
    assert "did you mean 'production'?" in (caught.value.hint or "")
