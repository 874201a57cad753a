from __future__ import annotations

import math
from typing import Any

import pytest
from msgspec.structs import replace

from assent.core.diff.data import ColumnChange, DataChange, DataDiff, Share
from assent.report.charts.distribution import distribution_charts
from assent.report.parts import Chart
from tests.report import charted, drawn


def charts(*columns: ColumnChange, most: int = 12) -> tuple[Chart, ...]:
    change = DataChange(name="train", is_profiled=True, columns=columns)
    return distribution_charts(DataDiff(changes=(change,)), most)


def shares(*pairs: tuple[float, float]) -> tuple[Share, ...]:
    return tuple(Share(label=f"b{at}", old=old, new=new) for at, (old, new) in enumerate(pairs))


TEN = shares(*[(0.1, 0.05)] * 5, *[(0.1, 0.15)] * 5)


def column(name: str, found: tuple[Share, ...], kind: str = "number", **facts: Any) -> ColumnChange:
    made: ColumnChange = charted.column(name, found, kind, **facts)
    return made


def test_numbers_are_bins_side_by_side() -> None:
    (chart,) = charts(column("age", TEN))
    area = drawn.points(drawn.found(chart, "path", "old area")[0])
    line = drawn.points(drawn.found(chart, "path", "new stroke")[0])
    bottom = area[0][1]
    heights = [bottom - y for _, y in line[1:-1]]
    old = bottom - area[1][1]
    assert heights[:10] == pytest.approx([old / 2] * 10, abs=0.1)
    assert heights[10:] == pytest.approx([old * 1.5] * 10, abs=0.1)
    assert drawn.texts(chart, "name") == ["b0", "b5", "b9"]


def test_what_is_no_number_stands_apart() -> None:
    nulls = Share(label="(null)", old=0.0, new=0.3)
    (chart,) = charts(column("age", (*TEN, nulls)))
    (bar,) = drawn.found(chart, "rect", "new fill")
    line = drawn.points(drawn.found(chart, "path", "new stroke")[0])
    assert drawn.number(bar, "x") > max(x for x, _ in line)
    assert drawn.number(bar, "height") == pytest.approx(
        2 * (line[0][1] - min(y for _, y in line)), abs=0.2
    )
    assert drawn.texts(chart, "name")[-1] == "(null)"


def test_categories_are_bars_with_their_shares() -> None:
    (chart,) = charts(column("plan", shares((0.8, 0.4), (0.2, 0.6)), "category"))
    old = [drawn.number(one, "width") for one in drawn.found(chart, "rect", "old area")][1:]
    new = [drawn.number(one, "width") for one in drawn.found(chart, "rect", "new fill")]
    assert old == [164.0, 41.0]
    assert new == [82.0, 123.0]
    assert drawn.texts(chart, "value") == ["80% → 40%", "20% → 60%"]
    assert "b0 from 80% to 40%" in drawn.said(chart)


def test_rare_categories_are_one_bar_and_nothing_is_lost() -> None:
    many = shares((0.5, 0.4), *[(0.005, 0.006)] * 100)
    (chart,) = charts(column("plan", many, "category"))
    assert drawn.texts(chart, "name")[-1] == "92 others"
    assert drawn.texts(chart, "value")[-1] == "46% → 55.2%"


def test_very_many_bins_are_joined() -> None:
    many = 100_000
    (chart,) = charts(column("age", shares(*[(1 / many, 1 / many)] * many)))
    line = drawn.points(drawn.found(chart, "path", "new stroke")[0])
    assert len(line) == 2 + 2 * 40
    assert len(chart.drawing) < 30_000


def test_the_label_and_new_categories_are_said() -> None:
    (chart,) = charts(
        column(
            "plan", TEN, "category", is_label=True, added=(("x", 1), ("y", 2)), vanished=(("z", 3),)
        )
    )
    assert "the label; moderate drift, PSI 0.14; 2 new categories; 1 category gone" in str(
        chart.note
    )


def test_long_labels_leave_out_the_one_between() -> None:
    moments = tuple(
        Share(label=f"2025-06-0{at} 09:41 – 2025-06-0{at + 1} 09:41", old=0.2, new=0.2)  # noqa: RUF001
        for at in range(1, 6)
    )
    (chart,) = charts(column("seen", moments, "time"))
    first, last = drawn.texts(chart, "name")
    assert first.startswith("2025-06-01 ")
    assert last.startswith("2025-06-05 ")


def test_an_approximate_drift_is_about() -> None:
    drift = column("age", TEN).drift
    assert drift is not None
    (chart,) = charts(column("age", TEN, drift=replace(drift, is_approximate=True)))
    assert "moderate drift, about PSI 0.14" in str(chart.note)


def test_only_columns_that_moved_are_drawn_in_their_order_up_to_a_limit() -> None:
    moved = [column(f"c{at}", TEN) for at in range(5)]
    drift = moved[0].drift
    assert drift is not None
    stable = replace(moved[0], drift=replace(drift, outcome="stable"))
    bare = replace(moved[0], shares=())
    empty = replace(moved[0], shares=shares((0.5, 0.0), (0.5, math.nan)))
    none = replace(moved[0], drift=None)
    assert charts(stable, bare, empty, none) == ()
    names = [drawn.said(chart).split()[2] for chart in charts(stable, *moved, most=3)]
    assert names == ["c0", "c1", "c2"]
