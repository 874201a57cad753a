"""The gate on data."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from assent.core.profile import (
    Categories,
    ColumnProfile,
    DataProfile,
    Fingerprint,
    Numbers,
)
from assent.core.verdict import Outcome
from tests.compare.profiling import category, number, profile, reference
from tests.policy.gates.judged_data import (
    AGE,
    CITY,
    FAILED,
    NOT_APPLICABLE,
    OLD,
    PASSED,
    RANDOM,
    ROWS,
    UNDECIDED,
    WAITING,
    WARNED,
    gate,
    judge,
    only,
)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(2)


def shifted(by: float, rows: int = ROWS) -> DataProfile:
    return profile(rows, number("age", np.random.default_rng(6).normal(40 + by, 10, rows)), CITY)


@pytest.mark.parametrize(
    ("by", "drift", "expected"),
    [
        (0, "slight", PASSED),
        (0, "moderate", PASSED),
        (0.5, "slight", PASSED),
        (3, "slight", FAILED),
        (3, "severe", PASSED),
        (6, "moderate", FAILED),
        (8, "severe", FAILED),
        (6, 0.1, FAILED),
        (6, 2, PASSED),
    ],
)
def test_drift_blocks_from_its_level(by: float, drift: str | float, expected: Outcome) -> None:
    found = only(gate(drift=drift), OLD, shifted(by))
    assert found.outcome is expected
    assert found.rule == f"data train drift {drift}"


def test_a_finding_on_drift_says_which_column_how_far_and_on_how_many_rows() -> None:
    found = only(gate(drift="moderate"), OLD, shifted(7))
    assert found.reason == "1 column of 2 has drifted, beyond chance"
    assert found.evidence.startswith("`age` PSI 0.")
    assert "mean 40" in found.evidence
    assert " → 47" in found.evidence
    assert found.evidence.endswith("(4,000 → 4,000 rows)")
    assert "`age`" in found.remedy


def test_many_drifted_columns_are_one_finding_that_names_the_first(
    random: np.random.Generator,
) -> None:
    values = random.normal(size=ROWS)
    old = profile(ROWS, *(number(f"c{at}", values) for at in range(40)))
    new = profile(ROWS, *(number(f"c{at}", values + 1 + at / 40) for at in range(40)))
    found = only(gate(drift="moderate"), old, new)
    assert found.evidence.startswith("`c39` PSI")
    assert "and 35 others" in found.evidence


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({}, FAILED),
        ({"columns": ["age"]}, FAILED),
        ({"columns": ["a*"]}, FAILED),
        ({"columns": ["city"]}, PASSED),
        ({"leave_out": ["age"]}, PASSED),
        ({"leave_out": ["*g*"]}, PASSED),
        ({"columns": ["*"], "leave_out": ["age"]}, PASSED),
        ({"leave_out": ["a"]}, FAILED),
    ],
)
def test_columns_are_chosen(choice: dict[str, Any], expected: Outcome) -> None:
    assert only(gate(drift="moderate", **choice), OLD, shifted(8)).outcome is expected


@pytest.mark.threat(14)
def test_columns_that_are_not_there_block() -> None:
    absent = only(gate(drift="moderate", columns=["age", "income"]), OLD, OLD)
    assert (absent.outcome, absent.reason) == (FAILED, "the candidate has no column `income`")
    nothing = only(gate(drift="moderate", leave_out=["*"]), OLD, shifted(0))
    assert (nothing.outcome, nothing.reason) == (
        FAILED,
        "no column is left that both sides have",
    )
    nulls = only(gate(nulls=0.1, leave_out=["*"]), OLD, OLD)
    assert nulls.outcome is FAILED


@pytest.mark.parametrize(
    ("inconclusive", "expected"), [("warn", WARNED), ("approve", WAITING), ("block", FAILED)]
)
def test_too_few_rows_are_not_a_pass(
    inconclusive: str, expected: Outcome, random: np.random.Generator
) -> None:
    old = profile(40, number("age", random.normal(size=40)))
    new = profile(40, number("age", random.normal(size=40)))
    found = only(gate(drift="moderate", inconclusive=inconclusive), old, new)
    assert found.outcome is expected
    assert found.reason == "too few rows to tell for 1 column"
    assert "about 4" in found.remedy


def test_a_side_without_rows_leaves_drift_undecided() -> None:
    empty = profile(0, number("age", []))
    for old in (empty, profile(40, AGE)):
        found = only(gate(drift="moderate"), old, empty)
        assert (found.outcome, found.evidence) == (UNDECIDED, "`age`: one side has no rows")


def test_a_change_on_the_line_is_not_decided_by_a_coin() -> None:
    rows = 20_000
    old = category("x", {"a": rows // 2, "b": rows // 2})
    new = category("x", {"a": round(rows * 0.657), "b": rows - round(rows * 0.657)})
    found = only(gate(drift="moderate"), profile(rows, old), profile(rows, new))
    assert found.outcome is WARNED
    assert "close to the limit" in found.reason


@pytest.mark.threat(14)
def test_what_could_not_be_compared_blocks() -> None:
    broken = msgspec.structs.replace(AGE, numbers=Numbers(edges=(2.0, 1.0), counts=(1, 1, 1)))
    found = only(gate(drift="severe"), OLD, profile(ROWS, broken, CITY))
    assert found.outcome is FAILED
    assert found.reason == "1 column could not be compared"
    assert "`age`" in found.evidence


@pytest.mark.parametrize(
    ("means", "outcome"), [("block", UNDECIDED), ("approve", WAITING), ("warn", WARNED)]
)
def test_what_was_not_compared_is_undecided(means: Any, outcome: Outcome) -> None:
    new = profile(ROWS, category("age", {"old": ROWS}), CITY)
    found = only(gate(drift="severe", undecided=means), OLD, new)
    assert found.outcome is outcome
    assert found.reason == "undecided: 1 column was not compared"
    assert "`age`: it is counted as number in the baseline" in found.evidence


def test_free_text_that_is_the_same_passes() -> None:
    mark = Fingerprint(scheme="text 1", values="0" * 16)
    body = msgspec.structs.replace(
        number("body", [9] * ROWS, type="string", kind="text"), distinct=ROWS, fingerprint=mark
    )
    rule = gate(drift="severe", columns=["body"])
    moved = number("age", RANDOM.normal(80, 10, ROWS))
    found = only(rule, profile(ROWS, AGE, body), profile(ROWS, moved, body))
    assert (found.outcome, found.reason) == (PASSED, "1 column did not drift by that much")
    for other in (Fingerprint(scheme="text 1", values="1" * 16), None):
        new = profile(ROWS, moved, msgspec.structs.replace(body, fingerprint=other))
        assert only(rule, profile(ROWS, AGE, body), new).outcome is UNDECIDED


@pytest.mark.parametrize("rows", [1_000, 100_000, 1_000_000])
def test_no_change_is_blocked_in_no_more_than_one_of_twenty(rows: int) -> None:
    """Three kinds of columns, counted in the baseline's bins; 200 draws."""
    random = np.random.default_rng(7)
    draws = 200
    grid = np.full(256, 1 / 256)
    few = np.array([0.6, 0.2, 0.1, 0.06, 0.04, 0.0])
    names = 1 / np.arange(1, 60)
    drawn = [
        random.multinomial(rows, shares, 2 * draws) for shares in (grid, few, names / names.sum())
    ]
    alarms = {"slight": 0, "moderate": 0, "any": 0}
    for at in range(draws):
        old = [_column(n, counts[at]) for n, counts in enumerate(drawn)]
        new = [
            msgspec.structs.replace(
                _column(n, counts[draws + at]), in_bins=_in_bins(old[n], counts[draws + at])
            )
            for n, counts in enumerate(drawn)
        ]
        before = profile(rows, *old)
        after = profile(rows, *new, against=before)
        for name, level in (("slight", "slight"), ("moderate", "moderate"), ("any", 0)):
            findings = judge(gate(drift=level), before, after)
            alarms[name] += any(one.outcome is FAILED for one in findings)
    assert alarms["slight"] <= 0.05 * draws
    assert alarms["moderate"] <= 0.05 * draws
    assert alarms["any"] <= 0.05 * draws + 10  # the level itself, and three deviations


