"""The gate on a metric: bounds on its value, and on its change against the baseline."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import force_setattr

from assent.core.diff import Diff
from assent.core.diff.metrics import MIN_SLICE_ROWS, Better, MetricChange
from assent.core.diff.sameness import NotCompared
from assent.core.direction import direction, is_turned, known_names
from assent.core.evidence import Evidence
from assent.core.nearest import meant
from assent.core.scalar import (
    Scalar,
    is_whole,
    number,
    show,
    show_about,
    show_apart,
    show_exactly,
)
from assent.core.units import fraction
from assent.core.verdict import Finding, Outcome
from assent.policy.gates.amounts import Amount, Percent, exact_share, share_of, stated
from assent.policy.gates.findings import (
    INCONCLUSIVE,
    Undecided,
    WithoutBaseline,
    alone,
    bounded,
    failed,
    undecided,
)

Limit = Annotated[int, Meta(ge=0)] | Annotated[float, Meta(ge=0)] | Percent
"""An amount, or a percentage of the baseline's absolute value."""


class MetricGate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`min` and `max` bound the candidate's value; `max_drop` and `max_rise` its fall and rise
    against the baseline, as an amount or a percentage. `metric` may hold `*`; then every metric
    it matches is judged. With `slice: region` the metric is judged for each value of that slice
    (`slices.region.<value>.<metric>`), also for a value with a dot in it; a slice that is known to
    have fewer than 30 rows is never judged.

    With `confident: true` a fall or rise is judged by the interval of the change that predictions,
    or standard errors in the metrics files, give: it passes if the limit is beyond the one-sided
    95% bound, fails if even the best bound breaks it, and is else inconclusive. `inconclusive`
    says what that means: `approve` (a person decides), `block` or `pass`. `undecided` says what it
    means where the change was not measured on the same rows and labels at all, or nothing can say
    how sure it is: `block`, `approve` (a person decides) or `warn`.
    """

    metric: Annotated[str, Meta(min_length=1)]
    slice: Annotated[str, Meta(min_length=1)] | None = None
    better: Literal["higher", "lower"] | None = None
    min: Amount | None = None
    max: Amount | None = None
    max_drop: Limit | None = None
    max_rise: Limit | None = None
    confident: bool = False
    inconclusive: Literal["approve", "block", "pass"] | None = None
    undecided: Undecided = "block"

    def __post_init__(self) -> None:
        """Refuse a gate that judges nothing, or that would judge the wrong way."""
        if self.min is None and self.max is None and not self.is_relative:
            raise ValueError("a gate needs at least one of min, max, max_drop, max_rise")
        for key in ("min", "max", "max_drop", "max_rise"):
            force_setattr(self, key, stated(getattr(self, key)))
        bounds = (self.min, self.max, self.max_drop, self.max_rise)
        if any(isinstance(bound, float) and not math.isfinite(bound) for bound in bounds):
            raise ValueError("a bound that is infinite or not a number judges nothing")
        better = self.better or direction(self.metric)
        if better is None:
            raise ValueError(
                f"it is not known whether a higher {self.metric} is better; "
                "add `better: higher` or `better: lower`, or name it in `directions`"
                f"{meant(self.metric, known_names(), least=0.8)}"
            )
        if better == "lower" and self.max_drop is not None:
            raise ValueError(
                f"for {self.metric} lower is better, so a drop is good: use max_rise "
                "(or say `better: higher`)"
            )
        if better == "higher" and self.max_rise is not None:
            raise ValueError(
                f"for {self.metric} higher is better, so a rise is good: use max_drop "
                "(or say `better: lower`)"
            )
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is greater than max, so nothing can pass")
        self._require_margin()

    def _require_margin(self) -> None:
        if not self.confident:
            if self.inconclusive is not None:
                raise ValueError("`inconclusive` says nothing without `confident: true`")
            return
        limits = [limit for limit in (self.max_drop, self.max_rise) if limit is not None]
        if not limits:
            raise ValueError("`confident` needs max_drop or max_rise")
        amounts = [share_of(limit) for limit in limits]
        if not min(amounts):
            raise ValueError(
                "no number of rows can show that there is no drop at all; allow a small one, "
                "such as max_drop: 0.01"
            )

    @property
    def direction(self) -> Better:
        """The direction that is an improvement, as stated or as known by the metric's name."""
        return self.better or direction(self.metric) or "higher"

    @property
    def is_relative(self) -> bool:
        """Whether it bounds a change, and not the candidate's value alone."""
        return self.max_drop is not None or self.max_rise is not None

    @property
    def pattern(self) -> str:
        """The names this gate judges."""
        return self.metric if self.slice is None else f"slices.{self.slice}.**.{self.metric}"

    def judge(
        self, diff: Diff, evidence: Evidence, *, without_baseline: WithoutBaseline
    ) -> list[Finding]:
        """One finding per metric and bound. A metric that is not there, is not a number, or
        matches nothing blocks: a gate that could not run is not a pass.
        """
        del evidence  # the diff has every metric
        changes = matching(self.pattern, diff)
        left_out = 0 if diff.predictions is None else diff.predictions.slices_left_out
        if not changes:
            rule = f"{self.pattern} {self._bounds()}"
            return [
                failed(
                    rule=rule,
                    reason="the candidate has no metric of this name",
                    remedy="write it in `evaluate`, or correct the gate on the base branch"
                    f"{meant(self.pattern, [change.name for change in diff.metrics])}",
                )
            ]
        findings = [
            msgspec.structs.replace(finding, metric=change.name)
            for change in changes
            for finding in self._judge(change, diff, without_baseline)
        ]
        if left_out and self.pattern.startswith("slices."):
            findings.append(
                Finding(
                    rule=f"{self.pattern} {self._bounds()}",
                    outcome=Outcome.WARNED,
                    reason=f"{left_out:,} smaller slices were too many to be looked at",
                    remedy="declare slices with fewer values",
                )
            )
        return findings

    def _judge(
        self, change: MetricChange, diff: Diff, without_baseline: WithoutBaseline
    ) -> Iterator[Finding]:
        if change.is_of_small_slice:
            yield self._too_small(change)
            return
        value = number(change.alone)
        if value is None:
            yield self._unusable(change)
            return
        if self.better is None and any(is_turned(change.name, side) for side in _sides(change)):
            yield self._turned(change)
            return
        if self.min is not None:
            yield _bound(change, "min", self.min, value, value >= self.min, "below")
        if self.max is not None:
            yield _bound(change, "max", self.max, value, value <= self.max, "above")
        for name, limit, sign in (("max_drop", self.max_drop, -1), ("max_rise", self.max_rise, 1)):
            if limit is None:
                continue
            if change.not_compared is not None and change.change is not None:
                rule = f"{change.name} {name} {show_exactly(limit)}"
                yield _not_compared(change, change.not_compared, rule, self.undecided)
            elif self.confident and change.change is not None:
                yield _confident(change, name, limit, sign, self)
            else:
                yield _limit(change, name, limit, sign, diff, without_baseline)

    def _too_small(self, change: MetricChange) -> Finding:
        return Finding(
            rule=f"{change.name} {self._bounds()}",
            outcome=Outcome.NOT_APPLICABLE,
            reason=f"the slice has {change.rows} rows; fewer than {MIN_SLICE_ROWS} are not judged",
            evidence=f"`{change.name}` = {show(change.new)}",
        )

    def _unusable(self, change: MetricChange) -> Finding:
        missing = change.alone is UNSET
        return failed(
            rule=f"{change.name} {self._bounds()}",
            reason="missing in the candidate" if missing else "not a number",
            evidence="" if missing else f"`{change.name}` = {show(change.alone)}",
            remedy="make `evaluate` write a finite number",
        )

    def _turned(self, change: MetricChange) -> Finding:
        return failed(
            rule=f"{change.name} {self._bounds()}",
            reason="its sign was turned round, so the name does not say which way is better",
            evidence=", ".join(f"`{change.name}` = {show(side)}" for side in _sides(change)),
            remedy="add `better: higher` or `better: lower` to the gate, or write it with its sign",
        )

    def _bounds(self) -> str:
        bounds: Mapping[str, Scalar] = {
            "min": self.min,
            "max": self.max,
            "max_drop": self.max_drop,
            "max_rise": self.max_rise,
        }
        limits = ", ".join(
            f"{key} {show_exactly(bound)}" for key, bound in bounds.items() if bound is not None
        )
        return f"{limits}, confident" if self.confident else limits


