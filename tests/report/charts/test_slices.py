"""Charts of metrics by slice."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from assent.core.diff.metrics import MetricChange
from assent.core.diff.predictions import PredictionsDiff, SliceChange
from assent.report.charts.slices import slice_charts
from tests.report import drawn, samples
from tests.report.charted import metric


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
