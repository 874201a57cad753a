"""What a diff says of itself."""

from __future__ import annotations

import pytest

from assent.core.diff.metrics import MIN_SLICE_ROWS, MetricChange, slice_of


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("slices.region.north.roc_auc", ("region", "north", "roc_auc")),
        ("slices.version.1.2.roc_auc", ("version", "1.2", "roc_auc")),
        ("slices.region.roc_auc", None),
        ("roc_auc", None),
        ("other.region.north.roc_auc", None),
    ],
)
def test_a_metric_of_a_slice_is_known_by_its_name(
    name: str, parts: tuple[str, str, str] | None
) -> None:
    assert slice_of(name) == parts


@pytest.mark.parametrize(
    ("name", "rows", "is_small"),
    [
        ("slices.region.north.roc_auc", MIN_SLICE_ROWS - 1, True),
        ("slices.region.north.roc_auc", MIN_SLICE_ROWS, False),
        ("slices.region.north.roc_auc", None, False),
        ("roc_auc", MIN_SLICE_ROWS - 1, False),
    ],
)
def test_only_a_slice_that_is_known_to_be_small_is(
    name: str, rows: int | None, is_small: bool
) -> None:
    assert MetricChange(name=name, rows=rows).is_of_small_slice is is_small