def _sides(change: MetricChange) -> list[Scalar]:
    return [side for side in (change.old, change.new) if not isinstance(side, UnsetType)]


def matching(pattern: str, diff: Diff) -> list[MetricChange]:
    """The metrics that a name with `*` matches. `*` stands for any text without a dot, `**` for
    any text.
    """
    if "*" not in pattern:
        return [change for change in diff.metrics if change.name == pattern]
    compiled = re.compile(named_by(pattern), re.DOTALL)
    return [change for change in diff.metrics if compiled.fullmatch(change.name)]


def named_by(pattern: str) -> str:
    """The names that a name with `*` matches, as a regular expression."""
    parts = re.split(r"(\*\*|\*)", pattern)
    return "".join({"**": ".*", "*": "[^.]*"}.get(part, re.escape(part)) for part in parts)


def _not_compared(change: MetricChange, why: NotCompared, rule: str, means: Undecided) -> Finding:
    """A fall or rise between values that are not of the same thing."""
    return undecided(
        rule,
        why.reason,
        means,
        evidence=_moved(change),
        remedy="measure both models on the same rows with the same labels: evaluate the baseline "
        "again",
    )


def _bound(
    change: MetricChange, name: str, bound: Amount, value: Amount, is_kept: bool, where: str
) -> Finding:
    return bounded(
        f"{change.name} {name} {show_exactly(bound)}",
        is_kept,
        "within the bound",
        f"{where} the bound",
        f"`{change.name}` = {show_apart(value, bound)[0]}{_between(change)}",
        "improve the model, or change the bound on the base branch",
    )


