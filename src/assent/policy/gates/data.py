"""The gate on data: drift, schema, rows, new categories, facts of columns, and leakage between data
sets.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from assent.compare.adjusted import holm
from assent.compare.drift import ALPHA, LEVELS, MATTERS, rows_to_decide, shown_p, stable_p
from assent.compare.types import is_compatible, is_reordered
from assent.core.diff import Diff
from assent.core.diff.data import (
    ColumnChange,
    DataChange,
    DriftTest,
    Level,
    MeasuredColumn,
    MeasuredData,
)
from assent.core.evidence import Evidence
from assent.core.scalar import show
from assent.core.units import count, fraction
from assent.core.verdict import Finding, Outcome
from assent.policy.gates.amounts import Percent
from assent.policy.gates.facts import (
    FreshnessRule,
    Missing,
    RangeRule,
    ShareRule,
    check_share,
    holds_numbers,
    judge_bounds,
    judge_freshness,
    judge_outside,
    judge_rises,
    judge_shares,
    nothing_left,
    percent,
    share_rule,
)
from assent.policy.gates.findings import (
    INCONCLUSIVE,
    Undecided,
    WithoutBaseline,
    alone,
    bounded,
    failed,
    passed,
    undecided,
)
from assent.policy.gates.leakage import judge_leakage
from assent.policy.gates.words import listed, named, short

LEAKAGE = "leakage"

Text = Annotated[str, Meta(min_length=1)]
Amount = Annotated[int, Meta(ge=0)] | Percent
"""A number of rows, or a percentage of them."""


class RowsRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`min` bounds the rows; `max_drop` and `max_rise` their change against the baseline, in rows
    or as a percentage of the baseline's.
    """

    min: Annotated[int, Meta(ge=0)] | None = None
    max_drop: Amount | None = None
    max_rise: Amount | None = None

    def __post_init__(self) -> None:
        """Refuse a rule that judges nothing."""
        if self.min is None and self.max_drop is None and self.max_rise is None:
            raise ValueError("rows needs at least one of min, max_drop, max_rise")


