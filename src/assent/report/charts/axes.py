"""Axes and legends that several charts share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assent.report.charts.drawing import Drawing, width_of
from assent.report.charts.scales import Scale

_LETTER = 5.9


def across(
    drawing: Drawing,
    scale: Scale,
    marks: Sequence[float],
    top: float,
    bottom: float,
    text: Callable[[float], str],
) -> None:
    """Vertical lines at `marks` with their text below `bottom`; texts stay inside the drawing."""
    for mark in marks:
        x, shown = scale.at(mark), text(mark)
        drawing.line((x, top), (x, bottom), "grid")
        half = len(shown) * _LETTER / 2
        middle = min(drawing.width - half, max(half, x))
        drawing.text(middle, bottom + 14, shown, "tick", "middle")


def up(
    drawing: Drawing,
    scale: Scale,
    marks: Sequence[float],
    left: float,
    right: float,
    text: Callable[[float], str],
) -> None:
    """Horizontal lines at `marks` with their text to the left of `left`."""
    for mark in marks:
        y = scale.at(mark)
        drawing.line((left, y), (right, y), "grid")
        drawing.text(left - 6, y + 4, text(mark), "tick", "end")


def sides(drawing: Drawing, y: float, *, has_old: bool = True, is_dotted: bool = False) -> None:
    """The legend of both models: a grey area is the baseline and a blue line the candidate, or
    `is_dotted` both are points.
    """
    x = 0.0
    if has_old and is_dotted:
        drawing.line((x, y - 4), (x + 20, y - 4), "old stroke")
        drawing.dot(x + 10, y - 4, 3.5, "old dot")
    elif has_old:
        drawing.rect(x, y - 9, 20, 10, "old area")
    if has_old:
        drawing.text(x + 26, y, "baseline", "soft")
        x += 40 + width_of("baseline")
    drawing.line((x, y - 4), (x + 20, y - 4), "new stroke")
    if is_dotted:
        drawing.dot(x + 10, y - 4, 3.5, "new dot")
    drawing.text(x + 26, y, "candidate", "soft")