def _column(at: int, counts: Any) -> ColumnProfile:
    rows = [int(one) for one in counts]
    if at == 2:
        return category("names", {f"v{n}": count for n, count in enumerate(rows)})
    edges = tuple(map(float, range(len(rows) - 1)))
    return ColumnProfile(
        name=f"numbers{at}",
        type="double",
        kind="number",
        numbers=Numbers(edges=edges, counts=tuple(rows)),
    )


def _in_bins(old: ColumnProfile, counts: Any) -> tuple[int, ...]:
    if old.categories is None:
        return tuple(map(int, counts))
    listed = [int(counts[int(value[1:])]) for value, _ in old.categories.top]
    return (*listed, int(sum(counts)) - sum(listed))


@pytest.mark.parametrize(
    ("column", "same", "compatible"),
    [
        ({}, PASSED, PASSED),
        ({"type": "float"}, FAILED, FAILED),
        ({"type": "string"}, FAILED, FAILED),
        ({"name": "years"}, FAILED, FAILED),
    ],
)
def test_the_schema_may_not_break_what_reads_it(
    column: dict[str, str], same: Outcome, compatible: Outcome
) -> None:
    new = profile(ROWS, CITY, msgspec.structs.replace(AGE, **column))
    assert only(gate(schema="same"), OLD, new).outcome is same
    assert only(gate(schema="compatible"), OLD, new).outcome is compatible


