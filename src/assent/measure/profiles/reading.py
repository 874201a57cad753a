"""Tables: data sets wherever they lie, read in one way.

A table is Parquet in the end. Parquet files are read where they are. What has rows instead of
columns (CSV, JSON Lines, Arrow files, a database's table or query) is read once, and written as
Parquet into a private folder that goes with the table; so its memory is bounded, and a database
shows one state. DuckDB reads, and pyarrow where it is faster.
"""

from __future__ import annotations

import os
import tempfile
import threading
import urllib.parse
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self

from assent.errors import AssentError, UsageError
from assent.measure import engine, files, pointers
from assent.measure.dialect import AS_WRITTEN, Reading
from assent.measure.profiles import databases, durations, texts
from assent.measure.profiles.columns import Column, column_of_duckdb, duration
from assent.measure.profiles.direct import ParquetFiles, open_files
from assent.measure.profiles.folders import NONE, Folders, folders_of, of_columns
from assent.measure.profiles.parts import fields_of
from assent.measure.redaction import redact_text

FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".parq": "parquet",
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}
COMPRESSED = frozenset({".gz", ".zst"})
_GLOB = frozenset("*?[]{}")
"""Characters that DuckDB takes for a pattern."""

_UNITS = """
    SELECT name, CASE
        WHEN bool_and(coalesce(logical_type LIKE 'Time%MILLIS=Milli%', false)
            OR coalesce(converted_type IN ('TIME_MILLIS', 'TIMESTAMP_MILLIS'), false)) THEN 'ms'
        WHEN bool_or(logical_type LIKE 'Time%NANOS=Nano%') THEN 'ns'
        ELSE 'us' END
    FROM parquet_schema({}) WHERE name IS NOT NULL GROUP BY name
"""

MAX_DIGITS = 38
"""Digits of the longest decimals of DuckDB."""

_LONG_DECIMALS = f"""
    SELECT name, max(precision) FROM parquet_schema({{}}) WHERE precision > {MAX_DIGITS}
    GROUP BY name ORDER BY name LIMIT 1
"""

Show = Callable[[str], str]


