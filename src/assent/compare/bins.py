"""The same bins for both sides of a column, from two profiles."""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import isfinite

from assent.core.diff.sameness import NotCompared
from assent.core.diff.shape import Struct
from assent.core.profile import Categories, ColumnProfile, Numbers

OTHERS = "(others)"
NULL, NAN, INFINITE, PRESENT = "(null)", "(NaN)", "(infinite)", "(any value)"
WITHOUT_PLACE = frozenset({NULL, NAN, INFINITE, PRESENT, OTHERS})
"""The labels of what has no place among numbers or times. No range is called like one of them."""
MOST_ROWS = 2**62
"""A count beyond that is no count of rows."""


class Bins(Struct, frozen=True, kw_only=True):
    """A column's rows in the same bins on both sides.

    Numbers: `edges` as in `Numbers`, and one count more; `are_edges_values` where each edge is a
    value, and nothing lies between. Else `labels`, one for each count, the last being `OTHERS`
    for categories. `missing` are bins of their own: label, old and new rows. `new` is the best
    estimate, `nearest` the counts nearest to the baseline's of those that the candidate's own
    bins allow; both are the same unless `is_approximate`.
    """

    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    old: tuple[float, ...]
    new: tuple[float, ...]
    nearest: tuple[float, ...]
    missing: tuple[tuple[str, int, int], ...] = ()
    is_approximate: bool = False
    are_edges_values: bool = False

    @property
    def rows(self) -> tuple[float, float]:
        """All rows of each side."""
        return (
            sum(self.old) + sum(old for _, old, _ in self.missing),
            sum(self.new) + sum(new for _, _, new in self.missing),
        )


class Damaged(Struct, frozen=True, kw_only=True):
    """What is wrong with a profile."""

    problem: str


def align(
    old: ColumnProfile, new: ColumnProfile, rows: tuple[int, int], *, is_counted: bool
) -> Bins | NotCompared | Damaged:
    """Both columns in the bins of `old`, or why that cannot be. `is_counted`: `new.in_bins` is
    about `old`. Profiles come from outside: one that contradicts itself is not used.
    """
    present = _present(old, rows[0]), _present(new, rows[1])
    is_sound = all(_is_sound(*side) for side in ((old, present[0]), (new, present[1])))
    if min(present) < 0 or not is_sound:
        return Damaged(problem="its profile contradicts itself")
    missing = tuple(
        (label, left, right)
        for label, left, right in (
            (NULL, old.nulls, new.nulls),
            (NAN, old.nans, new.nans),
            (INFINITE, old.infinities, new.infinities),
        )
        if left or right
    )
    if min(present) == 0 or (_is_bare(old) and _is_bare(new)):
        counts = (float(present[0]),), (float(present[1]),)
        return Bins(
            labels=(PRESENT,), old=counts[0], new=counts[1], nearest=counts[1], missing=missing
        )
    if is_counted and new.in_bins and sum(new.in_bins) == present[1]:
        exact = _counted(old, new.in_bins, missing)
        if exact is not None:
            return exact
    if old.kind != new.kind:
        return NotCompared(
            name=new.name,
            reason=f"it is counted as {old.kind} in the baseline and as {new.kind} now",
        )
    if old.categories is not None and new.categories is not None:
        return _by_category(old.categories, new.categories, missing) or NotCompared(
            name=new.name, reason="its values were hashed in another way"
        )
    if old.numbers is not None and new.numbers is not None:
        bins = _by_grid(old, new, old.numbers, new.numbers, missing)
        return bins or Damaged(problem="its values are not counted")
    return NotCompared(
        name=new.name, reason="its values are not counted in the same way on both sides"
    )


def is_discrete(column: ColumnProfile) -> bool:
    """Whether each edge of a column of numbers is one of its values, and each value an edge."""
    numbers = column.numbers
    return (
        numbers is not None
        and column.distinct is not None
        and 0 < column.distinct <= len(numbers.edges)
        and numbers.counts[-1] == 0
    )


def _present(column: ColumnProfile, rows: int) -> int:
    return rows - column.nulls - column.nans - column.infinities


def _is_sound(column: ColumnProfile, present: int) -> bool:
    """Whether the counts are possible, and are of about all the rows that have a value: with one
    row counted of a million, nothing could ever be shown.
    """
    counts = [column.nulls, column.nans, column.infinities, *column.in_bins]
    if present > 0 and column.numbers is None and column.kind in ("number", "time"):
        return False
    if column.numbers is not None:
        edges = column.numbers.edges
        if len(column.numbers.counts) != len(edges) + 1 and (edges or column.numbers.counts):
            return False
        if not all(map(isfinite, edges)) or any(left >= right for left, right in pairwise(edges)):
            return False
        counts += column.numbers.counts
        if column.numbers.counts and not _is_about(sum(column.numbers.counts), present):
            return False
    if column.categories is not None:
        top, others = column.categories.top, column.categories.others
        counts += [others, *(rows for _, rows in top)]
        if (top or others) and not _is_about(others + sum(rows for _, rows in top), present):
            return False
        is_whole = column.distinct is not None and column.distinct <= len(top)
        if others and (is_whole or not top):
            return False  # values are left out though there was room for them
    return min(counts) >= 0 and max(counts) <= MOST_ROWS


