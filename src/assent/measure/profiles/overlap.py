"""What two tables share: the same rows, and the same keys."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from assent.core.profile import Overlap
from assent.errors import UsageError
from assent.measure import engine
from assent.measure.profiles.columns import Column
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
                (rows,) = connection.execute(
                    _same_rows(first.relation, left, second.relation, right)
                ).fetchone()
                keys = None
                if key:
                    (keys,) = connection.execute(
                        _same_keys(
                            first.relation,
                            [left[name] for name in key],
                            second.relation,
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
    quoted = engine.name(column.name)
    if column.type == other.type and column.counting != "text":
        return quoted
    if column.counting == "number" and other.counting == "number" and column.kind == other.kind:
        return f"CAST({quoted} AS TIMESTAMPTZ)" if column.kind == "time" else _float(quoted)
    return f"CAST({quoted} AS VARCHAR)"


def _float(quoted: str) -> str:
    return f"CAST({quoted} AS DOUBLE)"


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