def test_wider_types_and_new_columns_are_compatible() -> None:
    narrow = profile(ROWS, msgspec.structs.replace(AGE, type="int32"), CITY)
    wide = profile(
        ROWS, msgspec.structs.replace(AGE, type="int64"), CITY, category("plan", {"a": ROWS})
    )
    strict = only(gate(schema="same"), narrow, wide)
    assert strict.outcome is FAILED
    assert strict.evidence == "`plan` is new; `age` was int32 and is int64" or (
        strict.evidence == "`age` was int32 and is int64; `plan` is new"
    )
    assert only(gate(schema="compatible"), narrow, wide).outcome is PASSED
    back = only(gate(schema="compatible"), wide, narrow)
    assert back.outcome is FAILED
    assert back.evidence == "`plan` is gone; `age` was int64 and is int32"


@pytest.mark.parametrize(
    ("rule", "old", "new", "expected"),
    [
        ({"min": 100}, 5, 100, PASSED),
        ({"min": 100}, 5, 99, FAILED),
        ({"max_drop": 10}, 100, 90, PASSED),
        ({"max_drop": 10}, 100, 89, FAILED),
        ({"max_drop": "10%"}, 1_000, 900, PASSED),
        ({"max_drop": "10%"}, 1_000, 899, FAILED),
        ({"max_drop": 0}, 100, 200, PASSED),
        ({"max_rise": "50%"}, 100, 150, PASSED),
        ({"max_rise": "50%"}, 100, 151, FAILED),
        ({"max_rise": 0}, 0, 1, FAILED),
    ],
)
def test_rows_have_bounds(rule: dict[str, Any], old: int, new: int, expected: Outcome) -> None:
    for profiles in ((profile(old), profile(new)), (None, None)):
        found = only(
            gate(rows=rule),
            *profiles,
            before=reference("train", "old", old),
            after=reference("train", "new", new),
        )
        assert found.outcome is expected
        assert f"{new:,} rows" in found.evidence


