"""What is taken out of nested columns to be counted as columns of its own.

The fields of a struct are columns (`address.city`); of a list of numbers its norm is one, and where
all lists have the same few numbers, each of these (`embedding[0]`). What has no such parts is known
by its length or by its nulls alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from assent.core.profile import ColumnProfile
from assent.measure import engine
from assent.measure.profiles.columns import Column, column_of_duckdb, has_clear_names

MAX_DEPTH = 4
"""Structs within structs that are unpacked."""

MAX_PARTS = 200
"""Columns that one struct may become. Of one with more, only the outer levels are unpacked: a level
is there with all of its fields, or with none.
"""

MAX_DIMENSIONS = 32
"""Numbers of a list that are columns of their own."""

MAX_VALUES = 64_000_000
"""And of all its rows together."""

FIRST = 1_000
"""Rows that are looked at first, to see whether lists are of one length."""

Sizes = Callable[[Column, int | None], tuple[int | None, int | None]]
"""The least and the largest size of the lists of a column, in its first rows or in all."""


def fields_of(column: Column, type_: Any, units: Mapping[str, str]) -> tuple[Column, ...]:
    """The fields of a struct, whose type in DuckDB is `type_`, and of those within it, as deep as
    there is room for all; none of anything else. `units` are those of moments by name.
    """
    for depth in range(MAX_DEPTH, 0, -1):
        fields = tuple(_inner(column, type_, units, depth))
        if len(fields) <= MAX_PARTS:
            return fields
    return ()


def _inner(column: Column, type_: Any, units: Mapping[str, str], depth: int) -> Iterator[Column]:
    fields = type_.children if depth and type_.id == "struct" else []
    names = [name for name, _ in fields]
    if "\0" in "".join(names) or not has_clear_names(names):
        return  # which is which cannot be said
    for name, inner in fields:
        part = replace(
            column_of_duckdb(name, inner, units.get(name, "us")),
            name=f"{column.name}.{_said(name)}",
            of=column.name,
            sql=f"struct_extract({column.read}, {engine.text(name)})",
        )
        yield part
        yield from _inner(part, inner, units, depth - 1)


def _said(field: str) -> str:
    """The name of a field, in quotes where it could be taken for a path."""
    return '"' + field.replace('"', '""') + '"' if set(field) & set('."[]()') else field


def unpacked(
    columns: Sequence[Column],
    fields: Mapping[str, Sequence[Column]],
    rows: int,
    left_out: Collection[str],
    baseline: Sequence[ColumnProfile],
    sizes: Sizes,
) -> list[Column]:
    """The columns, each with its parts behind it: its `fields`, and what is in its lists. What is
    left out is not looked into.
    """
    parts = {
        column.name: [
            part
            for given in (column, *fields.get(column.name, ()))
            for part in ((given,) if given.of else ()) + _numbers_of(given, rows, baseline, sizes)
        ]
        for column in columns
        if column.name not in left_out
    }
    return flat(columns, parts)


def _numbers_of(
    column: Column, rows: int, baseline: Sequence[ColumnProfile], sizes: Sizes
) -> tuple[Column, ...]:
    """The norm and the dimensions of a list of numbers. What is null in it counts nothing."""
    if column.elements is None:
        return ()
    given = column.read
    squares = f"list_transform({given}, lambda x: CAST(x AS DOUBLE) * CAST(x AS DOUBLE))"
    norm = Column(
        name=f"{column.name} (norm)",
        type="double",
        kind="number",
        counting="number",
        is_direct=True,
        sql=f"CASE WHEN {given} IS NOT NULL THEN sqrt(coalesce(list_sum({squares}), 0)) END",
        of=column.name,
        is_derived=True,
    )
    count = known_dimensions(column, rows, baseline)
    if count is None:
        count = _dimensions(column, rows, sizes)
    dimensions = (
        replace(
            column.elements,
            name=f"{column.name}[{at}]",
            sql=f"list_extract({given}, {at + 1})",
            of=column.name,
        )
        for at in range(count)
    )
    return (norm, *dimensions)


def _dimensions(column: Column, rows: int, sizes: Sizes) -> int:
    """How many numbers all lists have, if that is few."""
    count = 0
    for first in (FIRST, None):
        least, most = sizes(column, first)
        count = fitting_dimensions(least, most, rows)
        if count == 0 and least is not None:
            return 0
    return count


def known_dimensions(
    column: Column, rows: int, baseline: Iterable[ColumnProfile] | None
) -> int | None:
    """How many numbers of a list are columns, if that is known: as many as in the baseline, and
    none of too many rows. None if the lists must be looked at.
    """
    if column.elements is None:
        return 0
    known = 0
    for old in baseline or ():
        known += old.of == column.name and old.name == f"{column.name}[{known}]"
    there = known > 0 or any(old.of == column.name for old in baseline or ())
    if known * rows > MAX_VALUES or rows > MAX_VALUES:
        return 0
    return min(known, MAX_DIMENSIONS) if there else None


def fitting_dimensions(least: int | None, most: int | None, rows: int) -> int:
    """How many numbers of a list are columns, whose lists have so many at least and at most."""
    if least is None or least != most or least > MAX_DIMENSIONS or least * rows > MAX_VALUES:
        return 0
    return least


def flat(columns: Sequence[Column], parts: Mapping[str, Sequence[Column]]) -> list[Column]:
    """The columns, each with its parts behind it. No two have the same name: a part that is called
    like a column is told from it.
    """
    taken = {column.name for column in columns}
    flattened: list[Column] = []
    for column in columns:
        flattened.append(column)
        renamed = {column.name: column.name}
        for part in parts.get(column.name, ()):
            name = part.name
            while name in taken:
                name += " (part)"
            taken.add(name)
            renamed[part.name] = name
            flattened.append(replace(part, name=name, of=renamed[part.of]))
    return flattened


def without(columns: Sequence[Column], left_out: Collection[str]) -> list[Column]:
    """The columns but those left out, and what was taken out of them."""
    gone = set(left_out)
    kept: list[Column] = []
    for column in columns:
        if column.name in gone or column.of in gone:
            gone.add(column.name)
        else:
            kept.append(column)
    return kept


def content(columns: Sequence[Column], apart: Collection[str]) -> list[Column]:
    """What a row of a table holds without the columns `apart`; `columns` are all of them with their
    parts. Of a struct with a field that is apart, it is the fields that are left. A list is one
    value, whatever is taken out of it.
    """
    kept = without(columns, apart)
    there = {column.name: column for column in columns}
    names = {column.name for column in kept}
    opened: set[str] = set()
    for column in columns:
        while column.name not in names and column.of and there[column.of].type.startswith("struct"):
            names.discard(column.of)
            opened.add(column.of)
            column = there[column.of]
    return [
        column for column in kept if column.name in names and (not column.of or column.of in opened)
    ]


def unknown(left_out: Sequence[str], columns: Iterable[Column]) -> list[str]:
    """The names that are left out and not there. What is left out is not unpacked, so that nobody
    knows its parts.
    """
    there = {column.name for column in columns}
    return [
        name
        for name in left_out
        if name not in there
        and not any(name.startswith((f"{left}.", f"{left}[", f"{left} (")) for left in left_out)
    ]
