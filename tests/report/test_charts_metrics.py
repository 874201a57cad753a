from __future__ import annotations

import pytest
from msgspec.structs import replace

from assent.core.diff.metrics import MetricChange
from assent.core.diff.predictions import PredictionsDiff, SliceChange
from assent.core.diff.sameness import NotCompared
from assent.core.verdict import Finding, Outcome
from assent.report.charts.gated import ranks_of
from assent.report.charts.intervals import interval_charts
from assent.report.charts.slices import slice_charts

from . import charted, drawn, samples
from .charted import metric

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


def finding(metric: str, bound: str, outcome: Outcome) -> Finding:
    return Finding(rule=f"{metric} {bound}", outcome=outcome, reason="", metric=metric)


def test_what_a_rule_failed_on_or_looks_at_is_drawn_first() -> None:
    ranks = ranks_of(
        [
            finding("m12", "max_drop 0.01, confident", Outcome.PASSED),
            finding("f 1", "max_drop 0.01", Outcome.FAILED),
            finding("m13", "max_drop 0.01", Outcome.UNDECIDED),
            finding("m13", "min 0.5", Outcome.PASSED),
            finding("m14", "max_drop 0.01", Outcome.WAITING),
        ]
    )
    many = [metric(f"m{at}", 1.0, -0.01, 0.001) for at in range(20)]
    (chart,) = interval_charts([*many, metric("f 1", 1.0, 0.01, 0.02)], ranks)
    names = drawn.texts(chart, "name")
    assert set(names[:2]) == {"f 1", "m13"}
    assert names[2:4] == ["m14", "m12"]


def test_a_rule_on_another_metric_that_begins_alike_is_none_on_this() -> None:
    ranks = ranks_of(
        [
            finding("f 1", "max_drop 0.01", Outcome.FAILED),
            Finding(rule="predictions labels max 2%", outcome=Outcome.FAILED, reason=""),
        ]
    )
    assert dict(ranks) == {"f 1": 0}


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


def slices(*changes: float, rows: int = 900, flagged: int | None = None) -> PredictionsDiff | None:
    if flagged is None:
        return None
    found = SliceChange(
        column="c", value=f"v{flagged}", metric="m", rows=rows, change=changes[flagged], p=0.01
    )
    return PredictionsDiff(task="binary", new_rows=1, slices=(found,))


def sliced(*changes: float, rows: int = 900) -> tuple[MetricChange, ...]:
    return tuple(
        metric(f"slices.c.v{at}.m", 1.0, change, 0.01, rows=rows)
        for at, change in enumerate(changes)
    )


def test_slices_share_one_scale_and_the_worst_is_first() -> None:
    diff = samples.diff(metrics=(metric("m", 1.0, 0.02, 0.01), *sliced(0.04, -0.04, 0.0)))
    (chart,) = slice_charts(diff)
    assert drawn.texts(chart, "name") == ["c = v1", "c = v2", "c = v0"]
    zero = drawn.number(drawn.found(chart, "line", "axis")[0], "x1")
    overall = drawn.number(drawn.found(chart, "line", "ideal")[0], "x1")
    worst, same, best = (drawn.number(one, "cx") for one in drawn.found(chart, "circle", "point"))
    assert same == zero
    assert best - zero == pytest.approx(zero - worst, abs=0.2)
    assert overall - zero == pytest.approx((best - zero) / 2, abs=0.2)


def test_only_what_is_worse_after_the_correction_has_its_colour() -> None:
    metrics = sliced(-0.04, -0.03, 0.0)
    for flagged, senses in (
        (None, ["moved", "moved", "unsure"]),
        (1, ["moved", "worse", "unsure"]),
    ):
        diff = samples.diff(metrics=metrics, predictions=slices(-0.04, -0.03, 0.0, flagged=flagged))
        (chart,) = slice_charts(diff)
        points = drawn.found(chart, "circle", "point")
        assert [one.attrib["class"] for one in points] == [f"point {sense}" for sense in senses]
        assert ("worse beyond chance" in drawn.said(chart)) == (flagged is not None)


def test_the_area_of_a_dot_is_the_size_of_its_slice() -> None:
    small, large = sliced(-0.02, rows=100), sliced(0.0, 0.02, rows=10_000)[1:]
    (chart,) = slice_charts(samples.diff(metrics=(*small, *large)))
    radii = [drawn.number(one, "r") for one in drawn.found(chart, "circle", "bubble")]
    assert radii == [3.6, 9.0]
    assert {"n 100", "n 10,000"} <= set(drawn.texts(chart, "tick"))


def test_slices_of_few_rows_are_last_faint_and_may_run_off_the_axis() -> None:
    few = replace(metric("slices.c.few.m", 1.0, -0.9, 0.5, rows=29), name="slices.c.few.m")
    (chart,) = slice_charts(samples.diff(metrics=(few, *sliced(0.01, -0.01))))
    assert drawn.texts(chart, "name") == ["c = v1", "c = v0", "c = few"]
    assert drawn.texts(chart, "name faint") == ["c = few"]
    assert len(drawn.found(chart, "circle", "point")) == 2
    assert [one.attrib["class"] for one in drawn.found(chart, "path", "open")] == [
        "open unsure"
    ] * 2


def test_metrics_with_a_worse_slice_come_first_and_two_are_drawn() -> None:
    metrics = [
        metric(f"slices.c.v{at}.{name}", 1.0, 0.01 * at, 0.001)
        for name in ("a", "b", "m")
        for at in range(3)
    ]
    diff = samples.diff(metrics=tuple(metrics), predictions=slices(0.0, 0.01, flagged=0))
    assert [drawn.said(chart)[:11] for chart in slice_charts(diff)] == [
        "Change of m",
        "Change of a",
    ]


def test_one_slice_or_no_change_is_no_chart() -> None:
    assert slice_charts(samples.diff(metrics=sliced(0.1))) == ()
    same = tuple(samples.metric(f"slices.c.{at}.m", 0.5, 0.5) for at in range(3))
    assert slice_charts(samples.diff(metrics=same)) == ()
