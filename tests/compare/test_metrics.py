"""Metrics side by side."""

from __future__ import annotations

import pytest
from msgspec import UNSET, UnsetType

from assent.compare.metrics import compare_metrics
from assent.core.diff.metrics import MetricChange
from assent.core.scalar import NonFinite, Scalar

NAN = NonFinite("nan")


def one(old: Scalar | UnsetType, new: Scalar | UnsetType) -> MetricChange:
    before = {} if isinstance(old, UnsetType) else {"loss": old}
    after = {} if isinstance(new, UnsetType) else {"loss": new}
    (change,) = compare_metrics(before, after)
    return change


@pytest.mark.parametrize(
    ("old", "new", "change", "relative"),
    [
        (2, 3, 1, 0.5),
        (2.0, 1.0, -1.0, -0.5),
        (-2, -1, 1, 0.5),
        (-2, -3, -1, -0.5),
        (0, 3, 3, None),
        (0.0, 0.0, 0, None),
        (UNSET, 3, None, None),
        (3, UNSET, None, None),
        (True, 3, None, None),
        (2, "3", None, None),
        (2, None, None, None),
        (NAN, 3, None, None),
        (2, NonFinite("inf"), None, None),
        (0.8, 10**400, None, None),
    ],
)
def test_a_change_is_a_number_where_both_sides_are(
    old: Scalar | UnsetType, new: Scalar | UnsetType, change: float | None, relative: float | None
) -> None:
    found = one(old, new)
    assert (found.change, found.relative) == (change, relative)
    assert (found.old, found.new) == (old, new)


@pytest.mark.parametrize(
    ("old", "new", "is_changed"),
    [
        (1, 1, False),
        (1, 1.0, False),
        (1, True, True),
        (1, "1", True),
        (NAN, NAN, False),
        (NAN, None, True),
        (None, UNSET, True),
        (UNSET, None, True),
        (0.1, 0.2, True),
    ],
)
def test_what_is_no_number_changes_as_well(
    old: Scalar | UnsetType, new: Scalar | UnsetType, is_changed: bool
) -> None:
    assert one(old, new).is_changed is is_changed


def test_metrics_of_both_sides_are_listed_by_name() -> None:
    changes = compare_metrics({"b": 1, "accuracy": 1}, {"c": 1, "b": 1})
    assert [change.name for change in changes] == ["accuracy", "b", "c"]
    assert [change.better for change in changes] == ["higher", None, None]
