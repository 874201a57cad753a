"""The task and the classes, decided once for both sides."""

from __future__ import annotations

import msgspec
import numpy as np

from assent.compare.predictions.class_names import number_of, same_names
from assent.compare.predictions.table import PredictionTable

_MAX_CLASSES = 1_000


def one_spelling(
    old: PredictionTable, new: PredictionTable
) -> tuple[PredictionTable, PredictionTable]:
    """Both tables with one name for what is one class: a job may have written `1` and `0`, and the
    next one `True` and `False`.
    """
    if old.classes == new.classes or not old.classes or not new.classes:
        return old, new
    names = same_names(old.classes, new.classes)
    return _renamed(old, names), _renamed(new, names)


def _renamed(table: PredictionTable, names: dict[str, str]) -> PredictionTable:
    return msgspec.structs.replace(
        table,
        classes=tuple(names[name] for name in table.classes),
        positive=None if table.positive is None else names[table.positive],
    )


def bound_to(old: PredictionTable, new: PredictionTable) -> PredictionTable:
    """The candidate's table as one of the baseline's task, which is not for the candidate to
    choose; as it is where it can be none.
    """
    if old.task == "multiclass" and new.task == "binary":
        return _of_many(new)
    if old.task == "regression" and new.classes and new.prediction is not None:
        return _of_numbers(new)
    if old.task == "multiclass" and new.task == "regression":
        return _of_classes(new, old.classes)
    return new


def _of_many(table: PredictionTable) -> PredictionTable:
    scores = table.scores
    if scores is not None and scores.ndim == 1:
        if len(table.classes) != 2 or table.positive is None:
            return table
        columns = [scores if name == table.positive else 1.0 - scores for name in table.classes]
        scores = np.column_stack(columns)
    return msgspec.structs.replace(table, task="multiclass", positive=None, scores=scores)


def _of_classes(table: PredictionTable, classes: tuple[str, ...]) -> PredictionTable:
    """Numbers as classes: a model that predicts a class which no row has looks like one of numbers.
    As it is where a label is none of the classes, or a prediction no whole number.
    """
    known = {number_of(name) for name in classes}
    label, prediction = table.label, table.prediction
    if prediction is None or not (prediction == np.trunc(prediction)).all():
        return table
    values = np.unique(np.concatenate((label, prediction)))
    names = [number_of(repr(float(value))) for value in values]
    if (
        len(names) > _MAX_CLASSES
        or not {number_of(repr(float(value))) for value in np.unique(label)} <= known
    ):
        return table
    return msgspec.structs.replace(
        table,
        task="multiclass",
        label=np.searchsorted(values, label),
        prediction=np.searchsorted(values, prediction),
        classes=tuple(name or "" for name in names),
    )


def _of_numbers(table: PredictionTable) -> PredictionTable:
    numbers = [number_of(name) for name in table.classes]
    if None in numbers or table.prediction is None:
        return table
    values = np.array(numbers, dtype=np.float64)
    return msgspec.structs.replace(
        table,
        task="regression",
        label=values[table.label],
        prediction=values[table.prediction],
        scores=None,
        classes=(),
        positive=None,
    )
