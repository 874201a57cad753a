"""One model's predictions in the form that metrics are computed from."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from assent.compare.predictions.intervals import Floats, Ints
from assent.compare.predictions.table import PredictionTable, class_order
from assent.core.evidence import Task

_ROUNDING = 1e-6


class Side(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Rows of one model. `classes` counts them and `positive` is one of them; `prediction` and
    `scores` are None where there are none. `group` counts from 0 without gaps.
    """

    task: Task
    label: NDArray[Any]
    classes: int = 0
    positive: int | None = None
    prediction: NDArray[Any] | None = None
    scores: Floats | None = None
    group: Ints | None = None

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.label)

    @property
    def are_probabilities(self) -> bool:
        """Whether the scores can be probabilities, up to how floats are rounded: the sum of two
        in single precision may be 1.0000001.
        """
        scores = self.scores
        if scores is None:
            return False
        return bool(((scores >= -_ROUNDING) & (scores <= 1 + _ROUNDING)).all())

    def take(self, rows: Ints) -> Side:
        """Some of the rows."""
        group = None if self.group is None else np.unique(self.group[rows], return_inverse=True)[1]
        return msgspec.structs.replace(
            self,
            label=self.label[rows],
            prediction=None if self.prediction is None else self.prediction[rows],
            scores=None if self.scores is None else self.scores[rows],
            group=group,
        )


def side_of(table: PredictionTable, classes: tuple[str, ...]) -> Side:
    """A table as a side, with its classes numbered by `classes`, which has them all.

    A classification without predictions has those of its probabilities: more than one half, or
    the most probable class.
    """
    label, prediction, scores = table.label, table.prediction, table.scores
    if table.task not in ("binary", "multiclass"):
        return Side(
            task=table.task, label=label, prediction=prediction, scores=scores, group=table.group
        )
    place = np.array([classes.index(name) for name in table.classes], dtype=np.int64)
    positive = None if table.positive is None else classes.index(table.positive)
    if scores is not None and scores.ndim == 2:
        wide = np.zeros((len(scores), len(classes)))
        wide[:, place] = scores
        scores = wide
    side = Side(
        task=table.task,
        label=place[label],
        classes=len(classes),
        positive=positive,
        prediction=None if prediction is None else place[prediction],
        scores=scores,
        group=table.group,
    )
    if prediction is not None or scores is None:
        return side
    if scores.ndim == 2:
        return msgspec.structs.replace(side, prediction=np.argmax(scores, axis=1))
    if not side.are_probabilities or positive is None or len(classes) != 2:
        return side
    derived = np.where(scores > 0.5, positive, 1 - positive)
    return msgspec.structs.replace(side, prediction=derived)


def all_classes(*tables: PredictionTable | None) -> tuple[str, ...]:
    """The classes of all tables."""
    return class_order({name for table in tables if table is not None for name in table.classes})