@pytest.mark.threat(14)
def test_rows_that_were_not_counted_block() -> None:
    for rule in ({"min": 0}, {"max_drop": "99%"}):
        found = only(gate(rows=rule), None, None, after=reference("train", "new"))
        assert (found.outcome, found.reason) == (FAILED, "the candidate's rows were not counted")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (0.05, PASSED),
        ("5%", PASSED),
        ("4.9%", FAILED),
        ({"max": 0.05}, PASSED),
        ({"max": 0}, FAILED),
        ({"max_rise": "4%"}, PASSED),
        ({"max_rise": 0.0399}, FAILED),
    ],
)
def test_nulls_have_bounds(rule: Any, expected: Outcome) -> None:
    old, new = (
        profile(ROWS, msgspec.structs.replace(AGE, nulls=nulls), CITY) for nulls in (40, 200)
    )
    found = only(gate(nulls=rule), old, new)
    assert found.outcome is expected
    if expected is FAILED:
        assert found.evidence in ("`age` 5%", "`age` 1% → 5%")


@pytest.mark.threat(39)
@pytest.mark.parametrize("nulls", [-1, ROWS + 1, 10**400])
def test_impossible_nulls_are_not_few(nulls: int) -> None:
    new = profile(ROWS, msgspec.structs.replace(AGE, nulls=nulls))
    assert only(gate(nulls="50%"), OLD, new).outcome is FAILED


def test_new_categories_warn_or_block() -> None:
    new = profile(ROWS, AGE, category("city", {"berlin": 3_990, "köln": 10}))
    warned = only(gate(new_categories="warn"), OLD, new)
    assert (warned.outcome, warned.evidence) == (WARNED, "`city`: `köln` (10 rows)")
    assert warned.names_data is True  # it may be a person's name
    assert only(gate(new_categories="block"), OLD, new).outcome is FAILED
    without = only(gate(new_categories="block", leave_out=["city"]), OLD, new)
    assert without.outcome is NOT_APPLICABLE
    assert only(gate(new_categories="block"), new, OLD).outcome is FAILED  # bonn
    both = gate(new_categories="allow", rows={"min": 1})
    assert [one.rule for one in judge(both, OLD, new)] == ["data train rows min 1"]


@pytest.mark.parametrize("sides", ["to text", "text", "of numbers"])
def test_new_categories_that_nobody_could_see_are_not_called_none(sides: str) -> None:
    text = number("city", [3] * ROWS, type="string", kind="text")
    is_number = number("city", [3] * ROWS)
    old, new = {
        "to text": (CITY, text), "text": (text, text), "of numbers": (is_number, CITY),
    }[sides]  # fmt: skip
    found = only(gate(new_categories="block"), profile(ROWS, AGE, old), profile(ROWS, AGE, new))
    assert (found.outcome, found.evidence) == (WARNED, "`city`")
    found = only(gate(new_categories="warn"), profile(ROWS, AGE, old), profile(ROWS, AGE, new))
    assert found.reason == "no column has categories that are all known"
    assert (found.outcome, found.evidence) == (NOT_APPLICABLE, "not looked at: `city`")
    known = only(gate(new_categories="block"), OLD, OLD)
    assert known.reason == "none in 1 column whose categories are known"


def test_columns_without_categories_are_no_pass() -> None:
    named = gate(new_categories="block", columns=["age"])
    assert only(named, OLD, OLD).outcome is FAILED
    assert only(gate(new_categories="warn", columns=["age"]), OLD, OLD).outcome is NOT_APPLICABLE
    found = only(gate(new_categories="block", columns=["age", "city"]), OLD, OLD)
    assert (found.outcome, found.evidence) == (PASSED, "not looked at: `age`")


