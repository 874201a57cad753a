"""Sections as plain text for a terminal: a title, a sentence, and tables whose columns line up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from unicodedata import east_asian_width

from assent.report.escape import name, shorten, visible
from assent.report.parts import (
    Break,
    Cell,
    Link,
    Move,
    Number,
    Pair,
    Part,
    Person,
    Section,
    State,
    Table,
    Text,
    Words,
    spaced,
)

MOST_ROWS = 40
MOST_FOLDED_ROWS = 10
"""Of what a page folds away: a terminal cannot unfold it, and it must not bury the rest."""
_NAME_LIMIT = 60
_SENTENCE_LIMIT = 300


def to_text(sections: Sequence[Section], *, most_rows: int = MOST_ROWS) -> str:
    """The sections. Of long tables the first rows, with a count of the others."""
    return "\n".join(line for section in sections for line in _section(section, most_rows))


def _section(section: Section, most_rows: int) -> Iterator[str]:
    yield f"{visible(section.title)}: {cell_text(section.summary)}"
    for note in section.notes:
        yield f"  {cell_text(note)}"
    for table in section.tables:
        most = min(most_rows, MOST_FOLDED_ROWS) if table.is_folded else most_rows
        yield from _table(table, most, is_titled=table.title != section.title)


def _table(table: Table, most_rows: int, *, is_titled: bool) -> Iterator[str]:
    rows = [[cell_text(cell) for cell in row] for row in table.rows[:most_rows]]
    if not table.is_list:
        rows.insert(0, [visible(column.title) for column in table.columns])
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    if is_titled:
        yield f"  {visible(table.title)}"
    for row in rows:
        padded = (
            text + " " * (width - _width(text)) for text, width in zip(row, widths, strict=True)
        )
        yield f"    {'  '.join(padded)}".rstrip()
    if table.total > most_rows:
        yield f"    … {table.total - most_rows:,} more (--json has all)"


def cell_text(cell: Cell) -> str:
    """A cell as text on one line."""
    return spaced(map(_part, cell))


def _part(part: Part) -> str:
    match part:
        case Text(text) | Link(text) | Person(text):
            return name(text, _NAME_LIMIT)
        case Words(text):
            return visible(shorten(text, _SENTENCE_LIMIT))
        case Number(text):
            return visible(shorten(text, _NAME_LIMIT))
        case Pair(old, new):
            return f"{_part(old)} → {_part(new)}"
        case State(mark, word):
            return f"{mark.value} {word}"
        case Move():
            percent = f"({part.percent})" if part.percent else ""
            return " ".join(filter(None, (part.arrow, part.amount, percent, part.effect.value)))
        case Break():
            return "·"


def _width(text: str) -> int:
    """Columns that a terminal gives it."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
