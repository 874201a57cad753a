"""The rows that changed most, for a person who knows what they mean."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from assent.compare.predictions.intervals import Floats, Ints
from assent.compare.predictions.queries import ranks
from assent.compare.predictions.sides import Side
from assent.compare.predictions.table import PredictionTable
from assent.core.diff.predictions import Example
from assent.core.scalar import Scalar, scalar

Effect = Literal["better", "worse", "other"]
_EFFECTS: tuple[Effect, ...] = ("better", "worse", "other")


def most_changed(
    table: PredictionTable, rows: Ints, old: Side, new: Side, classes: tuple[str, ...]
) -> tuple[Example, ...]:
    """The rows that changed most, most first. `old` and `new` are the same rows, in the order of
    their ids, `rows` their places in `table`, which says how many are wanted and what may be
    shown of them.

    By score where there is one (of the positive class, or of the right one), else rows that
    became wrong, that became right, and that are wrong in another way. In a regression by how
    far the prediction is off (a prediction that moved from one side of the label to the other has
    changed nothing), in a ranking by the place in the query.
    """
    if not table.examples or not len(rows):
        return ()
    match new.task:
        case "regression":
            changed = _numbers(old, new)
        case "ranking":
            changed = _places(old, new)
        case _:
            changed = _classes(old, new)
    if changed is None:
        return ()
    size, effect, before, after = changed
    most = np.argsort(-size, kind="stable")[: table.examples]  # equal ones by id
    shown_rows = [at for at in most.tolist() if size[at] > 0]
    return tuple(
        Example(
            id=str(table.ids[rows[at]]),
            label=_named(new.label, at, classes),
            old=_named(_said(old, before), at, classes),
            new=_named(_said(new, after), at, classes),
            old_score=_score(before, at) if classes else None,
            new_score=_score(after, at) if classes else None,
            change=_change(before, after, at),
            effect=_EFFECTS[int(effect[at])],
            shown={name: scalar(_plain(column[rows[at]])) for name, column in table.shown.items()},
        )
        for at in shown_rows
    )


_Changed = tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None, NDArray[Any] | None]


def _numbers(old: Side, new: Side) -> _Changed | None:
    before, after = old.prediction, new.prediction
    if before is None or after is None:
        return None
    with np.errstate(all="ignore"):
        was, now = np.abs(before - new.label), np.abs(after - new.label)
        moved = now - was
    return np.nan_to_num(np.abs(moved)), _effects(-moved), was, now


def _places(old: Side, new: Side) -> _Changed | None:
    if old.scores is None or new.scores is None or new.group is None:
        return None
    before, after = ranks(old.scores, new.group), ranks(new.scores, new.group)
    rises = np.where(new.label > 0, before - after, 0)
    return np.abs(after - before), _effects(rises), before, after


def _classes(old: Side, new: Side) -> _Changed | None:
    before, after = _score_column(old), _score_column(new)
    if before is not None and after is not None:
        rises = after - before
        if new.scores is not None and new.scores.ndim == 1:
            rises = np.where(new.label == new.positive, rises, -rises)
        return np.abs(after - before), _effects(rises), before, after
    if old.prediction is None or new.prediction is None:
        return None
    was, now = old.prediction == new.label, new.prediction == new.label
    other = old.prediction != new.prediction
    size = other.astype(np.int64) + 2 * (was & ~now) + (now & ~was)
    return size, _effects(now.astype(np.int64) - was), None, None


def _score_column(side: Side) -> Floats | None:
    if side.scores is None or side.scores.ndim == 1:
        return side.scores
    column: Floats = side.scores[np.arange(side.rows), side.label]
    return column


def _effects(rises: NDArray[Any]) -> NDArray[Any]:
    return np.where(rises > 0, 0, np.where(rises < 0, 1, 2))


def _said(side: Side, shown: NDArray[Any] | None) -> NDArray[Any] | None:
    """What the model says of a row: its class or number, or else its place or score."""
    if side.task == "ranking" or side.prediction is None:
        return shown
    return side.prediction


def _named(values: NDArray[Any] | None, at: int, classes: tuple[str, ...]) -> Scalar:
    if values is None:
        return None
    value = values[at].item()
    return classes[value] if classes and isinstance(value, int) else scalar(value)


def _score(values: NDArray[Any] | None, at: int) -> float | None:
    if values is None:
        return None
    value = float(values[at])
    return value if np.isfinite(value) else None


def _change(before: NDArray[Any] | None, after: NDArray[Any] | None, at: int) -> float | None:
    left, right = _score(before, at), _score(after, at)
    return None if left is None or right is None else right - left


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
