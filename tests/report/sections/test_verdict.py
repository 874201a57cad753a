"""The sentence of the verdict, what to do next, and the gates."""

from __future__ import annotations

import pytest

from assent.core.approval import Approvals
from assent.core.verdict import Finding, Outcome, Verdict
from assent.report.parts import Text
from assent.report.sections.gates import gates_section
from assent.report.sections.verdict import headline, next_steps, still_needed
from assent.report.text import to_text
from tests.report.samples import FAIL, PASS, SKIP, WAIT, review

NONE = Approvals(required=0, of=("*",))
ONE = Approvals(required=1, of=("alice", "@acme/ml"))
UNDECIDED = Finding(rule="data", outcome=Outcome.UNDECIDED, reason="not compared")


def words(cell: tuple[object, ...]) -> str:
    return " ".join(getattr(part, "text", "") for part in cell)


@pytest.mark.parametrize(
    ("findings", "approvals", "said"),
    [
        ((), NONE, "is blocked: no gate has judged it."),
        ((PASS,), NONE, "passed: 1 gate holds."),
        ((PASS, SKIP), NONE, "passed: 1 gate holds, 1 not applicable."),
        ((PASS, FAIL), NONE, "is blocked: 1 of 2 gates failed."),
        ((FAIL, UNDECIDED, WAIT), ONE, "is blocked: 1 of 3 gates failed, 1 undecided."),
        ((UNDECIDED,), NONE, "is blocked: 1 of 1 gate undecided."),
        ((PASS, WAIT), ONE, "waits for 1 approval; every gate passed."),
        ((PASS, WAIT), NONE, "waits for a decision: 1 of 2 gates not decided."),
    ],
)
def test_the_headline(findings: tuple[Finding, ...], approvals: Approvals, said: str) -> None:
    assert words(headline("churn", Verdict(findings=findings), approvals)) == f"churn {said}"


def test_each_remedy_is_said_once_and_few_of_them() -> None:
    many = tuple(
        Finding(rule=f"gate {n}", outcome=Outcome.FAILED, reason="no", remedy=f"do {n // 2}")
        for n in range(12)
    )
    steps = [words(step) for step in next_steps(Verdict(findings=many), NONE)]
    assert steps == [
        "gate 0 and gate 1 : do 0",
        "gate 2 and gate 3 : do 1",
        "gate 4 and gate 5 : do 2",
        "and 3 other remedies, below.",
    ]


def test_what_blocks_is_done_before_anybody_is_waited_for() -> None:
    steps = [words(step) for step in next_steps(Verdict(findings=(WAIT, FAIL)), ONE)]
    assert steps[0].startswith(FAIL.rule)
    assert steps[-1] == "1 more approval is needed from alice or @acme/ml ."


def test_who_may_approve_is_text_and_not_markup() -> None:
    approvals = Approvals(required=2, of=("<b>eve</b>",))
    assert Text("<b>eve</b>") in still_needed(approvals)
    assert "anyone who may write" in words(still_needed(Approvals(required=1, of=("*",))))


def test_the_gates_that_block_come_first_and_nothing_judged_says_so() -> None:
    shown = to_text([gates_section(review(PASS, FAIL))])
    assert shown.index(FAIL.rule) < shown.index(PASS.rule)
    assert f"→ {FAIL.remedy}" in shown.replace("\n", " ")
    assert "Nothing was judged." in to_text([gates_section(review())])