def _limit(
    change: MetricChange,
    name: str,
    limit: Amount | str,
    sign: int,
    diff: Diff,
    without_baseline: WithoutBaseline,
) -> Finding:
    """Judge a fall (`sign` -1) or a rise (1) against an amount or a percentage."""
    rule = f"{change.name} {name} {show_exactly(limit)}"
    if change.change is None:
        return _nothing_to_compare(change, rule, diff, without_baseline)
    moved = sign * change.change
    verb = "fell" if sign < 0 else "rose"
    evidence = _moved(change) + _between(change)
    if isinstance(limit, str) and change.relative is None and moved > 0:
        return _of_nothing(rule, evidence)
    is_kept = _is_kept(change, limit, sign)
    if isinstance(limit, str):
        relative = abs(change.relative or 0.0) * 100
        amount = f"{_beside(relative, fraction(limit) * 100, _ROUNDING_OF_SHARES * 100)}%"
    else:
        amount = _beside(abs(moved), limit, _rounding(change))
    return bounded(
        rule,
        is_kept,
        "no worse than the baseline" if moved <= 0 else f"{verb} by {amount}, allowed",
        f"{verb} by {amount}",
        evidence,
        "improve the model, or change the limit on the base branch",
    )


def _is_kept(change: MetricChange, limit: Amount | str, sign: int) -> bool:
    """Whether a fall or rise is within the limit: between whole numbers to the last digit, between
    others up to rounding.
    """
    moved = sign * (change.change or 0)
    if not isinstance(limit, str):
        return moved <= limit + _rounding(change)
    if _rounding(change) == 0:
        return moved <= exact_share(limit) * abs(Fraction(number(change.old) or 0))
    return sign * (change.relative or 0.0) <= fraction(limit) + _ROUNDING_OF_SHARES


def _beside(amount: Amount, limit: Amount, rounding: float) -> str:
    """An amount beside its limit: another figure if it is another, but for what is rounding."""
    return show(amount) if abs(amount - limit) <= rounding else show_apart(amount, limit)[0]


def _moved(change: MetricChange) -> str:
    old, new = show_apart(change.old, change.new)
    moved = f"`{change.name}`: {old} → {new}"
    if change.own is None:
        return moved
    own = change.own.old, change.own.new
    pairs = zip(own, show_apart(*own), strict=True)
    old, new = ("missing" if side is UNSET else shown for side, shown in pairs)
    return f"{moved} on the same rows with the same labels ({old} → {new} each on its own)"


def _of_nothing(rule: str, evidence: str) -> Finding:
    return failed(
        rule=rule,
        reason="the baseline is 0, so a percentage of it says nothing",
        evidence=evidence,
        remedy="give the limit as an amount",
    )


def _confident(
    change: MetricChange,
    name: str,
    limit: Amount | str,
    sign: int,
    gate: MetricGate,
) -> Finding:
    """Judge a fall or rise by the one-sided bounds of its interval (a test of non-inferiority)."""
    rule = f"{change.name} {name} {show_exactly(limit)}, confident"
    interval, baseline = change.interval, number(change.old)
    evidence = _moved(change) + _between(change)
    if interval is None or baseline is None:
        return _without_interval(change, rule, gate.undecided)
    margin = fraction(limit) * abs(baseline) if isinstance(limit, str) else limit
    if not margin:
        return _of_nothing(rule, evidence)
    low = interval.low if interval.lower is None else interval.lower
    high = interval.high if interval.upper is None else interval.upper
    most, least = (high, low) if sign > 0 else (-low, -high)
    shown, best = (interval.high, interval.low) if sign > 0 else (-interval.low, -interval.high)
    verb = "drop" if sign < 0 else "rise"
    if most < margin:
        return Finding(
            rule=rule,
            outcome=Outcome.PASSED,
            reason=f"a {verb} of {show(margin)} or more is ruled out"
            + _by_bound(most, shown, margin),
            evidence=evidence,
        )
    if least > margin:
        return failed(
            rule=rule,
            reason=f"the {verb} is at least {show_apart(least, margin)[0]}"
            + (_OF_ONE_SIDE if best <= margin else ""),
            evidence=evidence,
            remedy="improve the model, or change the limit on the base branch",
        )
    return Finding(
        rule=rule,
        outcome=INCONCLUSIVE[gate.inconclusive or "approve"],
        reason=f"inconclusive: the {verb} may be as large as {show_apart(most, margin)[0]}",
        evidence=evidence,
        remedy=_enough_rows(interval.n, high - low, margin, margin - sign * (change.change or 0.0)),
    )


