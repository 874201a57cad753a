"""Where values lie on an axis, and what is written along it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.report.charts.scales import (
    Scale,
    groups,
    percent_text,
    round_up,
    tick_text,
    ticks,
)

FINITE = st.floats(-1e300, 1e300, allow_nan=False)


@given(low=FINITE, high=FINITE, value=FINITE)
def test_a_place_is_always_between_the_ends(low: float, high: float, value: float) -> None:
    place = Scale(min(low, high), max(low, high), 10, 90).at(value)
    assert 10 <= place <= 90


def test_a_place_is_where_the_value_is() -> None:
    scale = Scale(-1, 3, 100, 500)
    assert [scale.at(value) for value in (-1, 0, 1, 3, 99)] == [100, 200, 300, 500, 500]


@given(low=st.floats(-1e9, 1e9), span=st.floats(1e-6, 1e9), most=st.integers(2, 8))
def test_marks_are_few_round_and_inside(low: float, span: float, most: int) -> None:
    found = ticks(low, low + span, most)
    slack = 1e-6 * (abs(low) + span)
    assert len(found) <= most
    assert list(found) == sorted(set(found))
    assert all(low - slack <= mark <= low + span + slack for mark in found)


@pytest.mark.parametrize(
    ("low", "high", "most", "marks"),
    [
        (0, 1, 6, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-0.07, 0.036, 4, [-0.05, -0.025, 0, 0.025]),
        (-300, 300, 7, [-300, -200, -100, 0, 100, 200, 300]),
        (5, 5, 3, [5]),
    ],
)
def test_marks(low: float, high: float, most: int, marks: list[float]) -> None:
    assert ticks(low, high, most) == pytest.approx(marks)


@given(st.floats(1e-290, 1e290))
def test_the_end_of_an_axis_is_round_and_near(value: float) -> None:
    end = round_up(value)
    assert value * (1 - 1e-6) <= end <= value * 1.6


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.05, "+0.05"), (-2500.0, "−2,500"), (2.5e-7, "+2.5e-7"), (1e300, "+1e300")],  # noqa: RUF001
)
def test_marks_read_as_people_write_them(value: float, text: str) -> None:
    assert tick_text(value, signed=True) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0%"), (1, "100%"), (0.123, "12.3%"), (0.12, "12%"), (0.0001, "<0.1%"), (0.9999, "100%")],
)
def test_shares_read_as_people_write_them(value: float, text: str) -> None:
    assert percent_text(value) == text


@given(many=st.integers(0, 10**6), most=st.integers(1, 100))
def test_neighbours_are_joined_into_equal_runs(many: int, most: int) -> None:
    runs = groups(many, most)
    assert len(runs) <= most
    assert sum(last - first for first, last in runs) == many
    assert len({last - first for first, last in runs[:-1]}) <= 1
