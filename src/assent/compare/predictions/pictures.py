"""What is drawn or tabulated: calibration, confusion, residuals."""

from __future__ import annotations

import numpy as np

from assent.compare.predictions.intervals import Floats, Ints
from assent.compare.predictions.sides import Side
from assent.core.diff.predictions import CalibrationBin, Confusion, Residuals

BINS = 10
MAX_CLASSES = 20
_RESIDUAL_BINS = 30
_TAIL = 0.005


def calibration(side: Side) -> tuple[CalibrationBin, ...]:
    """Ten bins of equal width, without the empty ones; nothing unless scores are probabilities of
    one class.
    """
    scores, positive = side.scores, side.positive
    if scores is None or scores.ndim != 1 or positive is None or not side.are_probabilities:
        return ()
    scores = np.clip(scores, 0.0, 1.0)
    place = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    rows = np.bincount(place, minlength=BINS)
    score = np.bincount(place, weights=scores, minlength=BINS)
    hits = np.bincount(place, weights=side.label == positive, minlength=BINS)
    return tuple(
        CalibrationBin(
            low=at / BINS,
            high=(at + 1) / BINS,
            rows=int(rows[at]),
            score=float(score[at] / rows[at]),
            observed=float(hits[at] / rows[at]),
        )
        for at in np.flatnonzero(rows).tolist()
    )


def calibration_error(bins: tuple[CalibrationBin, ...]) -> float | None:
    """The expected calibration error: the mean distance of score and share over the rows (Naeini,
    Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", 2015).
    """
    rows = sum(bin_.rows for bin_ in bins)
    return (
        sum(bin_.rows * abs(bin_.score - bin_.observed) for bin_ in bins) / rows if rows else None
    )


def confusions(
    old: Side | None, new: Side, classes: tuple[str, ...]
) -> tuple[Confusion | None, Confusion | None]:
    """The tables of label and prediction of both sides, of the same classes. More than
    `MAX_CLASSES` classes: those in which most has changed (without a baseline: most is wrong), and
    the rest as one.
    """
    before = None if old is None else _cells(old)
    after = _cells(new)
    if after is None:
        return None, None
    if new.classes <= MAX_CLASSES:
        kept, left = np.arange(new.classes), 0
    else:
        moved = _moved(before, after, new.classes)
        first = np.lexsort((np.arange(new.classes), -moved))[: MAX_CLASSES - 1]
        kept, left = np.sort(first), new.classes - MAX_CLASSES + 1
    names = tuple(classes[at] for at in kept.tolist())
    if left:
        names = (*names, f"{left:,} other classes")
    tables = [
        None
        if side is None
        else Confusion(classes=names, counts=_counts(side, kept, new.classes, left), others=left)
        for side in (before, after)
    ]
    return tables[0], tables[1]


_Pairs = tuple[Ints, Ints]


def _cells(side: Side) -> _Pairs | None:
    if side.prediction is None or not side.classes:
        return None
    return side.label, side.prediction


def _moved(before: _Pairs | None, after: _Pairs, classes: int) -> Ints:
    """For each class, by how many rows its cells have changed: in its row and its column. A cell
    counts apart, so that what one row loses is not made up for by another.
    """
    codes = [side[0] * classes + side[1] for side in (before, after) if side is not None]
    weights = [np.full(len(code), sign) for code, sign in zip(codes, (-1, 1), strict=False)]
    if before is None:  # then what is wrong
        weights = [(after[0] != after[1]).astype(np.int64)]
    cells, place = np.unique(np.concatenate(codes), return_inverse=True)
    change = np.abs(np.bincount(place, weights=np.concatenate(weights)))
    moved = np.bincount(cells // classes, weights=change, minlength=classes)
    is_wrong = cells // classes != cells % classes
    moved += np.bincount(cells % classes, weights=change * is_wrong, minlength=classes)
    return np.rint(moved).astype(np.int64)


def _counts(side: _Pairs, kept: Ints, classes: int, left: int) -> tuple[tuple[int, ...], ...]:
    place = np.full(classes, len(kept), dtype=np.int64)
    place[kept] = np.arange(len(kept))
    size = len(kept) + bool(left)
    codes = place[side[0]] * size + place[side[1]]
    counts = np.bincount(codes, minlength=size * size).reshape(size, size)
    return tuple(map(tuple, counts.tolist()))


def residuals(old: Floats | None, new: Floats) -> Residuals | None:
    """Shares of prediction minus label in bins of equal width; the outermost hold the tails."""
    together = new if old is None else np.concatenate((old, new))
    low, high = (float(edge) for edge in np.quantile(together, (_TAIL, 1 - _TAIL)))
    if not np.isfinite((low, high, high - low)).all():
        return None
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, _RESIDUAL_BINS + 1)
    if not (np.diff(edges) > 0).all():
        return None
    return Residuals(
        edges=tuple(float(edge) for edge in edges),
        old=() if old is None else _shares(old, edges),
        new=_shares(new, edges),
    )


def _shares(values: Floats, edges: Floats) -> tuple[float, ...]:
    counts = np.histogram(np.clip(values, edges[0], edges[-1]), bins=edges)[0]
    return tuple(float(count) for count in counts / len(values))