def _is_about(counted: int, present: int) -> bool:
    """Whether at most a tenth is missing: engines may estimate."""
    return 10 * abs(counted - present) <= present


def _is_bare(column: ColumnProfile) -> bool:
    return column.numbers is None and column.categories is None


def _counted(
    old: ColumnProfile, counts: tuple[int, ...], missing: tuple[tuple[str, int, int], ...]
) -> Bins | None:
    """The candidate was counted in these very bins."""
    new = tuple(map(float, counts))
    if old.categories is not None and len(counts) == len(old.categories.top) + 1:
        labels, before = _listed(old.categories)
        return Bins(labels=labels, old=before, new=new, nearest=new, missing=missing)
    if old.numbers is not None and len(counts) == len(old.numbers.counts):
        return Bins(
            edges=old.numbers.edges,
            old=tuple(map(float, old.numbers.counts)),
            new=new,
            nearest=new,
            missing=missing,
            are_edges_values=is_discrete(old),
        )
    return None


def _listed(categories: Categories) -> tuple[tuple[str, ...], tuple[float, ...]]:
    labels = (*(value for value, _ in categories.top), OTHERS)
    return labels, (*(float(rows) for _, rows in categories.top), float(categories.others))


def _by_category(
    old: Categories, new: Categories, missing: tuple[tuple[str, int, int], ...]
) -> Bins | None:
    """Values whose rows are known on both sides have a bin; the others share one. That is
    coarser, and still exact. None where they were hashed with different salts.
    """
    before, after = dict(old.top), dict(new.top)
    shared = before.keys() & after.keys()
    if old.is_hashed != new.is_hashed or (old.is_hashed and not shared):
        return None
    known = [
        value
        for value in dict.fromkeys((*before, *after))
        if (value in before or not old.others) and (value in after or not new.others)
    ]
    left = [float(before.get(value, 0)) for value in known]
    right = [float(after.get(value, 0)) for value in known]
    left.append(sum(before.values()) + old.others - sum(left))
    right.append(sum(after.values()) + new.others - sum(right))
    return Bins(
        labels=(*known, OTHERS),
        old=tuple(left),
        new=tuple(right),
        nearest=tuple(right),
        missing=missing,
        is_approximate=bool(new.others),
    )


def _by_grid(
    old: ColumnProfile,
    new: ColumnProfile,
    ours: Numbers,
    theirs: Numbers,
    missing: tuple[tuple[str, int, int], ...],
) -> Bins | None:
    """The candidate's distribution function at the baseline's edges: known at its own edges, a
    straight line between them.
    """
    edges = ours.edges
    total, others_total = float(sum(ours.counts)), float(sum(theirs.counts))
    if not (total and others_total and edges and theirs.edges):
        return None
    discrete = is_discrete(new)
    known, own = theirs.edges, len(theirs.edges)
    heights = [0.0, *accumulate(map(float, theirs.counts))]
    low = known[0] if theirs.minimum is None else theirs.minimum
    high = known[-1] if theirs.maximum is None else theirs.maximum
    scale = others_total / total
    likely: list[float] = [0.0]
    nearest: list[float] = [0.0]
    at, is_exact = 0, True
    for edge, below in zip(edges, accumulate(map(float, ours.counts)), strict=False):
        while at < own and known[at] <= edge:
            at += 1
        # heights[at] rows lie at or below known[at - 1], which is at or below this edge.
        height = heights[at]
        if not discrete and low <= edge < high and heights[at + 1] > height:
            start = known[at - 1] if at else low
            if edge > start:
                more = heights[at + 1] - height
                is_exact = False
                end = known[at] if at < own else high
                likely.append(height + more * _between(edge, start, end))
                nearest.append(min(max(below * scale, height), height + more))
                continue
        if edge >= high:
            height = others_total
        elif edge < low:
            height = 0.0
        likely.append(height)
        nearest.append(height)
    likely.append(others_total)
    nearest.append(others_total)
    return Bins(
        edges=edges,
        old=tuple(map(float, ours.counts)),
        new=_differences(likely),
        nearest=_differences(nearest),
        missing=missing,
        is_approximate=not is_exact,
        are_edges_values=discrete and is_discrete(old),
    )


def _between(edge: float, start: float, end: float) -> float:
    span = end - start
    if not 0 < span < float("inf"):
        return 0.5
    return min(1.0, max(0.0, (edge - start) / span))


def _differences(heights: list[float]) -> tuple[float, ...]:
    """Heights as steps. Sums of the same rows in another order may differ in the last digit."""
    return tuple([after - before if after > before else 0.0 for before, after in pairwise(heights)])
