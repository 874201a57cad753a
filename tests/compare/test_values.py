"""Parameters, packages and environment side by side."""

from __future__ import annotations

import pytest
from hypothesis import given
from msgspec import UNSET

from assent.compare.values import compare_values, environment_values
from assent.core.diff.values import ValueChange, Values
from assent.core.evidence import Environment
from assent.core.scalar import NonFinite, Scalar
from tests.compare.known import named_values


@given(named_values, named_values)
def test_every_name_is_counted_once(old: dict[str, Scalar], new: dict[str, Scalar]) -> None:
    values = compare_values(old, new)
    assert len(values.changes) + values.same == len(old.keys() | new.keys())
    assert [change.name for change in values.changes] == sorted(c.name for c in values.changes)


def test_types_are_kept_apart() -> None:
    values = compare_values({"a": 1, "b": "1", "c": 1}, {"a": True, "b": 1, "c": 1.0})
    assert values == Values(
        changes=(
            ValueChange(name="a", old=1, new=True, move="type"),
            ValueChange(name="b", old="1", new=1, move="type"),
        ),
        same=1,
    )


@pytest.mark.parametrize(
    ("old", "new", "move"),
    [
        (1, 2, "up"),
        (0.1, 0.01, "down"),
        (1, 1.5, "up"),
        ("1", "2", None),
        ("1", 1, "type"),
        (1, True, "type"),
        (1.5, NonFinite("nan"), None),
        ("a", NonFinite("nan"), "type"),
        (None, 3, None),
        (False, True, None),
        (10**400, 1, None),
    ],
)
def test_how_a_value_moved(old: Scalar, new: Scalar, move: str | None) -> None:
    (change,) = compare_values({"a": old}, {"a": new}).changes
    assert change.move == move


@given(named_values, named_values)
def test_both_ways_are_mirrors(old: dict[str, Scalar], new: dict[str, Scalar]) -> None:
    opposite = {"up": "down", "down": "up", "type": "type", None: None}
    there, back = compare_values(old, new), compare_values(new, old)
    assert there.same == back.same
    for one, other in zip(there.changes, back.changes, strict=True):
        assert (one.name, one.old, one.new) == (other.name, other.new, other.old)
        assert one.move == opposite[other.move]


def test_missing_is_not_null() -> None:
    values = compare_values({"a": None}, {})
    assert values.changes == (ValueChange(name="a", old=None, new=UNSET),)


def test_without_a_baseline_every_value_is_new() -> None:
    assert compare_values(None, {"a": 1}).changes == (ValueChange(name="a", new=1),)


def test_the_environment_leaves_out_packages_and_what_is_not_known() -> None:
    environment = Environment(
        python="3.12", cpu_count=8, gpus=("A", "B"), driver="5", packages={"numpy": "2"}
    )
    values = environment_values(environment)
    assert values == {
        "python": "3.12",
        "cpu_count": 8,
        "gpus": "A, B",
        "driver": "5",
    }
    assert environment_values(Environment(gpus=None)) == {}
    assert environment_values(Environment()) == {"gpus": "none seen"}
