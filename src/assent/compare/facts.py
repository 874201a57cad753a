"""What profiles know exactly of a column, compared as such: a drift in bins does not see one
percent of -999, one row in a thousand times 1,000, or a spike at one value.

A fact is told where it moved beyond chance and by an amount that anybody would call a change
(`_SHARE`, `_SHIFT`, `_SPREAD`): with millions of rows everything has moved a little. What stays
below is not called the same either, but counted apart (`compare_columns`).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot, isfinite, log, sqrt

from assent.compare.chance import is_beyond_chance
from assent.compare.drift import ALPHA
from assent.core.diff.data import Fact, FactChange
from assent.core.diff.shape import Struct
from assent.core.profile import FREQUENT, LEAST_FREQUENT, ColumnProfile, Numbers

_SHARE = 0.001  # of the rows, beside none at all becoming some
_SHIFT = 0.1  # of the mean, in deviations of the baseline
_SPREAD = 0.1  # of the deviation, as a fraction
_FAR = 100.0  # how many widths of the old range a single value may be beyond it
_MOST_FREQUENT = 20  # values that are told
_LEAST_ROWS = 100  # below, moments are not tested


class Looked(Struct, frozen=True, kw_only=True):
    """How many rows either side has, and at how many things is looked (for Bonferroni)."""

    old: int
    new: int
    looks: int


LOOKS = 10
"""The facts of one column that are tested, frequent values apart."""


def fact_changes(
    old: ColumnProfile, new: ColumnProfile, rows: Looked, *, is_stand_in: bool
) -> tuple[FactChange, ...]:
    """The facts of a column that differ, the rarest events first: what is outside of the range,
    what is missing, spikes, moments. `is_stand_in`: numbers are lengths, whose zeros and moments
    say nothing of the values.
    """
    changes = [*_missing(old, new, rows), *_frequent(old, new, rows)]
    if "text" in (old.kind, new.kind) and {old.kind, new.kind} <= {"text", "category"}:
        changes += _distinct(old, new, rows)
    if old.kind == new.kind and old.numbers is not None and new.numbers is not None:
        changes = [*_range(new, old.numbers, new.numbers, rows), *changes]
        if not is_stand_in:
            changes += _numbers(old, new, old.numbers, new.numbers, rows)
    return tuple(changes)


def has_moved(old: tuple[int, int], new: tuple[int, int], looks: int) -> bool:
    """Whether a share of rows (how many, of how many) is another one beyond chance, among `looks`.

    The probability, for one share on both sides, of counts at least so far apart is taken as
    2 exp(-G / 2), G being the likelihood-ratio statistic (Wilks): at least as large as that of
    Fisher's exact test, and equal to it where one side has none.
    """
    (left, before), (right, after) = old, new
    if min(before, after) <= 0 or not (0 <= left <= before and 0 <= right <= after):
        return False
    pooled = (left + right) / (before + after)
    half_g = before * _divergence(left / before, pooled) + after * _divergence(
        right / after, pooled
    )
    return half_g > log(2 * max(1, looks) / ALPHA)


def _divergence(share: float, of: float) -> float:
    """Kullback-Leibler divergence of two coins."""
    heads = share * log(share / of) if share else 0.0
    tails = (1 - share) * log((1 - share) / (1 - of)) if share < 1 else 0.0
    return max(0.0, heads + tails)


def _share_change(
    fact: Fact, old: tuple[int, int], new: tuple[int, int], looks: int, value: str = ""
) -> Iterator[FactChange]:
    (left, before), (right, after) = old, new
    if min(before, after) <= 0:
        return
    is_much = abs(right / after - left / before) >= _SHARE or not left or not right
    if is_much and has_moved(old, new, looks):
        yield FactChange(
            fact=fact, value=value, old=left / before, new=right / after, is_share=True
        )


def _missing(old: ColumnProfile, new: ColumnProfile, rows: Looked) -> Iterator[FactChange]:
    counts: tuple[tuple[Fact, int, int], ...] = (
        ("nulls", old.nulls, new.nulls),
        ("NaN", old.nans, new.nans),
        ("infinite", old.infinities, new.infinities),
        ("missing tokens", old.tokens, new.tokens),
    )
    for fact, left, right in counts:
        yield from _share_change(fact, (left, rows.old), (right, rows.new), rows.looks)


def _frequent(old: ColumnProfile, new: ColumnProfile, rows: Looked) -> Iterator[FactChange]:
    """Values of text that became frequent or rare. One that a side does not list makes up less
    than `FREQUENT` there: it is taken for nearly that, which speaks against a change.
    """
    if old.frequent is None or new.frequent is None or old.is_hashed != new.is_hashed:
        return
    before, after = dict(old.frequent), dict(new.frequent)
    present = rows.old - old.nulls, rows.new - new.nulls
    most = [max(LEAST_FREQUENT - 1, int(FREQUENT * there)) for there in present]
    told = 0
    for value in dict.fromkeys((*after, *before)):
        left = before.get(value, min(most[0], present[0]))
        right = after.get(value, min(most[1], present[1]))
        for change in _share_change(
            "frequent", (left, present[0]), (right, present[1]), rows.looks, value
        ):
            told += 1
            if told <= _MOST_FREQUENT:
                yield FactChange(
                    fact="frequent",
                    value=value,
                    old=change.old if value in before else None,
                    new=change.new if value in after else None,
                    is_share=True,
                )


def _distinct(old: ColumnProfile, new: ColumnProfile, rows: Looked) -> Iterator[FactChange]:
    """Half the different texts in no fewer rows, or twice as many in no more."""
    before, after = old.distinct, new.distinct
    if before is None or after is None or max(before, after) < _MOST_FREQUENT:
        return
    is_fewer = 2 * after <= before and rows.new >= rows.old
    is_more = 2 * before <= after and rows.new <= rows.old
    if is_fewer or is_more:
        yield FactChange(fact="distinct", old=before, new=after)


def _range(
    new: ColumnProfile, ours: Numbers, theirs: Numbers, rows: Looked
) -> Iterator[FactChange]:
    """Both ends: rows of the candidate beyond the baseline's range, and the other way round."""
    if (
        ours.minimum is None
        or theirs.minimum is None
        or ours.maximum is None
        or theirs.maximum is None
    ):
        return
    width = ours.maximum - ours.minimum
    out = new.outside if new.outside is not None else beyond(theirs, ours.minimum, ours.maximum)
    lost = beyond(ours, theirs.minimum, theirs.maximum)
    ends: tuple[tuple[Fact, float, float, int, int], ...] = (
        ("minimum", ours.minimum, theirs.minimum, out[0], lost[0]),
        ("maximum", ours.maximum, theirs.maximum, out[1], lost[1]),
    )
    for fact, before, after, came, went in ends:
        far = (before - after if fact == "minimum" else after - before) > _FAR * width
        if (
            (far and before != after and rows.old > 1)
            or is_beyond_chance(came, rows.new, rows.old, rows.looks)
            or is_beyond_chance(went, rows.old, rows.new, rows.looks)
        ):
            yield FactChange(fact=fact, old=before, new=after, rows=came or None)


