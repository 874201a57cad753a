"""What all findings say together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.verdict import Decision, Finding, Outcome, Verdict
from assent.errors import ExitCode

PASSED, FAILED, UNDECIDED, WAITING, WARNED, NOT_APPLICABLE = Outcome


def verdict_of(*outcomes: Outcome) -> Verdict:
    return Verdict(
        findings=tuple(
            Finding(rule=f"rule {n}", outcome=outcome, reason="because")
            for n, outcome in enumerate(outcomes)
        )
    )


@pytest.mark.parametrize(
    ("outcomes", "decision"),
    [
        ([PASSED], Decision.PASSED),
        ([PASSED, NOT_APPLICABLE], Decision.PASSED),
        ([PASSED, WAITING], Decision.PENDING),
        ([PASSED, FAILED], Decision.BLOCKED),
        ([WAITING, FAILED], Decision.BLOCKED),
        ([WAITING, NOT_APPLICABLE], Decision.PENDING),
    ],
)
def test_the_worst_finding_decides(outcomes: list[Outcome], decision: Decision) -> None:
    assert verdict_of(*outcomes).decision is decision


@pytest.mark.threat(13)
def test_no_findings_are_not_a_pass() -> None:
    assert Verdict(findings=()).decision is Decision.BLOCKED


@given(st.lists(st.sampled_from(Outcome), min_size=1), st.sampled_from(Outcome))
def test_one_more_finding_never_makes_a_verdict_milder(
    outcomes: list[Outcome], more: Outcome
) -> None:
    severity = [Decision.PASSED, Decision.PENDING, Decision.BLOCKED]
    before, after = verdict_of(*outcomes).decision, verdict_of(*outcomes, more).decision
    assert severity.index(after) >= severity.index(before)


def test_every_decision_has_an_exit_code_of_its_own() -> None:
    codes = {decision: decision.exit_code for decision in Decision}
    assert codes == {
        Decision.PASSED: ExitCode.DONE,
        Decision.BLOCKED: ExitCode.BLOCKED,
        Decision.PENDING: ExitCode.WAITING,
    }


def test_findings_are_found_by_outcome_in_order() -> None:
    verdict = verdict_of(FAILED, PASSED, FAILED)
    assert [finding.rule for finding in verdict.of(FAILED)] == ["rule 0", "rule 2"]
    assert verdict.of(WAITING) == ()


def test_what_is_undecided_blocks_and_is_no_failure() -> None:
    verdict = verdict_of(PASSED, UNDECIDED)
    assert verdict.decision is Decision.BLOCKED
    assert verdict.blocking == verdict.of(UNDECIDED)
    assert not verdict.of(FAILED)
