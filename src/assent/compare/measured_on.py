"""Whether both models were measured on the same rows, for metrics that only files give."""

from __future__ import annotations

import re

import msgspec

from assent.core.diff.data import DataChange, DataDiff
from assent.core.diff.metrics import MeasuredOn, MetricChange, is_of_rows
from assent.core.diff.predictions import PredictionsDiff
from assent.core.diff.sameness import NotCompared

_EVALUATION = re.compile(
    r"(?:.*[._-])?"
    r"(?:tests?|testing|evals?|evaluation|valid|validation|val|dev|(?:hold|held)[_-]?out|oot|gold"
    r"|(?:test|eval|val|dev|gold)set)"
    r"(?:[._-].*)?",
    re.IGNORECASE,
)
"""Names of data sets that models are measured on."""


def is_evaluation(name: str) -> bool:
    """Whether a data set of this name is one that models are measured on."""
    return _EVALUATION.fullmatch(name) is not None


def measured_on(predictions: PredictionsDiff | None, data: DataDiff) -> MeasuredOn:
    """What is known of the rows and labels that both sides were measured on: by their predictions,
    else by the data sets that are called after a test. One whose bytes are others may still hold
    the same rows, so that only other counts, of rows or in columns, show that they are others.
    """
    if predictions is not None and predictions.old_rows is not None:
        reason = _why_others(predictions)
        return MeasuredOn(rows="other" if reason else "same", reason=reason)
    tests = [change for change in data.changes if is_evaluation(change.name)]
    for change in tests:
        if change.old is not None and change.new is not None and _has_other_rows(change):
            return MeasuredOn(
                rows="other", reason=f"the data set `{_plain(change.name)}` is another"
            )
    is_known = not tests and any(is_evaluation(reference.name) for reference in data.same)
    return MeasuredOn(rows="same" if is_known else "unknown")


def of_these_rows(
    changes: tuple[MetricChange, ...], measured: MeasuredOn
) -> tuple[MetricChange, ...]:
    """The changes, of which those of other rows are not compared: a value of a file is of the rows
    that it was measured on, as one of predictions is.
    """
    if measured.rows != "other":
        return changes
    return tuple(
        msgspec.structs.replace(
            change,
            not_compared=NotCompared(name=change.name, reason=measured.reason),
            interval=None,
        )
        if _is_of_rows(change)
        else change
        for change in changes
    )


def _is_of_rows(change: MetricChange) -> bool:
    is_open = change.change is not None and change.not_compared is None and not change.is_computed
    return is_open and is_of_rows(change.name)


def _why_others(predictions: PredictionsDiff) -> str:
    if predictions.problem is not None:
        return predictions.problem
    if predictions.has_other_labels:
        rows = f"{predictions.labels_changed:,} of {predictions.joined:,} rows"
        part = f"{predictions.labels_changed / predictions.joined:.1%}"
        return f"{rows} ({part}) have another label than before"
    if predictions.is_regrouped and predictions.task == "ranking":
        return "other rows belong to one query than in the baseline"
    return ""


def _has_other_rows(change: DataChange) -> bool:
    rows = [None if side is None else side.rows for side in (change.old, change.new)]
    if None not in rows and rows[0] != rows[1]:
        return True
    return change.is_profiled and bool(change.columns or change.close_columns)


def _plain(name: str) -> str:
    return name.replace("`", "'")
