"""What drawings are made of."""

from __future__ import annotations

import math
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.report.charts.drawing import Drawing, fit
from assent.report.charts.scales import (
    drawable,
    share,
)
from tests.report.nasty import texts


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


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e301, 10**400, None, True, "1"])
def test_what_has_no_place_is_not_drawn(value: object) -> None:
    assert drawable(value) is None
    assert share(value) == 0
