"""The kernel: numbers in, counts out. The same on one machine and inside Spark.

Values are sorted (NumPy's sort uses SIMD) and the edges are looked up in the sorted values, never
the values in the edges. `count` counts all values of a column, or of a batch of them; what two
batches give is `merge`d. Needs NumPy alone.
"""

from __future__ import annotations

import decimal
import itertools
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from assent.measure.profiles import fingerprints

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MAX_EDGES = 255
MIN_EDGES = 12
EDGES_OF_ALL = 12_000
"""Edges of all columns together: a profile of 1,000 columns stays below 200 kB."""

MAX_FEW = 4_096
"""Distinct values are counted exactly up to here when a column is counted in batches. How many more
there are is told by the least hashes, with a standard error of 1 / sqrt(4_094).
"""

_WIDE = 65_536
"""Whole numbers in a narrower range are counted one by one instead of sorted."""

_BLOCK = 8_192
"""Values whose moments are taken at once: they stay in the cache, and no other thread helps."""


@dataclass(frozen=True, kw_only=True)
class Values:
    """The values of a column, or of a batch of it, that are not null, in any order. Multiplied
    with `times` and divided by `per` they are numbers, or seconds where `is_time`. `hashed` is the
    sum of their hashes where they stand for something else.
    """

    numbers: NDArray[Any]
    nulls: int = 0
    times: int = 1
    per: int = 1
    is_time: bool = False
    hashed: int | None = None


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Finite values, ascending, each as often as `counts` says, or once; with what is not finite.
    Without `counts` a value may be there repeatedly. `distinct` counts different values, `hashed`
    is the sum of their hashes (`fingerprints`).
    """

    values: Floats
    counts: NDArray[np.int64] | None
    distinct: int
    nulls: int = 0
    nans: int = 0
    infinities: int = 0
    hashed: int = 0

    @property
    def total(self) -> int:
        """The number of finite values."""
        return len(self.values) if self.counts is None else int(self.counts.sum())


@dataclass(frozen=True, kw_only=True)
class Partial:
    """What is known of a part of a column. `m2`, `m3`, `m4` are sums of powers of the distance to
    the mean, `sums` those of the values that `counts` counts. `least` are the least hashes of its
    distinct values (`least_of`). `hashed` is the sum of the hashes of all values, infinite ones
    included.
    """

    total: int = 0
    nulls: int = 0
    nans: int = 0
    infinities: int = 0
    zeros: int = 0
    negatives: int = 0
    minimum: float = math.inf
    maximum: float = -math.inf
    mean: float = 0.0
    m2: float = 0.0
    m3: float = 0.0
    m4: float = 0.0
    counts: tuple[int, ...] = ()
    sums: tuple[float, ...] = ()
    in_bins: tuple[int, ...] = ()
    outside: tuple[int, int] | None = None
    distinct: int | None = None
    least: bytes = field(default=b"", repr=False)
    hashed: int = 0


def most_edges(columns: int) -> int:
    """The edges that a column may have in a profile of so many columns."""
    return min(MAX_EDGES, max(MIN_EDGES, EDGES_OF_ALL // max(1, columns)))


def sort(given: Values) -> Runs:
    """The values in order. Sorting is most of the work of counting: what may be written to is
    sorted where it is.
    """
    import numpy as np

    if given.numbers.dtype.kind in "iu":
        return _sort_whole(given)
    ordered = _ordered(given.numbers)
    nans = infinities = negative = 0
    if len(ordered) and not (math.isfinite(ordered[0]) and math.isfinite(ordered[-1])):
        first = int(np.searchsorted(ordered, -np.inf, "right"))
        last = int(np.searchsorted(ordered, np.inf, "left"))
        nans = len(ordered) - int(np.searchsorted(ordered, np.nan, "left"))
        infinities, negative = len(ordered) - (last - first) - nans, first
        ordered = ordered[first:last]
    runs = _compact(ordered, given)
    hashed = runs.hashed
    if infinities and given.hashed is None:
        hashed += fingerprints.sum_of_infinities(negative, infinities - negative)
    return replace(runs, nulls=given.nulls, nans=nans, infinities=infinities, hashed=hashed)


def _ordered(numbers: NDArray[Any]) -> NDArray[Any]:
    ordered = numbers if numbers.flags.writeable else numbers.copy()
    ordered.sort()
    return ordered


def _sort_whole(given: Values) -> Runs:
    import numpy as np

    numbers = given.numbers
    if len(numbers) == 0:
        return replace(_compact(numbers, given), nulls=given.nulls)
    least, most = int(numbers.min()), int(numbers.max())
    if most - least >= min(_WIDE, 4 * len(numbers) + 256):
        return replace(_compact(_ordered(numbers), given), nulls=given.nulls)
    if numbers.dtype.itemsize < 8:
        numbers = numbers.astype(np.int64)
    counts = np.bincount((numbers - numbers.dtype.type(least)).astype(np.int64, copy=False))
    there = np.flatnonzero(counts)
    values = np.array([least + place for place in there.tolist()], numbers.dtype)
    return replace(_runs(values, counts[there], len(there), given), nulls=given.nulls)


def _compact(ordered: NDArray[Any], given: Values) -> Runs:
    """Sorted finite values, as values and counts where few are distinct."""
    import numpy as np

    if len(ordered) == 0:
        return Runs(values=np.empty(0), counts=None, distinct=0, hashed=given.hashed or 0)
    differs = ordered[1:] != ordered[:-1]
    distinct = int(np.count_nonzero(differs)) + 1
    if distinct > len(ordered) // 8:
        return _runs(ordered, None, distinct, given)
    starts = np.concatenate(([0], np.flatnonzero(differs) + 1))
    counts = np.diff(starts, append=len(ordered))
    return _runs(ordered[starts], counts, distinct, given)


def _runs(
    exact: NDArray[Any], counts: NDArray[np.int64] | None, distinct: int, given: Values
) -> Runs:
    """Values in order as numbers or seconds, with the sum of their hashes, which are of the exact
    ones.
    """
    values = _scaled(exact, given)
    if given.hashed is not None:
        hashed = given.hashed
    elif given.is_time:
        hashed = fingerprints.sum_of_moments(exact, given.times, given.per, counts)
    elif exact.dtype.kind in "iu":
        hashed = fingerprints.sum_of_integers(exact, values, counts)
    else:
        hashed = fingerprints.sum_of_floats(values, counts)
    return Runs(values=values, counts=counts, distinct=distinct, hashed=hashed)


def _scaled(values: NDArray[Any], given: Values) -> Floats:
    import numpy as np

    floats = values.astype(np.float64, copy=False)
    if given.times != 1:
        floats = floats * given.times
    return floats if given.per == 1 else floats / given.per


def in_order_of_rows(given: Values) -> Floats:
    """The values as they came, as numbers or seconds."""
    return _scaled(given.numbers, given)


def runs_of(pairs: Sequence[tuple[float, int]], nulls: int = 0) -> Runs:
    """Values that are counted already."""
    import numpy as np

    ordered = sorted(pairs)
    return Runs(
        values=np.array([value for value, _ in ordered], np.float64),
        counts=np.array([count for _, count in ordered], np.int64),
        distinct=len(ordered),
        nulls=nulls,
    )


def choose_edges(runs: Runs, most: int) -> tuple[float, ...]:
    """At most `most` edges: each value where there are so few, else quantiles. They have few
    digits, and are floats that twelve digits can say. What is counted is counted at them, so
    that nothing is lost by rounding them.
    """
    import numpy as np

    if runs.distinct <= most:
        values = dict.fromkeys(runs.values.tolist())
        return tuple(dict.fromkeys(map(_said_above, values)))
    total = runs.total
    ranks = np.arange(1, most + 1) * total // (most + 1)
    if runs.counts is None:
        chosen = runs.values[ranks]
    else:
        chosen = runs.values[np.searchsorted(np.cumsum(runs.counts), ranks, "right")]
    return _short(list(dict.fromkeys(chosen.tolist())))


def _short(quantiles: list[float]) -> tuple[float, ...]:
    """The quantiles, each rounded by much less than the distance to its neighbours."""
    if len(quantiles) == 1:
        return (_said_above(quantiles[0]),)
    gaps = [after - before for before, after in itertools.pairwise(quantiles)]
    edges: list[float] = []
    for place, value in enumerate(quantiles):
        gap = min(gaps[max(0, place - 1) : place + 1])
        edge = value
        if 0 < gap < math.inf:
            digits = -math.floor(math.log10(gap / 4 or gap))  # the least one has no quarter
            edge = round(value, min(digits, 300)) if abs(value) < 1e300 else value
        edge = _said_above(edge)
        if not edges or edge > edges[-1]:
            edges.append(edge)
    return tuple(edges)


def _said_above(value: float) -> float:
    """The nearest float at or above `value` that twelve digits can say."""
    rounded = float(f"{value:.12g}")
    if rounded < value:
        above = decimal.Context(prec=12, rounding=decimal.ROUND_CEILING)
        rounded = float(above.create_decimal_from_float(value))
    return (rounded if math.isfinite(rounded) else value) + 0.0  # no minus zero


def count_at(runs: Runs, edges: Sequence[float]) -> tuple[int, ...]:
    """How many values lie up to and including each edge, above the one before; and above all."""
    import numpy as np

    places = np.searchsorted(runs.values, np.asarray(edges, np.float64), "right")
    total = runs.total
    if runs.counts is not None:
        places = np.concatenate(([0], np.cumsum(runs.counts)))[places]
    return tuple(np.diff(places, prepend=0, append=total).tolist())


def count_outside(runs: Runs, bounds: tuple[float, float]) -> tuple[int, int]:
    """How many values lie below the lower bound, and how many above the upper one."""
    least, most = bounds
    return count_at(runs, (math.nextafter(least, -math.inf),))[0], count_at(runs, (most,))[1]


def bounds_of(minimum: float | None, maximum: float | None) -> tuple[float, float] | None:
    """What a value must be below or above to be out of the range of another profile. A bound that
    has no more than twelve digits may have been rounded to them, as earlier versions did: what
    would round to it too is not beyond it.
    """
    if minimum is None or maximum is None:
        return None
    return minimum - _rounding(minimum), maximum + _rounding(maximum)


def _rounding(bound: float) -> float:
    if bound == 0 or not math.isfinite(bound) or float(f"{bound:.12g}") != bound:
        return 0.0
    return 0.51 * 10.0 ** (math.floor(math.log10(abs(bound))) - 11)


def _sums_at(runs: Runs, edges: Sequence[float]) -> tuple[float, ...]:
    """The sum of the values that lie between each two edges, and above all."""
    import numpy as np

    stops = np.searchsorted(runs.values, np.asarray(edges, np.float64), "right")
    starts = np.concatenate(([0], stops))
    there = np.diff(starts, append=len(runs.values)) > 0
    sums = np.zeros(len(starts))
    with np.errstate(over="ignore", invalid="ignore"):
        values = runs.values if runs.counts is None else runs.values * runs.counts
        if len(values):
            sums[there] = np.add.reduceat(values, starts[there])
    return tuple(sums.tolist())


def count(
    runs: Runs,
    edges: Sequence[float],
    against: Sequence[float] = (),
    bounds: tuple[float, float] | None = None,
    *,
    sketch: bool = False,
) -> Partial:
    """The counts of one batch at `edges`, at the edges of another profile, and beyond its bounds.
    With a `sketch` distinct values can be counted over batches, without it only of this one.
    """
    values, total = runs.values, runs.total
    partial = Partial(
        total=total,
        nulls=runs.nulls,
        nans=runs.nans,
        infinities=runs.infinities,
        counts=count_at(runs, edges) if edges else (),
        sums=_sums_at(runs, edges) if edges else (),
        in_bins=count_at(runs, against) if against else (),
        outside=None if bounds is None else count_outside(runs, bounds),
        distinct=None if sketch else runs.distinct,
        hashed=runs.hashed,
    )
    if total == 0:
        return partial
    below, zero = count_at(runs, (math.nextafter(0.0, -1.0), 0.0))[:2]
    mean, m2, m3, m4 = _moments(runs)
    partial = replace(
        partial,
        zeros=zero,
        negatives=below,
        minimum=float(values[0]) + 0.0,
        maximum=float(values[-1]) + 0.0,
        mean=mean,
        m2=m2,
        m3=m3,
        m4=m4,
    )
    return replace(partial, least=least_of(_mixed(values))) if sketch else partial


def _moments(runs: Runs) -> tuple[float, float, float, float]:
    import numpy as np

    values, counts, total = runs.values, runs.counts, runs.total
    if values[0] == values[-1]:
        return float(values[0]), 0.0, 0.0, 0.0
    m2 = m3 = m4 = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float((values if counts is None else values * counts).sum()) / total
        for start in range(0, len(values), _BLOCK):
            distance = values[start : start + _BLOCK] - mean
            square = distance * distance
            if counts is None:
                m2 += float(np.dot(distance, distance))
                m3 += float(np.dot(square, distance))
                m4 += float(np.dot(square, square))
            else:
                weighted = square * counts[start : start + _BLOCK]
                m2 += float(weighted.sum())
                m3 += float(np.dot(weighted, distance))
                m4 += float(np.dot(weighted, square))
    return mean, m2, m3, m4


def _mixed(values: Floats) -> NDArray[np.uint64]:
    """A hash of each value, by the finalizer of SplitMix64: two values never have the same."""
    import numpy as np

    bits = (values + 0.0).view(np.uint64)
    mixed = bits * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def least_of(hashes: NDArray[np.uint64]) -> bytes:
    """The `MAX_FEW` least of hashes, which tell how many there are (Bar-Yossef et al. 2002)."""
    import numpy as np

    ordered = np.sort(hashes)
    differs = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=differs[1:])
    return ordered[differs][:MAX_FEW].tobytes()


def merge(first: Partial, second: Partial) -> Partial:
    """What both parts give together. Moments as in Pébay (2008), the rest by addition."""
    n1, n2 = first.total, second.total
    total = n1 + n2
    mean, m2, m3, m4 = _merged_moments(first, second)
    return Partial(
        total=total,
        nulls=first.nulls + second.nulls,
        nans=first.nans + second.nans,
        infinities=first.infinities + second.infinities,
        zeros=first.zeros + second.zeros,
        negatives=first.negatives + second.negatives,
        minimum=min(first.minimum, second.minimum),
        maximum=max(first.maximum, second.maximum),
        mean=mean,
        m2=m2,
        m3=m3,
        m4=m4,
        counts=_added(first.counts, second.counts),
        sums=_added(first.sums, second.sums),
        in_bins=_added(first.in_bins, second.in_bins),
        outside=_both(first.outside, second.outside),
        least=least_of_both(first.least, second.least),
        hashed=(first.hashed + second.hashed) % fingerprints.MODULUS,
    )


def _merged_moments(first: Partial, second: Partial) -> tuple[float, float, float, float]:
    n1, n2 = first.total, second.total
    if n1 == 0 or n2 == 0:
        there = second if n1 == 0 else first
        return there.mean, there.m2, there.m3, there.m4
    total = n1 + n2
    apart = second.mean - first.mean
    try:
        m2 = first.m2 + second.m2 + apart**2 * n1 * n2 / total
        m3 = (
            first.m3
            + second.m3
            + apart**3 * n1 * n2 * (n1 - n2) / total**2
            + 3 * apart * (n1 * second.m2 - n2 * first.m2) / total
        )
        m4 = (
            first.m4
            + second.m4
            + apart**4 * n1 * n2 * (n1 * n1 - n1 * n2 + n2 * n2) / total**3
            + 6 * apart**2 * (n1 * n1 * second.m2 + n2 * n2 * first.m2) / total**2
            + 4 * apart * (n1 * second.m3 - n2 * first.m3) / total
        )
    except OverflowError:
        m2 = m3 = m4 = math.inf
    return first.mean + apart * n2 / total, m2, m3, m4


_Number = TypeVar("_Number", int, float)


def _added(first: tuple[_Number, ...], second: tuple[_Number, ...]) -> tuple[_Number, ...]:
    if not first or not second:
        return first or second
    return tuple(mine + other for mine, other in zip(first, second, strict=True))


def _both(first: tuple[int, int] | None, second: tuple[int, int] | None) -> tuple[int, int] | None:
    if first is None or second is None:
        return first or second
    return first[0] + second[0], first[1] + second[1]


def least_of_both(first: bytes, second: bytes) -> bytes:
    """The least hashes of both together."""
    import numpy as np

    if not first or not second:
        return first or second
    return least_of(np.frombuffer(first + second, np.uint64))


def distinct_of(partial: Partial) -> int | None:
    """How many values differ: exact for one batch or a few values, else told by the least."""
    if partial.distinct is not None:
        return partial.distinct
    return min(distinct_in(partial.least), partial.total)


def distinct_in(least: bytes) -> int:
    """How many hashes there are, of which these are the least."""
    import numpy as np

    hashes = np.frombuffer(least, np.uint64)
    if len(hashes) < MAX_FEW:
        return len(hashes)
    return round((len(hashes) - 1) / ((int(hashes[-1]) + 1) / fingerprints.MODULUS))
