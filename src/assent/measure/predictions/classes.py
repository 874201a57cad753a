"""The task and the classes of a file of predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from assent.compare.predictions.class_names import number_of, same_names
from assent.compare.predictions.table import class_order
from assent.core.evidence import Task

_YES = frozenset({"1", "true", "yes"})
_NO = frozenset({"0", "-1", "false", "no"})
MAX_SMALL = 20
"""An integer label with more values than this is a number, not a class."""


def positive_of(classes: tuple[str, ...]) -> str | None:
    """The positive class where none is stated: 1, true or yes, else the second in order, as in
    scikit-learn. None unless there are two.
    """
    if len(classes) != 2:
        return None
    yes = [name for name in classes if name.lower() in _YES]
    return yes[0] if len(yes) == 1 else classes[1]


def class_meant(stated: str | int | bool, names: Mapping[str, str]) -> str | None:
    """The class that `positive` names, as it is written there or in another spelling. YAML reads
    the word Yes as true, which is then the one class that says yes. None if it is none of them.
    """
    written = str(stated).lower() if isinstance(stated, bool) else str(stated)
    if written in names:
        return names[written]
    meant = number_of(written)
    if meant is not None and meant in names.values():
        return meant
    if isinstance(stated, bool):
        words = _YES if stated else _NO
        candidates = {name for name in names.values() if name.lower() in words}
        return candidates.pop() if len(candidates) == 1 else None
    return None


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

    A number that is missing or infinite (`nan`) among others is no class: whoever reads them
    refuses it by its row. Two values are classes; so are a score for each class, text, and a few
    integers (at most `MAX_SMALL`) that the prediction takes as well, however each column writes
    them. A score by group without a prediction, with more than two labels that are numbers, is a
    ranking. Other numbers are a regression. A ranking of relevant and irrelevant rows cannot be
    told from a classification, and has to be stated.
    """
    if labels is not None and predictions is not None:
        names = same_names(labels, predictions)
        labels, predictions = (
            {names[label] for label in labels},
            {names[prediction] for prediction in predictions},
        )
    seen = None if labels is None else labels | (predictions or set())
    if has_class_scores:
        return "binary" if seen is not None and len(seen) <= 2 else "multiclass"
    are_numbers = seen is None or all(map(_is_of_numbers, seen))
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


def _is_of_numbers(name: str) -> bool:
    return number_of(name) is not None or name.strip().lower().lstrip("+-") in _NOT_FINITE


_NOT_FINITE = frozenset({"nan", "inf", "infinity"})


def ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Classes in their order."""
    return class_order(set(names))
