"""Charts of errors."""

from __future__ import annotations

import math
from typing import Any

import pytest
from msgspec.structs import replace

from assent.core.diff.predictions import (
    PredictionsDiff,
    Residuals,
)
from assent.report.charts.residuals import residuals_charts
from tests.report import drawn


def of(**parts: Any) -> PredictionsDiff:
    return PredictionsDiff(**{"task": "binary", "new_rows": 100, **parts})


def test_residuals_lie_over_each_other_with_zero_where_it_is() -> None:
    found = Residuals(edges=(-2.0, -1.0, 0.0, 1.0, 2.0), old=(0, 0, 0, 1), new=(0, 0.5, 0.5, 0))
    (chart,) = residuals_charts(of(residuals=found))
    zero = drawn.number(drawn.found(chart, "line", "ideal")[0], "x1")
    assert zero == (42 + 376) / 2
    line = drawn.points(drawn.found(chart, "path", "new stroke")[0])
    area = drawn.points(drawn.found(chart, "path", "old area")[0])
    bottom, top = max(y for _, y in area), min(y for _, y in area)
    assert {x for x, y in line if y < bottom} == {125.5, 209.0, 292.5}
    assert bottom - min(y for _, y in line) == (bottom - top) / 2
    assert "candidate most often between −1 and 0" in drawn.said(chart)  # noqa: RUF001


def test_in_uneven_bins_the_areas_are_the_shares() -> None:
    found = Residuals(edges=(-3.0, 0.0, 1.0), old=(0.5, 0.5), new=(0.75, 0.25))
    (chart,) = residuals_charts(of(residuals=found))
    area = drawn.points(drawn.found(chart, "path", "old area")[0])
    bottom = area[0][1]
    (_, wide), (_, narrow) = area[1], area[3]
    assert (bottom - narrow) / (bottom - wide) == pytest.approx(3, rel=0.02)
    line = drawn.points(drawn.found(chart, "path", "new stroke")[0])
    assert line[1][1] == line[3][1]
    assert not any("%" in text for text in drawn.texts(chart, "tick"))


@pytest.mark.parametrize(
    "broken",
    [
        Residuals(edges=(), old=(), new=()),
        Residuals(edges=(0.0,), old=(), new=()),
        Residuals(edges=(0.0, 1.0), old=(1.0,), new=()),
        Residuals(edges=(1.0, 0.0), old=(1.0,), new=(1.0,)),
        Residuals(edges=(-math.inf, 0.0), old=(1.0,), new=(1.0,)),
        Residuals(edges=(0.0, 1.0), old=(1.0,), new=(math.nan,)),
    ],
    ids=["empty", "no bin", "lengths", "order", "infinite", "no share"],
)
def test_residuals_that_are_none_are_not_drawn(broken: Residuals) -> None:
    assert residuals_charts(of(residuals=broken)) == ()


def test_very_many_residual_bins_are_joined() -> None:
    many = 100_000
    found = Residuals(
        edges=tuple(map(float, range(many + 1))), old=(1 / many,) * many, new=(1 / many,) * many
    )
    (chart,) = residuals_charts(of(residuals=found))
    assert len(chart.drawing) < 10_000
    assert replace(chart, is_folded=True).drawing == chart.drawing
