"""What has rows as text, written as Parquet twice: as it is written, and as what it says.

A column takes a type only if all of its values fit, so one value changes the type of all others.
Whoever then compares it with a column of another type compares the text that was written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from assent.measure import engine, fits, jsons
from assent.measure.dialect import AS_WRITTEN, Lines, Reading
from assent.measure.profiles.folders import NONE, Folders
from assent.measure.profiles.hints import hints

ROWS = "rows.parquet"
WRITTEN = "texts.parquet"
"""The files in a table's private folder: values, and texts."""

_RAW = "raw.parquet"
_WITHOUT_POINTS = tuple(type_ for type_ in fits.ALL if type_ not in ("DOUBLE", "DECIMAL"))
_ONE_OBJECT = (
    "it holds one object, which is one row; if it is a table by columns, write a list of rows, or "
    "one object a line"
)
_SAID_ALIKE = frozenset({"VARCHAR", "BIGINT", "UBIGINT"})
"""Types whose values DuckDB says as they were written."""


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a table, and the types that those fit which were read as text. `ragged` lines
    were left out; `notes` are what people should know.
    """

    names: tuple[str, ...] = ()
    types: dict[str, str] = {}
    ragged: int = 0
    notes: tuple[str, ...] = ()

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
    connection: Any,
    format_: str,
    sources: Mapping[str, str],
    folder: Path,
    doing: str,
    reading: Reading = AS_WRITTEN,
    folders: Folders = NONE,
) -> Texts:
    """Write the rows of `sources` into `folder`: files as DuckDB has them, with the names that
    people know, and with the columns of their `folders`. Nothing is written of what has no column
    itself.
    """
    target = folder / WRITTEN
    if format_ == "json":
        with jsons.explained(doing, sources):
            texts = _write_objects(connection, sources, target, reading, folders, doing)
    else:
        delimiter = "\t" if format_ == "tsv" else None
        lines = Lines(connection, sources, doing, delimiter, reading, beside=folders.option)
        folders.require_apart(lines.columns, doing)
        texts = Texts()
        if lines.columns:
            texts = _write_lines(connection, lines, target, reading, folders)
    if not target.exists():
        return Texts()
    names = tuple(connection.sql(f"SELECT * FROM {_parquet(target)}").columns)
    columns = fits.cast_columns(names, texts.types)
    engine.copy(connection, f"SELECT {columns} FROM {_parquet(target)}", folder / ROWS)
    return structs.replace(texts, names=names)


def _write_lines(
    connection: Any, lines: Lines, target: Path, reading: Reading, folders: Folders
) -> Texts:
    listed = ", ".join([*map(reading.value, lines.columns), *map(engine.name, folders.columns)])
    columns = [*lines.columns, *folders.columns]
    candidates: dict[str, tuple[str, ...]] = dict.fromkeys(lines.columns, fits.ALL)
    first = target if reading.decimal == "." else target.with_name(_RAW)
    relation = folders.relation(lines.relation(), are_texts=True)
    with lines.explained():
        engine.copy(connection, f"SELECT {listed} FROM {relation}", first)
    ragged, reasons = lines.require_sound(skip_ragged=reading.skip_ragged)
    lines.require_one_header(_parquet(first))
    if first != target:
        commas, points = fits.with_commas(connection, _parquet(first), lines.columns)
        engine.copy(connection, _with_points(columns, commas, _parquet(first)), target)
        first.unlink()
        candidates |= dict.fromkeys(points, _WITHOUT_POINTS)
    candidates |= _of_folders(folders)
    types = fits.fitted(connection, _parquet(target), candidates)
    rest = [column for column, type_ in types.items() if type_ == fits.TEXT]
    notes = [*lines.notes, *hints(connection, _parquet(target), rest)]
    if ragged:
        lines_are = "1 line was" if ragged == 1 else f"{ragged:,} lines were"
        notes.insert(0, f"{lines_are} left out: {reasons}")
    return Texts(types=types, ragged=ragged, notes=tuple(notes))


def _of_folders(folders: Folders) -> dict[str, tuple[str, ...]]:
    return {name: ("BIGINT",) if whole else () for name, whole in folders.columns.items()}


def _with_points(columns: Sequence[str], commas: Collection[str], relation: str) -> str:
    listed = ", ".join(
        f"replace({engine.name(column)}, ',', '.') AS {engine.name(column)}"
        if column in commas
        else engine.name(column)
        for column in columns
    )
    return f"SELECT {listed} FROM {relation}"


def _write_objects(
    connection: Any,
    sources: Mapping[str, str],
    target: Path,
    reading: Reading,
    folders: Folders,
    doing: str,
) -> Texts:
    objects = jsons.Objects(connection, list(sources), strings=fits.MOMENTS, beside=folders.option)
    if not objects.are_objects:
        listed = engine.texts(list(sources))
        read = f"read_json({listed}, sample_size = -1, {folders.option})"
        engine.copy(connection, f"SELECT * FROM {folders.relation(read)}", target)
        return Texts()
    if not objects.columns:
        return Texts()
    folders.require_apart(objects.columns.values(), doing)
    texts = objects.candidates
    columns = ", ".join(
        reading.value(column) if column in texts else engine.name(column)
        for column in objects.columns.values()
    )
    columns = ", ".join([columns, *map(engine.name, folders.columns)])
    try:
        relation = folders.relation(objects.relation(), are_texts=True)
        engine.copy(connection, f"SELECT {columns} FROM {relation}", target)
    except engine.load("reading JSON").Error:  # a number in a list that is larger than its type
        relation = folders.relation(objects.relation(is_nested=False), are_texts=True)
        engine.copy(connection, f"SELECT {columns} FROM {relation}", target)
    types = fits.fitted(connection, _parquet(target), texts | _of_folders(folders))
    (rows,) = connection.execute(f"SELECT count(*) FROM {_parquet(target)}").fetchone()
    is_whole = rows == 1 and not objects.candidates
    return Texts(types=types, notes=(_ONE_OBJECT,) if is_whole else ())


def _parquet(path: Path) -> str:
    return f"read_parquet({engine.text(str(path))}, {engine.NO_FOLDERS})"
