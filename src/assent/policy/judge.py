"""The findings on a candidate: its evidence, and every gate."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from assent.core.approval import Approvals
from assent.core.diff import Diff
from assent.core.diff.sameness import NotCompared
from assent.core.evidence import Evidence
from assent.core.verdict import Finding, Outcome
from assent.policy.rules import ApprovalRule, Policy


def judge_candidate(policy: Policy, diff: Diff, evidence: Evidence) -> list[Finding]:
    """What the gates say, and what could not be read. Approvals are judged apart."""
    findings = [_unreadable(problem.source, problem.problem) for problem in evidence.problems]
    findings += [_partly_read(document) for document in diff.partly_read]
    for gate in policy.gates:
        findings += gate.judge(diff, evidence, without_baseline=policy.without_baseline)
    return findings


def rule_for(approvals: ApprovalRule, findings: Sequence[Finding]) -> ApprovalRule:
    """The rule on approvals: somebody at least must agree where a gate leaves it to people."""
    is_left = any(finding.outcome is Outcome.WAITING for finding in findings)
    if is_left and approvals.count == 0:
        return msgspec.structs.replace(approvals, count=1)
    return approvals


def decided_by_people(findings: Sequence[Finding], approvals: Approvals) -> list[Finding]:
    """What gates left to people counts as accepted as soon as enough of them, having seen it,
    approve: it warns, and says who did. Until then it waits.
    """
    if approvals.missing or not approvals.counted:
        return list(findings)
    people = ", ".join(f"`{review.person.login}`" for review in approvals.counted)
    return [
        msgspec.structs.replace(
            finding,
            outcome=Outcome.WARNED,
            reason=f"{finding.reason}; accepted by {people}",
            remedy="",
        )
        if finding.outcome is Outcome.WAITING
        else finding
        for finding in findings
    ]


def _unreadable(source: str, problem: str) -> Finding:
    return Finding(
        rule=f"evidence: {source} is usable",
        outcome=Outcome.FAILED,
        reason=problem,
        remedy="correct the file or what `assent.yaml` says of it, then evaluate again",
    )


def _partly_read(document: NotCompared) -> Finding:
    return Finding(
        rule=f"evidence: all of {document.name} is read",
        outcome=Outcome.UNDECIDED,
        reason=document.reason,
        remedy=document.remedy,
    )
