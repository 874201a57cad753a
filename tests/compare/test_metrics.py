"""Metrics side by side."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import UNSET, UnsetType

from assent.compare.metrics import compare_metrics
from assent.core.diff.metrics import Interval, MetricChange, Own
from assent.core.scalar import NonFinite, Scalar

NAN = NonFinite("nan")


def one(old: Scalar | UnsetType, new: Scalar | UnsetType) -> MetricChange:
    before = {} if isinstance(old, UnsetType) else {"loss": old}
    after = {} if isinstance(new, UnsetType) else {"loss": new}
    (change,) = compare_metrics(before, after)
    return change


@pytest.mark.parametrize(
    ("old", "new", "change", "relative"),
    [
        (2, 3, 1, 0.5),
        (2.0, 1.0, -1.0, -0.5),
        (-2, -1, 1, 0.5),
        (-2, -3, -1, -0.5),
        (0, 3, 3, None),
        (0.0, 0.0, 0, None),
        (UNSET, 3, None, None),
        (3, UNSET, None, None),
        (True, 3, None, None),
        (2, "3", None, None),
        (2, None, None, None),
        (NAN, 3, None, None),
        (2, NonFinite("inf"), None, None),
        (0.8, 10**400, None, None),
    ],
)
def test_a_change_is_a_number_where_both_sides_are(
    old: Scalar | UnsetType, new: Scalar | UnsetType, change: float | None, relative: float | None
) -> None:
    found = one(old, new)
    assert (found.change, found.relative) == (change, relative)
    assert (found.old, found.new) == (old, new)


@pytest.mark.parametrize(
    ("old", "new", "is_changed"),
    [
        (1, 1, False),
        (1, 1.0, False),
        (1, True, True),
        (1, "1", True),
        (NAN, NAN, False),
        (NAN, None, True),
        (None, UNSET, True),
        (UNSET, None, True),
        (0.1, 0.2, True),
    ],
)
def test_what_is_no_number_changes_as_well(
    old: Scalar | UnsetType, new: Scalar | UnsetType, is_changed: bool
) -> None:
    assert one(old, new).is_changed is is_changed


def test_metrics_of_both_sides_are_listed_by_name() -> None:
    changes = compare_metrics({"b": 1, "accuracy": 1}, {"c": 1, "b": 1})
    assert [change.name for change in changes] == ["accuracy", "b", "c"]
    assert [change.better for change in changes] == ["higher", None, None]


def computed(name: str, old: float | None, new: float, **more: Any) -> MetricChange:
    return MetricChange(
        name=name,
        old=UNSET if old is None else old,
        new=new,
        change=None if old is None else new - old,
        better="higher",
        is_changed=old != new,
        rows=500,
        is_computed=True,
        interval=None if old is None else Interval(low=-0.1, high=0.1, n=500, method="DeLong"),
        **more,
    )


def test_a_metric_that_agrees_keeps_its_values_and_gets_the_interval() -> None:
    (change,) = compare_metrics(
        {"auc": 0.8}, {"auc": 0.7812}, [computed("auc", 0.8 + 1e-9, 0.7812 - 1e-9)]
    )
    assert (change.old, change.new, change.change) == (0.8, 0.7812, 0.7812 - 0.8)
    assert change.interval is not None
    assert (change.rows, change.is_computed, change.is_disputed) == (500, False, False)


def test_two_values_that_a_file_has_rounded_are_not_called_equal() -> None:
    """What both are rounded to is no value that the interval is of."""
    (change,) = compare_metrics({"auc": 0.85}, {"auc": 0.85}, [computed("auc", 0.8549, 0.8451)])
    assert (change.old, change.new, change.is_changed) == (0.8549, 0.8451, True)
    assert change.change == pytest.approx(-0.0098)
    (first,) = compare_metrics(None, {"auc": 0.85}, [computed("auc", None, 0.8451)])
    assert first.new == 0.8451


@pytest.mark.parametrize(
    ("written", "value", "agrees"),
    [
        (0.78, 0.784999, True),
        (0.78, 0.7851, False),
        (0.7812, 0.78124, True),
        (0.7812, 0.78126, False),
        (0.8, 0.8049, True),
        (0.8, 0.81, False),
        (0.8, 0.85, False),
        (1, 0.996, True),
        (1, 0.99, False),
        (1.5e-05, 1.52e-05, True),
        (0.123456789012345, 0.123456789012399, True),
        (12.5, 12.504, True),
        (12.5, 12.6, False),
        (NAN, 0.78, False),
        ("0.78", 0.78, False),
    ],
)
def test_values_agree_up_to_the_rounding_of_the_file(
    written: Scalar, value: float, agrees: bool
) -> None:
    changes = compare_metrics(None, {"auc": written}, [computed("auc", None, value)])
    assert len(changes) == (1 if agrees else 2)
    assert all(change.is_disputed is not agrees for change in changes)


def test_what_disagrees_is_listed_twice() -> None:
    from_file, from_rows = compare_metrics({"auc": 0.8}, {"auc": 0.95}, [computed("auc", 0.8, 0.7)])
    assert (from_file.new, from_file.interval, from_file.is_computed) == (0.95, None, False)
    assert (from_rows.new, from_rows.is_computed) == (0.7, True)
    assert from_file.is_disputed
    assert from_rows.is_disputed


def test_a_file_is_compared_with_what_its_side_has_by_itself() -> None:
    """On the labels of the candidate the baseline has another value than in its file."""
    own = Own(old=0.8445, new=0.715)
    again = computed("auc", 0.7147, 0.715, own=own)
    (change,) = compare_metrics({"auc": 0.8445}, {"auc": 0.715}, [again])
    assert (change.old, change.new, change.own) == (0.7147, 0.715, own)
    assert not change.is_disputed
    from_file, from_rows = compare_metrics({"auc": 0.7147}, {"auc": 0.715}, [again])
    assert (from_file.is_disputed, from_rows.is_disputed) == (True, True)


@pytest.mark.parametrize(
    ("old", "new", "side"), [(0.8, 0.95, "candidate"), (0.9, 0.7, "baseline"), (0.9, 0.95, None)]
)
def test_the_values_of_a_file_are_not_compared_if_one_is_not_of_the_predictions(
    old: float, new: float, side: str | None
) -> None:
    """Both may be of another definition; one alone is of something else than the other."""
    from_file, from_rows = compare_metrics({"auc": old}, {"auc": new}, [computed("auc", 0.8, 0.7)])
    assert from_rows.not_compared is None
    if side is None:
        assert from_file.not_compared is None
    else:
        assert from_file.not_compared is not None
        assert f"the metrics file of the {side}" in from_file.not_compared.reason


def test_a_side_without_the_metric_is_filled_in() -> None:
    (change,) = compare_metrics({}, {"auc": 0.78}, [computed("auc", 0.8, 0.78)])
    assert (change.old, change.new) == (0.8, 0.78)
    (change,) = compare_metrics({"auc": 0.8}, {}, [computed("auc", 0.8, 0.78)])
    assert (change.old, change.new) == (0.8, 0.78)


def test_computed_metrics_stand_beside_those_of_the_files() -> None:
    changes = compare_metrics({"loss": 1.0}, {"loss": 1.0}, [computed("auc", 0.8, 0.7)])
    assert [(change.name, change.is_computed) for change in changes] == [
        ("auc", True),
        ("loss", False),
    ]


def test_no_computed_metric_is_lost() -> None:
    two = [computed("slices.a.b.c.auc", 0.9, new) for new in (0.8, 0.7)]
    assert sorted(str(change.new) for change in compare_metrics({}, {}, two)) == ["0.7", "0.8"]


def better(name: str, old: dict[str, Scalar], new: dict[str, Scalar]) -> str | None:
    (found,) = (change for change in compare_metrics(old, new) if change.name == name)
    return found.better


def lm_eval(metric: str, value: float, said: Scalar) -> dict[str, Scalar]:
    return {
        f"results.task.{metric},none": value,
        f"results.task.{metric}_stderr,none": 0.01,
        f"higher_is_better.task.{metric}": said,
    }


@pytest.mark.parametrize(
    ("metric", "old", "new", "expected"),
    [
        ("pass_k", True, True, "higher"),
        ("drift", False, False, "lower"),
        ("drift", False, True, None),  # a candidate that says otherwise
        ("drift", None, True, None),  # or that alone says anything
        ("drift", True, None, None),
        ("acc", True, True, "higher"),
        ("acc", None, None, "higher"),
        ("acc", True, False, None),
        ("ter", True, True, None),  # lm-eval says so of an error rate
        ("drift", 1, 1, None),
        ("drift", "yes", "yes", None),
    ],
)
def test_a_file_says_which_way_is_better(
    metric: str, old: Scalar, new: Scalar, expected: str | None
) -> None:
    sides = lm_eval(metric, 0.5, old), lm_eval(metric, 0.6, new)
    assert better(f"results.task.{metric},none", *sides) == expected
    assert better(f"results.task.{metric}_stderr,none", *sides) is None


def test_what_a_file_says_is_of_its_own_task() -> None:
    side = {**lm_eval("drift", 0.5, False), "results.other.drift,none": 0.5}
    assert better("results.other.drift,none", side, side) is None


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("rmse", 2.0, 1.0, "lower"),
        ("rmse", -2.0, -1.0, None),
        ("rmse", 2.0, -1.0, None),
        ("rmse", -2.0, 1.0, None),
        ("loss", -2.0, -1.0, "lower"),
        ("neg_log_loss", -0.4, -0.3, "higher"),
        ("neg_log_loss", 0.4, 0.3, None),
    ],
)
def test_a_sign_that_was_turned_takes_the_direction_away(
    name: str, old: float, new: float, expected: str | None
) -> None:
    assert better(name, {name: old}, {name: new}) == expected


def with_error(value: float, error: Scalar, rows: int = 1_000) -> dict[str, Scalar]:
    return {
        "results.hellaswag.acc,none": value,
        "results.hellaswag.acc_stderr,none": error,
        "n-samples.hellaswag.effective": rows,
    }


def acc_of(old: dict[str, Scalar], new: dict[str, Scalar]) -> MetricChange:
    (found,) = [one for one in compare_metrics(old, new) if one.name.endswith(".acc,none")]
    return found


def test_a_standard_error_that_both_files_give_is_used() -> None:
    change = acc_of(with_error(0.5, 0.03), with_error(0.52, 0.04))
    assert change.interval is not None
    assert change.interval.low == pytest.approx(0.02 - 1.959964 * 0.05)
    assert change.interval.high == pytest.approx(0.02 + 1.959964 * 0.05)
    assert change.interval.lower == pytest.approx(0.02 - 1.644854 * 0.05)
    assert (change.interval.n, change.interval.is_paired) == (1_000, False)
    assert change.interval.is_stated


@pytest.mark.parametrize("above", ["", "test.", "slices.region.north."])
@pytest.mark.parametrize("rows", [None, 1_000])
def test_a_value_is_never_taken_for_the_number_of_rows(above: str, rows: int | None) -> None:
    rest: dict[str, Scalar] = {f"{above}score_stderr": 0.5}
    if rows is not None:
        rest[f"{above}n-samples"] = rows
    old, new = ({f"{above}score": value, **rest} for value in (75.2, 75.4))
    (change,) = [one for one in compare_metrics(old, new) if one.name == f"{above}score"]
    if rows is None:
        assert change.interval is None
        assert change.no_interval.startswith("the metrics files do not say of how many rows")
    else:
        assert change.interval is not None
        assert change.interval.n == rows


@pytest.mark.parametrize(("error", "rows"), [(0.0, 1_000), (-0.1, 1_000), (0.03, 29)])
def test_a_standard_error_that_says_nothing_gives_no_verdict(error: float, rows: int) -> None:
    change = acc_of(with_error(0.5, error, rows), with_error(0.6, 0.03))
    assert change.interval is None
    assert change.no_interval


@pytest.mark.parametrize("error", ["N/A", None, NAN])
def test_a_standard_error_of_one_side_alone_says_nothing(error: Scalar) -> None:
    bare, given = with_error(0.5, error), with_error(0.6, 0.03)
    for old, new, who in ((bare, given, "baseline"), (given, bare, "candidate")):
        change = acc_of(old, new)
        assert change.interval is None
        assert change.no_interval == f"the metrics file of the {who} gives no standard error of it"


def test_a_standard_error_of_nobody_knows_how_many_rows_says_nothing() -> None:
    old, new = with_error(0.5, 0.03), with_error(0.6, 0.03)
    del new["n-samples.hellaswag.effective"]
    change = acc_of(old, new)
    assert change.interval is None
    assert "of how many rows" in change.no_interval


def test_without_any_standard_error_nothing_is_said_of_it() -> None:
    change = acc_of(with_error(0.5, None), with_error(0.6, "N/A"))
    assert (change.interval, change.no_interval) == (None, "")


@pytest.mark.parametrize("name", ["ece", "test/ECE", "val_expected_calibration_error"])
def test_a_calibration_error_of_a_file_has_no_verdict(name: str) -> None:
    (change,) = compare_metrics({name: 0.02}, {name: 0.05})
    assert "chance alone" in change.no_interval
    (other,) = compare_metrics({"mae": 0.02}, {"mae": 0.05})
    assert other.no_interval == ""
