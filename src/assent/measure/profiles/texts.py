"""What has rows as text, written as Parquet twice: as it is written, and as what it says.

A column takes a type only if all of its values fit, so one value changes the type of all others.
Whoever then compares it with a column of another type compares the text that was written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from assent.measure import engine, fits
from assent.measure.dialect import Lines
from assent.measure.jsons import Objects

ROWS = "rows.parquet"
WRITTEN = "texts.parquet"
"""The files in a table's private folder: values, and texts."""

_SAID_ALIKE = frozenset({"VARCHAR", "BIGINT", "UBIGINT"})
"""Types whose values DuckDB says as they were written."""


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a table, and the types that those fit which were read as text."""

    names: tuple[str, ...] = ()
    types: dict[str, str] = {}

    def relation(self, folder: Path, names: Collection[str]) -> str | None:
        """What DuckDB reads the rows by, so that those of `names` that were text are as they were
        written; None if they are anyway.
        """
        wanted = frozenset(
            name for name in names if self.types.get(name, "VARCHAR") not in _SAID_ALIKE
        )
        if not wanted:
            return None
        columns = fits.cast_columns(self.names, self.types, leave=wanted)
        return f"(SELECT {columns} FROM {_parquet(folder / WRITTEN)})"


def write(
    connection: Any, format_: str, sources: Mapping[str, str], folder: Path, doing: str
) -> Texts:
    """Write the rows of `sources` into `folder`: files as DuckDB has them, with the names that
    people know. Nothing is written of what has no column.
    """
    target = folder / WRITTEN
    if format_ == "json":
        types = _write_objects(connection, list(sources), target)
    else:
        types = _write_lines(connection, sources, target, doing, "\t" if format_ == "tsv" else None)
    if not target.exists():
        return Texts()
    names = tuple(connection.sql(f"SELECT * FROM {_parquet(target)}").columns)
    columns = fits.cast_columns(names, types)
    engine.copy(connection, f"SELECT {columns} FROM {_parquet(target)}", folder / ROWS)
    return Texts(names=names, types=types)


def _write_lines(
    connection: Any, sources: Mapping[str, str], target: Path, doing: str, delimiter: str | None
) -> dict[str, str]:
    lines = Lines(connection, sources, doing, delimiter)
    if not lines.columns:
        return {}
    engine.copy(connection, f"SELECT * FROM {lines.relation()}", target)
    lines.require_sound()
    lines.require_one_header(_parquet(target))
    return fits.fitted(connection, _parquet(target), dict.fromkeys(lines.columns, fits.ALL))


def _write_objects(connection: Any, addresses: Sequence[str], target: Path) -> dict[str, str]:
    objects = Objects(connection, addresses, strings=fits.MOMENTS)
    if not objects.are_objects:
        listed = engine.texts(addresses)
        engine.copy(connection, f"SELECT * FROM read_json({listed}, sample_size = -1)", target)
        return {}
    if not objects.columns:
        return {}
    try:
        engine.copy(connection, f"SELECT * FROM {objects.relation()}", target)
    except engine.load("reading JSON").Error:  # a number in a list that is larger than its type
        engine.copy(connection, f"SELECT * FROM {objects.relation(is_nested=False)}", target)
    return fits.fitted(connection, _parquet(target), objects.candidates)


def _parquet(path: Path) -> str:
    return f"read_parquet({engine.text(str(path))}, hive_partitioning = false)"
