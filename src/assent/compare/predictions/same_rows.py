"""Two models on the same rows with the same labels, as far as there are any."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from assent.compare.predictions.intervals import Found
from assent.compare.predictions.joining import MIN_SHARED, Join
from assent.compare.predictions.sides import Side
from assent.core.diff.metrics import Interval
from assent.core.diff.predictions import MAX_OTHER_LABELS


class SameRows(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Both sides on the rows that they share, in one order, with the candidate's labels and
    groups. `earlier` are the same with the baseline's labels, where any of them is another one.
    `why_not` says why the two are nevertheless not compared.
    """

    old: Side
    new: Side
    is_paired: bool
    earlier: tuple[Side, Side] | None = None
    labels_changed: int = 0
    why_not: str = ""

    @property
    def pair(self) -> tuple[Side, Side]:
        """Both sides."""
        return self.old, self.new


def same_rows(old: Side, new: Side, shared: Join) -> SameRows:
    """What can be measured on the same rows. Below 99% of the baseline's rows nothing can: whoever
    leaves rows out would choose those that suit. Nor with another label in more than 1% of them.
    """
    left, right = old.take(shared.old), new.take(shared.new)
    changed = int((left.label != right.label).sum())
    earlier = None
    if changed:
        group = right.group
        earlier = (
            msgspec.structs.replace(left, group=group),
            msgspec.structs.replace(right, label=left.label),
        )
    return SameRows(
        old=msgspec.structs.replace(left, label=right.label, group=right.group),
        new=right,
        is_paired=shared.is_paired,
        earlier=earlier,
        labels_changed=changed,
        why_not=_why_not(shared, changed),
    )


def _why_not(shared: Join, changed: int) -> str:
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
    return ""


def intervals_by_both(
    pair: tuple[Side, Side],
    earlier: tuple[Side, Side] | None,
    measure: Callable[[Side, Side], Found],
) -> Found:
    """The intervals of paired sides. Where labels were changed, an interval covers the changes by
    either labels: what it rules out is ruled out whichever of them are right.
    """
    found = measure(*pair)
    if earlier is None:
        return found
    others = measure(*earlier)
    return {name: _around(found[name], others[name]) for name in found.keys() & others.keys()}


def _around(one: Interval | str, other: Interval | str) -> Interval | str:
    if isinstance(one, str) or isinstance(other, str):
        return one if isinstance(one, str) else other
    return msgspec.structs.replace(
        one,
        low=min(one.low, other.low),
        high=max(one.high, other.high),
        lower=_least(one.lower, other.lower),
        upper=_most(one.upper, other.upper),
        p=_most(one.p, other.p),
    )


def _least(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else min(one, other)


def _most(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else max(one, other)
