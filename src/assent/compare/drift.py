"""How far the distribution of a column has moved, and whether the rows are enough to say so.

With p and q the shares of rows in B bins (Jeffreys' half a row added to each), m their mean, and
N = n1 n2 / (n1 + n2), the statistic is X² = N Σ (p - q)² / m. Where the true discrepancy is
Δ = Σ (p - q)² / m, which for small changes is the population stability index (PSI), X² follows a
non-central chi-squared distribution with B - 1 degrees of freedom and noncentrality N Δ. So the
question is not whether anything has changed (with a million rows something always has), but
whether a change of at least a stated size is shown, or one of that size is ruled out:

- drift of a level is *shown* if the upper tail at N Δ of that level is below 5%;
- stability is *shown* if the lower tail at N `MATTERS` is below 5%;
- else the rows are too few to say.

Sources: Potgieter, van Zyl, Schutte and Lombard, "The Population Resemblance Statistic: A
Chi-Square Measure of Fit for Banking", 2023, arXiv:2307.11878 (the non-central distribution);
Yurdakul and Naranjo, "Statistical properties of the population stability index", Journal of Risk
Model Validation 14 (2020) (the mean of the PSI without a change, and the customary levels: little
below 0.1, moderate up to 0.25, significant above). 0.02 is our own level for a slight change: a
normal variable that moved by 0.14 deviations. To show stability no rows are added: they pull the
shares together, which would show it too easily where rows are few.

m is the mean of both shares, not that of the pooled rows: both are the same for equal numbers of
rows, and for unequal ones the discrepancy then does not depend on how many rows either side has,
and one row in a bin that is otherwise empty is no alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import isfinite, log, log2, sqrt

from assent.compare.adjusted import benjamini_hochberg
from assent.compare.bins import OTHERS, Bins, is_discrete
from assent.compare.curves import Curve, area_between, curve, widest_gap
from assent.compare.noncentral import lower_tail, upper_tail
from assent.core.diff.data import Drift, DriftTest, Level
from assent.core.diff.shape import Struct
from assent.core.profile import ColumnProfile, Numbers

ALPHA = 0.05
LEVELS: dict[Level, float] = {"slight": 0.02, "moderate": 0.1, "severe": 0.25}
MATTERS = 0.1
"""The discrepancy that must be ruled out for a column to be called stable."""

_MOST_BINS = 16  # that a test is made on, those of missing values apart
_FEW_BINS = 20  # up to here they are merged only where rows are too few
_LEAST_ROWS = 5.0  # expected in a bin on the smaller side: with fewer, X² is not chi-squared
_ROUNDING = 1e-9
_SURELY_MORE = 15  # rows of a bin with fewer than 5 expected: by chance less than once in 4,000


class Group(Struct, frozen=True, kw_only=True):
    """A bin of the test, made of fine ones: a range of those of numbers (`start`, `stop`), or
    what `label` says.
    """

    label: str = ""
    start: int = 0
    stop: int = 0
    old: float
    new: float
    nearest: float


class Moved(Struct, frozen=True, kw_only=True):
    """What a column's bins say, before it is judged among all columns."""

    test: DriftTest
    distance: float
    variation: float
    ks: float | None
    shift: float | None
    is_approximate: bool
    groups: tuple[Group, ...]


def measure(
    bins: Bins, old_column: ColumnProfile | None = None, new_column: ColumnProfile | None = None
) -> Moved:
    """Test and effect sizes of a column. Distances along the line take both sides' profiles."""
    groups = grouped(bins)
    old = [group.old for group in groups]
    new = [group.new for group in groups]
    rows = sum(old), sum(new)
    weight = rows[0] * rows[1] / (rows[0] + rows[1]) if min(rows) else 0.0
    low = statistic(old, new)
    if bins.is_approximate:
        low = min(low, statistic(old, [group.nearest for group in groups]))
    count = max(2, len(groups))
    by_chance = (count - 1) * (1 / rows[0] + 1 / rows[1]) if min(rows) else 0.0
    ks, shift = _along(bins, old_column, new_column)
    return Moved(
        test=DriftTest(
            low=_short(low),
            high=_short(statistic(old, new, smoothing=0.0)),
            bins=count,
            weight=_short(weight),
            psi=_short(max(0.0, psi(old, new) - by_chance)),
        ),
        distance=_short(distance(old, new)),
        variation=_short(variation(old, new)),
        ks=ks,
        shift=shift,
        is_approximate=bins.is_approximate,
        groups=groups,
    )


def shown_p(test: DriftTest, discrepancy: float) -> float:
    """How probable so much movement is if the true discrepancy is only that large."""
    return upper_tail(test.low, test.bins - 1, test.weight * discrepancy)


