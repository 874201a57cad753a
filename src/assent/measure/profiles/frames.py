"""Rows that Spark reads, and DuckDB counts on its executors.

Each partition is handed to a DuckDB of its own, some rows after the other. What it gives is a frame
of Spark again, or what was counted, which the driver adds up.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from assent.errors import OutsideError, UsageError, to_install
from assent.measure import dialect, engine
from assent.measure.profiles import counting, fingerprints, parts
from assent.measure.profiles.columns import Column, column_of_duckdb, shortened
from assent.measure.profiles.counting import Partial
from assent.measure.profiles.databases import is_query
from assent.measure.profiles.reading import format_of
from assent.measure.profiles.tallies import Facts, FewTexts, ManyTexts, Rows, Sample
from assent.measure.redaction import redact_text

_CHUNK_ROWS, _CHUNK_BYTES = 100_000, 1 << 26
"""What DuckDB counts at once on an executor."""

_RESULT = "place int, payload binary"

Tally = int | Partial | Facts | FewTexts | ManyTexts | Sample
Task = Callable[[Rows], Sequence[Tally]]
"""Something that is counted in a chunk of rows: a value for each column, which add up."""


@contextmanager
def counting_engine(doing: str) -> Iterator[Any]:
    """The driver's DuckDB, while Spark is there. What either refuses is an error that says what was
    being done.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise UsageError(doing, "pyspark is not installed", hint=to_install("spark"))
    with _duckdb(doing) as connection, engine.explained(doing), _explained(doing):
        yield connection


@contextmanager
def _duckdb(doing: str) -> Iterator[Any]:
    with tempfile.TemporaryDirectory(prefix="assent-") as folder:
        connection = engine.connect(doing, Path(folder), threads=1)
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def _explained(doing: str) -> Iterator[None]:
    """What Spark refuses, as an error that says what was being done."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        reason = redact_text(_reason(str(error)) or type(error).__name__)
        raise OutsideError(doing, reason, hint="look at Spark's log") from None


def _reason(message: str) -> str:
    """The first line of an error, or of what it was caused by in the end."""
    lines = message.splitlines()
    causes = [line.strip() for line in lines if line.strip().startswith("Caused by: ")]
    return (causes or lines or [""])[-1 if causes else 0][:500]


def _read(source: str, doing: str, *, has_names: bool) -> Any:
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is None:
        session = SparkSession.builder.appName("assent").getOrCreate()
    context = session.sparkContext
    if str(context.master).startswith("local") and "PYSPARK_PYTHON" not in os.environ:
        context.pythonExec = sys.executable  # the one that has Assent, not the first on the PATH
    if source.startswith("spark:"):
        wanted = source.removeprefix("spark:")
        return session.sql(wanted) if is_query(wanted) else session.table(wanted)
    reader = session.read.option("mode", "FAILFAST")  # else it cuts or fills lines that do not fit
    if source.lower().endswith(".orc"):
        return reader.orc(source)
    match format_of(source.rstrip("/")):
        case "csv":
            _require_dialect(session, source, ",", doing, has_names=has_names)
            return reader.csv(source, header=True, inferSchema=True, multiLine=True, escape='"')
        case "tsv":
            _require_dialect(session, source, "\t", doing, has_names=has_names)
            return reader.csv(source, header=True, inferSchema=True, sep="\t", escape='"')
        case "json":
            return reader.json(source)
    return reader.parquet(source)


def _require_dialect(
    session: Any, source: str, delimiter: str, doing: str, *, has_names: bool
) -> None:
    """Refuse CSV whose first lines have no names, or another delimiter than Spark reads by."""
    lines = [row[0] for row in session.read.text(source).limit(dialect.FIRST).collect()]
    try:
        sniffed = dialect.dialect_of(lines, dialect.Reading(header=has_names or None))
    except dialect.UnclearError as error:
        hint = error.hint if has_names else "write a line of names, or set `header: true`"
        raise UsageError(doing, f"{error}", hint=hint) from None
    if len(sniffed.header) > 1 and sniffed.delimiter != delimiter:
        raise UsageError(
            doing,
            f"its cells have {sniffed.delimiter!r} between them, and Spark reads it by "
            f"{delimiter!r}",
            hint="write it with commas, or give it the ending .tsv where these are tabs",
        )


_TYPES = {
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "string": "VARCHAR",
    "binary": "BLOB",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ntz": "TIMESTAMP",
}


def _in_duckdb(type_: Any) -> str | None:
    """A type of Spark in DuckDB's words; None for what neither counts but for its nulls."""
    kind: str = type_.simpleString()
    if type_.typeName() in ("varchar", "char"):
        return "VARCHAR"
    if kind.startswith("decimal"):
        return kind
    if kind.startswith("interval") and "year" not in kind and kind != "interval":
        return "INTERVAL"
    inner: list[str | None] = []
    match type_.typeName():
        case "array":
            inner = [_in_duckdb(type_.elementType)]
            form = "{}[]"
        case "map":
            inner = [_in_duckdb(type_.keyType), _in_duckdb(type_.valueType)]
            form = "MAP({}, {})"
        case "struct" if len({name.lower() for name in type_.names} | {""}) > len(type_.names):
            inner = [_in_duckdb(field.dataType) for field in type_]
            named = [
                engine.name(name).replace("{", "{{").replace("}", "}}") for name in type_.names
            ]
            form = f"STRUCT({', '.join(f'{name} {{}}' for name in named)})"
        case _:
            return _TYPES.get(kind)
    return form.format(*inner) if inner and None not in inner else None


