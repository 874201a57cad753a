"""A grid of cells with headings."""

from __future__ import annotations

import pytest

from assent.report.charts.drawing import WIDTH
from assent.report.charts.matrix import Square, draw, is_narrow, names
from assent.report.parts import Chart, Words, cell
from tests.report import drawn


def grid(labels: list[str], cells: list[list[Square]] | None = None) -> Chart:
    squares = cells or [[Square(f"{down}{at}") for at in labels] for down in labels]
    paper = draw(labels, labels, squares, titles=("label", "prediction"))
    return Chart(title=cell(Words("Confusion")), drawing=paper.svg("a grid"))


def test_each_cell_stands_in_its_row_and_column() -> None:
    chart = grid(["no", "yes"])
    places = {
        text.text: (drawn.number(text, "x"), drawn.number(text, "y"))
        for text in drawn.found(chart, "text", "count")
    }
    assert places.keys() == {"nono", "noyes", "yesno", "yesyes"}
    assert places["nono"][0] == places["yesno"][0] < places["noyes"][0] == places["yesyes"][0]
    assert places["nono"][1] == places["noyes"][1] < places["yesno"][1] == places["yesyes"][1]
    assert drawn.texts(chart, "soft") == ["label ↓", "prediction →"]
    assert drawn.texts(chart, "name") == ["no", "yes", "no", "yes"]


def test_a_shade_is_as_strong_as_said_and_never_hides_the_text() -> None:
    cells = [
        [Square("1", strength=0.0), Square("2", strength=0.5)],
        [Square("3", strength=1.0), Square("4", strength=9.0, style="good")],
    ]
    chart = grid(["a", "b"], cells)
    shades = drawn.found(chart, "rect", "heat") + drawn.found(chart, "rect", "good")
    assert [float(shade.attrib["fill-opacity"]) for shade in shades] == [0.23, 0.46, 0.46]


def test_a_second_line_and_a_tooltip_are_those_of_the_cell() -> None:
    cells = [[Square("12", second="+3", tooltip="12 rows")]]
    chart = grid(["a"], cells)
    assert drawn.texts(chart, "sub") == ["+3"]
    assert [title.text for title in drawn.element(chart).iter("title")] == ["12 rows"]


@pytest.mark.parametrize(("columns", "is_small"), [(1, False), (5, False), (6, True), (20, True)])
def test_columns_too_narrow_for_names_have_numbers(columns: int, is_small: bool) -> None:
    labels = [f"class {at}" for at in range(columns)]
    assert is_narrow(columns) is is_small
    numbers = tuple(str(at) for at in range(1, columns + 1))
    assert names(labels) == (numbers if is_small else tuple(labels))
    headings = drawn.texts(grid(labels), "name")
    rows = [f"{at} {name}" for at, name in enumerate(labels, 1)] if is_small else labels
    assert headings[columns:] == rows


@pytest.mark.parametrize(("columns", "height"), [(1, 62), (2, 2 * 62), (20, 20 * 24)])
def test_cells_are_no_taller_than_reads_well(columns: int, height: int) -> None:
    chart = grid([str(at) for at in range(columns)])
    assert drawn.box(chart)[1] == 40 + height


def test_where_there_is_no_room_a_cell_has_one_line() -> None:
    labels = [str(at) for at in range(6)]
    chart = grid(labels, [[Square("7", second="+1") for _ in labels] for _ in labels])
    assert "+1" not in drawn.texts(chart)
    assert drawn.texts(chart, "sub") == ["7"] * 36


@pytest.mark.parametrize("columns", [1, 2, 6, 20])
def test_everything_is_inside_however_long_the_names_are(columns: int) -> None:
    labels = [f"{'very ' * 30}{at}" for at in range(columns)]
    chart = grid(labels, [[Square("7")] * columns] * columns)
    width, height = drawn.box(chart)
    assert width == WIDTH
    corners = drawn.places(chart)
    assert all(-0.1 <= x <= width + 0.1 and 0 <= y <= height for x, y in corners)  # rounded
