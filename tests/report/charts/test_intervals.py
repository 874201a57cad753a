"""Charts of metrics with their intervals."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from assent.core.diff.metrics import MetricChange
from assent.core.diff.sameness import NotCompared
from assent.report.charts.intervals import interval_charts
from tests.report import charted, drawn, samples
from tests.report.charted import metric

MIDDLE = 190.0  # of the tracks of metrics: no change


def row(one: MetricChange) -> dict[str, float]:
    """Where the interval and the change of the only metric are, as signed parts of the track."""
    (chart,) = interval_charts([one])
    whisker, *caps = drawn.found(chart, "line", "whisker")
    (point,) = drawn.found(chart, "circle", "point")
    assert len(caps) == 2
    half = 132.0
    return {
        "low": (drawn.number(whisker, "x1") - MIDDLE) / half,
        "high": (drawn.number(whisker, "x2") - MIDDLE) / half,
        "change": (drawn.number(point, "cx") - MIDDLE) / half,
    }


def test_an_interval_lies_on_the_scale_of_its_own_row() -> None:
    assert row(metric("m", 1.0, 0.008, 0.002)) == pytest.approx(
        {"low": 0.6, "change": 0.8, "high": 1.0}, abs=0.001
    )
    assert row(metric("m", 1.0, 8e6, 2e6)) == row(metric("m", 1.0, 0.008, 0.002))
    assert row(metric("m", 1.0, -0.004, 0.001)) == pytest.approx(
        {"low": -1.0, "change": -0.8, "high": -0.6}, abs=0.001
    )


def test_the_ends_of_each_row_are_written_beside_it() -> None:
    (chart,) = interval_charts([metric("m", 1.0, 0.008, 0.002)])
    assert drawn.texts(chart, "tick") == ["−0.01", "+0.01", "no change"]  # noqa: RUF001


@pytest.mark.parametrize(
    ("change", "half", "better", "sense", "words"),
    [
        (0.02, 0.01, "higher", "better", "+0.02 better"),
        (0.02, 0.01, "lower", "worse", "+0.02 worse"),
        (-0.02, 0.01, "higher", "worse", "−0.02 worse"),  # noqa: RUF001
        (-0.02, 0.01, "lower", "better", "−0.02 better"),  # noqa: RUF001
        (0.02, 0.03, "higher", "unsure", "+0.02 may be chance"),
        (0.02, 0.02, "higher", "unsure", "+0.02 may be chance"),
        (0.02, 0.01, None, "moved", "+0.02 changed"),
    ],
)
def test_colour_and_words_say_the_same(
    change: float, half: float, better: str | None, sense: str, words: str
) -> None:
    (chart,) = interval_charts([metric("m", 1.0, change, half, better)])
    (point,) = drawn.found(chart, "circle", "point")
    assert point.attrib["class"] == f"point {sense}"
    assert drawn.texts(chart, "value") == [words]


def test_the_better_side_is_that_of_the_metric() -> None:
    for better, left, right in (("higher", "bad", "good"), ("lower", "good", "bad")):
        (chart,) = interval_charts([metric("m", 1.0, 0.02, 0.01, better)])
        sides = sorted(
            (drawn.number(one, "x"), one.attrib["class"]) for one in drawn.found(chart, "rect", "")
        )
        assert [style for _, style in sides] == [f"{left} side", f"{right} side"]
        assert sides[1][0] == MIDDLE


def test_what_is_worse_comes_first_and_the_rest_is_counted() -> None:
    many = [metric(f"m{at}", 1.0, 0.01, 0.02) for at in range(20)]
    (chart,) = interval_charts([*many, metric("bad", 1.0, -0.02, 0.01)])
    names = drawn.texts(chart, "name")
    assert names[0] == "bad"
    assert len(names) == 12
    assert "12 of 21" in str(chart.note)


def test_shares_have_one_scale_and_other_metrics_their_own() -> None:
    pair = [metric("accuracy", 0.9, -0.1, 0.01), metric("roc_auc", 0.9, -0.01, 0.001)]
    (chart,) = interval_charts([*pair, metric("rmse", 9.0, -0.001, 0.0001, "lower")])
    places = {
        name: MIDDLE - drawn.number(point, "cx")
        for name, point in zip(
            drawn.texts(chart, "name"), drawn.found(chart, "circle", "point"), strict=True
        )
    }
    assert places["accuracy"] == pytest.approx(10 * places["roc_auc"], abs=0.2)
    assert places["rmse"] > places["roc_auc"]
    assert "the 2 between 0 and 1 on one scale" in str(chart.note)


def test_what_is_not_compared_is_not_drawn() -> None:
    other = NotCompared(name="accuracy", reason="the rows are others")
    one = replace(metric("accuracy", 0.9, -0.1, 0.01), not_compared=other)
    assert interval_charts([one]) == ()


def test_only_whole_metrics_with_an_interval_are_drawn() -> None:
    bare = samples.metric("latency_ms", 12.1, 15.8, "lower")
    nothing = metric("same", 1.0, 0.0, 0.0)
    assert interval_charts([bare, nothing, *charted.SLICES]) == ()
