"""Leaves of metrics and parameters files, kept for what they are."""

from __future__ import annotations

import json
import math
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.digest import canonical_json
from assent.core.scalar import (
    NonFinite,
    Scalar,
    difference,
    number,
    same,
    scalar,
    show,
    show_apart,
    show_exactly,
)

NAN, INF, MINUS_INF = NonFinite("nan"), NonFinite("inf"), NonFinite("-inf")
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()


@given(leaves)
def test_every_leaf_becomes_a_scalar_that_survives_json(leaf: Any) -> None:
    value = scalar(leaf)
    assert same(msgspec.json.decode(canonical_json(value), type=Scalar), value)
    json.loads(canonical_json(value), parse_constant=pytest.fail)


@given(leaves)
def test_a_scalar_is_the_scalar_of_itself(leaf: Any) -> None:
    value = scalar(leaf)
    assert isinstance(value, NonFinite) or same(scalar(value), value)


@pytest.mark.parametrize(
    ("leaf", "value"),
    [
        (math.nan, NAN),
        (math.inf, INF),
        (-math.inf, MINUS_INF),
        (date(2026, 1, 2), "2026-01-02"),
        (True, True),
        (2**63, str(2**63)),
        ([1, 2], "[1, 2]"),
    ],
)
def test_what_json_cannot_say_is_said_otherwise(leaf: Any, value: Scalar) -> None:
    assert same(scalar(leaf), value)


def test_not_a_number_equals_itself() -> None:
    assert same(NonFinite("nan"), NonFinite("nan"))
    assert not same(NAN, INF)


@pytest.mark.threat(14)
@pytest.mark.parametrize(
    "value",
    [True, False, None, "0.9", "", NAN, INF, math.nan, math.inf, 10**400, msgspec.UNSET, [1]],
)
def test_only_a_finite_number_is_a_number(value: object) -> None:
    assert number(value) is None


@given(st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False))
def test_a_finite_number_is_itself(value: float) -> None:
    assert number(value) == value


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (1, "1", False),
        ("1.0", "1.0", True),
        (None, "", False),
        (None, None, True),
        (None, msgspec.UNSET, False),
        (msgspec.UNSET, msgspec.UNSET, True),
        (NAN, "nan", False),
    ],
)
def test_types_are_kept_apart(left: object, right: object, expected: bool) -> None:
    assert same(left, right) is expected
    assert same(right, left) is expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.3"),
        (1e-9, "1e-09"),
        (12, "12"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        ("text", "text"),
        (NAN, "NaN"),
        (INF, "∞"),
        (MINUS_INF, "-∞"),
    ],
)
def test_scalars_are_shown_briefly(value: object, text: str) -> None:
    assert show(value) == text


numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@given(numbers, numbers)
def test_two_numbers_that_differ_are_shown_to_differ(one: float | int, other: float | int) -> None:
    left, right = show_apart(one, other)
    assert left != right or one == other


def test_no_more_digits_are_shown_than_it_takes() -> None:
    assert show_apart(0.123456789, 0.5) == ("0.123457", "0.5")
    assert show_apart(0.912345671, 0.912345678) == ("0.91234567", "0.91234568")
    assert show_apart("text", 0.5) == ("text", "0.5")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_shown_exactly_reads_back(value: float) -> None:
    assert float(show_exactly(value)) == value


@given(st.integers(), st.integers())
def test_the_difference_of_integers_is_exact(old: int, new: int) -> None:
    assert difference(old, new) == new - old


def test_the_difference_of_an_integer_and_a_whole_float_is_exact() -> None:
    assert difference(2**53 + 1, 2.0**53 - 1) == -2
    assert difference(0.5, 2) == 1.5
