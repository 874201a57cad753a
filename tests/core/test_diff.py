"""What a diff says of itself."""

from __future__ import annotations

import pytest

from assent.core.diff.metrics import MIN_SLICE_ROWS, MetricChange, is_about_another, slice_of


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


@pytest.mark.parametrize(
    ("name", "is_it"),
    [
        ("acc_stderr", True),
        ("results.arc.acc_stderr,none", True),
        ("n-samples.arc.effective", True),
        ("best_at.val_loss", True),
        ("history.best_at.val.loss", True),
        ("acc,none", False),
        ("best.val_loss", False),
        ("samples", False),
        ("stderrs", False),
    ],
)
def test_what_tells_of_another_metric(name: str, is_it: bool) -> None:
    assert is_about_another(name) is is_it
