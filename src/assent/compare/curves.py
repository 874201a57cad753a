"""How the values of a column are spread along the line, from its bins.

A bin says how many values it holds, and where their mean lies (`Numbers.within`). They are taken
to be spread evenly over the widest part of the bin whose middle is that mean. So the mean of every
bin is right, and with it the distance that its values have moved; spread over the whole of the last
bin, of a distribution with a long tail, they would lie far beyond where they are.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from assent.core.diff.shape import Struct
from assent.core.profile import Numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_ANYWHERE = 0.5  # the mean of a bin of which nothing else is known


class Curve(Struct, frozen=True, kw_only=True):
    """A distribution function. At `places`, which do not descend, it has `heights` (0 to 1), and
    between them it is a straight line; where a place is there twice, it jumps. `is_exact` where it
    is that of the values themselves at every place, `edges` where it always is.
    """

    places: tuple[float, ...]
    heights: tuple[float, ...]
    edges: tuple[float, ...]
    is_exact: bool = False


def curve(numbers: Numbers, *, are_edges_values: bool) -> Curve | None:
    """The curve of counted numbers, or None where there are none."""
    counts, edges, total = numbers.counts, numbers.edges, float(sum(numbers.counts))
    if not edges or not total or len(counts) != len(edges) + 1:
        return None
    low = edges[0] if numbers.minimum is None else min(numbers.minimum, edges[0])
    high = edges[-1] if numbers.maximum is None else max(numbers.maximum, edges[-1])
    within = numbers.within if len(numbers.within) == len(counts) else (_ANYWHERE,) * len(counts)
    places: list[float] = []
    heights: list[float] = []
    below = 0
    for place, (count, (start, end)) in enumerate(
        zip(counts, pairwise((low, *edges, high)), strict=True)
    ):
        if count:
            places += (end, end) if are_edges_values else _part(start, end, within[place])
            heights += below / total, (below + count) / total
            below += count
    return Curve(
        places=tuple(places), heights=tuple(heights), edges=edges, is_exact=are_edges_values
    )


def _part(start: float, end: float, within: float) -> tuple[float, float]:
    """The widest part of a bin whose middle is the mean of its values. What is rounded may lie a
    little beyond the bin, and then the places of a curve would descend.
    """
    share = min(1.0, max(0.0, within))
    mean = min(end, max(start, start * (1 - share) + end * share))
    half = max(0.0, min(mean - start, end - mean))
    return max(start, mean - half), min(end, mean + half)


def area_between(first: Curve, other: Curve) -> float:
    """The Wasserstein distance: how far values must be moved, on average, to make them the others.
    It may be infinite, or not a number, where values are too large for it.
    """
    import numpy as np

    places = np.array(sorted({*first.places, *other.places}))
    with np.errstate(over="ignore", invalid="ignore"):
        ours, theirs = _along(first, places), _along(other, places)
        starts = (ours[1] - theirs[1])[:-1]  # the gap just after a place
        ends = (ours[0] - theirs[0])[1:]  # and the one just before the next
        return float(np.dot(np.diff(places), _means(starts, ends)))


def widest_gap(old: Curve, new: Curve) -> float:
    """The Kolmogorov-Smirnov distance, at the places where both heights are exact: for few values
    those of both sides, else what is given here is none too large.
    """
    import numpy as np

    exact = sorted({*(new.edges if old.is_exact else ()), *(old.edges if new.is_exact else ())})
    if not exact:
        return 0.0
    places = np.array(exact)
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.abs(_along(old, places)[1] - _along(new, places)[1]).max())


def _along(of: Curve, places: Floats) -> tuple[Floats, Floats]:
    """The height just before and at each of some places."""
    import numpy as np

    known = np.array(of.places)
    heights = np.array((0.0, *of.heights, of.heights[-1]))  # that of knot `n` is at `n + 1`
    before = np.searchsorted(known, places, "left")
    at = np.searchsorted(known, places, "right")
    ends = np.append(known, known[-1])[at]
    starts = np.append(known[0], known)[at]
    width = ends - starts
    is_between = (width > 0) & np.isfinite(width)
    share = np.full(len(places), _ANYWHERE)
    np.divide(places - starts, width, out=share, where=is_between)
    between = heights[at] + share * (heights[at + 1] - heights[at])
    is_knot = at > before
    return np.where(is_knot, heights[before + 1], between), np.where(is_knot, heights[at], between)


def _means(starts: Floats, ends: Floats) -> Floats:
    """The means of the absolute value along straight lines."""
    import numpy as np

    crossed = np.abs(starts - ends)
    is_crossing = starts * ends < 0
    squares = starts * starts + ends * ends
    means: Floats = np.abs(starts + ends) / 2
    np.divide(squares, 2 * crossed, out=means, where=is_crossing)
    return means
