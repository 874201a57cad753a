"""What is drawn or tabulated: calibration, confusion, residuals."""

from __future__ import annotations

import numpy as np

from assent.compare.predictions.intervals import Floats
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
    rows = sum(one.rows for one in bins)
    return sum(one.rows * abs(one.score - one.observed) for one in bins) / rows if rows else None


def confusion(side: Side, classes: tuple[str, ...]) -> Confusion | None:
    """The table of label and prediction. More than `MAX_CLASSES` classes: the first ones by name
    and the rest as one.
    """
    if side.prediction is None or not side.classes:
        return None
    size = min(side.classes, MAX_CLASSES)
    label, prediction = (np.minimum(one, size - 1) for one in (side.label, side.prediction))
    counts = np.bincount(label * size + prediction, minlength=size * size).reshape(size, size)
    left = side.classes - size
    names = classes if not left else (*classes[: size - 1], f"{left + 1:,} other classes")
    return Confusion(classes=names, counts=tuple(map(tuple, counts.tolist())))


def residuals(old: Floats | None, new: Floats) -> Residuals | None:
    """Shares of prediction minus label in bins of equal width; the outermost hold the tails."""
    together = new if old is None else np.concatenate((old, new))
    low, high = (float(one) for one in np.quantile(together, (_TAIL, 1 - _TAIL)))
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
    return tuple(float(one) for one in counts / len(values))
