from __future__ import annotations

import math
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.report.charts.drawing import Drawing, fit
from assent.report.charts.scales import (
    Scale,
    drawable,
    groups,
    percent_text,
    round_up,
    share,
    tick_text,
    ticks,
)

from .nasty import texts

FINITE = st.floats(-1e300, 1e300, allow_nan=False)


def test_text_is_escaped_and_what_cannot_be_seen_is_written_out() -> None:
    drawing = Drawing(10)
    drawing.text(1, 2, "</svg>\u202e\x00&", "name")
    svg = drawing.svg('a "quoted" <word>')
    assert fromstring(svg)[0].text == "</svg>\\u202e\\u0000&"
    assert fromstring(svg).attrib["aria-label"] == 'a "quoted" <word>'


def test_coordinates_are_rounded_and_always_numbers() -> None:
    drawing = Drawing(10)
    drawing.rect(1 / 3, -0.01, math.nan, math.inf, "chip", opacity=2 / 3)
    rect = fromstring(drawing.svg("x"))[0]
    assert rect.attrib == {
        "class": "chip",
        "x": "0.3",
        "y": "0",
        "width": "0",
        "height": "0",
        "fill-opacity": "0.67",
    }


@pytest.mark.parametrize(
    ("text", "letters", "shown"),
    [
        ("roc_auc", 10, "roc_auc"),
        ("a_very_long_name", 10, "a_very…ame"),
        ("漢字漢字漢字", 7, "漢字…字"),
        ("", 10, '""'),
        ("a\nb", 10, "a\\nb"),
        ("x" * 10**6 + "y", 7, "xxxx…xy"),
    ],
)
def test_a_name_is_cut_in_the_middle(text: str, letters: int, shown: str) -> None:
    assert fit(text, letters, 1) == shown


@given(text=texts, letters=st.integers(3, 60))
def test_a_name_never_takes_more_room_than_there_is(text: str, letters: int) -> None:
    assert 0 < len(fit(text, letters, 1)) <= letters
    assert fit(text, letters, 1).isprintable()


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


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e301, 10**400, None, True, "1"])
def test_what_has_no_place_is_not_drawn(value: object) -> None:
    assert drawable(value) is None
    assert share(value) == 0


@given(many=st.integers(0, 10**6), most=st.integers(1, 100))
def test_neighbours_are_joined_into_equal_runs(many: int, most: int) -> None:
    runs = groups(many, most)
    assert len(runs) <= most
    assert sum(last - first for first, last in runs) == many
    assert len({last - first for first, last in runs[:-1]}) <= 1
