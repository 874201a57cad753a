"""What depends on the order of scores: ROC AUC and average precision, with their influences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assent.compare.predictions.intervals import Floats, Ints

MIN_OF_EACH = 10
"""With fewer rows of either class, the intervals of ROC AUC and average precision mean nothing."""


class Order:
    """Scores in their order, from low to high, equal ones as one block."""

    def __init__(self, scores: Floats) -> None:
        order = np.argsort(scores)
        ordered = scores[order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        self.sizes: Ints = np.diff(np.append(starts, len(scores)))
        self.block = np.empty(len(scores), dtype=np.int64)
        self.block[order] = np.repeat(np.arange(len(starts)), self.sizes)

    def count(self, chosen: NDArray[np.bool_]) -> Ints:
        """How many of the chosen rows each block has."""
        return np.bincount(self.block[chosen], minlength=len(self.sizes))


def roc_auc(order: Order, positive: NDArray[np.bool_]) -> tuple[float, Floats] | None:
    """The area under the ROC curve, ties counting half, and the influence of every row; None
    without both classes.

    DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver
    operating characteristic curves" (1988): the component of a positive is the share of negatives
    below it, that of a negative the share of positives above it. Sun and Xu, "Fast implementation
    of DeLong's algorithm …" (2014), get them from mid-ranks instead of from all pairs; here one
    sort gives the same counts. Influences are scaled so that the variance is DeLong's, with n - 1
    for each class.
    """
    above = order.count(positive)
    below = order.sizes - above
    positives, negatives = int(above.sum()), int(below.sum())
    if not positives or not negatives:
        return None
    share_below = (np.cumsum(below) - below / 2) / negatives
    share_above = (positives - np.cumsum(above) + above / 2) / positives
    area = float(above @ share_below) / positives
    rows = positives + negatives
    influence = np.where(
        positive,
        (share_below[order.block] - area) * rows / positives * _unbiased(positives),
        (share_above[order.block] - area) * rows / negatives * _unbiased(negatives),
    )
    return area, influence


def average_precision(order: Order, positive: NDArray[np.bool_]) -> tuple[float, Floats] | None:
    """The area under the precision-recall curve as steps (scikit-learn's), and the influence of
    every row; None without a positive.

    With R(s) the precision and H(s) the number of rows at or above the score s, a row of label y
    at the score t moves the mean of R over positives by y (R(t) + C(t) - AP) - D(t), over the
    share of positives: C(t) sums 1 / H and D(t) sums R / H over the positives at or below t. That
    is the derivative of the sum in the weight of the row; the resulting interval is the delta
    method's. Boyd, Eng and Page, "Area under the precision-recall curve: point estimates and
    confidence intervals" (2013), show which estimates of the area are sound; this is one.
    """
    hits = order.count(positive)
    positives = int(hits.sum())
    if not positives:
        return None
    reached = np.cumsum(order.sizes[::-1])[::-1]
    precision = np.cumsum(hits[::-1])[::-1] / reached
    value = float(hits @ precision) / positives
    gain = np.cumsum(hits / reached)
    loss = np.cumsum(hits * precision / reached)
    rows = len(positive)
    moved = np.where(positive, (precision + gain - loss - value)[order.block], -loss[order.block])
    return value, moved * rows / positives * _unbiased(rows)


def _unbiased(rows: int) -> float:
    return float(np.sqrt(rows / (rows - 1))) if rows > 1 else 1.0
