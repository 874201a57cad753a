"""Two tables of predictions side by side."""

from __future__ import annotations

import msgspec
import numpy as np

from assent.compare.predictions.agreement import bound_to, one_spelling
from assent.compare.predictions.examples import most_changed
from assent.compare.predictions.joining import MIN_SHARED, Join, join
from assent.compare.predictions.measures import Measured, disagreement, intervals
from assent.compare.predictions.pictures import (
    calibration,
    calibration_error,
    confusion,
    residuals,
)
from assent.compare.predictions.sides import Side, all_classes, side_of
from assent.compare.predictions.slices import Rows, Slices, change_of, compare_slices
from assent.compare.predictions.table import PredictionTable, SliceColumn
from assent.core.diff.metrics import Interval, MetricChange
from assent.core.diff.predictions import Flips, PredictionsDiff

_LOOKED_AT, _LONG = 10_000, 40


def compare_tables(
    old: PredictionTable | None, new: PredictionTable
) -> tuple[PredictionsDiff, tuple[MetricChange, ...]]:
    """See `assent.compare.predictions.compare_predictions`.

    One class has one name on both sides, and the task is the baseline's where the candidate's
    table can be one of it: a model that never predicts the third of three classes is no binary one.

    The values of the whole are those of all rows of each side, as its own metrics file has them.
    Intervals, flips and paired slices rest on the shared rows, with the candidate's labels. Below
    99% of shared rows the two are different samples, and no interval is paired.
    """
    if old is not None:
        old, new = one_spelling(old, new)
        new = bound_to(old, new)
        new = _about_the_same(old, new)
    problem = None if old is None else _problem(old, new)
    classes = all_classes(old, new)
    after = Measured(side_of(new, classes))
    before = None if old is None else Measured(side_of(old, classes))
    shared = None if old is None or problem else join(old, new)
    whole, found = _measured(before, after, shared)
    diff = PredictionsDiff(
        task=new.task,
        new_rows=new.rows,
        old_rows=None if old is None else old.rows,
        problem=problem,
    )
    pictures = _pictured(before, after, classes, is_compared=problem is None)
    values = [
        {**one.values, **_calibration_error(one.side)} if one is not None else {}
        for one in (before, after)
    ]
    changes = change_of(values[0], values[1], found, rows=new.rows)
    if shared is not None and old is not None and whole is not None:
        is_all = shared.is_complete
        pictures = msgspec.structs.replace(
            pictures,
            joined=shared.rows,
            is_paired=shared.is_paired,
            flips=_flips(*whole),
            disagreement=disagreement(*whole),
            examples=most_changed(new, shared.new, *whole, classes),
            labels_changed=_labels_changed(old, new, shared, classes),
            problem=None if is_all or shared.is_paired else _overlap(shared),
        )
    sliced = compare_slices(_slice_rows(old, new, before, after, shared, whole))
    return _with(diff, pictures, sliced), (*changes, *sliced.metrics)


def _about_the_same(old: PredictionTable, new: PredictionTable) -> PredictionTable:
    """The candidate's table about the class that the baseline calls positive: recall of another
    class is another metric, and what it is called is not for the change to say.
    """
    if old.task != "binary" or new.task != "binary" or old.positive == new.positive:
        return new
    if old.positive not in new.classes:
        return new
    scores = None if new.scores is None else 1.0 - new.scores
    return msgspec.structs.replace(new, positive=old.positive, scores=scores)


def _measured(
    before: Measured | None, after: Measured, shared: Join | None
) -> tuple[tuple[Side, Side] | None, dict[str, Interval]]:
    """Both sides on the rows that they share, and the intervals."""
    if before is None or shared is None:
        return None, {}
    left, right = before.side.take(shared.old), after.side.take(shared.new)
    left = msgspec.structs.replace(left, label=right.label, group=right.group)
    if not shared.is_paired:
        return (left, right), intervals(before, after, is_paired=False)
    return (left, right), intervals(Measured(left), Measured(right), is_paired=True)


