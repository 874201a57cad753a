"""Intervals of a change: from the influence of every row, or from draws."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from assent.compare.predictions.distributions import t_quantile, two_sided_p
from assent.core.diff.metrics import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Found = dict[str, Interval | str]
"""The interval of each metric's change, or why there is none."""

MIN_ROWS = 30
"""Fewer rows say nothing with confidence."""
MIN_GROUPS = 10
"""Fewer groups say nothing with confidence, however many rows they have."""
CONFIDENCE = 0.95
_TAILS = ((1 - CONFIDENCE) / 2, 1 - CONFIDENCE, CONFIDENCE, (1 + CONFIDENCE) / 2)
_MAX_SKEW = 0.45
_LEAST_TAIL = ((2_000, 1.75), (400, 1.6), (100, 1.5), (0, 1.25))
TOO_HEAVY = "a few rows with errors far larger than all others decide: too heavy-tailed to say"
NO_SPREAD = "it does not vary from row to row, so nothing says how sure it is"
NO_NUMBER = "it is no finite number"


class Influence(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """By how much every row, or every group of rows, moves a metric. Their mean is 0. `rows` is
    how many rows they are of.
    """

    units: Floats
    rows: int
    is_grouped: bool = False

    @property
    def square(self) -> float:
        """The variance of the metric."""
        count = len(self.units)
        grouped = count / (count - 1) if self.is_grouped else 1.0
        return float(self.units @ self.units) / self.rows**2 * grouped

    @property
    def degrees(self) -> float:
        """The degrees of freedom of that variance."""
        return len(self.units) - 1

    @property
    def skewness(self) -> float:
        """The third moment over the cube of the deviation."""
        mean = float(self.units.mean())
        spread = float(self.units.std())
        return float(((self.units - mean) ** 3).mean()) / spread**3 if spread else 0.0


def influence_of(rows: Floats, group: Ints | None) -> Influence:
    """Rows of one group are added up first, so that they count once. A group with many of the rows
    pulls the mean towards itself, and is taken to be as far away as without it: Bell and
    McCaffrey's jackknife ("Bias reduction in standard errors for linear regression with multi-stage
    samples", 2002).
    """
    if group is None:
        return Influence(units=rows, rows=len(rows))
    left = np.maximum(1 - np.bincount(group) / len(rows), 1 / len(rows))
    units: Floats = np.bincount(group, weights=rows) / left
    return Influence(units=units, rows=len(rows), is_grouped=True)


def of_mean(
    change: float,
    old: Floats,
    new: Floats,
    groups: tuple[Ints | None, Ints | None],
    *,
    is_paired: bool,
    losses: tuple[Floats, Floats] | None = None,
) -> Interval | str:
    """The interval of a metric that is a mean, or a smooth function of means: `old` and `new` say
    of every row by how much it moves the metric of its side. `losses` are what the rows of each
    side add up to, where they have no bound.

    The paired t interval, or Welch's if the rows are different ones. Where the values are skewed
    it ends too early on one side, so it is widened to where Hall's transformation ends ("On the
    removal of skewness by transformation", 1992). Where the largest losses alone decide, no
    interval can be trusted: errors of which the variance has no end look like ordinary ones as
    long as the largest have not been seen.

    Two models whose rows are all alike are not known to be alike everywhere: the variance is at
    least that of one row on which they are as different as rows are.
    """
    spread = _spread(old, new, groups, is_paired=is_paired)
    if losses is not None and (any(map(_is_heavy, losses)) or spread.is_skewed):
        return TOO_HEAVY
    if not (math.isfinite(change) and math.isfinite(spread.square)):
        return NO_NUMBER
    if not spread.square:
        return NO_SPREAD
    error = math.sqrt(spread.square)
    ends = [
        change
        - side
        * _reach(t_quantile(at, spread.degrees), side * spread.skewness, spread.units)
        * error
        for side, at in ((1, _TAILS[3]), (1, _TAILS[2]), (-1, _TAILS[2]), (-1, _TAILS[3]))
    ]
    return Interval(
        low=ends[0],
        lower=ends[1],
        upper=ends[2],
        high=ends[3],
        n=len(new),
        method="t by group" if groups[1] is not None else "paired t" if is_paired else "Welch's t",
        is_paired=is_paired,
        p=_agreeing(two_sided_p(change / error, spread.degrees), ends[0], ends[3]),
    )


class _Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How much a change varies from row to row: its variance, of so many units."""

    square: float
    degrees: float
    skewness: float
    units: int

    @property
    def is_skewed(self) -> bool:
        """Whether it is more skewed than so few units bear."""
        return abs(self.skewness) > _MAX_SKEW * math.sqrt(self.units)


def _spread(
    old: Floats, new: Floats, groups: tuple[Ints | None, Ints | None], *, is_paired: bool
) -> _Spread:
    sides = [influence_of(values, group) for values, group in zip((old, new), groups, strict=True)]
    least = max(side.square / len(side.units) for side in sides)
    if is_paired:
        both = influence_of(new - old, groups[1])
        return _Spread(
            square=max(both.square, least),
            degrees=both.degrees,
            skewness=both.skewness,
            units=len(both.units),
        )
    square = sum(side.square for side in sides)
    below = sum(side.square**2 / side.degrees for side in sides)
    return _Spread(
        square=max(square, least),
        degrees=square**2 / below if below else math.inf,
        skewness=0.0,
        units=min(len(side.units) for side in sides),
    )


def _agreeing(p: float, low: float, high: float) -> float:
    """A p-value that does not contradict the interval: no change is not ruled out by the one where
    the other, which knows of skew and of the ends of the scale, holds it.
    """
    return max(p, 1 - CONFIDENCE) if low <= 0 <= high else p


def _reach(quantile: float, skewness: float, units: int) -> float:
    """How many standard errors below the estimate the interval reaches: those of t or of Hall's
    transformation, whichever is further.
    """
    if abs(skewness) < 1e-6:
        return quantile
    place = quantile / math.sqrt(units) - skewness / (6 * units)
    moved = 3 / skewness * (float(np.cbrt(1 + skewness * place)) - 1)
    return max(quantile, moved * math.sqrt(units))


def _is_heavy(losses: Floats) -> bool:
    """Whether the largest losses fall off so slowly that their mean may have no finite variance:
    by Hill's estimate ("A simple general approach to inference about the tail of a distribution",
    1975). Of few rows it says little, and has to be lower.
    """
    rows = len(losses)
    most = max(5, math.isqrt(rows))
    if rows <= most:
        return False
    largest = -np.partition(-losses, most)[: most + 1]
    least = float(largest.min())
    if not least > 0:
        return False
    total = float(np.log(largest / least).sum())
    bound = next(weight for limit, weight in _LEAST_TAIL if rows >= limit)
    return total > 0 and most / total < bound


def of_area(
    values: tuple[float, float],
    old: Floats,
    new: Floats,
    groups: tuple[Ints | None, Ints | None],
    least: tuple[float, float],
    *,
    method: str,
    share: float,
    is_paired: bool,
) -> Interval | str:
    """The interval of a change of areas below curves, which lie between 0 and 1. `least` is how
    many rows at least the value of each side rests on.

    Near the end of the scale the estimated variance is far too small: of two models that make no
    mistake it is 0. So each area has Wilson's interval with as many rows as its variance (DeLong's,
    or the delta method's) says it is worth, `least` at 1; the interval of the change is put
    together from both (Zou and Donner, "Construction of confidence limits about effect measures: a
    general approach", 2008), which are never taken to depend wholly on each other. `share` of a
    row goes into that.
    """
    sides = [influence_of(values, group) for values, group in zip((old, new), groups, strict=True)]
    floors = [share / bound**2 for bound in least]
    squares = [side.square + floor for side, floor in zip(sides, floors, strict=True)]
    if not all(map(math.isfinite, (*values, *squares))):
        return NO_NUMBER
    worth = [
        (value * (1 - value) + share / bound) / square
        for value, bound, square in zip(values, least, squares, strict=True)
    ]
    together = 0.0
    if is_paired:
        both = influence_of(new - old, groups[1]).square
        together = (sides[0].square + sides[1].square - both) / 2
    likeness = max(-1.0, min(1.0, together / math.sqrt(squares[0] * squares[1])))
    degrees = min(*least, *(side.degrees + 1 for side in sides)) - 1
    ends: list[float] = []
    for at in _TAILS[:1:-1]:
        quantile = t_quantile(at, degrees)
        limits = [_wilson(*pair, quantile) for pair in zip(values, worth, strict=True)]
        ends += _put_together(values, limits, likeness)
    change = values[1] - values[0]
    error = math.sqrt(squares[0] + squares[1] - 2 * together)
    return Interval(
        low=ends[0],
        high=ends[1],
        lower=ends[2],
        upper=ends[3],
        n=len(new),
        method=method + (" by group" if groups[1] is not None else ""),
        is_paired=is_paired,
        p=_agreeing(two_sided_p(change / error, degrees), ends[0], ends[1]),
    )


def _wilson(value: float, rows: float, quantile: float) -> tuple[float, float]:
    """Wilson, "Probable inference, the law of succession, and statistical inference", 1927."""
    weight = quantile**2 / rows
    middle = (value + weight / 2) / (1 + weight)
    half = quantile * math.sqrt(value * (1 - value) / rows + weight / (4 * rows)) / (1 + weight)
    return middle - half, middle + half


def _put_together(
    values: tuple[float, float], limits: list[tuple[float, float]], likeness: float
) -> tuple[float, float]:
    (old, new), ((old_low, old_high), (new_low, new_high)) = values, limits

    def root(side: float, other: float) -> float:
        return math.sqrt(max(0.0, side**2 + other**2 - 2 * likeness * side * other))

    change = new - old
    return change - root(new - new_low, old_high - old), change + root(
        new_high - new, old - old_low
    )


def from_draws(
    draws: Floats,
    *,
    rows: int,
    method: str,
    is_paired: bool,
    groups: int | None = None,
    least: float = 0.0,
    p: float | None = None,
    **more: Any,
) -> Interval | str:
    """The interval between percentiles of drawn changes. Of few `groups` the draws vary too little:
    they are stretched as Student's t is wider than the normal. `least` is the least variance.
    """
    if not np.isfinite(draws).all():
        return NO_NUMBER
    middle = float(np.median(draws))
    ends = []
    for end, at in zip(np.quantile(draws, _TAILS), _TAILS, strict=True):
        distance = float(end) - middle
        z = t_quantile(at, math.inf)
        if groups is not None:
            distance *= t_quantile(at, groups - 1) / z * math.sqrt(groups / (groups - 1))
        reach = math.hypot(distance, z * math.sqrt(least)) if least else abs(distance)
        ends.append(middle + math.copysign(reach, at - 0.5))
    if not ends[0] < ends[3]:
        return NO_SPREAD
    return Interval(
        low=ends[0],
        lower=ends[1],
        upper=ends[2],
        high=ends[3],
        n=rows,
        method=method,
        is_paired=is_paired,
        p=None if p is None else _agreeing(p, ends[0], ends[3]),
        **more,
    )
