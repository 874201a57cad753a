"""Intervals of a change: from its standard error, or from draws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assent.compare.predictions.distributions import t_quantile, two_sided_p
from assent.core.diff.metrics import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MIN_ROWS = 30
"""Fewer rows say nothing with confidence."""
MIN_GROUPS = 10
"""Fewer groups say nothing with confidence, however many rows they have."""
CONFIDENCE = 0.95
_TAILS = ((1 - CONFIDENCE) / 2, 1 - CONFIDENCE, CONFIDENCE, (1 + CONFIDENCE) / 2)


def from_error(
    change: float, error: float, degrees: float, *, rows: int, method: str, is_paired: bool
) -> Interval | None:
    """The interval of a change with this standard error; None if it is no number."""
    if not (math.isfinite(change) and math.isfinite(error)):
        return None
    wide, narrow = (t_quantile(one, degrees) * error for one in _TAILS[:1:-1])
    return Interval(
        low=change - wide,
        high=change + wide,
        lower=change - narrow,
        upper=change + narrow,
        n=rows,
        method=method,
        is_paired=is_paired,
        p=two_sided_p(change / error, degrees) if error else float(change == 0),
    )


def from_draws(
    draws: Floats, *, rows: int, method: str, is_paired: bool, **more: Any
) -> Interval | None:
    """The interval between percentiles of drawn changes; None if they are no numbers."""
    if not np.isfinite(draws).all():
        return None
    low, lower, upper, high = (float(one) for one in np.quantile(draws, _TAILS))
    return Interval(
        low=low,
        high=high,
        lower=lower,
        upper=upper,
        n=rows,
        method=method,
        is_paired=is_paired,
        **more,
    )


def squared_error(influence: Floats, group: Ints | None) -> tuple[float, float]:
    """The variance of a mean (0) of influences, and its degrees of freedom. Rows of one group
    are added up first, so that they count once.
    """
    rows = len(influence)
    if group is None:
        return float(influence @ influence) / rows**2, rows - 1
    sums = np.bincount(group, weights=influence)
    groups = len(sums)
    return float(sums @ sums) / rows**2 * groups / (groups - 1), groups - 1


def of_influences(
    name: str,
    change: float,
    old: Floats,
    new: Floats,
    groups: tuple[Ints | None, Ints | None],
    *,
    is_paired: bool,
) -> Interval | None:
    """The interval of a metric that is a mean, or behaves like one: `old` and `new` say of every
    row by how much it moves the metric of its side (the influence; their mean is 0).

    Means: the paired t interval, Welch's if the rows are different ones. ROC AUC: the influences
    are DeLong's structural components, and the interval is his. Of groups, the sums are taken: the
    infinitesimal jackknife, which for ROC AUC is what Obuchowski does ("Nonparametric analysis of
    clustered ROC curve data", 1997).
    """
    if is_paired:
        square, degrees = squared_error(new - old, groups[1])
    else:
        parts = [squared_error(old, groups[0]), squared_error(new, groups[1])]
        square = sum(part for part, _ in parts)
        below = sum(part**2 / free for part, free in parts)
        degrees = square**2 / below if below else math.inf
    is_area = name.startswith("roc_auc")
    method = "DeLong" if is_area else "delta method" if name == "average_precision" else "t"
    if groups[1] is not None:
        method += " by group"
    elif method == "t":
        method = "paired t" if is_paired else "Welch's t"
    else:
        degrees = math.inf
    return from_error(
        change,
        math.sqrt(square),
        degrees,
        rows=len(new),
        method=method,
        is_paired=is_paired,
    )