def _problem(old: PredictionTable, new: PredictionTable) -> str | None:
    if old.task != new.task:
        return (
            f"the baseline's predictions are of a {old.task} model, these are {new.task} "
            f"(labels such as {_some_labels(new)})"
        )
    if old.positive != new.positive:
        return (
            f"the baseline's positive class is {old.positive or 'not stated'}, "
            f"the candidate's {new.positive or 'not stated'}"
        )
    return None


def _some_labels(table: PredictionTable) -> str:
    """Three labels, as examples."""
    values = np.unique(table.label[:_LOOKED_AT])[:3].tolist()
    shown = [table.classes[int(one)][:_LONG] if table.classes else f"{one:g}" for one in values]
    return ", ".join(f"`{one.replace('`', chr(39))}`" for one in shown)


def _overlap(shared: Join) -> str:
    return (
        f"only {shared.rows:,} rows have predictions of both models "
        f"({shared.old_rows:,} in the baseline, {shared.new_rows:,} in the candidate; at least "
        f"{MIN_SHARED:.0%} of both are needed), so they are compared as different samples"
    )


def _flips(old: Side, new: Side) -> Flips | None:
    if not new.classes or old.prediction is None or new.prediction is None or not new.rows:
        return None
    was, now = old.prediction == new.label, new.prediction == new.label
    return Flips(
        both_right=int((was & now).sum()),
        both_wrong=int((~was & ~now).sum()),
        worse=int((was & ~now).sum()),
        better=int((now & ~was).sum()),
    )


def _labels_changed(
    old: PredictionTable, new: PredictionTable, shared: Join, classes: tuple[str, ...]
) -> int:
    left = side_of(old, classes).label[shared.old]
    right = side_of(new, classes).label[shared.new]
    return int((left != right).sum())


def _calibration_error(side: Side) -> dict[str, float]:
    error = calibration_error(calibration(side))
    return {} if error is None else {"ece": error}


def _pictured(
    before: Measured | None, after: Measured, classes: tuple[str, ...], *, is_compared: bool
) -> PredictionsDiff:
    new = after.side
    old = before.side if before is not None and is_compared else None
    pictures = PredictionsDiff(
        task=new.task,
        new_rows=new.rows,
        new_calibration=calibration(new),
        new_confusion=confusion(new, classes),
        old_calibration=() if old is None else calibration(old),
        old_confusion=None if old is None else confusion(old, classes),
    )
    if new.task != "regression" or new.prediction is None or not new.rows:
        return pictures
    with np.errstate(all="ignore"):
        errors = new.prediction - new.label
        has_old = old is not None and old.prediction is not None and old.rows
        earlier = old.prediction - old.label if old is not None and has_old else None
        return msgspec.structs.replace(pictures, residuals=residuals(earlier, errors))


def _slice_rows(
    old: PredictionTable | None,
    new: PredictionTable,
    before: Measured | None,
    after: Measured,
    shared: Join | None,
    whole: tuple[Side, Side] | None,
) -> Rows:
    rows = Rows(
        new=after.side,
        new_columns=new.slices,
        old=None if before is None else before.side,
        old_columns={} if old is None else old.slices,
    )
    if shared is None or not shared.is_paired:
        return rows
    columns = {
        name: SliceColumn(values=column.values, codes=column.codes[shared.new])
        for name, column in new.slices.items()
    }
    return msgspec.structs.replace(rows, paired=whole, paired_columns=columns)


def _with(diff: PredictionsDiff, pictures: PredictionsDiff, sliced: Slices) -> PredictionsDiff:
    return msgspec.structs.replace(
        pictures,
        old_rows=diff.old_rows,
        problem=diff.problem or pictures.problem,
        slices=sliced.worse,
        slices_judged=sliced.judged,
        slices_too_small=sliced.too_small,
        slices_left_out=sliced.left_out,
    )
