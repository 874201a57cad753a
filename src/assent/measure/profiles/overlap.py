"""What two tables share: the same rows, and the same keys."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from assent.core.profile import Overlap
from assent.errors import UsageError
from assent.measure import engine
from assent.measure.profiles.columns import NUMBERS, Column
from assent.measure.profiles.reading import Table, connect, require_columns


def overlap(
    first: Table, second: Table, *, names: tuple[str, str], key: Sequence[str] = ()
) -> Overlap:
    """How many rows of `second` are in `first` too, and how many have a key that is there too.

    Rows are compared in the columns that both tables have, by two hashes of 64 bits; a null equals
    a null. A key with a null in it equals no key. Raises `UsageError` for a missing key column and
    for tables without a column in common.
    """
    doing = f"comparing {names[0]} with {names[1]}"
    for table in (first, second):
        require_columns(table, key, "part of the key")
    if first.rows == 0 or second.rows == 0:
        nothing = 0 if key else None
        return Overlap(first=names[0], second=names[1], of=second.rows, rows=0, keys=nothing)
    left, right = shared(first, second)
    if not left:
        raise UsageError(doing, "they have no column in common")
    with tempfile.TemporaryDirectory(prefix="assent-") as folder:
        connection = connect(doing, Path(folder), (first, second))
        try:
            with engine.explained(doing):
                one, two = relation_of(first, second), relation_of(second, first)
                (rows,) = connection.execute(_same_rows(one, left, two, right)).fetchone()
                keys = None
                if key:
                    (keys,) = connection.execute(
                        _same_keys(
                            one,
                            [left[name] for name in key],
                            two,
                            [right[name] for name in key],
                        )
                    ).fetchone()
        finally:
            connection.close()
    return Overlap(first=names[0], second=names[1], of=second.rows, rows=rows, keys=keys)


def shared(first: Table, second: Table) -> tuple[dict[str, str], dict[str, str]]:
    """The columns that both have, by name, as SQL for either side that can be compared."""
    there = {column.name: column for column in second.columns}
    left: dict[str, str] = {}
    right: dict[str, str] = {}
    for column in sorted(first.columns, key=lambda column: column.name):
        other = there.get(column.name)
        if other is not None:
            left[column.name] = _compared(column, other)
            right[column.name] = _compared(other, column)
    return left, right


def _compared(column: Column, other: Column) -> str:
    """The column in SQL, so that equal values of both are equal, and no digit is lost."""
    return _by_value(column, other) or f"CAST({engine.name(column.name)} AS VARCHAR)"


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
    quoted = engine.name(column.name)
    if column.type == other.type and column.counting != "text":
        return quoted
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
    digits: a float has 53 bits of them, so a whole one is written out.
    """
    if type_ in _WHOLE and other in _WHOLE:
        return f"CAST({quoted} AS HUGEINT)"
    if type_ in _FLOATS and (other in _FLOATS or _scale(other)):
        return f"CAST({quoted} AS DOUBLE)"
    if _scale(type_):
        if other in _FLOATS:
            return f"CAST({quoted} AS DOUBLE)"
        return f"rtrim(rtrim(CAST({quoted} AS VARCHAR), '0'), '.')"
    if type_ in _FLOATS:
        whole = f"isfinite({quoted}) AND {quoted} = trunc({quoted}) AND abs({quoted}) < 1e38"
        return (
            f"CASE WHEN {whole} THEN CAST(CAST({quoted} AS HUGEINT) AS VARCHAR) "
            f"ELSE CAST({quoted} AS VARCHAR) END"
        )
    return f"CAST({quoted} AS VARCHAR)"


_FLOATS = frozenset({"float", "double"})
_WHOLE = frozenset(NUMBERS.values()) - _FLOATS


def _scale(type_: str) -> bool:
    """Whether a type is of decimals with digits behind the point."""
    return type_.startswith("decimal") and not type_.endswith(", 0)")


def _same_rows(first: str, left: dict[str, str], second: str, right: dict[str, str]) -> str:
    def hashed(relation: str, columns: Sequence[str]) -> str:
        listed, reverse = ", ".join(columns), ", ".join(columns[::-1])
        return f"SELECT hash({listed}) AS h, hash('second', {reverse}) AS g FROM {relation}"

    return (
        f"SELECT count(*) FROM ({hashed(second, list(right.values()))}) "
        f"SEMI JOIN ({hashed(first, list(left.values()))}) USING (h, g)"
    )


def _same_keys(first: str, left: Sequence[str], second: str, right: Sequence[str]) -> str:
    def named(relation: str, columns: Sequence[str]) -> str:
        listed = ", ".join(f"{column} AS k{place}" for place, column in enumerate(columns))
        return f"SELECT {listed} FROM {relation}"

    keys = ", ".join(f"k{place}" for place in range(len(left)))
    return (
        f"SELECT count(*) FROM ({named(second, right)}) "
        f"SEMI JOIN ({named(first, left)}) USING ({keys})"
    )
