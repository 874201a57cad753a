"""Lines and tables of a terminal, as wide as it is.

Only a terminal has a width. What goes into a file or another program is not broken into lines: a
line stays a record there.
"""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Iterator, Sequence

NARROWEST = 40
GAP = 2


def width() -> int | None:
    """How many columns there are: those of the terminal, or of `COLUMNS`; None where lines end
    nowhere.
    """
    columns = shutil.get_terminal_size((0, 0)).columns if _is_wide() else 0
    return max(columns, NARROWEST) if columns else None


def _is_wide() -> bool:
    """Whether somebody looks: a job may have `COLUMNS` of the terminal that it was started from."""
    return sys.stdout.isatty()


def cells(text: str) -> int:
    """How many columns `text` takes, which is visible: wide letters take two, marks none."""
    if text.isascii():
        return len(text)
    return sum(_cell(character) for character in text)


def _cell(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def wrapped(text: str, columns: int | None, *, first: str = "", then: str = "") -> Iterator[str]:
    """`text` as lines of at most `columns`, broken at spaces: the first begins with `first`, the
    others with `then`. A word that is longer stays whole: it may be an address or a digest.
    """
    if columns is None or cells(first) + cells(text) <= columns:
        yield first + text
        return
    line, is_begun = first, False
    for word in text.split(" "):
        if is_begun and cells(line) + 1 + cells(word) > columns:
            yield line
            line, is_begun = then, False
        line += (" " if is_begun else "") + word
        is_begun = True
    yield line


def columns_of(rows: Sequence[Sequence[str]], indent: int = 0) -> list[int]:
    """How wide the columns of a table are: as their widest cell. Where that is wider than the
    terminal, the last one has what is left.
    """
    widths = [max(cells(row[at]) for row in rows) for at in range(len(rows[0]))] if rows else []
    total = width()
    if total is not None and widths:
        left = total - indent - sum(widths[:-1]) - GAP * (len(widths) - 1)
        widths[-1] = min(widths[-1], max(left, NARROWEST // 2))
    return widths


def table(rows: Sequence[Sequence[str]], indent: int = 2) -> Iterator[str]:
    """Rows below each other, without a frame. What is too long for the last column goes on below
    it.
    """
    widths = columns_of(rows, indent)
    total = width()
    for row in rows:
        *front, last = row
        cut = [
            text + " " * (column - cells(text) + GAP)
            for text, column in zip(front, widths, strict=False)
        ]
        first = " " * indent + "".join(cut)
        below = " " * min(cells(first), (total or cells(first)) // 2)
        lines = wrapped(last, total, first=first, then=below)
        yield from (line.rstrip() for line in lines)
