"""A grid of cells with headings: confusion, and who was right."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from assent.report.charts.drawing import WIDTH, Drawing, fit, width_of_name

_TOP = 36.0
_LARGEST_CELL = 62.0
_MOST_WIDE = 5


class Square(msgspec.Struct, frozen=True):
    """A cell: a line or two, a class for its colour and how strong that is (0-1)."""

    first: str
    second: str = ""
    style: str = "heat"
    strength: float = 0.0
    tooltip: str = ""


def draw(
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Sequence[Sequence[Square]],
    *,
    titles: tuple[str, str],
    extra: float = 0.0,
) -> Drawing:
    """The grid; `titles` say what rows and columns are. `extra` is room left below it. Where
    columns are too narrow for their headings, rows are numbered and columns have the numbers.
    """
    is_small = is_narrow(len(columns))
    if is_small:
        rows = [f"{at} {name}" for at, name in enumerate(rows, 1)]
    most = 78 if is_small else 100
    labels = 10 + max(width_of_name(fit(row, most)) for row in rows)
    width = (WIDTH - labels) / len(columns)
    height = min(_LARGEST_CELL, max(24.0, width * 0.62))
    drawing = Drawing(_TOP + height * len(rows) + 4 + extra)
    drawing.text(0, 12, f"{titles[0]} ↓", "soft")
    drawing.text(WIDTH, 12, f"{titles[1]} →", "soft", "end")
    bottom = _TOP + height * len(rows)
    drawing.rect(labels, _TOP, WIDTH - labels, bottom - _TOP, "chip")
    for at, heading in enumerate(names(columns)):
        middle = labels + width * (at + 0.5)
        drawing.text(middle, _TOP - 7, fit(heading, width - 4), "name", "middle")
    for down, heading in enumerate(rows):
        y = _TOP + height * down
        drawing.text(0, y + height / 2 + 4, fit(heading, most), "name")
        for at, square in enumerate(cells[down]):
            _square(drawing, square, (labels + width * at, y, width, height), is_small=is_small)
    for at in range(1, len(columns)):
        drawing.line((labels + width * at, _TOP), (labels + width * at, bottom), "gap")
    for at in range(1, len(rows)):
        drawing.line((labels, _TOP + height * at), (WIDTH, _TOP + height * at), "gap")
    return drawing


def is_narrow(columns: int) -> bool:
    """Whether so many columns leave room for four digits only."""
    return columns > _MOST_WIDE


def names(columns: Sequence[str]) -> tuple[str, ...]:
    """What columns are called: themselves, or numbers where they are too narrow for names."""
    if is_narrow(len(columns)):
        return tuple(str(at) for at in range(1, len(columns) + 1))
    return tuple(columns)


def _square(
    drawing: Drawing, square: Square, box: tuple[float, float, float, float], *, is_small: bool
) -> None:
    x, y, width, height = box
    with drawing.group(square.tooltip):
        if square.strength > 0:
            # Never so strong that the text on it could not be read.
            shade = 0.46 * min(1.0, square.strength)
            drawing.rect(x, y, width, height, square.style, opacity=shade)
        middle, size = x + width / 2, "sub" if is_small else "count"
        if square.second and not is_small:
            drawing.text(middle, y + height / 2 - 1, square.first, size, "middle")
            drawing.text(middle, y + height / 2 + 14, square.second, "sub", "middle")
        else:
            drawing.text(middle, y + height / 2 + 4, square.first, size, "middle")
