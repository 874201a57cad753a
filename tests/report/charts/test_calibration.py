"""Charts of scores beside what they promised."""

from __future__ import annotations

import math
from typing import Any

from assent.core.diff.predictions import (
    CalibrationBin,
    PredictionsDiff,
)
from assent.report.charts.calibration import calibration_charts
from tests.report import drawn


def of(**parts: Any) -> PredictionsDiff:
    return PredictionsDiff(**{"task": "binary", "new_rows": 100, **parts})


def one_bin(score: float, observed: float, rows: int = 10) -> CalibrationBin:
    return CalibrationBin(low=0, high=1, rows=rows, score=score, observed=observed)


def test_a_calibrated_bin_lies_on_the_diagonal() -> None:
    bins = (one_bin(0.0, 0.0), one_bin(0.25, 0.25), one_bin(1.0, 0.5))
    (chart,) = calibration_charts(of(new_calibration=bins))
    (diagonal,) = drawn.found(chart, "line", "ideal")
    left, right = drawn.number(diagonal, "x1"), drawn.number(diagonal, "x2")
    bottom, top = drawn.number(diagonal, "y1"), drawn.number(diagonal, "y2")
    (line,) = drawn.found(chart, "path", "new stroke")
    assert drawn.points(line) == [
        (left, bottom),
        (left + (right - left) / 4, bottom + (top - bottom) / 4),
        (right, bottom + (top - bottom) / 2),
    ]
    assert not drawn.found(chart, "circle", "old")
    assert "baseline" not in drawn.texts(chart, "soft")


def test_the_axes_end_where_the_scores_do() -> None:
    (chart,) = calibration_charts(of(new_calibration=(one_bin(0.01, 0.02), one_bin(0.03, 0.05))))
    assert drawn.texts(chart, "tick")[:6] == ["0", "0.01", "0.02", "0.03", "0.04", "0.05"]


def test_the_sizes_of_bins_are_drawn_to_scale() -> None:
    bins = (one_bin(0.1, 0.1, 100), one_bin(0.9, 0.9, 50))
    (chart,) = calibration_charts(of(new_calibration=bins, old_calibration=bins))
    tall, short = drawn.found(chart, "rect", "new fill")
    assert drawn.number(tall, "height") == 2 * drawn.number(short, "height")
    large, small = drawn.found(chart, "circle", "new dot")[1:]
    assert drawn.number(large, "r") > drawn.number(small, "r")
    assert "candidate on average 0 away from the diagonal" in drawn.said(chart)


def test_very_many_bins_are_joined() -> None:
    bins = tuple(one_bin(at / 10_000, at / 10_000) for at in range(10_000))
    (chart,) = calibration_charts(of(new_calibration=bins, old_calibration=bins))
    assert len(drawn.found(chart, "circle", "new dot")) == 20 + 1  # and the legend's
    assert "0 away" in drawn.said(chart)


def test_bins_without_rows_or_numbers_are_none() -> None:
    bins = (one_bin(0.5, 0.5, 0), one_bin(math.nan, 0.5), one_bin(0.5, math.inf))
    assert calibration_charts(of(new_calibration=bins)) == ()
