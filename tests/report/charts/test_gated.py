"""What rules look at is drawn first."""

from __future__ import annotations

from assent.core.verdict import Finding, Outcome
from assent.report.charts.gated import ranks_of
from assent.report.charts.intervals import interval_charts
from tests.report import drawn
from tests.report.charted import metric


def finding(metric: str, bound: str, outcome: Outcome) -> Finding:
    return Finding(rule=f"{metric} {bound}", outcome=outcome, reason="", metric=metric)


def test_what_a_rule_failed_on_or_looks_at_is_drawn_first() -> None:
    ranks = ranks_of(
        [
            finding("m12", "max_drop 0.01, confident", Outcome.PASSED),
            finding("f 1", "max_drop 0.01", Outcome.FAILED),
            finding("m13", "max_drop 0.01", Outcome.UNDECIDED),
            finding("m13", "min 0.5", Outcome.PASSED),
            finding("m14", "max_drop 0.01", Outcome.WAITING),
        ]
    )
    many = [metric(f"m{at}", 1.0, -0.01, 0.001) for at in range(20)]
    (chart,) = interval_charts([*many, metric("f 1", 1.0, 0.01, 0.02)], ranks)
    names = drawn.texts(chart, "name")
    assert set(names[:2]) == {"f 1", "m13"}
    assert names[2:4] == ["m14", "m12"]


def test_a_rule_on_another_metric_that_begins_alike_is_none_on_this() -> None:
    ranks = ranks_of(
        [
            finding("f 1", "max_drop 0.01", Outcome.FAILED),
            Finding(rule="predictions labels max 2%", outcome=Outcome.FAILED, reason=""),
        ]
    )
    assert dict(ranks) == {"f 1": 0}
