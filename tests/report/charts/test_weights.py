from __future__ import annotations

import math

from assent.core.diff.model import ModelDiff, WeightChange
from assent.report.charts.weights import weights_charts
from assent.report.parts import Chart
from tests.report import drawn


def chart(*distances: float | None, compared: int = 0, nonfinite: int = 0) -> tuple[Chart, ...]:
    weights = tuple(
        WeightChange(name=f"layer.{at}", distance=distance, cosine=None, nonfinite=nonfinite)
        for at, distance in enumerate(distances)
    )
    return weights_charts(ModelDiff(weights=weights, weights_compared=compared))


def test_bars_are_as_long_as_the_distance() -> None:
    (found,) = chart(0.4, 0.1, 0.0, compared=90)
    assert [drawn.number(one, "width") for one in drawn.found(found, "rect", "new")] == [380, 95]
    assert drawn.texts(found) == ["layer.0", "40.0%", "layer.1", "10.0%"]
    assert "2 of 90 tensors" in str(found.note)


def test_the_most_moved_are_drawn() -> None:
    (found,) = chart(*[1 - at / 100 for at in range(50)])
    assert drawn.texts(found, "name") == [f"layer.{at}" for at in range(12)]


def test_numbers_that_are_none_any_more_are_said() -> None:
    (found,) = chart(math.nan, nonfinite=3)
    assert drawn.texts(found, "value worse") == ["3 not finite"]
    assert [drawn.number(one, "width") for one in drawn.found(found, "rect", "new")] == [0]


def test_numbers_that_are_none_any_more_come_first() -> None:
    moved = [WeightChange(name=f"l{at}", distance=0.5, cosine=None) for at in range(20)]
    broken = WeightChange(name="broken", distance=None, cosine=None, nonfinite=1)
    (found,) = weights_charts(ModelDiff(weights=(*moved, broken)))
    assert drawn.texts(found, "name")[:2] == ["broken", "l0"]


def test_weights_that_did_not_move_are_no_chart() -> None:
    assert chart() == chart(0.0, None) == ()
