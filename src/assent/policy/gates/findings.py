"""Findings that every gate gives in the same words: a bound that is kept or broken, and what has
nothing to be compared with.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from assent.core.verdict import Finding, Outcome

WithoutBaseline = Literal["allow", "block"]

Undecided = Literal["block", "approve", "warn"]
"""What it means where the thing to be judged was not compared."""

_UNDECIDED = {
    "block": Outcome.UNDECIDED,
    "approve": Outcome.WAITING,
    "warn": Outcome.WARNED,
}

INCONCLUSIVE = {
    "pass": Outcome.PASSED,
    "warn": Outcome.WARNED,
    "approve": Outcome.WAITING,
    "block": Outcome.FAILED,
}
"""What `inconclusive` of a gate means, where the rows were compared and are too few to tell; each
gate says which of them it takes.
"""


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


def of_values(finding: Finding) -> Finding:
    """A finding whose evidence names values of the data."""
    return msgspec.structs.replace(finding, names_data=True)


def passed(rule: str, reason: str, evidence: str = "") -> Finding:
    """A rule that is kept."""
    return Finding(rule=rule, outcome=Outcome.PASSED, reason=reason, evidence=evidence)


def failed(rule: str, reason: str, remedy: str, evidence: str = "") -> Finding:
    """A rule that is broken, or that could not be judged at all."""
    return Finding(
        rule=rule, outcome=Outcome.FAILED, reason=reason, evidence=evidence, remedy=remedy
    )


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


def undecided(
    rule: str, reason: str, means: Undecided, *, evidence: str = "", remedy: str
) -> Finding:
    """A rule on what was not compared, and `reason` why: nobody knows whether it is kept. It
    blocks, unless the gate leaves that to a person or only warns (`undecided`).
    """
    return Finding(
        rule=rule,
        outcome=_UNDECIDED[means],
        reason=f"undecided: {reason}",
        evidence=evidence,
        remedy=f"{remedy}; or say `undecided: approve` in the gate, and a person decides"
        if means == "block"
        else remedy,
    )
