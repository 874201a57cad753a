"""The findings on a candidate: what could not be read, and every gate."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from assent.compare.bundles import compare
from assent.core.approval import Approvals, Heard
from assent.core.change import ReviewState
from assent.core.evidence import FORMAT, Problem
from assent.core.verdict import Decision, Finding, Outcome, Verdict
from assent.policy.gates.metric import MetricGate
from assent.policy.gates.model import ModelGate
from assent.policy.judge import decided_by_people, judge_candidate, rule_for
from assent.policy.rules import ApprovalRule, Policy
from tests.builders import AT, person
from tests.compare.known import known

POLICY = Policy(
    gates=(
        MetricGate(metric="accuracy", min=0.8, max_drop=0.01),
        ModelGate(model="any", max_size=100),
    )
)


def test_every_gate_speaks_in_the_order_of_the_policy() -> None:
    candidate = known(metrics={"accuracy": 0.9})
    findings = judge_candidate(POLICY, compare(candidate, candidate), candidate.evidence)
    assert [finding.rule for finding in findings] == [
        "accuracy min 0.8",
        "accuracy max_drop 0.01",
        "model max_size 100",
    ]
    assert Verdict(findings=tuple(findings)).decision is Decision.PASSED


@pytest.mark.threat(14)
def test_evidence_that_could_not_be_read_blocks_whatever_the_gates_say() -> None:
    candidate = known(metrics={"accuracy": 0.9})
    problem = Problem(source="reports/metrics.json", problem="line 3: not JSON")
    evidence = msgspec.structs.replace(candidate.evidence, problems=(problem,))
    first, *others = judge_candidate(POLICY, compare(candidate, candidate), evidence)
    assert first.outcome is Outcome.FAILED
    assert "reports/metrics.json" in first.rule
    assert first.reason == "line 3: not JSON"
    assert {finding.outcome for finding in others} == {Outcome.PASSED}


@pytest.mark.threat(15)
@pytest.mark.parametrize(
    ("without_baseline", "decision"), [("allow", Decision.PASSED), ("block", Decision.BLOCKED)]
)
def test_the_policy_says_whether_a_first_model_may_pass(
    without_baseline: str, decision: Decision
) -> None:
    policy = Policy(gates=POLICY.gates, without_baseline=without_baseline)  # type: ignore[arg-type]  # one of the two
    candidate = known(metrics={"accuracy": 0.9})
    findings = judge_candidate(policy, compare(None, candidate), candidate.evidence)
    assert Verdict(findings=tuple(findings)).decision is decision


@pytest.mark.threat(15)
def test_absolute_gates_apply_to_a_first_model() -> None:
    candidate = known(metrics={"accuracy": 0.7})
    findings = judge_candidate(POLICY, compare(None, candidate), candidate.evidence)
    assert Verdict(findings=tuple(findings)).decision is Decision.BLOCKED


UNDECIDED = Finding(rule="accuracy max_drop 1%", outcome=Outcome.WAITING, reason="inconclusive")
OTHER = Finding(rule="accuracy min 0.8", outcome=Outcome.PASSED, reason="within the bound")


def heard(*names: str) -> tuple[Heard, ...]:
    return tuple(
        Heard(
            person=person(name),
            state=ReviewState.APPROVED,
            at=AT,
            head=None,
            bundle=None,
            counts=True,
            why="",
        )
        for name in names
    )


def test_what_a_gate_leaves_to_people_asks_for_one_approval_at_least() -> None:
    nobody = ApprovalRule(count=0)
    assert rule_for(nobody, [OTHER, UNDECIDED]).count == 1
    assert rule_for(nobody, [OTHER]).count == 0
    assert rule_for(ApprovalRule(count=2), [UNDECIDED]).count == 2


@pytest.mark.parametrize(
    ("required", "names", "outcome"),
    [(1, (), "waiting"), (2, ("bob",), "waiting"), (1, ("bob",), "warning"), (0, (), "waiting")],
)
def test_it_is_accepted_as_soon_as_enough_people_approve(
    required: int, names: tuple[str, ...], outcome: str
) -> None:
    approvals = Approvals(required=required, of=("*",), heard=heard(*names))
    other, undecided = decided_by_people([OTHER, UNDECIDED], approvals)
    assert other == OTHER
    assert undecided.outcome == outcome
    assert ("accepted by `bob`" in undecided.reason) == (outcome == "warning")


@pytest.mark.parametrize("side", ["candidate", "baseline"])
def test_what_a_later_release_has_written_is_not_judged_by_its_known_part(side: str) -> None:
    later = replace(known(), evidence=replace(known().evidence, format=FORMAT + ".1"))
    sides = (known(), later) if side == "candidate" else (later, known())
    diff = compare(*sides)
    assert not diff.is_unchanged
    findings = judge_candidate(Policy(gates=()), diff, sides[1].evidence)
    (finding,) = findings
    assert finding.rule == f"evidence: all of the evidence of the {side} is read"
    assert finding.outcome is Outcome.UNDECIDED
    assert f"the format {FORMAT}.1" in finding.reason
    assert "upgrade Assent" in finding.remedy
    assert Verdict(findings=tuple(findings)).decision is Decision.BLOCKED
