"""Bounds of metrics as the ledger recorded them: in the words of the rule. They are drawn and
nothing else; what was decided is the outcome beside them.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable

import msgspec

from assent.core.entry import FindingRecord
from assent.core.verdict import Outcome


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """A bound on the value of a metric: `min` or `max`."""

    metric: str
    side: str
    limit: float
    outcome: Outcome


def bounds_in(findings: Iterable[FindingRecord]) -> tuple[Bound, ...]:
    """The bounds that the rules of these findings state."""
    bounds = (_bound(finding.rule, finding.outcome) for finding in findings)
    return tuple(bound for bound in bounds if bound is not None)


def metric_in(rule: str, metrics: Container[str]) -> str | None:
    """The metric that a rule begins with, if it is one of these."""
    words = rule.split(" ")
    for end in range(len(words) - 1, 0, -1):
        name = " ".join(words[:end])
        if name in metrics:
            return name
    return None


def _bound(rule: str, outcome: Outcome) -> Bound | None:
    metric, _, last = rule.rpartition(" ")
    metric, _, side = metric.rpartition(" ")
    if side not in ("min", "max") or not metric or len(last) > 40:
        return None
    try:
        limit = float(last)
    except ValueError:
        return None
    if not math.isfinite(limit):
        return None
    return Bound(metric=metric, side=side, limit=limit, outcome=outcome)