def stable_p(test: DriftTest, discrepancy: float) -> float:
    """How probable so little movement is if the true discrepancy is that large. 1 for so few rows
    that a value of that share would often not be met at all: what makes up half the discrepancy
    in one rare value is missed with a probability of about exp(-N Δ).
    """
    noncentrality = test.weight * discrepancy
    if noncentrality < -log(ALPHA):
        return 1.0
    return lower_tail(test.high, test.bins - 1, noncentrality)


def rows_to_decide(bins: int, discrepancy: float) -> int:
    """How many rows on each side show stability with a probability of 95% where nothing changed:
    where the 5% quantile with the discrepancy meets the 95% quantile without, both taken as
    normal.
    """
    z = 1.6449
    noncentrality = 4 * z * z + 2 * z * sqrt(2 * (bins - 1))
    return round(2 * noncentrality / discrepancy)


def judge(moved: Sequence[Moved]) -> list[Drift]:
    """The columns of one data set, with p-values adjusted for their number."""
    shown = {
        level: benjamini_hochberg([shown_p(column.test, amount) for column in moved])
        for level, amount in LEVELS.items()
    }
    stable = benjamini_hochberg([stable_p(column.test, MATTERS) for column in moved])
    judged: list[Drift] = []
    for at, column in enumerate(moved):
        level: Level | None = None
        for name in LEVELS:
            if shown[name][at] < ALPHA:
                level = name
        judged.append(
            Drift(
                outcome="shown" if level else "stable" if stable[at] < ALPHA else "inconclusive",
                level=level,
                psi=column.test.psi,
                distance=column.distance,
                variation=column.variation,
                ks=column.ks,
                shift=column.shift,
                p=_short(shown["slight"][at]),
                is_approximate=column.is_approximate,
            )
        )
    return judged


def grouped(bins: Bins) -> tuple[Group, ...]:
    """As few bins as a test can be made on, of shares as equal as the fine ones allow."""
    missing = tuple(
        Group(label=label, old=old, new=new, nearest=new) for label, old, new in bins.missing
    )
    groups = _ranges(bins) if bins.edges else _frequent(bins)
    return (*groups, *missing)


def statistic(old: Sequence[float], new: Sequence[float], smoothing: float = 0.5) -> float:
    """X² of counts, with that many rows added to each bin of both sides."""
    if not sum(old) or not sum(new):
        return 0.0
    weight = sum(old) * sum(new) / (sum(old) + sum(new))
    pairs = zip(_smoothed(old, smoothing), _smoothed(new, smoothing), strict=True)
    return weight * sum(2 * (p - q) * (p - q) / (p + q) for p, q in pairs if p + q)


def psi(old: Sequence[float], new: Sequence[float]) -> float:
    """Population stability index of counts (Jeffreys' divergence, in nats)."""
    pairs = zip(_smoothed(old), _smoothed(new), strict=True)
    return sum((p - q) * log(p / q) for p, q in pairs)


def distance(old: Sequence[float], new: Sequence[float]) -> float:
    """Jensen-Shannon distance of counts, base 2: from 0 to 1."""
    total = 0.0
    for p, q in zip(_shares(old), _shares(new), strict=True):
        mean = (p + q) / 2
        total += p * log2(p / mean) if p else 0.0
        total += q * log2(q / mean) if q else 0.0
    return sqrt(min(1.0, max(0.0, total / 2)))


def variation(old: Sequence[float], new: Sequence[float]) -> float:
    """Total variation of counts: the share of rows that would have to move."""
    pairs = zip(_shares(old), _shares(new), strict=True)
    return min(1.0, sum(abs(p - q) for p, q in pairs) / 2)


def _along(
    bins: Bins, old: ColumnProfile | None, new: ColumnProfile | None
) -> tuple[float | None, float | None]:
    """Kolmogorov-Smirnov and Wasserstein distance of the numbers. The first is taken at the edges
    of the fine bins and, where a side has few values, at each of these; the second between the
    curves that either side's own bins give.
    """
    rows = sum(bins.old), sum(bins.new)
    if not bins.edges or not min(rows):
        return None, None
    gaps = zip(accumulate(bins.old), accumulate(bins.new), strict=True)
    ks = max([abs(p / rows[0] - q / rows[1]) for p, q in gaps][:-1])
    curves = _curve(old), _curve(new if old and new and old.kind == new.kind else None)
    before, after = curves[0], curves[1] or _binned(bins)
    if before is None or after is None or old is None or old.numbers is None:
        return _short(ks), None
    ks = 1.0 if _are_apart(old, new) else max(ks, widest_gap(before, after))
    deviation = old.numbers.deviation
    if deviation is None or not 0 < deviation < float("inf"):
        return _short(ks), None
    shift = area_between(before, after) / deviation
    return _short(ks), _short(shift) if isfinite(shift) else None


