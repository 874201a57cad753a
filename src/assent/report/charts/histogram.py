"""Two distributions over the same bins: the baseline as an area, the candidate as a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assent.report.charts import axes
from assent.report.charts.drawing import Drawing, Point
from assent.report.charts.scales import Scale, percent_text, round_up, ticks

LEFT, TOP, BOTTOM = 42.0, 26.0, 136.0
RIGHT = 376.0
HEIGHT = 160.0


def draw(
    drawing: Drawing,
    places: Sequence[float],
    old: Sequence[float],
    new: Sequence[float],
    *,
    top: float = 0.0,
    text: Callable[[float], str] = percent_text,
) -> Scale:
    """Shares of rows in bins that reach from one place to the next, with legend and axis; that
    goes up to `top` at least, says `text` at its marks, and is returned.
    """
    axes.sides(drawing, 12)
    end = min(1.0, round_up(max(top, *old, *new)))
    scale = Scale(0, end, BOTTOM, TOP)
    axes.up(drawing, scale, ticks(0, end, 5), LEFT, RIGHT, text)
    ends = (places[0], BOTTOM), (places[-1], BOTTOM)
    area = [ends[0], *_steps(places, old, scale), ends[1]]
    line = [ends[0], *_steps(places, new, scale), ends[1]]
    drawing.path(area, "old area", is_closed=True)
    drawing.path(line, "new stroke")
    drawing.line((LEFT, BOTTOM), (RIGHT, BOTTOM), "axis")
    return scale


def _steps(places: Sequence[float], shares: Sequence[float], scale: Scale) -> list[Point]:
    points: list[Point] = []
    for at, share in enumerate(shares):
        y = scale.at(share)
        points += [(places[at], y), (places[at + 1], y)]
    return points
