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


def measured_on(predictions: PredictionsDiff | None, data: DataDiff) -> MeasuredOn:
    """What is known of the rows and labels that both sides were measured on: by their predictions,
    else by the data sets that are called after a test. One whose bytes are others may still hold
    the same rows, so that only other counts, of rows or in columns, show that they are others.
    """
    if predictions is not None and predictions.old_rows is not None:
        reason = _why_others(predictions)
        return MeasuredOn(rows="other" if reason else "same", reason=reason)
    tests = [one for one in data.changes if _EVALUATION.fullmatch(one.name)]
    for one in tests:
        if one.old is not None and one.new is not None and _has_other_rows(one):
            return MeasuredOn(rows="other", reason=f"the data set `{_plain(one.name)}` is another")
    is_known = not tests and any(_EVALUATION.fullmatch(one.name) for one in data.same)
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
            one, not_compared=NotCompared(name=one.name, reason=measured.reason), interval=None
        )
        if _is_of_rows(one)
        else one
        for one in changes
    )


def _is_of_rows(change: MetricChange) -> bool:
    is_open = change.change is not None and change.not_compared is None and not change.is_computed
    return is_open and is_of_rows(change.name)


def _why_others(found: PredictionsDiff) -> str:
    if found.problem is not None:
        return found.problem
    if found.has_other_labels:
        said = f"{found.labels_changed:,} of {found.joined:,} rows"
        return f"{said} ({found.labels_changed / found.joined:.1%}) have another label than before"
    if found.is_regrouped and found.task == "ranking":
        return "other rows belong to one query than in the baseline"
    return ""


def _has_other_rows(one: DataChange) -> bool:
    rows = [None if side is None else side.rows for side in (one.old, one.new)]
    if None not in rows and rows[0] != rows[1]:
        return True
    return one.is_profiled and bool(one.columns or one.close_columns)


def _plain(name: str) -> str:
    return name.replace("`", "'")