class Table:
    """A data set that can be read. `relation` is what DuckDB reads it by, `paths` are the Parquet
    files below it, `listed` the same in SQL. Close it, or use it in `with`: its private folder goes
    with it.
    """

    def __init__(
        self,
        source: str,
        folder: tempfile.TemporaryDirectory[str],
        reading: Reading = AS_WRITTEN,
        show: Show = str,
    ) -> None:
        self.reading = reading
        self.show = show
        self.source = redact_text(show(source))
        self.doing = f"reading {self.source}"
        self.relation = ""
        self.listed = ""
        self.paths: tuple[Path, ...] = ()
        self.texts = texts.Texts()
        self.address: str | None = None
        self.direct: ParquetFiles | None = None
        self._folder = folder
        self._connection: Any = None
        self._opening = threading.Lock()
        self._fields: dict[str, tuple[Column, ...]] = {}
        self._columns: tuple[Column, ...] | None = None
        self._rows: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything that was opened."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._folder.cleanup()

    @property
    def folder(self) -> Path:
        """A private folder, for what must be written to be read."""
        return Path(self._folder.name)

    @property
    def connection(self) -> Any:
        """DuckDB, which can read this table and nothing else."""
        with self._opening:  # columns are counted in several threads
            if self._connection is None:
                self._connection = connect(self.doing, self.folder, (self,))
            return self._connection

    def with_texts(self, names: Collection[str]) -> str:
        """The relation, where the columns of `names` that were read as text are as they were
        written.
        """
        return self.texts.relation(self.folder, names) or self.relation

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns in their order."""
        if self._columns is None:
            if self.direct is not None and self.direct.is_complete:
                self._columns = tuple(self.direct.columns.values())
            elif not self.relation:
                self._columns = ()
            else:
                self._columns = self._described()
        return self._columns

    @property
    def fields(self) -> dict[str, tuple[Column, ...]]:
        """The fields of each column that is a struct."""
        return self._fields if self.columns else {}

    @property
    def rows(self) -> int:
        """The number of rows."""
        if self._rows is None:
            if self.direct is not None:
                self._rows = self.direct.rows
            elif not self.relation:
                self._rows = 0
            else:
                with engine.explained(self.doing):
                    counted = self.connection.execute(f"SELECT count(*) FROM {self.relation}")
                    self._rows = int(counted.fetchone()[0])
        return self._rows

    def _described(self) -> tuple[Column, ...]:
        with engine.explained(self.doing):
            relation = self.connection.sql(f"SELECT * FROM {self.relation}")
            fields = list(zip(relation.columns, relation.types, strict=True))
            units: dict[str, str] = {}
            if self.listed and any("DOUBLE" in str(type_) for _, type_ in fields):
                self._require_digits()
            if self.listed and any("TIME" in str(type_) for _, type_ in fields):
                units = dict(self.connection.execute(_UNITS.format(self.listed)).fetchall())
            columns = tuple(
                column_of_duckdb(name, type_, units.get(name, "us")) for name, type_ in fields
            )
            for column, (_, type_) in zip(columns, fields, strict=True):
                self._fields[column.name] = fields_of(column, type_, units)
            if not self.listed or not any(column.type == "int64" for column in columns):
                return columns
            lengths = durations.units(self.connection, self.listed, self.doing)
            return tuple(
                duration(column.name, lengths[column.name])
                if column.name in lengths and column.type == "int64"
                else column
                for column in columns
            )

    def _require_digits(self) -> None:
        """Refuse decimals of more digits than DuckDB has: it would read floats in their place."""
        row = self.connection.execute(_LONG_DECIMALS.format(self.listed)).fetchone()
        if row is not None:
            name, digits = row
            raise UsageError(
                self.doing,
                f"{name!r} has decimals of {digits} digits, and only {MAX_DIGITS} can be read",
                hint=f"write it as decimals of at most {MAX_DIGITS} digits, or as text",
            )


def connect(doing: str, folder: Path, tables: Sequence[Table]) -> Any:
    """DuckDB, which can read these tables and nothing else on this machine."""
    connection = engine.connect(doing, folder)
    addresses = [table.address for table in tables if table.address is not None]
    if addresses:
        connection.execute("SET GLOBAL disable_parquet_prefetching = false")
    for address in addresses:
        databases.reach(connection, address, doing)
    if not addresses:
        paths = [path for table in tables for path in table.paths]
        paths += [table.folder / texts.WRITTEN for table in tables if table.texts.types]
        engine.confine(connection, paths, [folder])
    return connection


def open_table(
    root: Path,
    source: str,
    *,
    use_pyarrow: bool = True,
    reading: Reading = AS_WRITTEN,
    show: Show = str,
) -> Table:
    """The table that `source` names: a file, a folder or a glob below `root`, with the columns of
    folders such as `year=2026`; an address (`s3://…`, `https://…`); or a database and a table or
    query (`duckdb:<file>?<table or query>`, `sqlite:<file>?…`, `postgres:<connection>?…`). `show`
    gives the name of a file below `root` as people have written it.

    Raises `UsageError` for what cannot be read, and where `reading` says something about text that
    is not there; `OutsideError` for what cannot be reached.
    """
    folder = tempfile.TemporaryDirectory(prefix="assent-", ignore_cleanup_errors=True)
    table = Table(source, folder, reading, show)
    try:
        engine.require(table.doing)
        if databases.is_database(source):
            _require_use(table, "database")
            table.texts = databases.write(root, source, table.folder, table.doing)
            _use_written(table, use_pyarrow=use_pyarrow)
        elif "://" in source:
            _open_address(table, source, use_pyarrow=use_pyarrow)
        else:
            _open_files(table, root, source, use_pyarrow=use_pyarrow)
    except BaseException:
        table.close()
        raise
    return table


def _open_files(table: Table, root: Path, source: str, *, use_pyarrow: bool) -> None:
    paths, format_ = _found(table, root, source)
    _require_use(table, format_)
    if format_ == "parquet":
        _use_parquet(table, root, paths, use_pyarrow=use_pyarrow)
        return
    paths = [path for path in paths if path.stat().st_size > 0]
    if not paths:
        return  # an empty file has no columns
    names = _names(table, root, paths)
    folders = folders_of(table.doing, names)
    if format_ == "arrow":
        _rewrite_arrow(table, dict(zip(paths, names, strict=True)), folders)
    else:
        safe = _without_patterns(table, names, paths)
        connection = engine.connect(table.doing, table.folder)
        try:
            engine.confine(connection, safe, [table.folder])
            sources = dict(zip(map(str, safe), names, strict=True))
            _rewrite(table, format_, sources, connection, folders)
        finally:
            connection.close()
    _use_written(table, use_pyarrow=use_pyarrow)


def _names(table: Table, root: Path, paths: Sequence[Path]) -> list[str]:
    """The files as people have named them."""
    return [table.show(files.relative_name(root, path)) for path in paths]


def _require_use(table: Table, format_: str) -> None:
    """Refuse what is set about text and says nothing about this: who set it believes otherwise."""
    unused = table.reading.unused(format_)
    if unused:
        named = " and ".join(f"`{name}`" for name in unused)
        raise UsageError(
            table.doing,
            f"{named} can be set of text files only",
            hint="leave it out: `missing` is for CSV and JSON, the others are for CSV",
        )


def _found(table: Table, root: Path, source: str) -> tuple[list[Path], str]:
    """The files that hold data, and their one format."""
    formats: dict[str, list[Path]] = {}
    for path in files.expand(root, [source]):
        files.relative_name(root, path)
        format_ = format_of(path.name)
        if format_ is not None and not path.name.startswith(("_", ".")):
            formats.setdefault(format_, []).append(path)
    if not formats:
        kind = pointers.why_missing(root, source)
        if kind is not None:
            raise pointers.error_of(table.doing, [(table.show(source), kind)])
        raise UsageError(
            table.doing,
            "there is no file with data",
            hint="name a file, a folder or a glob of Parquet, CSV, JSON Lines or Arrow files",
        )
    if len(formats) > 1:
        raise UsageError(
            table.doing,
            f"it holds files of several formats: {', '.join(sorted(formats))}",
            hint="name those of one format by a glob, such as data/*.parquet",
        )
    ((format_, paths),) = formats.items()
    absent = [(table.show(name), kind) for name, kind in pointers.stand_ins(root, paths)]
    if absent:
        raise pointers.error_of(table.doing, absent)
    return paths, format_


def is_table(root: Path, source: str) -> bool:
    """Whether `source` names a database, or files that look like data by their names. Those of an
    address are as good as their ending.
    """
    if databases.is_database(source):
        return True
    if "://" in source:
        return format_of(urllib.parse.urlsplit(source).path) is not None
    try:
        paths = files.expand(root, [source])
    except AssentError:
        return False
    return any(format_of(path.name) is not None for path in paths)


def format_of(name: str) -> str | None:
    """The format of a file by the ending of its name."""
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        kind = FORMATS.get(suffixes[-2]) if len(suffixes) > 1 else None
        return kind if kind in ("csv", "tsv", "json") else None
    return FORMATS.get(suffixes[-1]) if suffixes else None


def _use_parquet(table: Table, root: Path, paths: list[Path], *, use_pyarrow: bool) -> None:
    names = _names(table, root, paths)
    folders = folders_of(table.doing, names)
    safe = _without_patterns(table, names, paths)
    table.paths = tuple(safe)
    table.listed = engine.texts(safe)
    table.relation = read = _parquet(safe, folders.option)
    direct = open_files(safe, table.doing) if use_pyarrow else None
    if folders:
        with engine.explained(table.doing):
            twice = folders.among(table.connection.sql(f"SELECT * FROM {read}").columns)
            folders.require_same(table.connection, read, twice, table.doing)
        table.relation = folders.relation(read, leave_out=twice)
        if direct is not None:
            direct.is_complete = False
            for column in twice:
                direct.columns.pop(column, None)
    table.direct = direct


def _use_written(table: Table, *, use_pyarrow: bool) -> None:
    path = table.folder / texts.ROWS
    if not path.exists():
        return  # there was a file, but no column
    table.paths = (path,)
    table.listed = engine.texts([path])
    table.relation = _parquet([path])
    table.direct = open_files([path], table.doing) if use_pyarrow else None


def _parquet(paths: Sequence[Path | str], beside: str = engine.NO_FOLDERS) -> str:
    """What DuckDB reads Parquet files by."""
    listed = engine.texts([str(path) for path in paths])
    return f"read_parquet({listed}, union_by_name = true, {beside})"


def _without_patterns(table: Table, names: Sequence[str], paths: Sequence[Path]) -> list[Path]:
    """The paths, where a name that DuckDB would take for a pattern stands behind a link, below the
    folders that give columns.
    """
    safe = []
    for place, path in enumerate(paths):
        if _GLOB.isdisjoint(str(path)):
            safe.append(path.absolute())
            continue
        suffixes = "".join(PurePosixPath(path.name).suffixes[-2:])
        ending = suffixes if _GLOB.isdisjoint(suffixes) else PurePosixPath(path.name).suffix
        link = table.folder.joinpath(*of_columns(names[place]), f"{place:06}{ending}")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path.absolute())
        safe.append(link)
    return safe


def _rewrite(
    table: Table,
    format_: str,
    sources: Mapping[str, str],
    connection: Any,
    folders: Folders = NONE,
) -> None:
    with engine.explained(table.doing):
        table.texts = texts.write(
            connection, format_, sources, table.folder, table.doing, table.reading, folders
        )


def _rewrite_arrow(table: Table, names: Mapping[Path, str], folders: Folders) -> None:
    """Arrow files (Feather too) and Arrow streams, which only pyarrow reads."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    try:
        for path, name in names.items():
            with pa.memory_map(os.fspath(path)) as mapped:
                is_file = mapped.read(6) == b"ARROW1"
                mapped.seek(0)
                reader = (pa.ipc.open_file if is_file else pa.ipc.open_stream)(mapped)
                folders.require_apart(reader.schema.names, table.doing)
                values = folders.values(name)
                places = range(reader.num_record_batches) if is_file else None
                batches = reader if places is None else map(reader.get_batch, places)
                schema = reader.schema
                for column in values:
                    type_ = pa.int64() if folders.columns[column] else pa.string()
                    schema = schema.append(pa.field(column, type_))
                if writer is None:
                    writer = pq.ParquetWriter(table.folder / texts.ROWS, schema)
                for batch in batches:
                    columns = [*batch.columns]
                    columns += [
                        pa.repeat(pa.scalar(value, schema.field(column).type), batch.num_rows)
                        for column, value in values.items()
                    ]
                    writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).partition("\n")[0][:300]
        raise UsageError(
            table.doing,
            f"the Arrow file cannot be read: {reason}",
            hint="write it as Parquet, or its columns in types that Parquet has",
        ) from None
    finally:
        if writer is not None:
            writer.close()


