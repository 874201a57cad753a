"""Charts of answers by class."""

from __future__ import annotations

from typing import Any

import pytest

from assent.core.diff.predictions import (
    Confusion,
    PredictionsDiff,
)
from assent.report.charts.confusion import confusion_charts
from tests.report import charted, drawn


def of(**parts: Any) -> PredictionsDiff:
    return PredictionsDiff(**{"task": "binary", "new_rows": 100, **parts})


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
