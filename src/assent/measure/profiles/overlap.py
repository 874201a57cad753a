"""What two tables share: rows of the same content, nearly the same rows, and the same keys."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from assent.core.profile import Overlap
from assent.errors import UsageError
from assent.measure import engine
from assent.measure.profiles import near, parts
from assent.measure.profiles.columns import NUMBERS, TICKS, Column
from assent.measure.profiles.fingerprints import told_apart
from assent.measure.profiles.reading import Table, connect, require_columns

_SAMPLE = 20_000
"""Rows by which it is told whether the numbers of a side were rounded."""

_NO_ROUNDING: Mapping[str, int] = {}


def overlap(
    first: Table,
    second: Table,
    *,
    names: tuple[str, str],
    key: Sequence[str] = (),
    without: Collection[str] = (),
) -> Overlap:
    """How many rows of `second` are in `first` too, how many nearly, and how many have a key that
    is there too.

    A row is its content: what both tables have without `key`, and without the columns of `without`
    (keys of one of them, and what is left out). Where nothing else is there, it is the key. Rows
    are compared by two hashes of 64 bits, nearly the same ones by one; a null equals a null. A key
    with a null in it equals no key. Each table is read once for the rows, and once for the keys;
    what is held are the hashes of `second`, and of what is found. Raises `UsageError` for a missing
    key column and for tables without a column to compare.
    """
    doing = f"comparing {names[0]} with {names[1]}"
    for table in (first, second):
        require_columns(table, key, "part of the key")
    sides = content_of((first, second), key, without)
    content = list(shared(*sides)[0])
    if first.rows == 0 or second.rows == 0:
        nothing = 0 if key else None
        return Overlap(
            first=names[0],
            second=names[1],
            of=second.rows,
            rows=0,
            keys=nothing,
            near=0,
            columns=len(content),
        )
    if not content:
        apart = " but keys and what is left out" if shared(first.columns, second.columns)[0] else ""
        raise UsageError(doing, f"they have no column in common{apart}")
    keys = None
    with tempfile.TemporaryDirectory(prefix="assent-") as folder:
        connection = connect(doing, Path(folder), (first, second))
        try:
            with engine.explained(doing):
                relations = relation_of(first, second), relation_of(second, first)
                rows, nearly = _Pair(connection, relations, sides).rows()
                if key:
                    given = shared(first.columns, second.columns)
                    keys = _same_keys(connection, relations, given, key)
        finally:
            connection.close()
    return Overlap(
        first=names[0],
        second=names[1],
        of=second.rows,
        rows=rows,
        keys=keys,
        near=nearly,
        columns=len(content),
    )


class Described(Protocol):
    """Something that has columns, and those that are structs have fields."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns in their order."""

    @property
    def fields(self) -> Mapping[str, Sequence[Column]]:
        """The fields of each column that is a struct."""


def content_of(
    both: Sequence[Described], key: Sequence[str], without: Collection[str]
) -> list[list[Column]]:
    """What the rows of both hold; the key, where they share nothing else."""
    apart = {*key, *without}
    sides = [parts.content(parts.flat(side.columns, side.fields), apart) for side in both]
    if not shared(*sides)[0]:
        return [[column for column in side.columns if column.name in key] for side in both]
    return sides


