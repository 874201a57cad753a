"""What sections are made of: tables, lists, and cells of values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from assent.core.diff.sameness import Same
from assent.core.digest import Digest, hex_of, short
from assent.report.numbers import Shown, count
from assent.report.parts import (
    Cell,
    Column,
    Number,
    Pair,
    Part,
    Row,
    Table,
    Text,
    Words,
    cell,
)

MAX_ROWS = 5_000
"""The most rows that a table has."""
MOST_OPEN = 5
"""The most lines of a kind that nobody has to unfold."""
UNCHANGED = "unchanged"
"""The word for what was compared value by value and is equal; no section has another one."""
NOTHING = Words("\N{EN DASH}")
MEASURED = Column("Measured", is_of_numbers=True)
"""Of what has nothing to be compared with."""


def table(
    title: str,
    columns: tuple[str | Column, ...],
    rows: list[Row],
    total: int | None = None,
    *,
    kept: int = 0,
    fold: bool = False,
) -> Table:
    """A table; a column that is only named holds words."""
    return Table(
        title=title,
        columns=tuple(Column(column) if isinstance(column, str) else column for column in columns),
        rows=tuple(rows),
        total=len(rows) if total is None else total,
        kept=kept,
        is_folded=fold,
    )


def listing(title: str, lines: Iterable[str], limit: int = MAX_ROWS) -> Table:
    """Sentences as a table of one column. All are kept as long as possible."""
    all_lines = tuple(lines)
    rows: list[Row] = [(cell(Words(line)),) for line in all_lines[:limit]]
    return table(title, (title,), rows, total=len(all_lines), kept=len(rows))


def lines(title: str, given: Sequence[str]) -> tuple[Table, ...]:
    """Sentences as a list of which a comment shows the first, and unfolds the others."""
    first, rest = given[:MOST_OPEN], given[MOST_OPEN:]
    more = listing(f"{title}: {count(len(rest), 'other')}", rest)
    return filled(listing(title, first), msgspec.structs.replace(more, is_folded=True))


def filled(*tables: Table) -> tuple[Table, ...]:
    """The tables that have rows."""
    return tuple(table for table in tables if table.rows)


def tally(counts: list[tuple[int, str]]) -> Cell:
    """Counts with their words, without those that are 0."""
    return cell(Words(", ".join(f"{n:,} {word}" for n, word in counts if n)))


def unchanged(same: Same, what: str = "") -> Cell:
    """That everything was looked at and is the same: only who holds a `Same` can say it."""
    return cell(Words(f"{UNCHANGED} ({what or format(same.things, ',')})"))


def part(shown: Shown) -> Text | Number:
    """A value as its cell shows it."""
    return Text(shown.text) if shown.is_text else Number(shown.text)


def both(old: Shown, new: Shown) -> Cell:
    """A value before and after."""
    return (Pair(part(old), part(new)),)


def named(names: Sequence[str], most: int, conjunction: str) -> Cell:
    """Names as an enumeration, the last of which says how many are left out."""
    shown: list[Part] = [Text(name) for name in names[:most]]
    if len(names) > most:
        left = len(names) - most
        shown.append(Words(count(left, "other")))
    enumeration: list[Part] = []
    for at, listed in enumerate(shown):
        if at:
            enumeration.append(Words(conjunction if at == len(shown) - 1 else ","))
        enumeration.append(listed)
    return tuple(enumeration)


def digits(digest: Digest) -> str:
    """Twelve digits: the kind of digest is said elsewhere, and two of them fit on a phone."""
    return hex_of(Digest(short(digest)))