def _open_address(table: Table, source: str, *, use_pyarrow: bool) -> None:
    path = urllib.parse.urlsplit(source).path
    format_ = format_of(path) or ("parquet" if source.endswith("/") else None)
    if format_ in (None, "arrow"):
        raise UsageError(
            table.doing, "addresses are read of Parquet, CSV and JSON Lines files only"
        )
    _require_use(table, format_ or "")
    table.address = source
    if format_ == "parquet":
        listed = source + "**/*.parquet" if source.endswith("/") else source
        hive = "true" if source.endswith("/") else "false"
        table.listed = engine.text(listed)
        table.relation = (
            f"read_parquet({engine.text(listed)}, union_by_name = true, hive_partitioning = {hive})"
        )
        return
    connection = engine.connect(table.doing, table.folder)
    try:
        databases.reach(connection, source, table.doing)
        _rewrite(table, format_ or "csv", {source: table.source}, connection)
    finally:
        connection.close()
    table.address = None
    _use_written(table, use_pyarrow=use_pyarrow)


def require_columns(table: Table, names: Sequence[str], what: str) -> None:
    """Raise `UsageError` unless the table has all columns of `names`."""
    there = {column.name for column in table.columns}
    for name in names:
        if name not in there:
            raise UsageError(
                table.doing,
                f"it has no column {name!r}, which is {what}",
                hint="columns: " + ", ".join(sorted(there)[:20]) if there else None,
            )
