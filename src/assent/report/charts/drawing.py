"""Shapes and text as SVG. Colours are classes of the page's style, so that one drawing serves
light, dark and paper; text is escaped here, in one place.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from markupsafe import escape

from assent.report.escape import shorten, visible

WIDTH = 380
"""Two charts side by side on a desk, one on a phone: the text stays readable on both."""
NAME_WIDTH = 6.7
"""The width of a letter of a name, which is set in a monospaced font."""
_DIGIT_WIDTH = 6.4
_TOOLTIP_LIMIT = 120
_SAID_LIMIT = 900

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]


class Drawing:
    """One chart in its own view box. Coordinates are rounded: the same values, the same bytes."""

    def __init__(self, height: float, width: float = WIDTH) -> None:
        self.width = width
        self.height = height
        self._parts: list[str] = []
        self._has_links = False

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        style: str,
        *,
        opacity: float | None = None,
    ) -> None:
        """A rectangle. `opacity` shades cells of a matrix."""
        shade = "" if opacity is None else f' fill-opacity="{_rounded(opacity, 2)}"'
        self._parts.append(
            f'<rect class="{style}" x="{_rounded(x)}" y="{_rounded(y)}" '
            f'width="{_rounded(max(0.0, width))}" height="{_rounded(max(0.0, height))}"{shade}/>'
        )

    def line(self, start: Point, end: Point, style: str) -> None:
        """A straight line."""
        self._parts.append(
            f'<line class="{style}" x1="{_rounded(start[0])}" y1="{_rounded(start[1])}" '
            f'x2="{_rounded(end[0])}" y2="{_rounded(end[1])}"/>'
        )

    def path(self, points: Sequence[Point], style: str, *, is_closed: bool = False) -> None:
        """Straight lines through points."""
        if points:
            route = "L".join(f"{_rounded(x)} {_rounded(y)}" for x, y in points)
            self._parts.append(f'<path class="{style}" d="M{route}{"Z" if is_closed else ""}"/>')

    def dot(self, x: float, y: float, radius: float, style: str) -> None:
        """A circle."""
        self._parts.append(
            f'<circle class="{style}" cx="{_rounded(x)}" cy="{_rounded(y)}" '
            f'r="{_rounded(radius)}"/>'
        )

    def text(self, x: float, y: float, text: str, style: str, anchor: Anchor = "start") -> None:
        """One line of text, `y` being its base line. What cannot be seen is written out."""
        self._parts.append(
            f'<text class="{style} {anchor}" x="{_rounded(x)}" y="{_rounded(y)}">'
            f"{escape(visible(text))}</text>"
        )

    @contextmanager
    def group(self, tooltip: str) -> Iterator[None]:
        """What is drawn inside shows `tooltip`, where there is a pointer."""
        shown = visible(shorten(tooltip, _TOOLTIP_LIMIT))
        self._parts.append(f"<g><title>{escape(_cut(shown, _TOOLTIP_LIMIT * 2))}</title>")
        yield
        self._parts.append("</g>")

    @contextmanager
    def link(self, address: str, words: str) -> Iterator[None]:
        """What is drawn inside leads to another page; `words` say to where."""
        label = escape(_cut(visible(words), _TOOLTIP_LIMIT))
        self._has_links = True
        self._parts.append(f'<a href="{escape(address)}" aria-label="{label}">')
        yield
        self._parts.append("</a>")

    def svg(self, sentence: str) -> str:
        """The drawing as one element. `sentence` tells in words what it shows, for those who cannot
        see it. One with links in it is no mere image.
        """
        role = "group" if self._has_links else "img"
        words = escape(_cut(visible(shorten(sentence, _SAID_LIMIT)), _SAID_LIMIT + 100))
        return (
            f'<svg class="chart" viewBox="0 0 {_rounded(self.width)} {_rounded(self.height)}" '
            f'role="{role}" aria-label="{words}">{"".join(self._parts)}</svg>'
        )


def fit(text: str, width: float, letter: float = NAME_WIDTH) -> str:
    """`text` in the room that there is: visible, and cut in the middle. Wide letters (Chinese,
    emoji) count as two.
    """
    most = max(3, int(width / letter))
    # What is far beyond the room need not be looked at: texts can have a million letters.
    head, tail = text, ""
    if len(text) > most * 4:
        head, tail = text[: most * 2], text[-most * 2 :]
    shown = visible(head + tail) or '""'
    sizes = [_cells(character) for character in shown]
    if sum(sizes) <= most and not tail:
        return shown
    left = _count_that_fits(sizes, most - 1 - most // 3)
    right = _count_that_fits(sizes[::-1], most // 3)
    return f"{shown[:left]}…{shown[len(shown) - right :]}"


def width_of_name(shown: str) -> float:
    """How wide a fitted name is."""
    return sum(map(_cells, shown)) * NAME_WIDTH


def width_of(text: str) -> float:
    """About how wide words and digits are; never less than they take."""
    return len(text) * _DIGIT_WIDTH


def _count_that_fits(sizes: Sequence[int], room: int) -> int:
    taken = 0
    for at, size in enumerate(sizes):
        taken += size
        if taken > room:
            return at
    return len(sizes)


def _cells(letter: str) -> int:
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _rounded(value: float, digits: int = 1) -> str:
    if not math.isfinite(value):  # a scale lets none through; a drawing must not break for one
        return "0"
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
