"""Recall and precision of every class, and by how much they changed."""

from __future__ import annotations

import numpy as np

from assent.compare.adjusted import holm
from assent.compare.predictions.distributions import mcnemar_mid_p
from assent.compare.predictions.intervals import Ints
from assent.compare.predictions.same_rows import SameRows
from assent.compare.predictions.sides import Side
from assent.core.diff.predictions import ClassChange

MAX_SHOWN = 20


def classes_by_change(
    same: SameRows, classes: tuple[str, ...]
) -> tuple[tuple[ClassChange, ...], int]:
    """The classes whose recall or precision changed, and how many there are: those first of which
    most rows are told otherwise. Rows that belong together, or labels that were changed, leave open
    what is chance.
    """
    old, new = same.pair
    if not same.is_paired or not new.classes or old.prediction is None or new.prediction is None:
        return (), 0
    before, after = _counts(old), _counts(new)
    changed = np.flatnonzero((before != after).any(axis=0))
    by_chance = _adjusted(old, new) if new.group is None and not same.labels_changed else None
    moved = np.abs(after - before).sum(axis=0)
    first = changed[np.lexsort((changed, -moved[changed]))][:MAX_SHOWN]
    changes = tuple(
        ClassChange(
            name=classes[at],
            rows=int(after[0, at]),
            old_recall=_share(before[2, at], before[0, at]),
            new_recall=_share(after[2, at], after[0, at]),
            old_precision=_share(before[2, at], before[1, at]),
            new_precision=_share(after[2, at], after[1, at]),
            p=None if by_chance is None else by_chance.get(at),
        )
        for at in first.tolist()
    )
    return changes, len(changed)


def _counts(side: Side) -> Ints:
    """By class: rows of it, rows taken for it, rows that are both."""
    assert side.prediction is not None
    right = side.label[side.label == side.prediction]
    columns = (side.label, side.prediction, right)
    return np.stack([np.bincount(column, minlength=side.classes) for column in columns])


def _adjusted(old: Side, new: Side) -> dict[int, float]:
    """The p-value of the change of recall of every class of which any row is told otherwise."""
    assert old.prediction is not None
    assert new.prediction is not None
    was, now = old.prediction == new.label, new.prediction == new.label
    worse = np.bincount(new.label[was & ~now], minlength=new.classes)
    better = np.bincount(new.label[now & ~was], minlength=new.classes)
    tested = np.flatnonzero(worse + better).tolist()
    return dict(
        zip(
            tested,
            holm([mcnemar_mid_p(int(worse[at]), int(better[at])) for at in tested]),
            strict=True,
        )
    )


def _share(part: int, whole: int) -> float | None:
    return int(part) / int(whole) if whole else None
