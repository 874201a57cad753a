from __future__ import annotations

import math
from typing import Any

import pytest
from msgspec.structs import replace

from assent.core.diff.predictions import (
    CalibrationBin,
    Confusion,
    Flips,
    PredictionsDiff,
    Residuals,
)
from assent.report.charts.calibration import calibration_charts
from assent.report.charts.confusion import confusion_charts
from assent.report.charts.flips import flips_charts
from assent.report.charts.residuals import residuals_charts

from . import charted, drawn


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


OLD = Confusion(classes=("no", "yes"), counts=((90, 10), (20, 80)))
NEW = Confusion(classes=("yes", "no"), counts=((85, 15), (12, 88)))


def test_confusion_shows_new_old_and_the_change_whatever_the_order_of_classes() -> None:
    candidate, change = confusion_charts(of(old_confusion=OLD, new_confusion=NEW))
    assert drawn.texts(candidate, "count") == ["88", "12", "15", "85"]
    assert drawn.texts(candidate, "sub") == ["was 90", "was 10", "was 20", "was 80"]
    assert drawn.texts(change, "count") == ["−2", "+2", "−5", "+5"]  # noqa: RUF001
    cells = drawn.found(change, "rect", "")[1:]
    assert [one.attrib["class"] for one in cells] == ["worse", "worse", "better", "better"]
    shades = [one.attrib["fill-opacity"] for one in cells]
    assert shades == ["0.18", "0.18", "0.46", "0.46"]


def test_with_other_rows_the_change_is_of_shares() -> None:
    double = Confusion(classes=("no", "yes"), counts=((180, 20), (30, 170)))
    _, change = confusion_charts(of(old_confusion=OLD, new_confusion=double))
    assert drawn.texts(change, "count") == ["0", "0", "−5.0", "+5.0"]  # noqa: RUF001
    assert "percentage points" in str(change.note)


def test_without_a_baseline_there_is_one_matrix() -> None:
    (chart,) = confusion_charts(of(new_confusion=NEW))
    assert drawn.texts(chart, "sub") == []


def test_many_classes_are_numbered_and_the_small_ones_are_one() -> None:
    baseline, candidate, _ = confusion_charts(
        of(
            old_confusion=charted.MULTICLASS.old_confusion,
            new_confusion=charted.MULTICLASS.new_confusion,
        )
    )
    assert drawn.texts(candidate, "name")[:10] == [str(at) for at in range(1, 11)]
    assert drawn.texts(candidate, "name")[-1] == "10 5 others"
    old = charted.MULTICLASS.old_confusion
    assert old is not None
    rows = sum(map(sum, old.counts))
    assert f"of {rows:,} rows" in drawn.said(baseline)


def test_what_stands_for_many_classes_has_no_colour_and_is_not_counted_as_right() -> None:
    old = Confusion(
        classes=("a", "b", "7 other classes"), counts=((9, 1, 0), (0, 8, 2), (1, 0, 70)), others=7
    )
    new = Confusion(classes=old.classes, counts=((9, 0, 1), (0, 9, 1), (1, 0, 70)), others=7)
    candidate, change = confusion_charts(of(old_confusion=old, new_confusion=new))
    assert "18 of 91 rows on the diagonal, 70 not told apart" in drawn.said(candidate)
    styles = [one.attrib["class"].split()[0] for one in drawn.found(change, "rect", "")]
    assert styles.count("worse") == 0
    assert styles.count("better") == 2  # b is found once more, and no a is taken for b


@pytest.mark.parametrize(
    "broken",
    [
        Confusion(classes=(), counts=()),
        Confusion(classes=("a", "b"), counts=((1, 2),)),
        Confusion(classes=("a", "b"), counts=((1, 2), (1,))),
    ],
    ids=["empty", "rows", "columns"],
)
def test_a_matrix_that_is_none_is_not_drawn(broken: Confusion) -> None:
    assert confusion_charts(of(new_confusion=broken)) == ()
    assert len(confusion_charts(of(new_confusion=NEW, old_confusion=broken))) == 1


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
