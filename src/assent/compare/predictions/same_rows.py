"""Two models on the same rows with the same labels, as far as there are any."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from assent.compare.predictions.intervals import Found, Ints
from assent.compare.predictions.joining import MIN_SHARED, Join
from assent.compare.predictions.sides import Side
from assent.core.diff.metrics import Interval
from assent.core.diff.predictions import MAX_OTHER_LABELS


class SameRows(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Both sides on the rows that they share, in one order, with the candidate's labels and
    groups. `earlier` are the same with the baseline's labels and groups, where any is another one.
    `is_regrouped`: other rows belong together than in the baseline, as far as both say which.
    `why_not` says why the two are nevertheless not compared.
    """

    old: Side
    new: Side
    is_paired: bool
    earlier: tuple[Side, Side] | None = None
    labels_changed: int = 0
    is_regrouped: bool = False
    why_not: str = ""

    @property
    def pair(self) -> tuple[Side, Side]:
        """Both sides."""
        return self.old, self.new


def same_rows(old: Side, new: Side, shared: Join) -> SameRows:
    """What can be measured on the same rows. Below 99% of the baseline's rows nothing can: whoever
    leaves rows out would choose those that suit. Nor with another label in more than 1% of them,
    nor a ranking of other groups: those were other questions. Rows that either side says belong
    together do: a candidate that states no groups does not make the rows independent.
    """
    left, right = old.take(shared.old), new.take(shared.new)
    changed = int((left.label != right.label).sum())
    is_regrouped = _are_others(left.group, right.group)
    after = right.group if right.group is not None else left.group
    before = left.group if left.group is not None else right.group
    earlier = None
    if changed or is_regrouped:
        earlier = (
            msgspec.structs.replace(left, group=before),
            msgspec.structs.replace(right, label=left.label, group=before),
        )
    return SameRows(
        old=msgspec.structs.replace(left, label=right.label, group=after),
        new=msgspec.structs.replace(right, group=after),
        is_paired=shared.is_paired,
        earlier=earlier,
        labels_changed=changed,
        is_regrouped=is_regrouped,
        why_not=_why_not(shared, changed, is_regrouped and new.task == "ranking"),
    )


def _are_others(old: Ints | None, new: Ints | None) -> bool:
    """Whether other rows belong together, whatever the groups are called."""
    if old is None or new is None or not len(old):
        return False
    together = len(np.unique(old * (int(new.max()) + 1) + new))
    return not together == int(old.max()) + 1 == int(new.max()) + 1


def _why_not(shared: Join, changed: int, is_of_other_queries: bool) -> str:
    if not shared.is_paired:
        return (
            f"only {shared.rows:,} rows have predictions of both models "
            f"({shared.old_rows:,} in the baseline, {shared.new_rows:,} in the candidate; at least "
            f"{MIN_SHARED:.0%} of the baseline's are needed)"
        )
    if changed > MAX_OTHER_LABELS * shared.rows:
        return (
            f"{changed:,} of {shared.rows:,} rows ({changed / shared.rows:.1%}) have another label "
            "than in the baseline"
        )
    if is_of_other_queries:
        return "other rows belong to one query than in the baseline"
    return ""


def intervals_by_both(
    pair: tuple[Side, Side],
    earlier: tuple[Side, Side] | None,
    measure: Callable[[Side, Side], Found],
) -> Found:
    """The intervals of paired sides. Where labels or groups were changed, an interval covers the
    changes by either: what it rules out is ruled out whichever of them are right.
    """
    measured = measure(*pair)
    if earlier is None:
        return measured
    others = measure(*earlier)
    return {name: _around(measured[name], others[name]) for name in measured.keys() & others.keys()}


def _around(interval: Interval | str, other: Interval | str) -> Interval | str:
    if isinstance(interval, str) or isinstance(other, str):
        return interval if isinstance(interval, str) else other
    return msgspec.structs.replace(
        interval,
        low=min(interval.low, other.low),
        high=max(interval.high, other.high),
        lower=_least(interval.lower, other.lower),
        upper=_most(interval.upper, other.upper),
        p=_most(interval.p, other.p),
    )


def _least(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else min(value, other)


def _most(value: float | None, other: float | None) -> float | None:
    return None if value is None or other is None else max(value, other)
