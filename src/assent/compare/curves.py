"""How the values of a column are spread along the line, from its bins.

A bin says how many values it holds, and where their mean lies (`Numbers.within`). They are taken
to be spread evenly over the widest part of the bin whose middle is that mean. So the mean of every
bin is right, and with it the distance that its values have moved; spread over the whole of the last
bin, of a distribution with a long tail, they would lie far beyond where they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import isfinite

from assent.core.diff.shape import Struct
from assent.core.profile import Numbers

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
    """The widest part of a bin whose middle is the mean of its values."""
    share = min(1.0, max(0.0, within))
    mean = start * (1 - share) + end * share
    half = max(0.0, min(mean - start, end - mean))
    return mean - half, mean + half


def area_between(one: Curve, other: Curve) -> float:
    """The Wasserstein distance: how far values must be moved, on average, to make them the others.
    It may be infinite, or not a number, where values are too large for it.
    """
    places = sorted({*one.places, *other.places})
    gaps = [
        (ours[0] - theirs[0], ours[1] - theirs[1])
        for ours, theirs in zip(_along(one, places), _along(other, places), strict=True)
    ]
    return sum(
        (right - left) * _mean(after_left, before_right)
        for (left, right), ((_, after_left), (before_right, _)) in zip(
            pairwise(places), pairwise(gaps), strict=True
        )
    )


def widest_gap(old: Curve, new: Curve) -> float:
    """The Kolmogorov-Smirnov distance, at the places where both heights are exact: for few values
    those of both sides, else what is given here is none too large.
    """
    places = sorted({*(new.edges if old.is_exact else ()), *(old.edges if new.is_exact else ())})
    pairs = zip(_along(old, places), _along(new, places), strict=True)
    return max((abs(ours[1] - theirs[1]) for ours, theirs in pairs), default=0.0)


def _along(of: Curve, places: list[float]) -> Iterator[tuple[float, float]]:
    """The height just before and at each of some places, which ascend."""
    before = at = 0  # knots that lie before a place, and up to it
    known, heights = of.places, of.heights
    for place in places:
        while before < len(known) and known[before] < place:
            before += 1
        at = max(at, before)
        while at < len(known) and known[at] <= place:
            at += 1
        if at > before:
            yield heights[before], heights[at - 1]
        elif at == 0 or at == len(known):
            yield (0.0, 0.0) if at == 0 else (heights[-1], heights[-1])
        else:
            start, end = known[at - 1], known[at]
            share = (place - start) / (end - start) if isfinite(end - start) else _ANYWHERE
            height = heights[at - 1] + share * (heights[at] - heights[at - 1])
            yield height, height


def _mean(start: float, end: float) -> float:
    """The mean of the absolute value along a straight line."""
    if start * end >= 0:
        return abs(start + end) / 2
    return (start * start + end * end) / (2 * abs(start - end))
