"""Two tables of predictions side by side."""

from __future__ import annotations

import msgspec
import numpy as np

from assent.compare.metrics import OF_CALIBRATION
from assent.compare.predictions.agreement import bound_to, one_spelling
from assent.compare.predictions.by_class import classes_by_change
from assent.compare.predictions.examples import most_changed
from assent.compare.predictions.intervals import Found
from assent.compare.predictions.joining import Join, join
from assent.compare.predictions.measures import Measured, disagreement, intervals, scores_changed
from assent.compare.predictions.pictures import (
    calibration,
    calibration_error,
    confusions,
    residuals,
)
from assent.compare.predictions.same_rows import SameRows, intervals_by_both, same_rows
from assent.compare.predictions.sides import Side, all_classes, side_of
from assent.compare.predictions.slices import Rows, Slices, change_of, compare_slices
from assent.compare.predictions.table import PredictionTable, SliceColumn
from assent.core.diff.metrics import MetricChange
from assent.core.diff.predictions import Flips, PredictionsDiff

_LOOKED_AT, _LONG = 10_000, 40


def compare_tables(
    old: PredictionTable | None, new: PredictionTable
) -> tuple[PredictionsDiff, tuple[MetricChange, ...]]:
    """See `assent.compare.predictions.compare_predictions`.

    One class has one name on both sides, and the task is the baseline's where the candidate's
    table can be one of it: a model that never predicts the third of three classes is no binary one.

    Values, changes, intervals, flips and pictures are of the shared rows with the candidate's
    labels. What each side has measured by itself is kept beside it. Sides of different rows have
    the values of their own rows, and nothing that they say of each other is a comparison.
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
    same = None
    if before is not None and shared is not None:
        same = same_rows(before.side, after.side, shared)
    diff = PredictionsDiff(
        task=new.task,
        new_rows=new.rows,
        old_rows=None if old is None else old.rows,
        problem=problem,
    )
    diff = _pictured(diff, before, after, same, classes)
    if same is not None and shared is not None:
        by_class = classes_by_change(same, classes)
        diff = msgspec.structs.replace(
            diff,
            joined=shared.rows,
            is_paired=shared.is_paired,
            flips=_flips(*same.pair),
            disagreement=disagreement(*same.pair),
            scores_changed=scores_changed(*same.pair),
            examples=most_changed(new, shared.new, *same.pair, classes),
            labels_changed=same.labels_changed,
            is_regrouped=same.is_regrouped,
            classes=by_class[0],
            classes_changed=by_class[1],
            problem=None if shared.is_paired else same.why_not,
        )
    changes = _changes(before, after, same, problem or "")
    sliced = compare_slices(_slice_rows(old, new, before, after, shared, same, problem or ""))
    return _with(diff, sliced), (*changes, *sliced.metrics)


def _changes(
    before: Measured | None, after: Measured, same: SameRows | None, problem: str
) -> list[MetricChange]:
    """The metrics of the whole."""
    if before is None:
        return change_of({}, _values(after), {}, rows=after.side.rows)
    if same is None:
        own = _values(before), _values(after)
        return change_of(*own, {}, rows=after.side.rows, why_not=problem)
    own = _values(before), _values(after)
    if not same.is_paired:
        by_metric = intervals(before, after, is_paired=False)
        by_metric["ece"] = OF_CALIBRATION
        return change_of(*own, by_metric, rows=after.side.rows, why_not=same.why_not)
    by_metric = intervals_by_both(same.pair, same.earlier, _paired_intervals)
    left, right = (_values(Measured(side)) for side in same.pair)
    return change_of(left, right, by_metric, rows=after.side.rows, own=own, why_not=same.why_not)


def _paired_intervals(old: Side, new: Side) -> Found:
    by_metric = intervals(Measured(old), Measured(new), is_paired=True)
    return {**by_metric, "ece": OF_CALIBRATION}


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
    shown = [
        table.classes[int(value)][:_LONG] if table.classes else f"{value:g}" for value in values
    ]
    return ", ".join(f"`{label.replace('`', chr(39))}`" for label in shown)


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


def _values(measured: Measured) -> dict[str, float]:
    error = calibration_error(calibration(measured.side))
    return measured.values if error is None else {**measured.values, "ece": error}


def _pictured(
    diff: PredictionsDiff,
    before: Measured | None,
    after: Measured,
    same: SameRows | None,
    classes: tuple[str, ...],
) -> PredictionsDiff:
    """With what is drawn: both on the same rows where they are paired, else each on its own."""
    new = after.side
    old = before.side if before is not None and same is not None else None
    if same is not None and same.is_paired:
        old, new = same.pair
    tables = confusions(old, new, classes)
    diff = msgspec.structs.replace(
        diff,
        new_calibration=calibration(new),
        old_calibration=() if old is None else calibration(old),
        old_confusion=tables[0],
        new_confusion=tables[1],
    )
    if new.task != "regression" or new.prediction is None or not new.rows:
        return diff
    with np.errstate(all="ignore"):
        errors = new.prediction - new.label
        has_old = old is not None and old.prediction is not None and old.rows
        earlier = old.prediction - old.label if old is not None and has_old else None
        return msgspec.structs.replace(diff, residuals=residuals(earlier, errors))


def _slice_rows(
    old: PredictionTable | None,
    new: PredictionTable,
    before: Measured | None,
    after: Measured,
    shared: Join | None,
    same: SameRows | None,
    problem: str,
) -> Rows:
    rows = Rows(
        new=after.side,
        new_columns=new.slices,
        old=None if before is None else before.side,
        old_columns={} if old is None else old.slices,
        why_not=problem if same is None else same.why_not,
    )
    if shared is None or same is None or not same.is_paired:
        return rows
    columns = {
        name: SliceColumn(values=column.values, codes=column.codes[shared.new])
        for name, column in new.slices.items()
    }
    return msgspec.structs.replace(
        rows, paired=same.pair, earlier=same.earlier, paired_columns=columns
    )


def _with(diff: PredictionsDiff, sliced: Slices) -> PredictionsDiff:
    return msgspec.structs.replace(
        diff,
        slices=sliced.worse,
        slices_judged=sliced.judged,
        slices_untested=sliced.untested,
        slices_too_small=sliced.too_small,
        slices_left_out=sliced.left_out,
        slices_lost=sliced.lost,
    )
