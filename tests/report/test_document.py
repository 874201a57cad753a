from __future__ import annotations

from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from assent.core.approval import ANYONE, Approvals
from assent.core.diff.metrics import Interval
from assent.core.verdict import Finding, Outcome
from assent.report.document import to_document
from assent.report.numbers import Effect
from assent.report.parts import (
    Document,
    Mark,
    Move,
    Number,
    Pair,
    Section,
    Text,
    Words,
    cell,
    spaced,
)
from assent.report.review import ReviewReport
from assent.report.sections.shapes import MAX_ROWS

from . import samples


def section(document: Document, title: str) -> Section:
    return next(one for one in document.sections.values() if one.title == title)


def said(parts: object) -> str:
    assert isinstance(parts, tuple)
    return spaced(part.text for part in parts)


def test_a_plain_string_in_a_cell_is_untrusted() -> None:
    assert cell("x", Words("y")) == (Text("x"), Words("y"))


def test_sections_come_in_the_order_of_the_design() -> None:
    assert [one.title for one in to_document(samples.blocked()).sections.values()] == [
        "Gates",
        "This change alters the rules",
        "Metrics",
        "Data",
        "Model",
        "Parameters",
        "Dependencies and environment",
        "Approvals",
        "Candidate against baseline",
    ]


QUALITY = (
    "; better in 3 and worse in 3 of 9 metrics, 1 changed without a verdict, "
    "1 missing or not a number."
)


@dataclass
class Case:
    report: ReviewReport
    mark: Mark
    headline: str
    to_decide: list[str]


@pytest.mark.parametrize(
    "case",
    [
        Case(
            samples.passed(),
            Mark.PASSED,
            f"churn passed: 2 gates hold{QUALITY}",
            ["Nothing is missing. Merge when you are ready."],
        ),
        Case(
            samples.blocked(),
            Mark.FAILED,
            f"churn is blocked: 1 of 3 gates failed{QUALITY}",
            [
                f"{samples.FAIL.rule}: {samples.FAIL.remedy}",
                "1 more approval is needed from alice or @acme/ml.",
                "To approve, run assent approve churn.",
                f"bob approved, and that does not count: {samples.NO.why}",
            ],
        ),
        Case(
            samples.pending(),
            Mark.WAITING,
            f"churn waits for 1 approval; every gate passed{QUALITY}",
            [
                "1 more approval is needed from alice or @acme/ml.",
                "To approve, run assent approve churn.",
                f"bob approved, and that does not count: {samples.NO.why}",
            ],
        ),
        Case(
            samples.review(samples.WAIT),
            Mark.WAITING,
            f"churn waits for a decision: 1 of 1 gate not decided{QUALITY}",
            ["approvals: 1 of alice or @acme/ml: 1 more of alice or @acme/ml must approve"],
        ),
        Case(
            samples.first(),
            Mark.PASSED,
            "churn passed: 1 gate holds, 1 not applicable; no baseline to compare with.",
            ["Nothing is missing. Merge when you are ready."],
        ),
        Case(
            samples.review(),
            Mark.FAILED,
            "churn is blocked: no gate has judged it.",
            ["Give the model at least one gate: nothing judged is no pass."],
        ),
    ],
    ids=["passed", "blocked", "pending", "undecided", "first", "nothing judged"],
)
def test_the_verdict_in_one_sentence_with_what_to_do_next(case: Case) -> None:
    document = to_document(case.report)
    assert document.mark is case.mark
    assert said(document.headline) == case.headline
    assert [said(step) for step in document.to_decide] == case.to_decide


def test_one_remedy_is_said_once_for_all_its_rules() -> None:
    findings = [replace(samples.FAIL, rule=f"r{n}") for n in range(5)]
    others = [replace(samples.FAIL, rule=f"o{n}", remedy=f"do {n}") for n in range(4)]
    steps = to_document(samples.review(*findings, *others)).to_decide
    assert said(steps[0]).startswith("r0, r1, r2 and 2 others: improve the model")
    assert said(steps[-1]) == "and 2 other remedies, below."
    assert len(steps) == 4


def test_anyone_is_said_in_words() -> None:
    waits = Approvals(required=1, of=(ANYONE,))
    steps = to_document(samples.review(samples.WAIT, approvals=waits)).to_decide
    assert said(steps[0]) == (
        "1 more approval is needed from anyone who may write to the repository."
    )


def test_gates_that_do_not_hold_are_open_and_the_others_are_one_line() -> None:
    gates = section(to_document(samples.blocked()), "Gates")
    settle, held = gates.tables
    assert gates.is_urgent
    assert not settle.is_folded
    assert [row[0][1] for row in settle.rows] == [
        Text(samples.FAIL.rule),
        Text(samples.WAIT.rule),
    ]
    assert settle.kept == 2
    assert held.is_folded
    assert [said(row[1]) for row in held.rows] == [samples.PASS.rule]
    assert not section(to_document(samples.passed()), "Gates").is_urgent


def test_of_many_gates_that_failed_the_first_are_open_and_all_are_there() -> None:
    failed = [replace(samples.FAIL, rule=f"gate {n}") for n in range(12)]
    settle, others = section(to_document(samples.review(*failed)), "Gates").tables
    assert (len(settle.rows), len(others.rows)) == (5, 7)
    assert (others.is_folded, others.kept, others.title) == (True, 7, "Gates: 7 failed")


