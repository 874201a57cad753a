"""Charts of answers that changed sides."""

from __future__ import annotations

from typing import Any

from assent.core.diff.predictions import (
    Flips,
    PredictionsDiff,
)
from assent.report.charts.flips import flips_charts
from tests.report import drawn


def of(**parts: Any) -> PredictionsDiff:
    return PredictionsDiff(**{"task": "binary", "new_rows": 100, **parts})


def test_flips_are_counted_and_weighed_against_each_other() -> None:
    (chart,) = flips_charts(of(flips=Flips(both_right=80, both_wrong=5, worse=5, better=10)))
    assert drawn.texts(chart, "count") == ["80", "5", "10", "5"]
    assert drawn.texts(chart, "sub") == ["80%", "5%", "10%", "5%"]
    worse, better = (drawn.found(chart, "rect", style)[-1] for style in ("worse", "better"))
    assert drawn.number(better, "width") == 2 * drawn.number(worse, "width") == 150
    assert drawn.number(worse, "x") + drawn.number(worse, "width") == drawn.number(better, "x")
    assert "10 got better and 5 got worse" in drawn.said(chart)


def test_no_rows_are_no_flips() -> None:
    assert flips_charts(of(flips=Flips(both_right=0, both_wrong=0, worse=0, better=0))) == ()
    assert flips_charts(of()) == ()
