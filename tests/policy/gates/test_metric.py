"""The gate on a metric."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from assent.compare.bundles import compare
from assent.core.diff import Diff
from assent.core.diff.metrics import Interval, MetricChange, Own
from assent.core.diff.predictions import PredictionsDiff
from assent.core.diff.sameness import NotCompared
from assent.core.evidence import DataReference
from assent.core.scalar import NonFinite, Scalar
from assent.core.verdict import Finding, Outcome
from assent.policy.gates.metric import MetricGate
from tests.compare.known import file_set, known

PASSED, FAILED, UNDECIDED, WAITING, WARNED, NOT_APPLICABLE = Outcome
NAN, INF = NonFinite("nan"), NonFinite("inf")
MISSING = "missing"


def judge(
    gate: MetricGate,
    old: dict[str, Scalar] | None,
    new: dict[str, Scalar],
    without_baseline: Literal["allow", "block"] = "allow",
) -> list[Finding]:
    baseline = None if old is None else known(metrics=old)
    return gate.judge(
        compare(baseline, known(metrics=new)), known().evidence, without_baseline=without_baseline
    )


def outcome(old: Scalar, new: Scalar, metric: str = "accuracy", **bounds: Any) -> Outcome:
    """The one outcome for one metric; "missing" leaves it out of a side."""
    before = {} if old == MISSING else {metric: old}
    after = {} if new == MISSING else {metric: new}
    (finding,) = judge(MetricGate(metric=metric, **bounds), before, after)
    return finding.outcome


@pytest.mark.parametrize(
    ("value", "bounds", "expected"),
    [
        (0.8, {"min": 0.8}, PASSED),
        (0.7999, {"min": 0.8}, FAILED),
        (1, {"min": 0.8}, PASSED),
        (0.8, {"max": 0.8}, PASSED),
        (0.8001, {"max": 0.8}, FAILED),
        (-1, {"min": -1}, PASSED),
        (0, {"min": 0}, PASSED),
    ],
)
def test_bounds_on_the_value(value: Scalar, bounds: dict[str, Any], expected: Outcome) -> None:
    assert outcome(0.9, value, **bounds) is expected
    assert outcome(MISSING, value, **bounds) is expected


def test_a_finding_says_which_metric_it_is_about() -> None:
    new: dict[str, Scalar] = {"f1": 0.9, "f1 score": 0.5}
    found = judge(MetricGate(metric="f1*", min=0.8, max_drop=0.1), new, new)
    about = {(one.metric, one.rule, one.outcome) for one in found}
    assert about == {
        ("f1", "f1 min 0.8", PASSED),
        ("f1", "f1 max_drop 0.1", PASSED),
        ("f1 score", "f1 score min 0.8", FAILED),
        ("f1 score", "f1 score max_drop 0.1", PASSED),
    }
    (lost,) = judge(MetricGate(metric="auc", min=0.8), new, new)
    assert lost.metric is UNSET  # nobody has measured one of this name


@pytest.mark.parametrize(
    ("old", "new", "limit", "expected"),
    [
        (0.80, 0.80, 0.0, PASSED),
        (0.80, 0.81, 0.0, PASSED),
        (0.80, 0.79, 0.01, PASSED),
        (0.80, 0.7899, 0.01, FAILED),
        (0.3, 0.2, 0.1, PASSED),
        (1.1, 1.0, 0.1, PASSED),
        (50000.3, 50000.1, 0.2, PASSED),
        (50000.3, 50000.0999, 0.2, FAILED),
        (10**15, 10**15 - 1, 0.0, FAILED),
        (10**15, 10**15 - 1, 1.0, PASSED),
        (3e-14, 1e-14, 0.0, FAILED),
        (0.80, 0.72, "10%", PASSED),
        (0.80, 0.7199, "10%", FAILED),
        (-0.80, -0.88, "10%", PASSED),
        (-0.80, -0.89, "10%", FAILED),
        (0.80, 0.80, "0%", PASSED),
        (0.80, 0.7999, "0%", FAILED),
        (0, 0, "10%", PASSED),
        (0, 1, "10%", PASSED),
        (0, -0.1, "10%", FAILED),
        (0, -0.1, 0.1, PASSED),
        (1e308, -1e308, 0.1, FAILED),
        (-1e308, 1e308, 0.1, PASSED),
        (5e-324, -1.0, "10%", FAILED),
    ],
)
def test_limits_on_a_drop_and_on_a_rise(
    old: float, new: float, limit: float | str, expected: Outcome
) -> None:
    assert outcome(old, new, max_drop=limit) is expected
    assert outcome(-old, -new, metric="loss", max_rise=limit) is expected


@given(st.integers(-10_000, 10_000), st.integers(0, 10_000), st.integers(0, 4))
def test_a_drop_of_exactly_the_limit_is_allowed(old: int, drop: int, digits: int) -> None:
    scale = 10**digits
    before, after, limit = old / scale, (old - drop) / scale, drop / scale
    assert outcome(before, after, max_drop=limit) is PASSED
    assert outcome(before, (old - drop - 1) / scale, max_drop=limit) is FAILED


@pytest.mark.threat(14)
@pytest.mark.parametrize("value", [MISSING, NAN, INF, NonFinite("-inf"), True, None, "0.99", ""])
@pytest.mark.parametrize("bounds", [{"min": 0.0}, {"max": 1.0}, {"max_drop": 0.1}])
def test_what_is_not_a_finite_number_blocks(value: Scalar, bounds: dict[str, Any]) -> None:
    assert outcome(0.9, value, **bounds) is FAILED
    assert outcome(value, value, **bounds) is FAILED


@pytest.mark.threat(14)
@pytest.mark.parametrize("value", [NAN, INF, True, None, "0.9"])
def test_a_baseline_that_is_not_a_number_blocks_what_compares_with_it(value: Scalar) -> None:
    assert outcome(value, 0.9, max_drop=0.1) is FAILED
    assert outcome(value, 0.9, min=0.1) is PASSED


@pytest.mark.threat(15)
@pytest.mark.parametrize("old", [None, {}, {"loss": 1.0}])
def test_without_a_baseline_relative_limits_say_so_and_the_policy_decides(
    old: dict[str, Scalar] | None,
) -> None:
    gate = MetricGate(metric="accuracy", min=0.8, max_drop=0.1)
    reason = "no baseline" if old is None else "the baseline does not have this metric"
    absolute, relative = judge(gate, old, {"accuracy": 0.9})
    assert (absolute.outcome, relative.outcome) == (PASSED, NOT_APPLICABLE)
    assert relative.reason == reason
    absolute, relative = judge(gate, old, {"accuracy": 0.7}, without_baseline="block")
    assert (absolute.outcome, relative.outcome) == (FAILED, FAILED)
    assert "without_baseline: block" in relative.remedy


METRICS: dict[str, Scalar] = {
    "accuracy": 0.9,
    "val.accuracy": 0.9,
    "slices.region.north.accuracy": 0.9,
    "slices.region.U.S.accuracy": 0.9,
    "slices.age.old.accuracy": 0.9,
    "slices.region.north.loss": 0.9,
    "x\ny.accuracy": 0.9,
}


@pytest.mark.parametrize(
    ("gate", "names"),
    [
        ({"metric": "accuracy"}, ["accuracy"]),
        ({"metric": "*.accuracy"}, ["val.accuracy", "x\ny.accuracy"]),
        ({"metric": "*accuracy"}, ["accuracy"]),
        ({"metric": "**accuracy"}, [name for name in METRICS if name.endswith("accuracy")]),
        (
            {"metric": "slices.*.*.accuracy"},
            ["slices.region.north.accuracy", "slices.age.old.accuracy"],
        ),
        (
            {"metric": "accuracy", "slice": "region"},
            ["slices.region.north.accuracy", "slices.region.U.S.accuracy"],
        ),
        ({"metric": "accuracy", "slice": "age"}, ["slices.age.old.accuracy"]),
    ],
)
def test_a_name_with_stars_judges_every_metric_that_it_matches(
    gate: dict[str, str], names: list[str]
) -> None:
    findings = judge(MetricGate(**gate, min=0.8), METRICS, METRICS)  # type: ignore[arg-type]  # text by name
    assert sorted(finding.rule for finding in findings) == sorted(
        f"{name} min 0.8" for name in names
    )


@pytest.mark.threat(14)
@pytest.mark.parametrize(
    "gate", [{"metric": "auc"}, {"metric": "auc*"}, {"metric": "auc", "slice": "region"}]
)
def test_a_gate_that_matches_nothing_blocks(gate: dict[str, str]) -> None:
    (finding,) = judge(MetricGate(**gate, min=0.0), {}, METRICS)  # type: ignore[arg-type]  # text by name
    assert finding.outcome is FAILED
    assert finding.reason == "the candidate has no metric of this name"


def test_the_metric_that_was_meant_is_named() -> None:
    (finding,) = judge(
        MetricGate(metric="acuracy", better="higher", min=0.0), {}, {"accuracy": 0.9}
    )
    assert finding.outcome is FAILED
    assert finding.remedy.endswith("did you mean 'accuracy'?")


@pytest.mark.threat(14)
def test_a_slice_that_vanished_blocks() -> None:
    old: dict[str, Scalar] = {"slices.region.north.auc": 0.9, "slices.region.south.auc": 0.9}
    gate = MetricGate(metric="auc", slice="region", max_drop=0.03)
    north, south = judge(gate, old, {"slices.region.north.auc": 0.9})
    assert (north.outcome, south.outcome) == (PASSED, FAILED)
    assert south.reason == "missing in the candidate"


def test_every_bound_has_a_finding_with_reason_and_evidence() -> None:
    gate = MetricGate(metric="accuracy", min=0.8, max=0.95, max_drop="1%")
    low, high, drop = judge(gate, {"accuracy": 0.9}, {"accuracy": 0.7})
    assert [finding.rule for finding in (low, high, drop)] == [
        "accuracy min 0.8",
        "accuracy max 0.95",
        "accuracy max_drop 1%",
    ]
    assert [finding.outcome for finding in (low, high, drop)] == [FAILED, PASSED, FAILED]
    assert (low.reason, drop.reason) == ("below the bound", "fell by 22.2222%")
    assert low.evidence == "`accuracy` = 0.7"
    assert drop.evidence == "`accuracy`: 0.9 → 0.7"
    assert low.remedy
    assert not high.remedy


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"metric": "accuracy"}, "at least one of"),
        ({"metric": "accuracy", "better": "lower"}, "at least one of"),
        ({"metric": "accuracy", "max_rise": 0.1}, "use max_drop"),
        ({"metric": "loss", "max_drop": 0.1}, "use max_rise"),
        ({"metric": "loss", "better": "higher", "max_rise": 0.1}, "use max_drop"),
        ({"metric": "things", "min": 0.1}, "add `better: higher` or `better: lower`"),
        ({"metric": "*", "min": 0.1}, "add `better: higher` or `better: lower`"),
        ({"metric": "accuracy", "min": 0.9, "max": 0.8}, "nothing can pass"),
        ({"metric": "accuracy", "min": float("nan")}, "judges nothing"),
        ({"metric": "accuracy", "min": float("-inf")}, "judges nothing"),
        ({"metric": "accuracy", "max": float("inf")}, "judges nothing"),
        ({"metric": "accuracy", "max_drop": float("inf")}, "judges nothing"),
        ({"metric": "loss", "max_rise": float("inf")}, "judges nothing"),
        ({"metric": "accuracy", "min": 0.1, "confident": True}, "needs max_drop or max_rise"),
        ({"metric": "accuracy", "max_drop": 0, "confident": True}, "allow a small one"),
        ({"metric": "accuracy", "max_drop": "0%", "confident": True}, "allow a small one"),
        ({"metric": "accuracy", "max_drop": 0.1, "inconclusive": "pass"}, "confident: true"),
    ],
)
def test_a_gate_that_cannot_judge_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        MetricGate(**fields)


def test_the_stated_direction_wins_over_the_name() -> None:
    assert outcome(1.0, 2.0, metric="loss", better="higher", max_drop=0.1) is PASSED
    assert outcome(2.0, 1.0, metric="things", better="higher", max_drop=0.1) is FAILED


def with_metrics(*changes: MetricChange, left_out: int = 0) -> Diff:
    predictions = PredictionsDiff(task="binary", new_rows=9, slices_left_out=left_out)
    return replace(compare(known(), known()), metrics=changes, predictions=predictions)


def change(
    lower: float | None,
    upper: float = 0.0,
    name: str = "accuracy",
    rows: int = 1000,
    old: float = 0.8,
    **more: Any,
) -> MetricChange:
    """A change in the middle of its one-sided bounds."""
    interval = None
    middle = 0.0
    if lower is not None:
        middle = (lower + upper) / 2
        width = 1.2 * (upper - lower) / 2
        interval = Interval(
            low=middle - width,
            high=middle + width,
            lower=lower,
            upper=upper,
            n=rows,
            method="multinomial bootstrap",
        )
    return MetricChange(
        name=name, old=old, new=old + middle, change=middle, interval=interval, **more
    )


def confident(found: MetricChange, without_baseline: Any = "allow", **bounds: Any) -> Finding:
    gate = MetricGate(metric=found.name, confident=True, **bounds)
    (finding,) = gate.judge(
        with_metrics(found), known().evidence, without_baseline=without_baseline
    )
    return finding


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        (-0.0099, 0.02, PASSED),
        (-0.0101, 0.02, WAITING),
        (-0.03, -0.0099, WAITING),
        (-0.03, -0.0101, FAILED),
        (0.01, 0.02, PASSED),
        (0.0, 0.0, PASSED),
    ],
)
def test_a_confident_gate_judges_by_the_bounds(
    lower: float, upper: float, expected: Outcome
) -> None:
    assert confident(change(lower, upper), max_drop=0.01).outcome is expected
    assert confident(change(-upper, -lower, name="loss"), max_rise=0.01).outcome is expected
    assert confident(change(lower, upper, old=0.5), max_drop="2%").outcome is expected


@pytest.mark.parametrize(
    ("inconclusive", "expected"),
    [(None, WAITING), ("approve", WAITING), ("block", FAILED), ("pass", PASSED)],
)
def test_the_policy_says_what_inconclusive_means(inconclusive: Any, expected: Outcome) -> None:
    finding = confident(change(-0.02, 0.02), max_drop=0.01, inconclusive=inconclusive)
    assert finding.outcome is expected
    assert finding.reason == "inconclusive: the drop may be as large as 0.02"


def test_inconclusive_says_how_many_rows_would_decide() -> None:
    """With a share of 0.1 of rows on which the models disagree, 6.2 * 0.1 / 0.01**2 rows."""
    width = 1.6449 * (0.1 / 1000) ** 0.5
    finding = confident(change(-width, width), max_drop=0.01)
    assert finding.remedy.endswith("about 6,183 instead of 1,000")
    near = confident(change(-0.015, -0.004, rows=100_000), max_drop=0.01)
    assert "instead of 100,000" in near.remedy
    at_it = confident(change(-0.015, -0.005, rows=100_000), max_drop=0.01)
    assert "no number of rows" in at_it.remedy


@pytest.mark.threat(14)
def test_a_confident_gate_without_an_interval_blocks() -> None:
    finding = confident(change(None), max_drop=0.01)
    assert finding.outcome is UNDECIDED
    assert finding.reason.startswith("undecided: no interval of the change is known")
    assert "declare `predictions`" in finding.remedy
    assert confident(change(None), max_drop=0.01, undecided="approve").outcome is WAITING
    disputed = confident(change(None, is_disputed=True), max_drop=0.01)
    assert "do not agree" in disputed.reason
    nothing = confident(change(-0.1, 0.1, old=0.0), max_drop="1%")
    assert (nothing.outcome, nothing.remedy) == (FAILED, "give the limit as an amount")


@pytest.mark.threat(15)
def test_a_confident_gate_without_a_baseline_is_like_any_other() -> None:
    new = MetricChange(name="accuracy", old=UNSET, new=0.9)
    assert confident(new, max_drop=0.01).outcome is NOT_APPLICABLE
    assert confident(new, without_baseline="block", max_drop=0.01).outcome is FAILED


@pytest.mark.threat(14)
def test_what_the_files_and_the_predictions_disagree_on_is_judged_twice() -> None:
    from_file = replace(change(None), new=0.9, change=0.1, is_disputed=True)
    from_rows = replace(change(None), new=0.7, change=-0.1, is_computed=True, is_disputed=True)
    findings = MetricGate(metric="accuracy", max_drop=0.01).judge(
        with_metrics(from_file, from_rows), known().evidence, without_baseline="allow"
    )
    assert [finding.outcome for finding in findings] == [PASSED, FAILED]


@pytest.mark.parametrize(
    ("rows", "expected"), [(0, NOT_APPLICABLE), (29, NOT_APPLICABLE), (30, FAILED), (None, FAILED)]
)
def test_a_small_slice_is_never_judged(rows: int | None, expected: Outcome) -> None:
    bad = MetricChange(name="slices.region.n.auc", old=0.9, new=0.1, change=-0.8, relative=-0.9)
    gate = MetricGate(metric="auc", slice="region", max_drop=0.03)
    (finding,) = gate.judge(
        with_metrics(replace(bad, rows=rows)), known().evidence, without_baseline="allow"
    )
    assert finding.outcome is expected
    if expected is NOT_APPLICABLE:
        assert finding.reason == f"the slice has {rows} rows; fewer than 30 are not judged"


def test_slices_that_were_too_many_are_said() -> None:
    good = MetricChange(name="slices.region.n.auc", old=0.9, new=0.9, change=0.0, rows=100)
    gate = MetricGate(metric="auc", slice="region", max_drop=0.03)
    kept, said = gate.judge(
        with_metrics(good, left_out=7), known().evidence, without_baseline="allow"
    )
    assert (kept.outcome, said.outcome) == (PASSED, WARNED)
    assert said.reason == "7 smaller slices were too many to be looked at"


@pytest.mark.parametrize(("old", "new"), [(-2.0, -3.0), (2.0, -1.0), (-2.0, 1.0)])
def test_a_sign_that_was_turned_blocks_unless_the_gate_says_what_is_meant(
    old: float, new: float
) -> None:
    assert outcome(old, new, "rmse", max_rise=9.0) is FAILED
    assert outcome(old, new, "rmse", max=9.0) is FAILED
    assert outcome(old, new, "rmse", better="higher", max_drop=9.0) is PASSED
    assert outcome(old, new, "loss", max_rise=9.0) is PASSED


BIG = 2**53
"""From here on, floats leave integers out."""


@pytest.mark.parametrize(
    ("old", "new", "bounds", "expected"),
    [
        (BIG, BIG, {"min": BIG + 1}, FAILED),
        (BIG, BIG + 1, {"min": BIG + 1}, PASSED),
        (BIG, BIG + 1, {"max": BIG}, FAILED),
        (BIG + 1, BIG, {"max_drop": 0}, FAILED),
        (BIG + 1, BIG, {"max_drop": "0%"}, FAILED),
        (BIG + 1, BIG, {"max_drop": 1}, PASSED),
        (BIG + 3, BIG, {"max_drop": 2}, FAILED),
        (BIG + 1, BIG - 1.0, {"max_drop": 1}, FAILED),
        (2**63 - 1, 2**63 - 2, {"max_drop": 0}, FAILED),
        (2**63 - 1, 2**63 - 2, {"max_drop": "1%"}, PASSED),
        (1_000_000, 990_000, {"max_drop": "1%"}, PASSED),
        (1_000_000, 989_999, {"max_drop": "1%"}, FAILED),
        (100, 99, {"max_drop": 1}, PASSED),
        (0.8, 0.79, {"max_drop": 0.01}, PASSED),
        (0.06, 0.05, {"max_drop": 0.01}, PASSED),
    ],
)
def test_whole_numbers_are_compared_to_the_last_digit(
    old: Scalar, new: Scalar, bounds: dict[str, Any], expected: Outcome
) -> None:
    assert outcome(old, new, "rows", better="higher", **bounds) is expected


def said(old: Scalar, new: Scalar, **bounds: Any) -> str:
    gate = MetricGate(metric="accuracy", **bounds)
    (finding,) = judge(gate, {"accuracy": old}, {"accuracy": new})
    return f"{finding.rule}; {finding.reason}; {finding.evidence}"


@pytest.mark.parametrize(
    ("old", "new", "bounds", "shown"),
    [
        (1, 0.912345671, {"min": 0.912345678}, ["min 0.912345678", "= 0.91234567\\b"]),
        (1, 0.9, {"min": 0.8}, ["min 0.8;", "= 0.9$"]),
        (1, 0.123456789, {"min": 0.5}, ["= 0.123457$"]),
        (1, BIG, {"min": BIG + 1}, [f"min {BIG + 1}", f"= {BIG}$"]),
        (1, 1, {"min": 1_234_567.0}, ["min 1234567;"]),
        (0.9, 0.8989999, {"max_drop": 0.001}, ["fell by 0.0010001;", "max_drop 0.001;"]),
        (0.9, 0.89900001, {"max_drop": 0.001}, ["fell by 0.00099999, allowed"]),
        (0.06, 0.05, {"max_drop": 0.01}, ["fell by 0.01, allowed"]),
        (0.8, 0.79, {"max_drop": 0.01}, ["fell by 0.01, allowed"]),
        (0.8, 0.7999999, {"max_drop": 0.5}, ["0.8 → 0.7999999$"]),
        (1.0, 0.98999999, {"max_drop": "1%"}, ["fell by 1.000001%;"]),
        (1.0, 0.99, {"max_drop": "1%"}, ["fell by 1%, allowed"]),
        (BIG + 1, BIG, {"max_drop": 0}, ["fell by 1;", f"{BIG + 1} → {BIG}$"]),
    ],
)
def test_figures_that_differ_are_shown_to_differ(
    old: Scalar, new: Scalar, bounds: dict[str, Any], shown: list[str]
) -> None:
    text = said(old, new, **bounds)
    assert [one for one in shown if re.search(one, text) is None] == [], text


@given(st.floats(0, 1e300), st.floats(0, 1e300) | st.integers(0, 2**63))
def test_a_bound_that_fails_never_looks_like_the_value(bound: float, value: Scalar) -> None:
    gate = MetricGate(metric="rows", better="higher", min=bound)
    (finding,) = judge(gate, None, {"rows": value})
    texts = {finding.rule.split()[-1], finding.evidence.split()[-1]}
    assert len(texts) == 2 or finding.outcome is PASSED


def test_an_integer_is_the_rule_that_the_equal_float_is() -> None:
    assert MetricGate(metric="auc", min=1) == MetricGate(metric="auc", min=1.0)
    assert repr(MetricGate(metric="auc", min=1).min) == "1.0"
    assert repr(MetricGate(metric="auc", min=BIG + 1).min) == str(BIG + 1)
    assert isinstance(MetricGate(metric="auc", min=10**30).min, float)
    with pytest.raises(ValueError, match="infinite"):
        MetricGate(metric="auc", min=10**400)


UNLIKE = NotCompared(name="accuracy", reason="300 of 1,500 rows have another label")


def test_a_value_that_a_side_does_not_have_by_itself_is_called_missing() -> None:
    found = change(-0.0001, 0.0001, own=Own(old=UNSET, new=0.8))
    (drop,) = MetricGate(metric="accuracy", max_drop=0.05).judge(
        with_metrics(found), known().evidence, without_baseline="allow"
    )
    assert "(missing → 0.8 each on its own)" in drop.evidence


@pytest.mark.threat(14)
@pytest.mark.parametrize(
    ("means", "expected"), [("block", UNDECIDED), ("approve", WAITING), ("warn", WARNED)]
)
@pytest.mark.parametrize("is_confident", [True, False])
def test_values_of_other_rows_or_labels_are_undecided(
    means: Any, expected: Outcome, is_confident: bool
) -> None:
    """Although the interval alone would rule the drop out."""
    found = change(-0.0001, 0.0001, not_compared=UNLIKE, own=Own(old=0.95, new=0.8))
    gate = MetricGate(
        metric="accuracy", max_drop=0.05, min=0.85, confident=is_confident, undecided=means
    )
    lowest, drop = gate.judge(with_metrics(found), known().evidence, without_baseline="allow")
    assert lowest.outcome is FAILED  # by what the candidate has of all of its rows: 0.8
    assert drop.outcome is expected
    assert UNLIKE.reason in drop.reason
    assert "0.95 → 0.8 each on its own" in drop.evidence


@pytest.mark.threat(14)
def test_without_an_interval_a_confident_gate_says_why_and_is_undecided() -> None:
    found = change(None, no_interval="there are fewer than 30 rows")
    finding = confident(found, max_drop=0.01)
    assert finding.outcome is UNDECIDED
    assert "fewer than 30 rows" in finding.reason
    assert confident(found, max_drop=0.01, undecided="approve").outcome is WAITING
    (plain,) = MetricGate(metric="accuracy", max_drop=0.01).judge(
        with_metrics(found), known().evidence, without_baseline="allow"
    )
    assert plain.outcome is PASSED  # by its value, as it says
    assert "no interval: there are fewer than 30 rows" in plain.evidence


@pytest.mark.parametrize("bounds", [{"max_drop": 0.5}, {"min": 0.1}, {"max": 1.0}])
def test_the_interval_stands_beside_every_verdict(bounds: dict[str, Any]) -> None:
    (finding,) = MetricGate(metric="accuracy", **bounds).judge(
        with_metrics(change(-0.02, 0.02)), known().evidence, without_baseline="allow"
    )
    assert finding.outcome is PASSED
    assert "change between -0.024 and 0.024 (95%, 1,000 rows)" in finding.evidence


def test_a_verdict_that_the_interval_shown_seems_to_contradict_says_by_what_it_is() -> None:
    """The interval shown is two-sided, and reaches a little further than the bound that decides."""
    near = confident(change(-0.0099, 0.02), max_drop=0.01)
    assert near.outcome is PASSED
    assert "it is at most 0.0099 (by the 95% bound of the one side" in near.reason
    far = confident(change(-0.004, 0.02), max_drop=0.01)
    assert far.reason == "a drop of 0.01 or more is ruled out"
    broken = confident(change(-0.03, -0.0101), max_drop=0.01)
    assert broken.outcome is FAILED
    assert "one side" in broken.reason
    assert "one side" not in confident(change(-0.03, -0.02), max_drop=0.01).reason
    rise = confident(change(-0.02, 0.0099, name="loss"), max_rise=0.01)
    assert "it is at most 0.0099 (by the 95% bound of the one side" in rise.reason


def lm_eval(value: float, error: Scalar = 0.005) -> dict[str, Scalar]:
    return {
        "results.arc.acc,none": value,
        "results.arc.acc_stderr,none": error,
        "n-samples.arc.effective": 2_000,
    }


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (lm_eval(0.70), lm_eval(0.71), PASSED),
        (lm_eval(0.70), lm_eval(0.60), FAILED),
        (lm_eval(0.70), lm_eval(0.69), WAITING),
        (lm_eval(0.70), lm_eval(0.71, "N/A"), UNDECIDED),
        (lm_eval(0.70, None), lm_eval(0.71, None), UNDECIDED),
    ],
)
def test_a_confident_gate_takes_the_standard_error_of_the_files(
    old: dict[str, Scalar], new: dict[str, Scalar], expected: Outcome
) -> None:
    gate = MetricGate(metric="results.arc.acc,none", max_drop=0.02, confident=True)
    (finding,) = judge(gate, old, new)
    assert finding.outcome is expected
    assert ("standard error" in finding.evidence + finding.reason) is True


def test_a_calibration_error_is_never_judged_with_confidence() -> None:
    gates = [MetricGate(metric="ece", max_rise=0.05, confident=sure) for sure in (True, False)]
    sure, plain = (judge(gate, {"ece": 0.02}, {"ece": 0.03})[0] for gate in gates)
    assert (sure.outcome, plain.outcome) == (UNDECIDED, PASSED)
    assert "chance alone" in sure.reason
    assert ", no interval: chance alone" in plain.evidence


def reference(rows: int, content: str) -> DataReference:
    return replace(file_set("test", content), rows=rows)


@pytest.mark.threat(14)
@pytest.mark.parametrize(
    ("means", "expected"), [("block", UNDECIDED), ("approve", WAITING), ("warn", WARNED)]
)
def test_the_value_of_a_file_is_not_judged_where_the_test_is_another(
    means: Any, expected: Outcome
) -> None:
    gate = MetricGate(metric="accuracy", max_drop=0.5, min=0.1, undecided=means)
    sides = [
        known(metrics={"accuracy": 0.8}, data=(reference(rows, f"{rows}"),)) for rows in (90, 80)
    ]
    diff = compare(*sides)
    outcomes = [one.outcome for one in gate.judge(diff, known().evidence, without_baseline="allow")]
    assert outcomes == [PASSED, expected]
