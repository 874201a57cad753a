"""The findings on a candidate: its evidence, and every gate."""

from __future__ import annotations

from assent.core.diff import Diff
from assent.core.evidence import Evidence
from assent.core.verdict import Finding, Outcome
from assent.policy.rules import Policy


def judge_candidate(policy: Policy, diff: Diff, evidence: Evidence) -> list[Finding]:
    """What the gates say, and what could not be read. Approvals are judged apart."""
    findings = [_unreadable(problem.source, problem.problem) for problem in evidence.problems]
    for gate in policy.gates:
        findings += gate.judge(diff, evidence, without_baseline=policy.without_baseline)
    return findings


def _unreadable(source: str, problem: str) -> Finding:
    return Finding(
        rule=f"evidence: {source} is usable",
        outcome=Outcome.FAILED,
        reason=problem,
        remedy="correct the file or what `assent.yaml` says of it, then evaluate again",
    )