def _are_apart(old: ColumnProfile, new: ColumnProfile | None) -> bool:
    """Whether all numbers of one side are larger than any of the other."""
    ours, theirs = old.numbers, None if new is None else new.numbers
    if new is None or old.kind != new.kind or ours is None or theirs is None:
        return False
    return _is_below(ours.maximum, theirs.minimum) or _is_below(theirs.maximum, ours.minimum)


def _is_below(high: float | None, low: float | None) -> bool:
    return high is not None and low is not None and high < low


def _curve(column: ColumnProfile | None) -> Curve | None:
    if column is None or column.numbers is None:
        return None
    return curve(column.numbers, are_edges_values=is_discrete(column))


def _binned(bins: Bins) -> Curve | None:
    """What the candidate's rows in the baseline's bins say, where its own are not of numbers."""
    counted = Numbers(edges=bins.edges, counts=tuple(map(round, bins.new)))
    return curve(counted, are_edges_values=False)


def _ranges(bins: Bins) -> tuple[Group, ...]:
    """Neighbouring bins of numbers, merged. They are cut by the mean of both sides' shares, which
    does not depend on which side is which.
    """
    rows = bins.rows
    if not min(rows):
        return (_range(bins, 0, len(bins.old)),)
    target = max(1 / _MOST_BINS if len(bins.old) > _FEW_BINS else 0.0, _LEAST_ROWS / min(rows))
    sizes = [(p / rows[0] + q / rows[1]) / 2 for p, q in zip(bins.old, bins.new, strict=True)]
    cuts = [0]
    total = at_cut = 0.0
    due = _next_cut(0.0, target)
    for at, size in enumerate(sizes):
        if size >= target and total - at_cut >= target / 2:
            cuts.append(at)  # a frequent value is not mixed with others
            at_cut = total
            due = _next_cut(total, target)
        total += size
        if total >= due:
            cuts.append(at + 1)
            at_cut = total
            due = _next_cut(total, target)
    if len(cuts) > 1 and total - at_cut < target / 2:
        cuts.pop()
    cuts.append(len(sizes))
    return tuple(_range(bins, start, stop) for start, stop in pairwise(cuts))


def _next_cut(total: float, target: float) -> float:
    """The next multiple of the target, so that what one bin has too much the next has less."""
    return (round(total / target) + 1) * target - _ROUNDING


def _range(bins: Bins, start: int, stop: int) -> Group:
    return Group(
        start=start,
        stop=stop,
        old=sum(bins.old[start:stop]),
        new=sum(bins.new[start:stop]),
        nearest=sum(bins.nearest[start:stop]),
    )


def _frequent(bins: Bins) -> tuple[Group, ...]:
    """Categories with enough rows, the most frequent first; the others share a bin."""
    rows = bins.rows
    if not min(rows):
        return ()
    smaller = 0 if rows[0] <= rows[1] else 1
    ranked = []
    for label, old, new in zip(bins.labels, bins.old, bins.new, strict=True):
        expected = (old + new) / sum(rows) * min(rows)
        has_enough = expected >= _LEAST_ROWS or (old, new)[smaller] >= _SURELY_MORE
        if has_enough and label != OTHERS:
            ranked.append((-(old / rows[0] + new / rows[1]), label, old, new))
    ranked.sort()
    groups = [
        Group(label=label, old=old, new=new, nearest=new)
        for _, label, old, new in ranked[: _MOST_BINS - 1]
    ]
    old = max(0.0, sum(bins.old) - sum(group.old for group in groups))
    new = max(0.0, sum(bins.new) - sum(group.new for group in groups))
    if old or new:
        groups.append(Group(label=OTHERS, old=old, new=new, nearest=new))
    return tuple(groups)


def _smoothed(counts: Sequence[float], smoothing: float = 0.5) -> list[float]:
    """Shares with a part of a row more in each of at least two bins."""
    padded = [*counts, 0.0] if len(counts) < 2 else counts
    total = sum(counts) + len(padded) * smoothing
    return [(weight + smoothing) / total for weight in padded]


def _shares(counts: Sequence[float]) -> list[float]:
    total = sum(counts)
    return [count / total for count in counts] if total else [0.0] * len(counts)


def _short(value: float) -> float:
    """Six significant digits: what the last bits of a sum are differs between machines."""
    return float(f"{value:.6g}")
