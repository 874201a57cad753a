"""The gate on data, where it bounds facts of columns."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from assent.compare.data import compare_data
from assent.core.diff import Diff, Side
from assent.core.profile import ColumnProfile
from assent.core.verdict import Finding, Outcome
from assent.policy.gates.data import DataGate
from tests.builders import digest
from tests.compare.known import known
from tests.compare.profiling import category, number, profile, reference

ROWS = 1_000
SIDE = Side(bundle=digest("b"), model_digest=digest("m"))
AGE = number("age", np.linspace(0, 100, ROWS))
CITY = category("city", {"bonn": 900, "köln": 100})
NOON = 1_700_000_000.0
SOLD = replace(number("sold_at", np.linspace(NOON - 86_400, NOON, ROWS)), kind="time")
AT = "2023-11-14T22:13:20Z"  # NOON
PASSED, FAILED, UNDECIDED = Outcome.PASSED, Outcome.FAILED, Outcome.UNDECIDED


def judge(rule: dict[str, Any], *columns: ColumnProfile, at: str = AT) -> list[Finding]:
    gate = msgspec.convert({"data": "train", **rule}, DataGate)
    data = compare_data(
        [reference("train", "old")],
        [reference("train", "new")],
        old_profiles={"train": profile(ROWS, AGE, CITY, SOLD)},
        new_profiles={"train": profile(ROWS, *(columns or (AGE, CITY, SOLD)))},
    )
    diff = Diff(model="m", candidate=SIDE, baseline=SIDE, data=data, at=at)
    return gate.judge(diff, known().evidence, without_baseline="allow")


@pytest.mark.parametrize(
    ("rule", "column", "outcome", "said"),
    [
        ({"range": {"max": 100}}, AGE, PASSED, ""),
        ({"range": {"min": 1}}, AGE, FAILED, "`age` 0"),
        ({"range": {"max": 99.5}}, AGE, FAILED, "`age` 100"),
        ({"range": {"max": 100}}, replace(AGE, infinities=3), FAILED, "infinite"),
        ({"range": {"min": 0}}, CITY, FAILED, ""),
        ({"range": {"outside": 0}}, replace(AGE, outside=(0, 0)), PASSED, ""),
        ({"range": {"outside": "0.1%"}}, replace(AGE, outside=(0, 1)), PASSED, ""),
        ({"range": {"outside": 0}}, replace(AGE, outside=(2, 1)), FAILED, "3 rows (0.3%)"),
        ({"range": {"outside": 0}}, number("age", np.linspace(5, 500, ROWS)), UNDECIDED, "`age`"),
        ({"nulls": 0}, replace(AGE, nans=2), FAILED, "0.2%"),
        ({"missing": "1%"}, replace(CITY, tokens=10), PASSED, ""),
        ({"missing": "1%"}, replace(CITY, tokens=11), FAILED, "1.1%"),
        ({"missing": {"max_rise": 0}}, replace(CITY, tokens=1), FAILED, "0% → 0.1%"),
        ({"zeros": {"max_rise": "0.1%"}}, AGE, PASSED, ""),
        ({"zeros": {"max": 0}}, AGE, FAILED, "0.1%"),
    ],
)
def test_facts_are_bounded(
    rule: dict[str, Any], column: ColumnProfile, outcome: Outcome, said: str
) -> None:
    (finding,) = judge({**rule, "columns": [column.name]}, column)
    assert finding.outcome is outcome, finding
    assert said in finding.evidence
    assert finding.reason
    assert bool(finding.remedy) is outcome.blocks


@pytest.mark.parametrize(
    "rule", [{"range": {"max": 100}}, {"zeros": 0.5}, {"zeros": {"max_rise": 0.5}}]
)
def test_what_is_no_number_any_more_is_not_within_a_bound(rule: dict[str, Any]) -> None:
    text = category("sold", {"12 €": ROWS})
    other = replace(AGE, name="paid")
    old = profile(ROWS, AGE, replace(AGE, name="sold"), other)
    data = compare_data(
        [reference("train", "old")],
        [reference("train", "new")],
        old_profiles={"train": old},
        new_profiles={"train": profile(ROWS, AGE, text, other)},
    )
    diff = Diff(model="m", candidate=SIDE, baseline=SIDE, data=data, at=AT)
    gate = msgspec.convert({"data": "train", "undecided": "approve", **rule}, DataGate)
    (finding,) = gate.judge(diff, known().evidence, without_baseline="allow")
    assert finding.outcome is Outcome.WAITING
    assert finding.evidence == "`sold` is string"
    found = judge({**rule, "columns": ["age", "city"]})
    assert [one.outcome for one in found] == [UNDECIDED]


@pytest.mark.parametrize("empty", [{"nulls": ROWS}, {"nans": ROWS}])
@pytest.mark.parametrize("rule", [{"range": {"min": 0, "max": 120}}, {"zeros": 0.5}])
def test_a_column_without_a_value_is_within_no_bound(
    empty: dict[str, int], rule: dict[str, Any]
) -> None:
    age = replace(number("age", []), **empty)
    assert {one.outcome for one in judge({**rule, "columns": ["age"]}, age)} == {FAILED}
    found = judge({**rule, "undecided": "approve"}, age, replace(AGE, name="other"))
    assert {one.outcome for one in found} == {Outcome.WAITING}
    assert {one.evidence for one in found} == {"`age` has no value"}


@pytest.mark.parametrize("empty", [{"nulls": ROWS}, {"nans": ROWS}])
@pytest.mark.parametrize("outside", [(0, 0), None])
def test_of_a_column_without_a_value_no_row_is_within_the_range(
    empty: dict[str, int], outside: tuple[int, int] | None
) -> None:
    age = replace(number("age", []), outside=outside, **empty)
    (finding,) = judge({"range": {"outside": "50%"}, "columns": ["age"]}, age)
    assert (finding.outcome, finding.evidence) == (UNDECIDED, "`age`")


def test_a_named_column_that_has_no_range_is_not_within_it() -> None:
    age = replace(AGE, outside=(0, 0))
    (finding,) = judge({"range": {"outside": 0}, "columns": ["age", "city"]}, age, CITY)
    assert (finding.outcome, finding.evidence) == (UNDECIDED, "`city`")
    (finding,) = judge({"range": {"outside": 0}, "columns": ["age", "c*"]}, age, CITY)
    assert finding.outcome is PASSED


def test_a_bound_that_is_broken_is_said_beside_what_was_not_looked_at() -> None:
    found = judge({"range": {"max": 1}, "columns": ["age", "city"]})
    assert [one.outcome for one in found] == [FAILED, UNDECIDED]


@pytest.mark.parametrize(
    "rule",
    [
        {"nulls": 0.5},
        {"missing": {"max_rise": 0.5}},
        {"range": {"min": -1}},
        {"range": {"outside": 0.5}},
        {"new_categories": "block"},
        {"new_categories": "warn"},
    ],
)
def test_a_data_set_without_rows_is_within_no_bound(rule: dict[str, Any]) -> None:
    nothing = profile(0, replace(AGE, numbers=None), replace(CITY, categories=None), SOLD)
    data = compare_data(
        [reference("train", "old")],
        [reference("train", "new")],
        old_profiles={"train": profile(ROWS, AGE, CITY, SOLD)},
        new_profiles={"train": nothing},
    )
    diff = Diff(model="m", candidate=SIDE, baseline=SIDE, data=data, at=AT)
    gate = msgspec.convert({"data": "train", **rule}, DataGate)
    (finding,) = gate.judge(diff, known().evidence, without_baseline="allow")
    assert (finding.outcome, finding.reason) == (FAILED, "the data set has no rows to judge")


@pytest.mark.parametrize("what", ["nulls", "missing", "zeros"])
def test_a_rise_that_was_of_no_column_is_no_pass(what: str) -> None:
    new = replace(AGE, name="other", numbers=None, kind="nested", type="map<string, int64>")
    (finding,) = judge({what: {"max_rise": 0}, "columns": ["other"]}, new)
    assert (finding.outcome, finding.reason) == (
        FAILED,
        "no column is left that both sides have",
    )


def test_rows_that_were_not_counted_may_be_left_to_people() -> None:
    moved = number("age", np.linspace(5, 500, ROWS))
    rule = {"range": {"outside": 0}, "undecided": "approve"}
    (finding,) = judge(rule, moved, CITY, SOLD)
    assert finding.outcome is Outcome.WAITING


@pytest.mark.parametrize(
    ("at", "outcome", "said"),
    [
        (AT, PASSED, "new enough"),
        ("2023-11-21T22:13:20Z", PASSED, "new enough"),
        ("2023-11-21T22:13:21Z", FAILED, "the newest moment is 7d 1s old"),
        ("2023-11-10T00:00:00Z", FAILED, "has yet to come"),
    ],
)
def test_the_newest_moment_is_not_too_old(at: str, outcome: Outcome, said: str) -> None:
    (finding,) = judge({"freshness": {"column": "sold_at", "max_age": "7d"}}, at=at)
    assert (finding.outcome, finding.evidence) == (outcome, "newest: 2023-11-14 22:13:20")
    assert said in finding.reason


@pytest.mark.parametrize(
    ("column", "reason"),
    [("age", "it holds no moments"), ("gone", "the candidate has no column of this name")],
)
def test_what_is_no_moment_is_not_fresh(column: str, reason: str) -> None:
    (finding,) = judge({"freshness": {"column": column, "max_age": "7d"}})
    assert (finding.outcome, finding.reason) == (FAILED, reason)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"range": {}}, "range needs at least one of"),
        ({"range": {"min": 2, "max": 1}}, "min is greater than max"),
        ({"range": {"outside": "200%"}}, "more than all rows"),
        ({"zeros": {}}, "at least one of max, max_rise"),
        ({"freshness": {"column": "a", "max_age": "soon"}}, "not a span of time"),
        ({"freshness": {"column": "a", "max_age": "0d"}}, "more than 0"),
        ({"freshness": {"column": "a", "max_age": "1d"}, "columns": ["a"]}, "choose nothing"),
        ({"undecided": "pass", "zeros": 0}, "pass"),
    ],
)
def test_rules_that_judge_nothing_are_refused(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert({"data": "train", **rule}, DataGate)


def test_values_of_the_data_are_told_as_such() -> None:
    """A review shows them; a ledger, which cannot forget, does not keep them."""
    rules: list[dict[str, Any]] = [
        {"range": {"max": 10}, "columns": ["age"]},
        {"range": {"outside": 0}, "columns": ["age"]},
    ]
    for rule in rules:
        (finding,) = judge(rule, replace(AGE, outside=(2, 1)))
        assert (finding.outcome, finding.names_data) == (FAILED, True)
    (kept,) = judge({"range": {"min": -1000}, "columns": ["age"]}, AGE)
    assert kept.names_data is not True
