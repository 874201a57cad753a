"""Parameters, packages and environment side by side."""

from __future__ import annotations

from hypothesis import given
from msgspec import UNSET

from assent.compare.values import compare_values, environment_values
from assent.core.diff.values import ValueChange, Values
from assent.core.evidence import Environment
from assent.core.scalar import Scalar
from tests.compare.known import named_values


@given(named_values, named_values)
def test_every_name_is_counted_once(old: dict[str, Scalar], new: dict[str, Scalar]) -> None:
    values = compare_values(old, new)
    assert len(values.changes) + values.same == len(old.keys() | new.keys())
    assert [change.name for change in values.changes] == sorted(c.name for c in values.changes)


def test_types_are_kept_apart() -> None:
    values = compare_values({"a": 1, "b": "1", "c": 1}, {"a": True, "b": 1, "c": 1.0})
    assert values == Values(
        changes=(ValueChange(name="a", old=1, new=True), ValueChange(name="b", old="1", new=1)),
        same=1,
    )


def test_missing_is_not_null() -> None:
    values = compare_values({"a": None}, {})
    assert values.changes == (ValueChange(name="a", old=None, new=UNSET),)


def test_without_a_baseline_every_value_is_new() -> None:
    assert compare_values(None, {"a": 1}).changes == (ValueChange(name="a", new=1),)


def test_the_environment_leaves_out_packages_and_what_is_not_known() -> None:
    environment = Environment(python="3.12", cpu_count=8, gpus=("A", "B"), packages={"numpy": "2"})
    values = environment_values(environment)
    assert {name: value for name, value in values.items() if value != ""} == {
        "python": "3.12",
        "cpu_count": 8,
        "gpus": "A, B",
    }
    assert environment_values(None) == {}