class _Pair:
    """What the rows of both tables hold, in one connection."""

    def __init__(
        self, connection: Any, relations: tuple[str, str], sides: Sequence[Sequence[Column]]
    ) -> None:
        self.connection = connection
        self.relations = relations
        self.sides = sides

    def rows(self) -> tuple[int, int]:
        """The rows of the second table that are in the first too, and those that are nearly."""
        hashed = row_hashes(self.sides, self._rounding())
        first, second = (
            f"SELECT {listed} FROM {relation}"
            for listed, relation in zip(hashed, self.relations, strict=True)
        )
        run = self.connection.execute
        run(f"CREATE TEMP TABLE second_rows AS {second}")
        # What is the same is nearly the same, so that one pass over the first table finds both.
        run(
            f"CREATE TEMP TABLE found AS SELECT DISTINCT n, h, g FROM ({first}) "
            "SEMI JOIN second_rows USING (n)"
        )
        counts = [
            run(f"SELECT count(*) FROM second_rows SEMI JOIN found USING ({by})").fetchone()[0]
            for by in ("n, h, g", "n")
        ]
        return counts[0], counts[1]

    def _rounding(self) -> dict[str, int]:
        """The decimals that the numbers of each column have on the side that has fewer of them: who
        rounds to these meets what was rounded to them.
        """
        measured = [pair for pair in _pairs(self.sides) if _is_measured_pair(*pair)]
        digits: dict[str, int] = {}
        for side, relation in enumerate(self.relations if measured else ()):
            asked = ", ".join(near.decimals(pair[side].read) for pair in measured)
            rows = f"(SELECT * FROM {relation} LIMIT {_SAMPLE})"
            counted = self.connection.execute(f"SELECT {asked} FROM {rows}").fetchone()
            for (column, _), places in zip(measured, counted, strict=True):
                if places is not None:
                    digits[column.name] = min(places, digits.get(column.name, places))
        return digits


def row_hashes(
    sides: Sequence[Sequence[Column]], rounding: Mapping[str, int] = _NO_ROUNDING
) -> list[str]:
    """The rows of each side as hashes in SQL: `n` of what is nearly the same, `h` and `g` of the
    same. `rounding` are the decimals that numbers are rounded to, by the names of their columns.
    """
    hashes = []
    for side, same in enumerate(shared(*sides)):
        exact = list(same.values())
        nearly = [
            _nearly(pair[side], pair[1 - side], value, rounding.get(pair[0].name))
            for pair, value in zip(_pairs(sides), exact, strict=True)
        ]
        hashes.append(
            f"hash({', '.join(nearly)}) AS n, hash({', '.join(exact)}) AS h, "
            f"hash('second', {', '.join(exact[::-1])}) AS g"
        )
    return hashes


def _pairs(sides: Sequence[Sequence[Column]]) -> list[tuple[Column, Column]]:
    first, second = ({column.name: column for column in side} for side in sides)
    return [(first[name], second[name]) for name in shared(*sides)[0]]


def _same_keys(
    connection: Any,
    relations: tuple[str, str],
    given: tuple[dict[str, str], dict[str, str]],
    key: Sequence[str],
) -> int:
    """The rows of the second table whose key is in the first."""
    sides = [
        f"SELECT {', '.join(f'{of[name]} AS k{at}' for at, name in enumerate(key))} FROM {relation}"
        for of, relation in zip(given, relations, strict=True)
    ]
    by = ", ".join(f"k{at}" for at in range(len(key)))
    query = f"SELECT count(*) FROM ({sides[1]}) SEMI JOIN ({sides[0]}) USING ({by})"
    return int(connection.execute(query).fetchone()[0])


def _is_measured_pair(column: Column, other: Column) -> bool:
    """Whether two columns are of numbers that somebody may have rounded."""
    are_numbers = _by_value(column, other) is not None and column.kind == "number"
    if not are_numbers or _is_measured(column):
        return False
    return any(side.type in _FLOATS or _scale(side.type) for side in (column, other))


def _nearly(column: Column, other: Column, exact: str, places: int | None) -> str:
    """The column in SQL, so that values of both that are nearly the same are equal."""
    if _is_measured_pair(column, other):
        if {column.type, other.type} == _FLOATS:  # one is likely a copy in single precision
            return near.rounded(f"CAST({column.read} AS FLOAT)")
        return near.rounded(column.read, places)
    if _by_value(column, other) is not None:
        return exact
    if "number" in (column.counting, other.counting):
        return near.as_number(exact)
    return near.unspaced(exact)


def shared(
    first: Sequence[Column], second: Sequence[Column]
) -> tuple[dict[str, str], dict[str, str]]:
    """The columns that both have, by name, as SQL for either side that can be compared."""
    there = {column.name: column for column in second}
    left: dict[str, str] = {}
    right: dict[str, str] = {}
    for column in sorted(first, key=lambda column: column.name):
        other = there.get(column.name)
        if other is not None:
            left[column.name] = _compared(column, other)
            right[column.name] = _compared(other, column)
    return left, right


