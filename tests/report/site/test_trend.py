"""Metrics over versions, and the bounds that were recorded."""

from __future__ import annotations

import re

import pytest

from assent.core.entry import FindingRecord
from assent.core.verdict import Outcome
from assent.report.site.bounds import Bound, bounds_in, metric_in
from assent.report.site.trend import Trend, draw, spark


def finding(rule: str, outcome: Outcome = Outcome.PASSED) -> FindingRecord:
    return FindingRecord(rule=rule, outcome=outcome, reason="")


def trend(values: dict[int, float], **words: object) -> Trend:
    given = {"metric": "auc", "better": "higher", "bounds": {}}
    return Trend(values=values, **{**given, **words})  # type: ignore[arg-type]  # by name


def bound(limit: float, outcome: Outcome = Outcome.PASSED) -> Bound:
    return Bound(metric="auc", side="min", limit=limit, outcome=outcome)


def test_bounds_are_read_from_the_rules_that_state_one() -> None:
    rules = (
        "auc min 0.75",
        "f1 score max 1e-3",
        "auc max_drop 5%",
        "min 3",
        "x min nan",
        "x min y",
    )
    bounds = bounds_in(finding(rule) for rule in rules)
    assert [(b.metric, b.side, b.limit) for b in bounds] == [
        ("auc", "min", 0.75),
        ("f1 score", "max", 0.001),
    ]


def test_a_rule_is_about_the_longest_name_that_it_begins_with() -> None:
    metrics = {"f1": 1, "f1 score": 2}
    assert metric_in("f1 score min 0.7", metrics) == "f1 score"
    assert metric_in("f1 min 0.7", metrics) == "f1"
    assert metric_in("approvals: 1 of alice", metrics) is None


def test_what_was_not_read_is_a_gap() -> None:
    picture = draw(trend({1: 0.8, 2: 0.81, 5: 0.9, 6: 0.91}))
    assert picture.count('class="new stroke"') == 2


def test_a_bound_that_moved_is_a_step() -> None:
    bounds = {1: (bound(0.7),), 2: (bound(0.7),), 3: (bound(0.8),)}
    picture = draw(trend({1: 0.8, 2: 0.81, 3: 0.9}, bounds=bounds))
    [route] = re.findall(r'class="bound" d="([^"]+)"', picture)
    assert len({point.split()[1] for point in re.split("[ML]", route) if point}) == 2


def test_a_broken_bound_is_told_by_its_form_and_in_words() -> None:
    bounds = {2: (bound(0.85, Outcome.FAILED),)}
    picture = draw(trend({1: 0.8, 2: 0.81}, bounds=bounds, standing=1))
    assert picture.count('class="broken"') == 1
    assert "v2: 0.81, bound broken" in picture
    assert picture.count('class="standing"') == 1


@pytest.mark.parametrize(
    "values", [{}, {1: float("nan")}, {1: 1e308}, {3: 0.0}, {1: -1e-300, 2: 1e299}]
)
def test_odd_values_break_no_chart(values: dict[int, float]) -> None:
    picture = draw(trend(values))
    assert "nan" not in picture
    assert "inf" not in picture


def test_ten_thousand_versions_are_as_many_points_as_can_be_seen() -> None:
    values = {number: 0.5 + number % 7 / 10 for number in range(1, 10_001)}
    values[5_000] = 9.0
    picture = draw(trend(values))
    assert len(picture) < 20_000
    assert "highest 9" in picture


@pytest.mark.threat(33)
def test_a_hostile_name_is_text() -> None:
    picture = draw(trend({1: 0.5}, metric='"><script>alert(1)</script>\u202e'))
    assert "<script" not in picture
    assert "\u202e" not in picture


def test_a_spark_needs_two_values() -> None:
    assert spark([0.5]) == ""
    assert "2 versions, from 0.5 to 0.6" in spark([0.5, 0.6])
