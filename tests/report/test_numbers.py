from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import UNSET

from assent.core.diff.metrics import MetricChange
from assent.core.scalar import NonFinite
from assent.report import numbers
from assent.report.numbers import Effect, Shown

finite = st.floats(-1e300, 1e300)


@given(old=st.one_of(finite, st.integers()), new=st.one_of(finite, st.integers()))
def test_two_values_that_differ_look_different(old: float, new: float) -> None:
    assume(old != new)
    left, right = numbers.show_both(old, new)
    assert left.text != right.text


@given(finite)
def test_only_zero_is_shown_as_zero_and_only_integers_as_integers(value: float) -> None:
    shown = float(numbers.number(value).replace(",", ""))
    assert (shown == 0) == (value == 0)
    assert shown == pytest.approx(value, rel=1e-3)
    if abs(value) < 1e15:
        assert shown.is_integer() == value.is_integer()


@given(finite)
def test_no_real_change_is_shown_as_none(change: float) -> None:
    assume(change != 0)
    sign = "+" if change > 0 else numbers.MINUS
    for text in (numbers.signed(change), numbers.percent(change)):
        assert text.startswith(sign)
        assert any(digit in text for digit in "123456789∞")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.8512, "0.8512"),
        (0.85, "0.85"),
        (0.99996, "0.99996"),
        (12345.6, "12,345.6"),
        (3.0, "3"),
        (1234567, "1,234,567"),
        (2**63 - 1, "9,223,372,036,854,775,807"),
        (0.00001234, "1.234e-5"),
        (-0.5, "-0.5"),
        (1e20, "1e20"),
        (0.0, "0"),
    ],
)
def test_numbers(value: float, expected: str) -> None:
    assert numbers.number(value) == expected


def test_values_are_shown_for_what_they_are() -> None:
    assert numbers.show(UNSET) == Shown("missing")
    assert numbers.show(None) == Shown("null")
    assert numbers.show(True) == Shown("true")
    assert numbers.show(NonFinite("nan")) == Shown("NaN")
    assert numbers.show(NonFinite("-inf")) == Shown("-∞")
    assert numbers.show("true") == Shown("true", is_text=True)


def test_text_that_reads_like_the_other_side_is_quoted() -> None:
    assert numbers.show_both("1", 1) == (Shown('"1"', is_text=True), Shown("1"))
    assert numbers.show_both(None, "null") == (Shown("null"), Shown('"null"', is_text=True))
    assert numbers.show_both("1.5", "1.6") == (Shown("1.5", True), Shown("1.6", True))


def test_small_differences_get_the_digits_they_need() -> None:
    assert [one.text for one in numbers.show_both(0.85121, 0.85123)] == ["0.85121", "0.85123"]
    assert [one.text for one in numbers.show_both(0.85, 0.8601)] == ["0.85", "0.8601"]


def test_changes_and_percentages() -> None:
    assert numbers.signed(0.8601 - 0.8512) == "+0.0089"
    assert numbers.signed(-3) == f"{numbers.MINUS}3"
    assert numbers.percent(0.012345) == "+1.2%"
    assert numbers.percent(0.0000123) == "+0.0012%"
    assert numbers.percent(12.0) == "+1,200.0%"
    assert numbers.percent(0) == "0%"


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (1_234_567, "1.2 MB"), (10**18, "1,000.0 PB")],
)
def test_sizes(size: int, expected: str) -> None:
    assert numbers.size(size) == expected


def test_two_sizes_are_told_apart() -> None:
    assert numbers.sizes(1_200_000, 1_900_000) == ("1.2 MB", "1.9 MB")
    assert numbers.sizes(1_210_000, 1_220_000) == ("1.21 MB", "1.22 MB")
    assert numbers.sizes(1_200_000, 1_200_001) == ("1,200,000 B", "1,200,001 B")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.25, "250 ms"),
        (2.5, "2.5 s"),
        (59.99, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3_900, "1 h 5 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations(seconds: float, expected: str) -> None:
    assert numbers.duration(seconds) == expected


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (MetricChange(name="m", old=1.0), Effect.MISSING),
        (MetricChange(name="m", new=1.0, is_changed=True), Effect.NEW),
        (MetricChange(name="m", old=1.0, new=1.0), Effect.UNCHANGED),
        (MetricChange(name="m", old=1, new="x", is_changed=True), Effect.NO_NUMBER),
        (MetricChange(name="m", old="x", new="y", is_changed=True), Effect.CHANGED),
        (MetricChange(name="m", old=1, new=2, change=1, is_changed=True), Effect.CHANGED),
        (
            MetricChange(name="m", old=1, new=2, change=1, better="higher", is_changed=True),
            Effect.BETTER,
        ),
        (
            MetricChange(name="m", old=1, new=2, change=1, better="lower", is_changed=True),
            Effect.WORSE,
        ),
        (
            MetricChange(name="m", old=1, new=2, change=math.nan, better="lower", is_changed=True),
            Effect.CHANGED,
        ),
    ],
)
def test_what_a_change_means(metric: MetricChange, expected: Effect) -> None:
    assert numbers.effect(metric) is expected


@pytest.mark.parametrize(
    ("values", "changes", "expected"),
    [
        ((4.951, 5.893), (0.942, 0.84, 1.03), ["4.95", "5.89", "+0.94", "+0.84", "+1.03"]),
        ((0.85, 0.838), (-0.012, -0.02, 0.0), ["0.8500", "0.8380", "-0.0120", "-0.0200", "0.0000"]),
        ((1234.5, 1334.5), (100, 50, 150), ["1,234", "1,334", "+100", "+50", "+150"]),
        ((0.5, 0.5), (0, -0.01, 0.01), ["0.5000", "0.5000", "0.0000", "-0.0100", "+0.0100"]),
        ((0.5, 0.5001), (1e-4, -0.3, 0.3), ["0.5000", "0.5001", "+0.0001", "-0.3000", "+0.3000"]),
    ],
)
def test_a_value_its_change_and_the_interval_have_the_same_decimals(
    values: tuple[float, float], changes: tuple[float, ...], expected: list[str]
) -> None:
    found = numbers.aligned(values, changes)
    assert found is not None
    assert [one.replace(numbers.MINUS, "-") for one in found] == expected


@pytest.mark.parametrize("changes", [(1e-10, -1e-10, 2e-10), (1e16, 1.0, 2e16)])
def test_there_may_be_no_decimal_that_says_all(changes: tuple[float, ...]) -> None:
    assert numbers.aligned((0.5, 0.6), changes) is None
