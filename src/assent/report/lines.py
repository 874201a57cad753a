"""Text in lines of a given width, and tables whose columns line up."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

GAP = 2
NARROWEST = 20
"""How few columns of a terminal the last column of a table gets."""

_STYLE = re.compile("\x1b\\[[0-9;]*m")
"""Colours of our own: what is not ours was made visible before."""


def cells(text: str) -> int:
    """How many columns `text` takes: wide letters take two, marks and colours none."""
    if "\x1b" in text:
        text = _STYLE.sub("", text)
    return len(text) if text.isascii() else sum(map(_cell, text))


def _cell(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def wrapped(text: str, columns: int | None, *, first: str = "", then: str = "") -> Iterator[str]:
    """`text` as lines of at most `columns` (None: one line), broken at spaces: the first begins
    with `first`, the others with `then`. A word that is longer stays whole: it may be an address or
    a digest.
    """
    if columns is None or cells(first) + cells(text) <= columns:
        yield first + text
        return
    line, width, is_begun = first, cells(first), False
    for word in text.split(" "):
        if is_begun and width + 1 + cells(word) > columns:
            yield line
            line, width, is_begun = then, cells(then), False
        line += (" " if is_begun else "") + word
        width += is_begun + cells(word)
        is_begun = True
    yield line


def table(rows: Sequence[Sequence[str]], columns: int | None, indent: int = 2) -> Iterator[str]:
    """Rows of equally many cells below each other, without a frame. Where they are wider than
    `columns`, the last cell of a row goes on below itself.
    """
    if not rows:
        return
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    front = indent + sum(widths[:-1]) + GAP * (len(widths) - 1)
    # Where too little is left beside the others, it is below them instead.
    below = min(front, max(columns - NARROWEST, indent)) if columns is not None else front
    for row in rows:
        padded = (
            text + " " * (width - cells(text) + GAP)
            for text, width in zip(row[:-1], widths, strict=False)
        )
        first = " " * indent + "".join(padded)
        for line in wrapped(row[-1], columns, first=first, then=" " * below):
            yield line.rstrip()
