"""Names of classes: one name for what formats write in different ways."""

from __future__ import annotations

import math
from collections.abc import Iterable

from assent.compare.predictions.table import class_order
from assent.core.evidence import Task

_BOOLEANS = {"true": "1", "false": "0"}
_POSITIVE: dict[tuple[str, ...], str] = {
    ("0", "1"): "1",
    ("-1", "1"): "1",
    ("false", "true"): "true",
}
MAX_SMALL = 20
"""An integer label with more values than this is a number, not a class."""


def same_names(*columns: Iterable[str]) -> dict[str, str]:
    """A name for every class of the columns. `1`, `1.0` and `01` are one class if no column
    tells them apart; `True` is `true`, and is 1 if another column has numbers.
    """
    kinds = [set(column) for column in columns]
    known = [kind for kind in kinds if kind]
    are_boolean = [all(name.lower() in _BOOLEANS for name in kind) for kind in known]
    names = {name for kind in kinds for name in kind}
    if all(are_boolean):
        return {name: name.lower() for name in names}
    numbers = {
        name: _BOOLEANS[name.lower()] if name.lower() in _BOOLEANS else _number(name)
        for name in names
    }
    plain = {name: number for name, number in numbers.items() if number is not None}
    is_told_apart = any(len({plain.get(name) for name in kind}) < len(kind) for kind in known)
    has_text_truth = any(are_boolean) and not all(
        boolean or {plain.get(name) for name in kind} <= {"0", "1"}
        for boolean, kind in zip(are_boolean, known, strict=True)
    )
    if len(plain) < len(names) or is_told_apart or has_text_truth:
        return {name: name for name in names}
    return plain


def positive_of(classes: tuple[str, ...]) -> str | None:
    """The positive class where everybody means the same one."""
    return _POSITIVE.get(classes)


def infer_task(
    *,
    labels: set[str] | None,
    predictions: set[str] | None,
    is_label_whole: bool,
    is_prediction_whole: bool,
    has_class_scores: bool,
    has_score: bool,
    has_group: bool,
) -> Task:
    """What the columns look like. `labels` and `predictions` are the values in them, None if
    there are more than a classification has. Whole columns hold integers only.

    Two values are classes; so are a score for each class, text, and a few integers (at most
    `MAX_SMALL`) that the prediction takes as well. A score by group without a prediction, with more
    than two labels that are numbers, is a ranking. Other numbers are a regression. A ranking of
    relevant and irrelevant rows cannot be told from a classification, and has to be stated.
    """
    seen = None if labels is None else labels | (predictions or set())
    if has_class_scores:
        return "binary" if seen is not None and len(seen) <= 2 else "multiclass"
    are_numbers = seen is None or all(_number(name) is not None for name in seen)
    if seen is not None and len(seen) <= 2:
        return "binary"
    if has_score and predictions == set():
        return "ranking" if has_group and are_numbers else "binary"
    if not are_numbers:
        return "multiclass"
    is_small = labels is not None and len(labels) <= MAX_SMALL
    if is_small and is_label_whole and is_prediction_whole and seen == labels:
        return "multiclass"
    return "regression"


def ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Classes in their order."""
    return class_order(set(names))


def _number(name: str) -> str | None:
    try:
        value = float(name)
    except ValueError:
        return None
    if not math.isfinite(value) or "_" in name:
        return None
    if value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return repr(value) if abs(value) < 2**53 else None