@pytest.mark.parametrize(
    ("rule", "columns"),
    [
        ({"drift": "slight"}, ["age", "city"]),
        ({"nulls": {"max_rise": 0}}, ["age", "city"]),
        ({"range": {"outside": 0}}, ["age"]),
        ({"new_categories": "block"}, ["city"]),
    ],
)
def test_a_named_column_that_the_baseline_does_not_have_is_not_passed(
    rule: Any, columns: list[str]
) -> None:
    fresh = number("pay", RANDOM.normal(40, 10, ROWS))
    old = profile(ROWS, msgspec.structs.replace(AGE, outside=(0, 0)), CITY)
    new = profile(ROWS, *old.columns, fresh)
    named = gate(columns=[*columns, "pay"], **rule)
    first, second = judge(named, old, new)
    assert (first.outcome, first.reason) == (NOT_APPLICABLE, "the baseline has no column `pay`")
    assert second.outcome is PASSED
    assert judge(named, old, new, without_baseline="block")[0].outcome is FAILED
    for other in (gate(**rule), gate(columns=columns, **rule)):
        assert [one.outcome for one in judge(other, old, new)] == [PASSED]


def test_columns_of_one_side_are_named_where_the_others_did_not_drift() -> None:
    other = msgspec.structs.replace(CITY, name="town")
    found = only(gate(drift="slight"), OLD, profile(ROWS, AGE, number("x", [1] * ROWS), other))
    assert found.outcome is PASSED
    assert found.evidence.endswith("not compared, as one side alone has it: `x`")
    found = only(gate(drift="slight"), OLD, profile(ROWS, AGE))
    assert found.evidence.endswith("not compared, as one side alone has it: `city`")


def test_new_categories_of_an_open_list_cannot_be_told() -> None:
    long = msgspec.structs.replace(
        CITY, categories=Categories(top=(("berlin", 3_000),), others=1_000)
    )
    new = profile(ROWS, AGE, category("city", {"berlin": 3_000, "who": 1_000}))
    assert only(gate(new_categories="block"), profile(ROWS, AGE, long), new).outcome is WARNED
    strict = gate(new_categories="block", inconclusive="block")
    found = only(strict, profile(ROWS, AGE, long), new)
    assert (found.outcome, found.evidence) == (FAILED, "`city`")


RULES: list[dict[str, Any]] = [
    {"drift": "moderate"},
    {"schema": "same"},
    {"new_categories": "block"},
    {"nulls": {"max_rise": 0}},
    {"rows": {"max_drop": 0}},
]


@pytest.mark.threat(14)
@pytest.mark.parametrize("rule", [*RULES, {"nulls": 0.5}, {"rows": {"min": 1}}])
def test_a_data_set_that_is_not_there_blocks(rule: dict[str, Any]) -> None:
    found = only(gate(**rule), OLD, None, after=None)
    assert (found.rule, found.outcome) == ("data train", FAILED)
    assert found.reason == "the candidate has no data set of this name"


@pytest.mark.threat(14)
@pytest.mark.parametrize("rule", [*RULES[:4], {"nulls": 0.5}])
def test_a_candidate_without_a_profile_blocks(rule: dict[str, Any]) -> None:
    for has_baseline in (True, False):
        found = only(gate(**rule), OLD, None, has_baseline=has_baseline)
        assert found.outcome is FAILED
        assert found.reason == "the candidate has no profile of this data set"


@pytest.mark.threat(15)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("without", ["no baseline", "no data set", "no profile"])
def test_without_a_baseline_the_policy_decides(rule: dict[str, Any], without: str) -> None:
    more: dict[str, Any] = {"has_baseline": without != "no baseline"}
    if without != "no profile":
        more["before"] = None
    else:
        more["before"] = reference("train", "old")  # without rows as well
    allowed = only(gate(**rule), None, OLD, **more)
    blocked = only(gate(**rule), None, OLD, **more, without_baseline="block")
    assert (allowed.outcome, blocked.outcome) == (NOT_APPLICABLE, FAILED)
    assert "without_baseline: block" in blocked.remedy


def test_absolute_rules_need_no_baseline() -> None:
    found = judge(gate(rows={"min": 1}, nulls=0.5), None, OLD, has_baseline=False)
    assert [one.outcome for one in found] == [PASSED, PASSED]