class Frame:
    """The rows of Spark, whose columns DuckDB knows as `c0`, `c1`, … of the table `rows`. What it
    does not know is there as a hash of what Spark writes of it.
    """

    def __init__(self, source: str, connection: Any, doing: str, *, has_names: bool) -> None:
        from pyspark.sql import functions

        frame = _read(source, doing, has_names=has_names)
        self.names: list[str] = frame.columns
        if len(set(self.names)) < len(self.names):
            raise UsageError(doing, "two columns have the same name")
        self.connection = connection
        self._doing = doing
        self._examples = fingerprints.examples_of(connection)
        self.fields: dict[str, tuple[Column, ...]] = {}
        selected, columns = [], []
        for place, field in enumerate(frame.schema):
            given = functions.col("`" + field.name.replace("`", "``") + "`")
            type_ = _in_duckdb(field.dataType)
            if type_ is None:
                hashed = functions.xxhash64(given.cast("string"))
                given = functions.when(given.isNotNull(), hashed)
            selected.append(given.alias(f"c{place}"))
            columns.append(self._column(place, field, type_))
        self.columns = tuple(columns)
        self._frame = frame.select(*selected)

    def _column(self, place: int, field: Any, type_: str | None) -> Column:
        """The column, of which the fields are noted."""
        if type_ is None:
            kind = field.dataType.simpleString()
            word = shortened("null" if kind == "void" else kind)
            return Column(
                name=field.name, type=word, kind="nested", counting="presence", sql=f"c{place}"
            )
        (duckdb_type,) = self.connection.sql(f"SELECT CAST(NULL AS {type_})").types
        column = structs.replace(column_of_duckdb(field.name, duckdb_type), sql=f"c{place}")
        self.fields[field.name] = parts.fields_of(column, duckdb_type, {})
        return column

    def require(self, missing: Sequence[str], what: str) -> None:
        """Raise `UsageError` if something is missing."""
        for name in missing:
            raise UsageError(self._doing, f"it has no column {name!r}, which is {what}")

    def queried(self, sql: str, schema: str) -> Any:
        """What a query gives of the rows, chunk by chunk, as a frame of Spark. It has no unsigned
        numbers: they are taken as signed ones.
        """
        return self._frame.mapInArrow(partial(_queried, sql, self._examples), schema)

    def sizes(self, column: Column, first: int | None) -> tuple[int | None, int | None]:
        """The least and the largest size of the lists of a column, in its first rows or in all."""
        from pyspark.sql import functions

        sql = f"SELECT min(len({column.read})) AS a, max(len({column.read})) AS b FROM rows"
        frame = self._frame if first is None else self._frame.limit(first)
        sizes = frame.mapInArrow(partial(_queried, sql, self._examples), "a long, b long")
        least, most = sizes.agg(functions.min("a"), functions.max("b")).first()
        return least, most

    def tallied(self, task: Task, nothing: Sequence[Tally], columns: Collection[str]) -> Any:
        """What a task counts in the rows of all partitions, one after the other, added up."""
        frame = self._frame.select(*columns) if columns else self._frame
        tallies = list(nothing)
        counted = frame.mapInArrow(partial(_tallied, task, self._examples), _RESULT)
        for row in counted.toLocalIterator(prefetchPartitions=True):
            part = msgspec.msgpack.decode(bytes(row.payload), type=type(tallies[row.place]))
            tallies[row.place] = _merged(tallies[row.place], part)
        return tallies


def _merged(tally: Any, other: Any) -> Any:
    if isinstance(tally, int):
        return tally + other
    return counting.merge(tally, other) if isinstance(tally, Partial) else tally.merged(other)


class _Chunk(msgspec.Struct):
    """Some rows of a partition, in a table of DuckDB."""

    connection: Any
    relation: str = "rows"
    doing: str = "counting rows on an executor"
    direct: None = None


def _tallied(task: Task, examples: str, batches: Iterable[Any]) -> Iterator[Any]:
    """What a task counts in a partition: a place and a payload for each column."""
    import pyarrow as pa

    tallies: list[Tally] = []
    for chunk in _chunks(examples, batches):
        part = task(chunk)
        tallies = list(map(_merged, tallies, part)) if tallies else list(part)
    places = pa.array(range(len(tallies)), pa.int32())
    payloads = pa.array(map(msgspec.msgpack.encode, tallies), pa.binary())
    yield pa.RecordBatch.from_arrays([places, payloads], names=["place", "payload"])


def _queried(sql: str, examples: str, batches: Iterable[Any]) -> Iterator[Any]:
    """What a query gives of each chunk of a partition. Spark has no unsigned numbers."""
    import pyarrow as pa

    for chunk in _chunks(examples, batches):
        for batch in pa.RecordBatchReader.from_stream(chunk.connection.sql(sql)):
            arrays = [
                column.view(pa.int64()) if column.type == pa.uint64() else column
                for column in batch.columns
            ]
            yield pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _chunks(examples: str, batches: Iterable[Any]) -> Iterator[_Chunk]:
    """The rows of a partition, some after the other, by a DuckDB that hashes as the driver's."""
    with _duckdb(_Chunk.doing) as connection:
        if fingerprints.examples_of(connection) != examples:
            raise OutsideError(
                _Chunk.doing,
                "its DuckDB hashes otherwise than the driver's",
                hint="install the same version of duckdb on all machines",
            )
        for part in _together(batches):
            connection.register("given", part)
            connection.execute("CREATE OR REPLACE TABLE rows AS SELECT * FROM given")
            connection.unregister("given")
            yield _Chunk(connection)


def _together(batches: Iterable[Any]) -> Iterator[Any]:
    """The batches, as many at once as a chunk holds."""
    import pyarrow as pa

    waiting: list[Any] = []
    rows = size = 0
    for batch in batches:
        waiting.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= _CHUNK_ROWS or size >= _CHUNK_BYTES:
            yield pa.Table.from_batches(waiting)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield pa.Table.from_batches(waiting)