@pytest.mark.parametrize(
    ("bound", "value", "said_value"),
    [
        (0.85, 0.84996, "0.84996"),
        (0.85, 0.85, "0.8500"),
        (0.75, 0.84996, "0.8500"),
    ],
)
def test_a_gate_has_the_figures_of_its_metric_which_never_read_like_its_bound(
    bound: float, value: float, said_value: str
) -> None:
    interval = Interval(low=0.0040, high=0.0993, n=177, method="DeLong")
    metric = replace(samples.metric("auc", 0.8008, value, "higher"), interval=interval)
    finding = Finding(
        rule=f"auc min {bound}",
        metric="auc",
        outcome=Outcome.PASSED,
        reason="within the bound",
        evidence="`auc` = 0.849960, change between 0.004 and 0.0993 (95%, 177 rows)",
    )
    document = to_document(samples.review(finding, diff=samples.diff(metrics=(metric,))))
    (row,) = section(document, "Gates").tables[0].rows
    value_, *moved = row[2][2:]
    (own,) = section(document, "Metrics").tables[0].rows
    assert isinstance(value_, Pair)
    assert value_.new == Number(said_value)
    if said_value == "0.8500":
        assert (value_, *moved) == (*own[1], *own[2])


def test_metrics_that_need_a_look_come_first() -> None:
    table = section(to_document(samples.passed()), "Metrics").tables[0]
    effects = [row[2][0].effect for row in table.rows if isinstance(row[2][0], Move)]
    assert [said(row[0]) for row in table.rows] == [
        "brier",
        "latency_ms",
        "trees",
        "log_loss",
        "roc_auc",
        "ece",
        "precision",
        "recall",
    ]
    assert effects[:4] == [Effect.NO_NUMBER, Effect.WORSE, Effect.CHANGED, Effect.BETTER]


def test_a_metric_shows_value_direction_and_meaning() -> None:
    table = section(to_document(samples.passed()), "Metrics").tables[0]
    name, value, change = table.rows[1]
    assert name == (Text("latency_ms"),)
    assert value == (Pair(Number("12.1"), Number("15.8")),)
    assert change == (Move(Effect.WORSE, "▲", "+3.7", "+30.6%", bar=0.553),)


def test_slices_are_folded_and_keep_dots_in_their_values() -> None:
    slices = section(to_document(samples.passed()), "Metrics").tables[1]
    assert slices.is_folded
    assert [said(row[0]) for row in slices.rows] == [
        "region = north",
        "region = south",
        "region = west.coast",
        "region = east",
    ]
    assert {said(row[1]) for row in slices.rows} == {"roc_auc"}


def test_a_name_that_only_looks_like_a_slice_is_a_metric() -> None:
    metrics = (samples.metric("slices.region.roc_auc", 1, 2),)
    report = samples.review(samples.PASS, diff=samples.diff(metrics=metrics))
    assert said(section(to_document(report), "Metrics").tables[0].rows[0][0]) == metrics[0].name


def test_what_did_not_change_is_one_line() -> None:
    document = to_document(samples.unchanged())
    assert said(section(document, "Metrics").summary) == "unchanged (2)"
    assert section(document, "Metrics").tables[0].is_folded
    assert said(section(document, "Parameters").summary) == "unchanged (3)"
    assert not section(document, "Parameters").tables
    assert said(section(document, "Candidate against baseline").summary).startswith(
        "The candidate is the baseline"
    )


def test_without_a_baseline_nothing_is_called_a_change() -> None:
    document = to_document(samples.first())
    assert [one.title for one in section(document, "Metrics").tables[0].columns] == [
        "Metric",
        "Measured",
    ]
    assert [one.align for one in section(document, "Metrics").tables[0].columns] == [
        "left",
        "right",
    ]
    assert said(section(document, "Candidate against baseline").summary) == (
        "There is no baseline to compare with."
    )


def test_uncommitted_changes_are_said() -> None:
    code = replace(samples.EVIDENCE.code, is_dirty=True)
    report = samples.review(samples.PASS, evidence=replace(samples.EVIDENCE, code=code))
    assert "changes that are not in its commit" in said(to_document(report).notes[0].rows[0][0])


def test_rows_are_cut_and_counted() -> None:
    report = samples.big(metrics=10, slices=600, params=6_000)
    slices = section(to_document(report), "Metrics").tables[1]
    params = section(to_document(report), "Parameters").tables[0]
    assert (len(slices.rows), slices.total) == (MAX_ROWS, 6_000)
    assert (len(params.rows), params.total) == (MAX_ROWS, 6_000)
    shown = {said(row[0]) for row in slices.rows}
    assert "region = r599" in shown  # the worst
    assert "region = r0" not in shown  # unchanged


def test_who_counts_comes_first_with_the_reason() -> None:
    approvals = section(to_document(samples.passed()), "Approvals")
    assert said(approvals.summary) == "1 of 1 given"
    assert [row[0][0] for row in approvals.tables[0].rows] == [Text("alice"), Text("bob")]


def test_a_finding_without_a_remedy_points_to_its_reason() -> None:
    bare = Finding(rule="r", outcome=Outcome.FAILED, reason="x")
    assert said(to_document(samples.review(bare)).to_decide[0]) == "r: see the reason below"