def _compared(column: Column, other: Column) -> str:
    """The column in SQL, so that equal values of both are equal and others have another hash, and
    no digit is lost.
    """
    value = _by_value(column, other)
    return f"CAST({_in_order(column)} AS VARCHAR)" if value is None else told_apart(column, value)


def _in_order(column: Column) -> str:
    """The column in SQL, the fields of its structs by name: their order is no value."""
    return f"CAST({column.read} AS {column.ordered})" if column.ordered else column.read


def relation_of(table: Table, other: Table) -> str:
    """What `table` is read by to be compared with `other`: where a column can only be compared by
    its text, that is the text which was written.
    """
    there = {column.name: column for column in other.columns}
    return table.with_texts(
        [
            column.name
            for column in table.columns
            if column.name in there and _by_value(column, there[column.name]) is None
        ]
    )


def _by_value(column: Column, other: Column) -> str | None:
    quoted = column.read
    if column.type == other.type and column.counting != "text":
        return quoted
    if column.ordered and column.ordered == other.ordered:
        return _in_order(column)
    if column.ticks and other.ticks:
        return f"CAST({quoted} AS HUGEINT) * {NANOSECONDS // column.ticks}"
    if column.counting == "number" and other.counting == "number" and column.kind == other.kind:
        if column.kind == "time":
            return _moment(quoted, column.type)
        if column.type.startswith("time") and other.type.startswith("time"):
            return f"epoch_ns({quoted})"
        if _is_measured(column) == _is_measured(other) == "":
            return _number(quoted, column.type, other.type)
    return None


def _is_measured(column: Column) -> str:
    """The word of a type that is no plain number, or nothing."""
    return next((word for word in ("time", "duration") if column.type.startswith(word)), "")


def _moment(quoted: str, type_: str) -> str:
    """A date or a moment as nanoseconds since 1970, of any year. Without a zone it is of UTC."""
    if type_.startswith("timestamp[ns"):
        return f"CAST(epoch_ns({quoted}) AS HUGEINT)"
    if type_.startswith("date"):
        quoted = f"CAST({quoted} AS TIMESTAMP)"
    return f"CAST(epoch_us({quoted}) AS HUGEINT) * 1000"


def _number(quoted: str, type_: str, other: str) -> str:
    """A number beside one of another type. Floats are compared as floats, all others by their
    digits: a float has 53 bits of them, so a whole one is written out. A decimal of few digits is
    the float that is nearest to it, one of more than any float has is none.
    """
    if type_ in _WHOLE and other in _WHOLE:
        return f"CAST({quoted} AS HUGEINT)"
    if type_ in _FLOATS and other in _FLOATS:
        return f"CAST({quoted} AS DOUBLE)"
    if _scale(type_):
        digits = f"rtrim(rtrim(CAST({quoted} AS VARCHAR), '0'), '.')"
        if other not in _FLOATS:
            return digits
        significant = f"length(ltrim(replace({digits}, '.', ''), '-0'))"
        is_short = f"contains({digits}, '.') AND {significant} <= {_SURE_DIGITS}"
        return f"CASE WHEN {is_short} THEN {_as_double(quoted)} ELSE {digits} END"
    if type_ in _FLOATS:
        whole = f"isfinite({quoted}) AND {quoted} = trunc({quoted}) AND abs({quoted}) < 1e38"
        written = _as_double(quoted) if _scale(other) else f"CAST({quoted} AS VARCHAR)"
        return (
            f"CASE WHEN {whole} THEN CAST(CAST({quoted} AS HUGEINT) AS VARCHAR) ELSE {written} END"
        )
    return f"CAST({quoted} AS VARCHAR)"


def _as_double(quoted: str) -> str:
    return f"CAST(CAST({quoted} AS DOUBLE) AS VARCHAR)"


_SURE_DIGITS = 15
"""Two decimals of so many digits are never one float."""


NANOSECONDS = TICKS["ns"]
_FLOATS = frozenset({"float", "double"})
_WHOLE = frozenset(NUMBERS.values()) - _FLOATS


def _scale(type_: str) -> bool:
    """Whether a type is of decimals with digits behind the point."""
    return type_.startswith("decimal") and not type_.endswith(", 0)")
