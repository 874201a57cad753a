"""Sections as plain text for a terminal: a title, a sentence, and tables whose columns line up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assent.report import lines
from assent.report.escape import name, shorten, visible
from assent.report.parts import (
    Break,
    Cell,
    Move,
    Number,
    Pair,
    Part,
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


def to_text(
    sections: Sequence[Section], *, most_rows: int = MOST_ROWS, columns: int | None = None
) -> str:
    """The sections, in lines of at most `columns` if that is given. Of long tables the first rows,
    with a count of the others.
    """
    return "\n".join(line for section in sections for line in _section(section, most_rows, columns))


def _section(section: Section, most_rows: int, columns: int | None) -> Iterator[str]:
    heading = f"{visible(section.title)}: {_cell(section.summary)}"
    yield from lines.wrapped(heading, columns, then="  ")
    for note in section.notes:
        yield from lines.wrapped(_cell(note), columns, first="  ", then="    ")
    for table in section.tables:
        most = min(most_rows, MOST_FOLDED_ROWS) if table.is_folded else most_rows
        yield from _table(table, most, columns, is_titled=table.title != section.title)


def _table(table: Table, most_rows: int, columns: int | None, *, is_titled: bool) -> Iterator[str]:
    rows = [[_cell(cell) for cell in row] for row in table.rows[:most_rows]]
    if not table.is_list:
        rows.insert(0, [visible(column.title) for column in table.columns])
    if is_titled:
        yield f"  {visible(table.title)}"
    yield from lines.table(rows, columns, indent=4)
    if table.total > most_rows:
        yield f"    … {table.total - most_rows:,} more (--json has all)"


def _cell(cell: Cell) -> str:
    return spaced(map(_part, cell))


def _part(part: Part) -> str:
    match part:
        case Text(text):
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
