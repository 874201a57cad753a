"""The gate on a parameter: what its value must be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import force_setattr

from assent.core.diff import Diff
from assent.core.diff.values import ValueChange
from assent.core.evidence import REDACTED, Evidence
from assent.core.scalar import Scalar, number, same, show, show_apart, show_exactly
from assent.core.verdict import Finding
from assent.policy.gates.amounts import Amount, stated
from assent.policy.gates.findings import WithoutBaseline, alone, bounded, failed

Value = bool | int | float | str | None
"""What `assent.yaml` can say that a parameter is."""

_REMEDY = "change the parameter, or the gate on the base branch"


class ParamGate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameter of this name `equals` a value, is `one_of` several, lies between `min` and
    `max`, or, with `unchanged: true`, is what it is in the baseline. Types are kept apart: text
    that reads as a number is not that number.
    """

    param: Annotated[str, Meta(min_length=1)]
    equals: Value | UnsetType = UNSET
    one_of: tuple[Value, ...] = ()
    min: Amount | None = None
    max: Amount | None = None
    unchanged: bool = False

    def __post_init__(self) -> None:
        """Refuse a gate that judges nothing, or that nothing can pass."""
        for key in ("min", "max"):
            force_setattr(self, key, stated(getattr(self, key)))
        is_bounded = self.min is not None or self.max is not None
        if self.equals is UNSET and not self.one_of and not is_bounded and not self.unchanged:
            raise ValueError(
                "a gate needs at least one of equals, one_of, min, max, unchanged: true"
            )
        given = (self.equals, *self.one_of, self.min, self.max)
        if any(isinstance(value, float) and not math.isfinite(value) for value in given):
            raise ValueError("a value that is infinite or not a number judges nothing")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is greater than max, so nothing can pass")

    def judge(
        self, diff: Diff, evidence: Evidence, *, without_baseline: WithoutBaseline
    ) -> list[Finding]:
        """One finding for each thing that the rule asks. A parameter that is missing, or is a
        secret, blocks: a gate that could not run is not a pass.
        """
        if self.param not in evidence.params:
            return [
                failed(
                    f"param {self.param}",
                    "the candidate has no parameter of this name",
                    remedy="name it in a file of `params`, or correct the gate on the base branch",
                )
            ]
        value = evidence.params[self.param]
        if value == REDACTED:
            reason = "it is a secret, which the evidence does not hold"
            return [failed(f"param {self.param}", reason, "judge another parameter")]
        findings = list(self._judge(value))
        if self.unchanged:
            findings.append(self._unchanged(diff, value, without_baseline))
        return findings

    def _judge(self, value: Scalar) -> Iterator[Finding]:
        if self.equals is not UNSET:
            rule = f"param {self.param} equals {_quoted(self.equals)}"
            yield self._finding(rule, value, same(value, self.equals), "another value")
        if self.one_of:
            allowed = ", ".join(_quoted(allowed_value) for allowed_value in self.one_of)
            is_kept = any(same(value, allowed_value) for allowed_value in self.one_of)
            yield self._finding(f"param {self.param} one of {allowed}", value, is_kept, "none")
        if self.min is not None:
            yield self._bound(f"min {show_exactly(self.min)}", value, self.min, -1)
        if self.max is not None:
            yield self._bound(f"max {show_exactly(self.max)}", value, self.max, 1)

    def _bound(self, name: str, value: Scalar, bound: Amount, sign: int) -> Finding:
        rule = f"param {self.param} {name}"
        known = number(value)
        if known is None:
            return self._finding(rule, value, False, "not a number")
        is_kept = sign * known <= sign * bound
        where = "above" if sign > 0 else "below"
        shown = f"`{self.param}` = {show_apart(known, bound)[0]}"
        return bounded(rule, is_kept, "as asked", f"{where} the bound", shown, _REMEDY)

    def _finding(self, rule: str, value: Scalar, is_kept: bool, otherwise: str) -> Finding:
        return bounded(rule, is_kept, "as asked", otherwise, self._shown(value), _REMEDY)

    def _unchanged(self, diff: Diff, value: Scalar, without_baseline: WithoutBaseline) -> Finding:
        rule = f"param {self.param} unchanged"
        change = next((change for change in diff.params.changes if change.name == self.param), None)
        if diff.baseline is None or (change is not None and change.old is UNSET):
            none = "no baseline" if diff.baseline is None else "the baseline does not have it"
            return alone(rule, none, without_baseline, evidence=self._shown(value))
        if change is None:
            return self._finding(rule, value, True, "")
        return failed(rule, "another value than in the baseline", _REMEDY, _both(change))

    def _shown(self, value: Scalar) -> str:
        return f"`{self.param}` = {_quoted(value)}"


def _both(change: ValueChange) -> str:
    both = change.old, change.new
    is_text = any(isinstance(side, str) for side in both)
    old, new = map(_quoted, both) if is_text else show_apart(*both)
    return f"`{change.name}`: {old} → {new}"


def _quoted(value: object) -> str:
    """Text in quotation marks, so that `7` and `"7"` are told apart."""
    return f'"{value}"' if isinstance(value, str) else show(value)