def beyond(numbers: Numbers, minimum: float, maximum: float) -> tuple[int, int]:
    """Rows surely below `minimum` and above `maximum`, by the bins of the column itself."""
    below = above = 0
    if len(numbers.counts) != len(numbers.edges) + 1:
        return 0, 0
    for at, count in enumerate(numbers.counts):
        if at > 0 and numbers.edges[at - 1] >= maximum:
            above += count
        if at < len(numbers.edges) and numbers.edges[at] < minimum:
            below += count
    return below, above


def _numbers(
    old: ColumnProfile, new: ColumnProfile, ours: Numbers, theirs: Numbers, rows: Looked
) -> Iterator[FactChange]:
    present = _present(old, rows.old), _present(new, rows.new)
    if old.kind == "number":
        counts: tuple[tuple[Fact, int, int], ...] = (
            ("zeros", ours.zeros, theirs.zeros),
            ("negatives", ours.negatives, theirs.negatives),
        )
        for fact, left, right in counts:
            yield from _share_change(fact, (left, present[0]), (right, present[1]), rows.looks)
    yield from _moments(ours, theirs, present, rows.looks)


def _present(column: ColumnProfile, rows: int) -> int:
    return rows - column.nulls - column.nans - column.infinities


def _moments(
    ours: Numbers, theirs: Numbers, present: tuple[int, int], looks: int
) -> Iterator[FactChange]:
    """The mean by Welch's test, the deviation by the variance of a variance, both for many rows."""
    if min(present) < _LEAST_ROWS or not (ours.deviation and ours.mean is not None):
        return
    z = sqrt(2 * log(2 * max(1, looks) / ALPHA))  # at least the normal quantile
    spread = theirs.deviation or 0.0
    if theirs.mean is not None:
        moved = theirs.mean - ours.mean
        error = hypot(ours.deviation / sqrt(present[0]), spread / sqrt(present[1]))
        if isfinite(error) and abs(moved) > max(z * error, _SHIFT * ours.deviation):
            yield FactChange(fact="mean", old=ours.mean, new=theirs.mean)
    if ours.kurtosis is None or theirs.kurtosis is None:
        return
    errors = [
        (side.deviation or 0.0) * sqrt(max(0.0, (side.kurtosis or 0.0) + 2) / n) / 2
        for side, n in ((ours, present[0]), (theirs, present[1]))
    ]
    error = hypot(*errors)
    grown = spread - ours.deviation
    if isfinite(error) and abs(grown) > max(z * error, _SPREAD * ours.deviation):
        yield FactChange(fact="deviation", old=ours.deviation, new=spread)
