"""Two distributions over the same bins."""

from __future__ import annotations

import pytest

from assent.report.charts.drawing import Drawing
from assent.report.charts.histogram import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, draw
from assent.report.charts.scales import Scale
from assent.report.parts import Chart, Words, cell
from tests.report import drawn

PLACES = (LEFT, 142.0, 242.0, RIGHT)


def drawing(
    old: tuple[float, ...], new: tuple[float, ...], top: float = 0.0
) -> tuple[Chart, Scale]:
    paper = Drawing(HEIGHT)
    scale = draw(paper, PLACES, old, new, top=top)
    return Chart(title=cell(Words("Age")), drawing=paper.svg("ages")), scale


def test_the_baseline_is_a_closed_area_and_the_candidate_a_line_over_it() -> None:
    chart, scale = drawing((0.5, 0.25, 0.25), (0.25, 0.5, 0.25))
    [area] = drawn.found(chart, "path", "old area")
    [line] = drawn.found(chart, "path", "new stroke")
    assert area.attrib["d"].endswith("Z")
    assert not line.attrib["d"].endswith("Z")
    half, quarter = round(scale.at(0.5), 1), round(scale.at(0.25), 1)
    assert [y for _, y in drawn.points(area)] == [
        *(BOTTOM, half, half, quarter, quarter, quarter, quarter, BOTTOM)
    ]
    assert [y for _, y in drawn.points(line)] == [
        *(BOTTOM, quarter, quarter, half, half, quarter, quarter, BOTTOM)
    ]


def test_each_bin_reaches_from_its_place_to_the_next() -> None:
    chart, _ = drawing((0.5, 0.25, 0.25), (0.25, 0.5, 0.25))
    [line] = drawn.found(chart, "path", "new stroke")
    first, second, third, last = PLACES
    assert [x for x, _ in drawn.points(line)] == [
        *(first, first, second, second, third, third, last, last)
    ]


def test_the_axis_begins_at_nothing_and_holds_the_largest_share_of_both() -> None:
    chart, scale = drawing((0.01, 0.02, 0.03), (0.0, 0.41, 0.0))
    assert scale.at(0) == BOTTOM
    assert TOP < scale.at(0.41) < scale.at(0.4) < BOTTOM
    assert "0%" in drawn.texts(chart, "tick")
    heights = [y for path in drawn.found(chart, "path", "") for _, y in drawn.points(path)]
    assert min(heights) == round(scale.at(0.41), 1)


def test_an_axis_goes_up_to_what_is_asked_and_never_above_everything() -> None:
    small = (0.01, 0.01, 0.01)
    assert drawing(small, small)[1].at(0.02) < drawing(small, small, top=0.5)[1].at(0.02)
    assert drawing(small, small, top=7.0)[1].at(1) == TOP


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_what_is_drawn_stays_inside(share: float) -> None:
    chart, _ = drawing((share,) * 3, (share,) * 3)
    width, height = drawn.box(chart)
    assert all(0 <= x <= width and 0 <= y <= height for x, y in drawn.places(chart))


def test_the_legend_names_both_sides() -> None:
    chart, _ = drawing((0.5, 0.25, 0.25), (0.25, 0.5, 0.25))
    assert drawn.texts(chart, "soft") == ["baseline", "candidate"]
