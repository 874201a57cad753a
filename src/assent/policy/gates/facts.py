"""Facts of columns that are known exactly: what is missing, zeros, the range of the values, and how
old the newest moment is. A part of the gate on data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from assent.core.diff.data import ColumnFacts, MeasuredColumn
from assent.core.scalar import show, show_apart, show_exactly
from assent.core.units import count, fraction, show_moment, show_span, span_s
from assent.core.verdict import Finding
from assent.policy.gates.amounts import Amount, Percent, share_of, stated
from assent.policy.gates.findings import Undecided, bounded, failed, of_values, undecided
from assent.policy.gates.words import listed, short

Share = Annotated[float, Meta(ge=0, le=1)] | Percent
"""A share of the rows: 0.05 or 5%."""

Missing = Literal["nulls", "missing", "zeros"]


class ShareRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`max` bounds a share of the rows of every column; `max_rise` how much the share may rise
    against the baseline. Both are shares of all rows.
    """

    max: Share | None = None
    max_rise: Share | None = None

    def __post_init__(self) -> None:
        """Refuse a rule that judges nothing."""
        if self.max is None and self.max_rise is None:
            raise ValueError("it needs at least one of max, max_rise")
        check_share(self.max)
        check_share(self.max_rise)


class RangeRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`min` and `max` bound every value of the columns; `outside` the share of the rows that may
    lie beyond the range that the baseline has, counted exactly.
    """

    min: Amount | None = None
    max: Amount | None = None
    outside: Share | None = None

    def __post_init__(self) -> None:
        """Refuse a rule that judges nothing, or that nothing can keep."""
        for key in ("min", "max"):
            msgspec.structs.force_setattr(self, key, stated(getattr(self, key)))
        if self.min is None and self.max is None and self.outside is None:
            raise ValueError("range needs at least one of min, max, outside")
        if any(
            isinstance(bound, float) and not math.isfinite(bound) for bound in (self.min, self.max)
        ):
            raise ValueError("a bound that is infinite or not a number judges nothing")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is greater than max, so nothing can pass")
        check_share(self.outside)


class FreshnessRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest moment of `column` is at most `max_age` (`7d`, `12h`) before the judgement."""

    column: Annotated[str, Meta(min_length=1)]
    max_age: Annotated[str, Meta(min_length=1)]

    def __post_init__(self) -> None:
        """Refuse a span of time that is none."""
        if span_s(self.max_age) <= 0:
            raise ValueError("max_age must be more than 0")


def share_rule(stated: float | str | ShareRule) -> ShareRule:
    """The short form is a bound on the share."""
    return stated if isinstance(stated, ShareRule) else ShareRule(max=stated)


def check_share(share: float | str | None) -> None:
    """Refuse a share that judges nothing."""
    if isinstance(share, float) and not math.isfinite(share):
        raise ValueError("a share that is not a number judges nothing")
    if isinstance(share, str) and fraction(share) > 1:
        raise ValueError(f"{share} is more than all rows, so it judges nothing")


SHARES: dict[Missing, Callable[[ColumnFacts], float]] = {
    "nulls": lambda facts: facts.nulls + facts.nans,
    "missing": lambda facts: facts.nulls + facts.nans + facts.tokens,
    "zeros": lambda facts: facts.zeros or 0.0,
}
"""The share of the rows that a rule is about. NaN is missing."""

_REMEDIES: dict[Missing, str] = {
    "nulls": "fill or explain what is missing, or change the limit on the base branch",
    "missing": "fill or explain what is missing, or change the limit on the base branch",
    "zeros": "find out what the zeros stand for, or change the limit on the base branch",
}


def judge_shares(
    rule: str, what: Missing, most: Share, columns: Sequence[MeasuredColumn]
) -> Finding:
    """Whether the share is within a bound in each column."""
    if not columns:
        return nothing_left(rule)
    share = SHARES[what]
    above = sorted(
        (column for column in columns if share(column.new) > share_of(most) + _ROUNDING),
        key=lambda column: (-share(column.new), column.name),
    )
    return bounded(
        rule,
        not above,
        "within the bound",
        f"{count(len(above), 'column')} above the bound",
        listed([f"`{short(column.name)}` {percent(share(column.new))}" for column in above]),
        _REMEDIES[what],
    )


def judge_rises(
    rule: str, what: Missing, most: Share, columns: Sequence[MeasuredColumn]
) -> Finding:
    """Whether the share has risen by no more than allowed in each column that both sides have."""
    share = SHARES[what]
    both = [
        (column.name, share(column.old), share(column.new))
        for column in columns
        if column.old is not None and (what != "zeros" or column.old.zeros is not None)
    ]
    if not both:
        return nothing_left(rule, "no column is left that both sides have")
    above = sorted(
        (rise for rise in both if rise[2] - rise[1] > share_of(most) + _ROUNDING),
        key=lambda rise: (rise[1] - rise[2], rise[0]),
    )
    word = "zeros" if what == "zeros" else "nulls" if what == "nulls" else "missing values"
    return bounded(
        rule,
        not above,
        f"no column has more {word} than allowed",
        f"{count(len(above), 'column has', 'columns have')} more {word} than allowed",
        listed([f"`{short(name)}` {percent(old)} → {percent(new)}" for name, old, new in above]),
        _REMEDIES[what],
    )


