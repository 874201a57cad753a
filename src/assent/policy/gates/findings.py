"""Findings that every gate gives in the same words: a bound that is kept or broken, and what has
nothing to be compared with.
"""

from __future__ import annotations

from typing import Literal

from assent.core.verdict import Finding, Outcome

WithoutBaseline = Literal["allow", "block"]

INCONCLUSIVE = {
    "pass": Outcome.PASSED,
    "warn": Outcome.WARNED,
    "approve": Outcome.WAITING,
    "block": Outcome.FAILED,
}
"""What `inconclusive` of a gate means; each gate says which of them it takes."""


def bounded(
    rule: str, is_kept: bool, kept: str, broken: str, evidence: str, remedy: str
) -> Finding:
    """Passed as `kept`, or failed as `broken` with the remedy."""
    return Finding(
        rule=rule,
        outcome=Outcome.PASSED if is_kept else Outcome.FAILED,
        reason=kept if is_kept else broken,
        evidence=evidence,
        remedy="" if is_kept else remedy,
    )


def passed(rule: str, reason: str, evidence: str = "") -> Finding:
    """A rule that is kept."""
    return Finding(rule=rule, outcome=Outcome.PASSED, reason=reason, evidence=evidence)


def alone(
    rule: str, reason: str, without_baseline: WithoutBaseline, *, evidence: str = ""
) -> Finding:
    """A rule on a change where the baseline has nothing to compare with: the policy says whether
    that blocks.
    """
    blocks = without_baseline == "block"
    return Finding(
        rule=rule,
        outcome=Outcome.FAILED if blocks else Outcome.NOT_APPLICABLE,
        reason=reason,
        evidence=evidence,
        remedy="the policy says `without_baseline: block`" if blocks else "",
    )
