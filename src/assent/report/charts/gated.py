"""Which metrics the rules look at: what failed is drawn first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import UNSET

from assent.core.verdict import Finding, Outcome

NOT_GATED = 3


def ranks_of(findings: Iterable[Finding]) -> Mapping[str, int]:
    """By name: 0 for a metric of which a rule failed, 1 for one that somebody has to look at, 2 for
    one that a rule passed.
    """
    ranks: dict[str, int] = {}
    for finding in findings:
        if finding.metric is not UNSET:
            ranks[finding.metric] = min(
                ranks.get(finding.metric, NOT_GATED), _rank(finding.outcome)
            )
    return ranks


def _rank(outcome: Outcome) -> int:
    if outcome.blocks:
        return 0
    return 2 if outcome in (Outcome.PASSED, Outcome.NOT_APPLICABLE) else 1