def judge_bounds(
    rule: RangeRule, name: str, columns: Sequence[MeasuredColumn]
) -> Iterator[Finding]:
    """Whether every value lies between bounds. Columns that hold no numbers have none,
    unless there is no other.
    """
    numbers = [column for column in columns if holds_numbers(column.new)]
    for key, bound, sign in (("min", rule.min, -1), ("max", rule.max, 1)):
        if bound is None:
            continue
        rule_text = f"{name} {key} {show_exactly(bound)}"
        if not numbers:
            yield nothing_left(rule_text, "no column of numbers is left to judge")
            continue
        broken = [told for column in numbers if (told := _beyond(column, bound, sign))]
        finding = bounded(
            rule_text,
            not broken,
            "within the bound",
            f"{count(len(broken), 'column has', 'columns have')} values "
            f"{'below' if sign < 0 else 'above'} the bound",
            listed(broken),
            _RANGE,
        )
        yield of_values(finding) if broken else finding


def holds_numbers(facts: ColumnFacts) -> bool:
    """Whether a column has a number that a bound can be held against: nulls and NaN are none."""
    return facts.kind == "number" and (facts.minimum is not None or facts.infinite > 0)


def _beyond(column: MeasuredColumn, bound: float, sign: int) -> str:
    """What lies beyond a bound, empty if nothing does. No one knows of an infinity which it is."""
    facts = column.new
    name = f"`{short(column.name)}`"
    if facts.infinite:
        return f"{name} {percent(facts.infinite)} infinite"
    value = facts.minimum if sign < 0 else facts.maximum
    if value is None or sign * value <= sign * bound:
        return ""
    return f"{name} {show_apart(value, bound)[0]}"


def judge_outside(
    rule: str,
    most: Share,
    columns: Sequence[MeasuredColumn],
    rows: int | None,
    means: Undecided,
    *,
    named: Sequence[str] = (),
) -> Iterator[Finding]:
    """Whether no more rows than allowed lie beyond the baseline's range. Of the columns that are
    `named` none may be without one.
    """
    ranged = [column for column in columns if _has_range(column)]
    if not ranged:
        yield nothing_left(rule, "no column of numbers or times is left that both sides have")
        return
    empty = [column for column in ranged if column.new.minimum is None and not column.new.infinite]
    counted = [
        (column, column.outside)
        for column in ranged
        if column.outside is not None and column not in empty
    ]
    unknown = [column for column in ranged if column.outside is None or column in empty]
    unknown += [
        column
        for column in columns
        if column.name in named and column.old is not None and not _has_range(column)
    ]
    total = max(1, rows or 0)
    beyond = [
        (column, sum(outside) / total + column.new.infinite, outside)
        for column, outside in counted
        if sum(outside) / total + column.new.infinite > share_of(most) + _ROUNDING
    ]
    beyond.sort(key=lambda item: (-item[1], item[0].name))
    if unknown:
        yield undecided(
            rule,
            f"of {count(len(unknown), 'column')} no row outside of the baseline's range could be "
            "counted",
            means,
            evidence=listed([f"`{short(column.name)}`" for column in unknown]),
            remedy="evaluate again where the baseline's profile is at hand, or leave them out",
        )
    if beyond or not unknown:
        finding = bounded(
            rule,
            not beyond,
            "no more rows than allowed are outside of the baseline's range",
            f"{count(len(beyond), 'column has', 'columns have')} more rows outside of the "
            "baseline's range than allowed",
            listed(
                [
                    f"`{short(column.name)}` {count(sum(outside), 'row')} ({percent(share)}), "
                    f"{_span(column.old)} → {_span(column.new)}"
                    for column, share, outside in beyond
                ]
            ),
            _RANGE,
        )
        yield of_values(finding) if beyond else finding


def _has_range(column: MeasuredColumn) -> bool:
    if column.old is None:
        return False
    kinds = column.new.kind, column.old.kind
    return "number" in kinds or kinds == ("time", "time")


def _span(facts: ColumnFacts | None) -> str:
    if facts is None or facts.minimum is None or facts.maximum is None:
        return "nothing"
    if facts.kind == "time":
        return f"{show_moment(facts.minimum)} to {show_moment(facts.maximum)}"
    return f"{show(facts.minimum)} to {show(facts.maximum)}"


def judge_freshness(
    rule: FreshnessRule, name: str, columns: Sequence[MeasuredColumn], at: str
) -> Finding:
    """Whether the newest moment is new enough at the time `at` (RFC 3339). One that lies more than
    a day ahead is no proof of anything.
    """
    rule_text = f"{name} freshness `{short(rule.column)}` max_age {rule.max_age}"
    column = next((column for column in columns if column.name == rule.column), None)
    newest = None if column is None else column.new.maximum
    if column is None or column.new.kind != "time" or newest is None:
        reason = "the candidate has no column of this name"
        if column is not None:
            reason = "it holds no moments" if column.new.kind != "time" else "it is empty"
        return failed(
            rule=rule_text,
            reason=reason,
            remedy="name a column of dates or times, or correct the gate on the base branch",
        )
    age = datetime.fromisoformat(at).timestamp() - newest
    evidence = f"newest: {show_moment(newest)}"
    if age < -_DAY_S:
        return failed(
            rule=rule_text,
            reason="the newest moment has yet to come, so it does not say how old the data is",
            evidence=evidence,
            remedy="correct the dates, or leave out the rows that are wrong",
        )
    return bounded(
        rule_text,
        age <= span_s(rule.max_age),
        "new enough",
        f"the newest moment is {show_span(max(0.0, age))} old",
        evidence,
        "evaluate on newer data, or change the limit on the base branch",
    )


def nothing_left(rule: str, reason: str = "no column is left to judge") -> Finding:
    """A gate that looked at nothing is no pass."""
    return failed(
        rule=rule,
        reason=reason,
        remedy="correct `columns` and `leave_out` of the gate on the base branch",
    )


def percent(share: float) -> str:
    """A share for people."""
    return f"{share * 100:.3g}%"


_DAY_S = 86_400
_ROUNDING = 1e-12
_RANGE = "correct the values, or change the bound on the base branch"