_OF_ONE_SIDE = " (by the 95% bound of the one side that the limit is on)"


def _by_bound(most: float, shown: float, margin: float) -> str:
    """By what a fall or rise is ruled out that the two-sided interval, which is shown, holds."""
    if shown < margin:
        return ""
    return f": it is at most {show_apart(most, margin)[0]}{_OF_ONE_SIDE}"


def _without_interval(change: MetricChange, rule: str, means: Undecided) -> Finding:
    """Nobody knows how sure the change is."""
    if change.is_disputed and not change.is_computed:
        reason = "the metrics file and the predictions do not agree on this metric"
        remedy = "write the metric of the same rows, or give one of the two another name"
    elif change.no_interval:
        reason = f"nothing says how sure the change is, because {change.no_interval}"
        remedy = (
            "drop `confident`, and the change is judged as it is; or predict more rows, where that "
            "is what is missing"
        )
    else:
        reason = (
            "no interval of the change is known: neither do predictions of both models give this "
            "metric, nor the metrics files a standard error of it"
        )
        remedy = (
            "declare `predictions` that give this metric, write its standard error and its rows as "
            "lm-eval does, or drop `confident`"
        )
    return undecided(rule, reason, means, evidence=_moved(change), remedy=remedy)


def _between(change: MetricChange) -> str:
    """The interval of a change, as evidence: what a value says is nothing without it."""
    interval = change.interval
    if interval is None:
        return f", no interval: {change.no_interval}" if change.no_interval else ""
    rows = "rows" if interval.is_paired else "rows, others than the baseline had"
    if interval.is_stated:
        rows = "rows, by the standard errors of the metrics files"
    ends = f"{show_about(interval.low)} and {show_about(interval.high)}"
    return f", change between {ends} ({interval.confidence:.0%}, {interval.n:,} {rows})"


def _enough_rows(rows: int, width: float, margin: float, distance: float) -> str:
    """How many rows decide: so many that a model which is as good as the baseline passes in 4 of 5
    cases. The interval says how the change varies: with the standard deviation s of one row, that
    takes (1.645 + 0.842)² s² / margin² rows (for the accuracy s² is the share of rows on which the
    models disagree). Where there are so many already, as if the change seen were the true one.
    """
    variance = rows * (width / (2 * _Z)) ** 2
    needed = (_Z + _Z_POWER) ** 2 * variance / margin**2
    if needed <= rows:
        needed = (_Z + _Z_POWER) ** 2 * variance / max(distance**2, _TINY)
    if not needed < _MOST_ROWS:
        return "a person has to decide: the change lies at the limit, and no number of rows will"
    enough = max(rows + 1, math.ceil(needed))
    return f"let a person decide, or predict more rows: about {enough:,} instead of {rows:,}"


_Z, _Z_POWER, _MOST_ROWS, _TINY = 1.6449, 0.8416, 1e10, 1e-300


def _nothing_to_compare(
    change: MetricChange, rule: str, diff: Diff, without_baseline: WithoutBaseline
) -> Finding:
    if change.old is not UNSET:
        return failed(
            rule=rule,
            reason="the baseline's value is not a number",
            evidence=f"`{change.name}` = {show(change.old)} in the baseline",
            remedy="promote a version whose value is a number, or use min or max",
        )
    reason = "no baseline" if diff.baseline is None else "the baseline does not have this metric"
    evidence = f"`{change.name}` = {show(change.new)}"
    return alone(rule, reason, without_baseline, evidence=evidence)


def _rounding(change: MetricChange) -> float:
    """How far a difference can be off because decimals are rounded to binary: 0.80 - 0.79 is
    0.010000000000000009, and a limit of 0.01 means to allow it. It grows with the values (50000.3
    - 50000.1 is off by 4e-12). Between whole numbers there is none.
    """
    values = (number(change.old) or 0.0, number(change.new) or 0.0)
    if all(map(is_whole, values)):
        return 0.0
    return 2 * math.ulp(max(abs(float(value)) for value in values))


_ROUNDING_OF_SHARES = 1e-12
