"""Which metrics the rules look at: what failed is drawn first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from assent.core.verdict import Finding, Outcome

NOT_GATED = 3


def ranks_of(findings: Iterable[Finding]) -> Mapping[str, int]:
    """By name: 0 for a metric of which a rule failed, 1 for one that somebody has to look at, 2 for
    one that a rule passed. A rule on a metric begins with its name, which may have spaces.
    """
    found: dict[str, int] = {}
    for finding in findings:
        words = finding.rule.split(" ")
        for end in range(1, len(words)):
            name = " ".join(words[:end])
            found[name] = min(found.get(name, NOT_GATED), _rank(finding.outcome))
    return found


def _rank(outcome: Outcome) -> int:
    if outcome.blocks:
        return 0
    return 2 if outcome in (Outcome.PASSED, Outcome.NOT_APPLICABLE) else 1