@pytest.mark.parametrize("rule", RULES)
def test_the_same_bytes_need_no_profile(rule: dict[str, Any]) -> None:
    same = reference("train", "same")
    found = only(gate(**rule), None, None, before=same, after=same)
    assert (found.outcome, found.reason) == (PASSED, "the data is the same as the baseline's")


def test_the_same_bytes_can_still_break_an_absolute_rule() -> None:
    same = reference("train", "same", 10)
    assert (
        only(gate(rows={"min": 11}), before=same, after=same, old=None, new=None).outcome is FAILED
    )
    holes = profile(ROWS, msgspec.structs.replace(AGE, nulls=ROWS))
    assert only(gate(nulls=0.5), holes, holes, before=same, after=same).outcome is FAILED


def test_rules_are_judged_one_by_one() -> None:
    one = gate(
        drift="severe",
        schema="same",
        rows={"min": 1, "max_drop": 0},
        nulls=0,
        new_categories="warn",
    )
    assert [(found.rule, found.outcome) for found in judge(one, OLD, shifted(0.1))] == [
        ("data train rows min 1", PASSED),
        ("data train rows max_drop 0", PASSED),
        ("data train schema same", PASSED),
        ("data train drift severe", PASSED),
        ("data train new_categories warn", PASSED),
        ("data train nulls max 0", PASSED),
    ]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "at least one of drift"),
        ({"new_categories": "allow"}, "at least one of drift"),
        ({"drift": "huge"}, "huge"),
        ({"drift": -0.1}, ">= 0"),
        ({"drift": float("nan")}, "judges nothing|>= 0"),
        ({"drift": float("inf")}, "judges nothing"),
        ({"schema": "any"}, "any"),
        ({"rows": {}}, "rows needs at least one of"),
        ({"rows": {"min": -1}}, ">= 0"),
        ({"rows": {"max_drop": "ten"}}, "max_drop"),
        ({"nulls": {}}, "it needs at least one of max, max_rise"),
        ({"nulls": 2}, "<= 1"),
        ({"nulls": "101%"}, "more than all rows"),
        ({"nulls": {"max": "101%"}}, "more than all rows"),
        ({"nulls": float("nan")}, "not a number|judges nothing|<= 1|>= 0"),
        ({"rows": {"min": 1}, "columns": ["a"]}, "choose nothing"),
        ({"rows": {"min": 1}, "leave_out": ["a"]}, "choose nothing"),
        ({"schema": "same", "inconclusive": "block"}, "inconclusive belongs"),
        ({"drift": "slight", "between": ["a", "b"]}, "belong to `data: leakage`"),
        ({"drift": "slight", "max": 0}, "belong to `data: leakage`"),
        ({"data": "leakage"}, "needs `between"),
        ({"data": "leakage", "between": ["a", "b"]}, "needs `between"),
        ({"data": "leakage", "max": 0}, "needs `between"),
        ({"data": "leakage", "between": ["a", "a"], "max": 0}, "twice"),
        ({"data": "leakage", "between": ["a", "b"], "max": "200%"}, "more than all rows"),
        ({"data": "leakage", "between": ["a", "b"], "max": 0, "drift": "slight"}, "alone"),
        ({"data": "leakage", "between": ["a", "b"], "max": 0, "leave_out": ["c"]}, "alone"),
        ({"data": "leakage", "between": ["a", "b", "c"], "max": 0}, "between"),
        ({"drifts": "slight"}, "drifts"),
    ],
)
def test_a_gate_that_cannot_judge_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=problem):
        gate(**fields)


def test_hostile_names_stay_short_and_inside_their_quotes() -> None:
    name = "`|<b>" + "x" * 10_000
    new = profile(ROWS, msgspec.structs.replace(AGE, name=name), CITY)
    found = only(gate(schema="same"), profile(ROWS, CITY), new)
    assert found.evidence.startswith("`'|<b>xxx")
    assert len(found.evidence) < 100