class DataGate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`data` names a data set. `drift` blocks a column whose distribution is shown to have moved
    by at least that: slight, moderate, severe, or a number (the discrepancy, which is close to a
    population stability index). `inconclusive` says what happens where the rows are too few to
    tell, and `undecided` what happens where the values of a column were not compared, or only a
    stand-in for them was: that blocks, is left to a person (`approve`), or warns. `schema: same`
    blocks every change of columns and types, `compatible` those that break what reads the data.
    `nulls` (NaN is one), `missing` (with texts that stand for a missing value) and `zeros` bound
    shares of the rows, `range` the values, `freshness` the age of the newest moment. `columns` and
    `leave_out` choose columns; `*` stands for any text.

    With `data: leakage`, the data sets `between` may share at most `max` rows, and as many keys.
    """

    data: Text
    drift: Level | Annotated[float, Meta(ge=0)] | None = None
    schema: Literal["same", "compatible"] | None = None
    rows: RowsRule | None = None
    nulls: Annotated[float, Meta(ge=0, le=1)] | Percent | ShareRule | None = None
    missing: Annotated[float, Meta(ge=0, le=1)] | Percent | ShareRule | None = None
    zeros: Annotated[float, Meta(ge=0, le=1)] | Percent | ShareRule | None = None
    range: RangeRule | None = None
    freshness: FreshnessRule | None = None
    new_categories: Literal["allow", "warn", "block"] | None = None
    columns: tuple[Text, ...] = ()
    leave_out: tuple[Text, ...] = ()
    inconclusive: Literal["warn", "approve", "block"] = "warn"
    undecided: Undecided = "block"
    between: tuple[Text, Text] | None = None
    max: Amount | None = None

    def __post_init__(self) -> None:
        """Refuse a gate that judges nothing, or that says what it cannot mean."""
        if self.data == LEAKAGE:
            self._check_leakage()
            return
        if self.between is not None or self.max is not None:
            raise ValueError("between and max belong to `data: leakage`")
        judged = any(rule is not None for rule in (self.rows, self.freshness, *self._of_columns))
        if not judged and self.new_categories in (None, "allow"):
            raise ValueError(
                "a gate needs at least one of drift, schema, rows, nulls, missing, zeros, range, "
                "freshness, new_categories (warn or block)"
            )
        if isinstance(self.drift, float) and not math.isfinite(self.drift):
            raise ValueError("a drift that is infinite or not a number judges nothing")
        for share in (self.nulls, self.missing, self.zeros):
            if not isinstance(share, ShareRule):
                check_share(share)
        looks_at_columns = any(key is not None for key in (*self._of_columns, self.new_categories))
        if (self.columns or self.leave_out) and not looks_at_columns:
            raise ValueError("columns and leave_out choose nothing: rows are judged as a whole")
        if self.inconclusive != "warn" and self.drift is None and self.new_categories is None:
            raise ValueError("inconclusive belongs to drift or new_categories")

    def covers(self, *names: str | None) -> bool:
        """Whether a column is judged, which may be called by several names."""
        known = [name for name in names if name is not None]
        if any(_matches(pattern, name) for pattern in self.leave_out for name in known):
            return False
        return not self.columns or any(
            _matches(pattern, name) for pattern in self.columns for name in known
        )

    def _check_leakage(self) -> None:
        rules = (self.rows, self.freshness, *self._of_columns, self.new_categories)
        others = any(rule is not None for rule in rules) or self.columns or self.leave_out
        if others or self.inconclusive != "warn":
            raise ValueError("`data: leakage` goes with between and max alone")
        if self.between is None or self.max is None:
            raise ValueError("`data: leakage` needs `between: [train, test]` and `max: 0`")
        if self.between[0] == self.between[1]:
            raise ValueError("between names the same data set twice")
        if isinstance(self.max, str):
            check_share(self.max)

    @property
    def _of_columns(self) -> tuple[object, ...]:
        return (self.drift, self.schema, self.nulls, self.missing, self.zeros, self.range)

    def judge(
        self, diff: Diff, evidence: Evidence, *, without_baseline: WithoutBaseline
    ) -> list[Finding]:
        """One finding for each rule, which names the columns that break it. A data set without a
        profile, or that is not there, blocks: a gate that could not run is not a pass.
        """
        del evidence  # the diff has what is judged
        if self.between is not None and self.max is not None:
            rows = {data.name: data.rows for data in diff.data.measured}
            return list(judge_leakage(self.between, self.max, diff.data.overlaps, rows))
        measured = next((data for data in diff.data.measured if data.name == self.data), None)
        if measured is None:
            return [
                failed(
                    rule=f"data {self.data}",
                    reason="the candidate has no data set of this name",
                    remedy="declare it under `data`, or correct the gate on the base branch",
                )
            ]
        change = next((change for change in diff.data.changes if change.name == self.data), None)
        judgement = _Judgement(self, measured, change, diff, without_baseline)
        return list(judgement.findings())


class _Judgement:
    """One data set, judged by one gate."""

    def __init__(
        self,
        gate: DataGate,
        measured: MeasuredData,
        change: DataChange | None,
        diff: Diff,
        without_baseline: WithoutBaseline,
    ) -> None:
        self._gate = gate
        self._measured = measured
        self._change = change
        self._has_baseline = diff.baseline is not None
        self._at = diff.at
        self._without_baseline = without_baseline
        self._columns = [
            column for column in measured.columns if self._covers(column.name, column.old_name)
        ]
        self._changes = [
            column
            for column in (() if change is None else change.columns)
            if self._covers(column.name, column.old_name)
        ]
        self._change_of = {
            column.name: column for column in self._changes if column.new is not None
        }

    def findings(self) -> Iterator[Finding]:
        gate = self._gate
        if gate.rows is not None:
            yield from self._rows(gate.rows)
        missing = self._missing_columns()
        if missing is not None:
            yield missing
            return
        yield from self._unpaired()
        if gate.schema is not None:
            rule = f"data {gate.data} schema {gate.schema}"
            yield self._not_comparable(rule) or self._schema(rule, gate.schema)
        if gate.drift is not None:
            rule = f"data {gate.data} drift {show(gate.drift)}"
            unable = self._not_comparable(rule)
            yield from (unable,) if unable is not None else self._drift(rule, gate.drift)
        if gate.new_categories in ("warn", "block"):
            rule = f"data {gate.data} new_categories {gate.new_categories}"
            unable = self._not_comparable(rule) or self._empty(rule)
            yield from (unable,) if unable is not None else self._categories(rule)
        shares: tuple[tuple[Missing, float | str | ShareRule | None], ...] = (
            ("nulls", gate.nulls),
            ("missing", gate.missing),
            ("zeros", gate.zeros),
        )
        for what, stated in shares:
            if stated is not None:
                yield from self._shares(what, share_rule(stated))
        if gate.range is not None:
            yield from self._range(gate.range)
        if gate.freshness is not None:
            yield self._freshness(gate.freshness)

    def _covers(self, *names: str | None) -> bool:
        return self._gate.covers(*names)

    def _missing_columns(self) -> Finding | None:
        """A gate on columns that are not there has not looked at what it was to look at."""
        if not self._measured.is_profiled:
            return None
        names = [column.name for column in self._measured.columns]
        absent = [
            pattern
            for pattern in self._gate.columns
            if not any(_matches(pattern, name) for name in names)
        ]
        if not absent:
            return None
        return failed(
            rule=f"data {self._gate.data} columns",
            reason=f"the candidate has no column {named(absent)}",
            remedy="bring the column back, or correct the gate on the base branch",
        )

    def _unpaired(self) -> Iterator[Finding]:
        """A column that the gate names and the baseline does not have is compared with nothing."""
        gate = self._gate
        shares = (rule for rule in (gate.nulls, gate.missing, gate.zeros) if rule is not None)
        compares = (
            gate.drift is not None
            or gate.new_categories in ("warn", "block")
            or any(share_rule(rule).max_rise is not None for rule in shares)
            or (gate.range is not None and gate.range.outside is not None)
        )
        if not compares or self._change is None or not self._change.is_profiled:
            return
        new = [
            column.name
            for column in self._columns
            if column.old_name is None and column.name in gate.columns
        ]
        if 0 < len(new) < len(self._columns):  # where there are no others, each rule says so
            yield self._alone(
                f"data {gate.data} columns", f"the baseline has no column {named(new)}"
            )

    def _not_comparable(self, rule: str) -> Finding | None:
        """Why there is nothing to compare, or that nothing needs to be compared."""
        if self._has_baseline and self._change is None:
            return passed(rule, "the data is the same as the baseline's")
        if not self._measured.is_profiled:
            return _no_profile(rule)
        if not self._has_baseline or self._change is None or self._change.old is None:
            return self._alone(rule)
        if not self._change.is_profiled:
            return self._alone(rule, "the baseline has no profile of this data set")
        return None

    def _alone(self, rule: str, reason: str = "") -> Finding:
        if not reason:
            reason = "the baseline does not have this data set"
            reason = reason if self._has_baseline else "no baseline"
        return alone(rule, reason, self._without_baseline)

    def _rows(self, rows: RowsRule) -> Iterator[Finding]:
        new, old = self._measured.rows, self._measured.old_rows
        name = f"data {self._gate.data} rows"
        if rows.min is not None:
            rule = f"{name} min {rows.min:,}"
            if new is None:
                yield _no_rows(rule)
            else:
                kept = new >= rows.min
                yield bounded(
                    rule, kept, "within the bound", "too few", f"{new:,} rows", _MORE_ROWS
                )
        for key, sign, limit in (("max_drop", -1, rows.max_drop), ("max_rise", 1, rows.max_rise)):
            if limit is None:
                continue
            rule = f"{name} {key} {show(limit)}"
            if self._has_baseline and self._change is None:
                yield passed(rule, "the data is the same as the baseline's")
            elif new is None:
                yield _no_rows(rule)
            elif not self._has_baseline or self._change is None or self._change.old is None:
                yield self._alone(rule)
            elif old is None:
                yield self._alone(rule, "the baseline's rows were not counted")
            else:
                yield _moved_rows(rule, old, new, sign, limit)

    def _schema(self, rule: str, allowed: str) -> Finding:
        broken: list[str] = []
        for change in self._changes:
            broken_rule = _schema_change(change, is_strict=allowed == "same")
            if broken_rule:
                broken.append(broken_rule)
        return bounded(
            rule,
            not broken,
            "no column or type has changed"
            if allowed == "same"
            else "what reads it need not change",
            f"{count(len(broken), 'change')} of the schema",
            listed(broken),
            "restore the columns, or change what reads the data and the gate on the base branch",
        )

    def _drift(self, rule: str, amount: Level | float) -> Iterator[Finding]:
        threshold = LEVELS[amount] if isinstance(amount, str) else float(amount)
        both = [column for column in self._columns if column.old_name is not None]
        if not both:
            yield failed(
                rule=rule,
                reason="no column is left that both sides have",
                remedy="correct `columns` and `leave_out` of the gate on the base branch",
            )
            return
        unable = [column for column in both if column.problem]
        if unable:
            yield failed(
                rule=rule,
                reason=f"{count(len(unable), 'column')} could not be compared",
                evidence=listed([f"`{short(column.name)}`: {column.problem}" for column in unable]),
                remedy="restore the columns, or leave them out (`leave_out`) on the base branch",
            )
        tested = [(column, column.test) for column in both if column.test is not None]
        adjusted = holm([shown_p(test, threshold) for _, test in tested])
        moved: list[tuple[MeasuredColumn, DriftTest]] = []
        unsure: list[tuple[MeasuredColumn, DriftTest]] = []
        for (column, test), p in zip(tested, adjusted, strict=True):
            if p < ALPHA:
                moved.append((column, test))
            elif stable_p(test, max(threshold, MATTERS)) >= ALPHA:
                unsure.append((column, test))
        if moved:
            moved.sort(key=lambda pair: (-pair[1].psi, pair[0].name))
            yield failed(
                rule=rule,
                reason=f"{count(len(moved), 'column')} of {len(both):,} "
                f"{'has' if len(moved) == 1 else 'have'} drifted, beyond chance",
                evidence=f"{listed([self._drifted(*pair) for pair in moved])} {self._on_rows()}",
                remedy=f"find out why {named([column.name for column, _ in moved], 3)} moved; if "
                "it is meant to, leave it out or raise the limit on the base branch",
            )
        if unsure:
            yield self._unsure(rule, unsure, max(threshold, MATTERS))
        left = [column for column in self._columns if column.not_compared]
        if left:
            yield undecided(
                rule,
                f"{count(len(left), 'column was', 'columns were')} not compared",
                self._gate.undecided,
                evidence=listed(
                    [f"`{short(column.name)}`: {column.not_compared}" for column in left]
                ),
                remedy="look at the columns yourself, or leave them out (`leave_out`) on the base "
                "branch",
            )
        if not (moved or unsure or unable or left):
            yield passed(
                rule,
                f"{count(len(both), 'column')} did not drift by that much",
                " ".join(filter(None, (self._on_rows(), self._of_one_side()))),
            )

    def _unsure(
        self, rule: str, columns: list[tuple[MeasuredColumn, DriftTest]], discrepancy: float
    ) -> Finding:
        enough = max(rows_to_decide(test.bins, discrepancy) for _, test in columns)
        weight = min(test.weight for _, test in columns)
        if 2 * weight < enough:
            reason = f"too few rows to tell for {count(len(columns), 'column')}"
            remedy = f"bring about {_rounded_up(enough)} rows on each side, or look yourself"
        else:
            reason = f"{count(len(columns), 'column')} moved so close to the limit that it cannot "
            reason += "be told on which side"
            remedy = "look at the columns yourself, or bring more rows"
        drifted = listed([self._drifted(*pair) for pair in columns])
        return self._open(rule, reason, f"{drifted} {self._on_rows()}", remedy)

    def _open(self, rule: str, reason: str, evidence: str, remedy: str) -> Finding:
        outcome = INCONCLUSIVE[self._gate.inconclusive]
        return Finding(rule=rule, outcome=outcome, reason=reason, evidence=evidence, remedy=remedy)

    def _drifted(self, column: MeasuredColumn, test: DriftTest) -> str:
        words = f"`{short(column.name)}` PSI {test.psi:.2g}"
        change = self._change_of.get(column.name)
        if change is None or change.old is None or change.new is None:
            return words
        if change.new.kind in ("text", "nested"):
            words += " of the lengths"
        if (
            change.new.kind == "number"
            and change.old.mean is not None
            and change.new.mean is not None
        ):
            words += f", mean {change.old.mean:.4g} → {change.new.mean:.4g}"
        if abs(change.old.nulls - change.new.nulls) >= _NULLS_WORTH_SAYING:
            words += f", nulls {percent(change.old.nulls)} → {percent(change.new.nulls)}"
        return words

    def _on_rows(self) -> str:
        old, new = self._measured.old_rows, self._measured.rows
        return "" if old is None or new is None else f"({old:,} → {new:,} rows)"

    def _of_one_side(self) -> str:
        """Which columns could not drift, because only one side has them."""
        names = [
            change.name for change in self._changes if change.old is None or change.new is None
        ]
        return f"not compared, as one side alone has it: {named(names)}" if names else ""

    def _categories(self, rule: str) -> Iterator[Finding]:
        changes = [change for change in self._changes if change.added]
        if changes:
            told = [
                f"`{short(change.name)}`: "
                + listed([f"`{short(value)}` ({rows:,} rows)" for value, rows in change.added], 3)
                for change in changes
            ]
            blocks = self._gate.new_categories == "block"
            yield Finding(
                rule=rule,
                outcome=Outcome.FAILED if blocks else Outcome.WARNED,
                reason=f"{count(len(changes), 'column has', 'columns have')} categories that the "
                "baseline does not have",
                evidence=listed(told),
                names_data=True,
                remedy="check that the model knows them; correct the data, or allow them on the "
                "base branch",
            )
        open_ended = [column.name for column in self._columns if column.is_open]
        if open_ended and self._gate.new_categories == "block":
            yield self._open(
                rule,
                f"the values of {count(len(open_ended), 'column')} are not all known as "
                "categories, so that new ones cannot be told",
                named(open_ended),
                "leave the columns out (`leave_out`) on the base branch, or look yourself",
            )
        elif not changes:
            yield self._no_new_categories(rule, open_ended)

    def _no_new_categories(self, rule: str, open_ended: list[str]) -> Finding:
        """None were found: that is a pass if any could have been."""
        known = [
            column.name
            for column in self._columns
            if column.old is not None
            and column.new.kind in ("category", "boolean")
            and not column.is_open
        ]
        there = {column.name for column in self._columns} - {*known, *open_ended}
        named_in_vain = [name for name in self._gate.columns if name in there]
        left = _not_looked_at([*open_ended, *named_in_vain])
        if known:
            whose = count(len(known), "column whose", "columns whose")
            return passed(rule, f"none in {whose} categories are known", left)
        nothing = "no column has categories that are all known"
        if self._gate.columns and self._gate.new_categories == "block":
            return nothing_left(rule, nothing)
        return Finding(rule=rule, outcome=Outcome.NOT_APPLICABLE, reason=nothing, evidence=left)

    def _shares(self, what: Missing, rule: ShareRule) -> Iterator[Finding]:
        name = f"data {self._gate.data} {what}"
        columns = [
            column for column in self._columns if what != "zeros" or holds_numbers(column.new)
        ]
        if rule.max is not None:
            rule_text = f"{name} max {show(rule.max)}"
            unable = (
                self._empty(rule_text) if self._measured.is_profiled else _no_profile(rule_text)
            )
            judged = unable or judge_shares(rule_text, what, rule.max, columns)
            yield from self._with_others(judged) if what == "zeros" else (judged,)
        if rule.max_rise is not None:
            rule_text = f"{name} max_rise {show(rule.max_rise)}"
            unable = self._not_comparable(rule_text) or self._empty(rule_text)
            judged = unable or judge_rises(rule_text, what, rule.max_rise, columns)
            is_of_numbers = what == "zeros" and unable is None
            yield from self._with_others(judged) if is_of_numbers else (judged,)

    def _empty(self, rule: str) -> Finding | None:
        """Of no rows there is no value that a rule could have looked at."""
        if self._measured.rows != 0:
            return None
        return failed(rule=rule, reason="the data set has no rows to judge", remedy=_MORE_ROWS)

    def _with_others(self, judged: Finding) -> Iterator[Finding]:
        """What a rule on numbers says, and of which columns it can say nothing: then it has not
        passed.
        """
        others = list(self._without_numbers(judged.rule))
        if not others or judged.outcome is not Outcome.PASSED:
            yield judged
        yield from others

    def _without_numbers(self, rule: str) -> Iterator[Finding]:
        """What a rule on numbers has not looked at, though the gate names it or the baseline's are
        numbers. Where there are no others, the rule has failed by that.
        """
        lost = [
            column
            for column in self._columns
            if not holds_numbers(column.new)
            and (column.name in self._gate.columns or (column.old and holds_numbers(column.old)))
        ]
        if lost and any(holds_numbers(column.new) for column in self._columns):
            yield undecided(
                rule,
                f"{count(len(lost), 'column holds', 'columns hold')} no numbers",
                self._gate.undecided,
                evidence=listed([_without(column) for column in lost]),
                remedy="make them numbers, or leave them out (`leave_out`) on the base branch",
            )

    def _range(self, rule: RangeRule) -> Iterator[Finding]:
        name = f"data {self._gate.data} range"
        if not self._measured.is_profiled:
            yield _no_profile(name)
            return
        empty = self._empty(name)
        if empty is not None:
            yield empty
            return
        for finding in judge_bounds(rule, name, self._columns):
            yield from self._with_others(finding)
        if rule.outside is not None:
            rule_text = f"{name} outside {show(rule.outside)}"
            unable = self._not_comparable(rule_text)
            if unable is not None:
                yield unable
                return
            rows, means = self._measured.rows, self._gate.undecided
            yield from judge_outside(
                rule_text, rule.outside, self._columns, rows, means, named=self._gate.columns
            )

    def _freshness(self, rule: FreshnessRule) -> Finding:
        name = f"data {self._gate.data}"
        if not self._measured.is_profiled:
            return _no_profile(f"{name} freshness")
        return judge_freshness(rule, name, self._measured.columns, self._at)


def _schema_change(change: ColumnChange, *, is_strict: bool) -> str:
    """What breaks the rule, empty if nothing does. A column that was added breaks nobody."""
    name = f"`{short(change.name)}`"
    if change.new is None:
        return f"{name} is gone"
    if change.old is None:
        return f"{name} is new" if is_strict else ""
    if change.old_name is not None:
        return f"`{short(change.old_name)}` is now called {name}"
    old, new = change.old.type, change.new.type
    if old == new or is_reordered(old, new) or (not is_strict and is_compatible(old, new)):
        return ""
    return f"{name} was {short(old)} and is {short(new)}"


def _moved_rows(rule: str, old: int, new: int, sign: int, limit: int | str) -> Finding:
    moved = sign * (new - old)
    allowed = old * fraction(limit) + _ROUNDING * old if isinstance(limit, str) else limit
    verb = "fewer" if sign < 0 else "more"
    return bounded(
        rule,
        moved <= allowed,
        f"{moved:,} {verb}, allowed" if moved > 0 else f"not {verb} than the baseline's",
        f"{moved:,} rows {verb}",
        f"{old:,} → {new:,} rows",
        "check that the data is complete and read once, or change the limit on the base branch",
    )


def _without(column: MeasuredColumn) -> str:
    is_empty = column.new.kind == "number"
    return (
        f"`{short(column.name)}` {'has no value' if is_empty else f'is {short(column.new.type)}'}"
    )


def _not_looked_at(names: list[str]) -> str:
    return f"not looked at: {named(names)}" if names else ""


def _no_profile(rule: str) -> Finding:
    return failed(
        rule=rule,
        reason="the candidate has no profile of this data set",
        remedy="run `evaluate` again where the file can be read and the extra `data` is installed",
    )


def _no_rows(rule: str) -> Finding:
    return failed(
        rule=rule,
        reason="the candidate's rows were not counted",
        remedy="run `evaluate` again where the file can be read and the extra `data` is installed",
    )


def _matches(pattern: str, name: str) -> bool:
    if "*" not in pattern:
        return pattern == name
    expression = ".*".join(re.escape(part) for part in re.split(r"\*+", pattern))
    return re.fullmatch(expression, name, re.DOTALL) is not None


def _rounded_up(rows: int) -> str:
    """Two digits are enough for advice."""
    step: int = 10 ** max(0, len(str(rows)) - 2)
    return f"{-(-rows // step) * step:,}"


_ROUNDING = 1e-12
_NULLS_WORTH_SAYING = 0.01
_MORE_ROWS = "check that the data is complete, or change the bound on the base branch"
