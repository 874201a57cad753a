"""Profiles where data outgrows one machine: the same counting, inside Spark.

Spark reads the rows and hands each partition to DuckDB on its executor, where they are counted as
those of a table are, some after the other; the driver adds up what they counted. First a sample of
each partition chooses the edges, then each counts its rows at these. Where every column has edges
in the baseline's profile, the rows are read once; texts with too many values are read again. Assent
must be installed on the executors as on the driver, with its extra for data.

Equal to what the embedded engine finds: rows, nulls, NaN, infinities, minimum, maximum, categories,
lengths, fingerprints, and counts at the same edges. Moments differ by less than 1e-9 of the spread,
distinct values above `counting.MAX_FEW` by less than 5%; edges that are quantiles are those of a
sample.
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

from assent.core.digest import Digest
from assent.core.profile import ColumnProfile, DataProfile, Overlap
from assent.errors import OutsideError, UsageError, to_install
from assent.measure import dialect, engine
from assent.measure.profiles import counting, fingerprints, parts, profile, tallies
from assent.measure.profiles.columns import Column, column_of_duckdb, shortened
from assent.measure.profiles.counting import Partial
from assent.measure.profiles.databases import is_query
from assent.measure.profiles.near import near
from assent.measure.profiles.overlap import content_of, row_hashes, shared
from assent.measure.profiles.profile import Progress
from assent.measure.profiles.reading import format_of
from assent.measure.profiles.shaping import Hashed, Shaper
from assent.measure.profiles.tallies import Facts, FewTexts, ManyTexts, Rows, Sample, Spec
from assent.measure.profiles.words import SAMPLE, likely
from assent.measure.redaction import redact_text

MAX_SAMPLED = 8_000_000
"""Values of the samples of all columns together, which the driver holds."""

_MIN_SAMPLED, _MOST_SAMPLED = 512, 100_000
"""Values in the sample of one column."""

_CHUNK_ROWS, _CHUNK_BYTES = 100_000, 1 << 26
"""What DuckDB counts at once on an executor."""

_RESULT = "place int, payload binary"


def profile_with_spark(
    source: str,
    *,
    against: DataProfile | None = None,
    against_digest: Digest | None = None,
    leave_out: Sequence[str] = (),
    key: Sequence[str] = (),
    hash_values: bool = False,
    salt: bytes = b"",
    has_names: bool = False,
    progress: Progress | None = None,
) -> DataProfile:
    """The profile of `source`: a path or address that Spark reads as Parquet, CSV, JSON Lines or
    ORC by its ending (without one, as Parquet), or `spark:<table or query>`. The session is the
    active one, or one by Spark's usual settings. With `has_names`, the first line of CSV has names
    whatever it looks like.
    """
    doing = f"reading {redact_text(source)} with Spark"
    known = profile.digest_against(against, against_digest)
    baseline = () if against is None else against.columns
    hashed = Hashed(salt) if hash_values else None
    with _engine(doing) as connection:
        frame = _Frame(_frame(source, doing, has_names=has_names), connection, doing)
        found = _profile(frame, baseline, leave_out, key, hashed, progress)
        return structs.replace(found, against=known)


@contextmanager
def _engine(doing: str) -> Iterator[Any]:
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
        said = redact_text(_reason(str(error)) or type(error).__name__)
        raise OutsideError(doing, said, hint="look at Spark's log") from None


def overlap_with_spark(
    first: str,
    second: str,
    *,
    names: tuple[str, str],
    key: Sequence[str] = (),
    without: Collection[str] = (),
) -> Overlap:
    """What `overlap` counts, of two sources that Spark reads. Rows are nearly the same by about six
    digits of their numbers, whatever the decimals of a side are. The first lines of CSV have been
    looked at before: this is counted of what has a profile.
    """
    doing = f"comparing {names[0]} with {names[1]} with Spark"
    with _engine(doing) as connection:
        both = [
            _Frame(_frame(source, doing, has_names=True), connection, doing)
            for source in (first, second)
        ]
        return _overlap(both, names, key, without, doing)


def _overlap(
    both: Sequence[_Frame],
    names: tuple[str, str],
    key: Sequence[str],
    without: Collection[str],
    doing: str,
) -> Overlap:
    for frame in both:
        for name in key:
            if name not in frame.names:
                raise UsageError(doing, f"a side has no column {name!r}, which is part of the key")
    sides = content_of(both, key, without)
    content = shared(*sides)[0]
    if not content:
        raise UsageError(doing, "they have no column in common but keys and what is left out")
    hashes = "n long, h long, g long"
    old, new = (
        frame.queried(f"SELECT {listed} FROM rows", hashes).persist()
        for frame, listed in zip(both, row_hashes(sides), strict=True)
    )
    try:
        return Overlap(
            first=names[0],
            second=names[1],
            of=new.count(),
            rows=new.join(old, ["n", "h", "g"], "left_semi").count(),
            near=new.join(old, ["n"], "left_semi").count(),
            keys=_same_keys(both, key) if key else None,
            columns=len(content),
        )
    finally:
        old.unpersist()
        new.unpersist()


def _same_keys(both: Sequence[_Frame], key: Sequence[str]) -> int:
    """The rows of the second whose key is in the first. A key with a null in it equals no key."""
    sides = []
    for frame, given in zip(both, shared(both[0].columns, both[1].columns), strict=True):
        asked = [given[name] for name in key]
        there = " AND ".join(f"{one} IS NOT NULL" for one in asked)
        listed = f"hash({', '.join(asked)}) AS h, hash('second', {', '.join(asked[::-1])}) AS g"
        sides.append(frame.queried(f"SELECT {listed} FROM rows WHERE {there}", "h long, g long"))
    return int(sides[1].join(sides[0], ["h", "g"], "left_semi").count())


def _reason(said: str) -> str:
    """The first line of an error, or of what it was caused by in the end."""
    lines = said.splitlines()
    causes = [line.strip() for line in lines if line.strip().startswith("Caused by: ")]
    return (causes or lines or [""])[-1 if causes else 0][:500]


def _profile(
    frame: _Frame,
    baseline: Sequence[ColumnProfile],
    leave_out: Sequence[str],
    key: Sequence[str],
    hashed: Hashed | None,
    progress: Progress | None,
) -> DataProfile:
    kept = [column for column in frame.columns if column.name not in set(leave_out)]
    found = parts.parts_of(kept, frame.fields, 0, baseline, frame.sizes)
    unpacked = parts.flat(frame.columns, found)
    frame.require(parts.unknown(leave_out, unpacked), "left out")
    frame.require([name for name in key if name not in frame.names], "part of the key")
    columns = parts.without(unpacked, leave_out)
    shaper = Shaper(len(columns), baseline, hashed, lambda: frame.connection)
    rows, profiles = _Counted(frame, columns, shaper).profiles()
    if progress is not None:
        progress(len(profiles))
    content = parts.content(unpacked, {*leave_out, *key})
    duplicates, near_duplicates = _duplicates(frame, content, rows)
    return DataProfile(
        rows=rows,
        columns=tuple(
            structs.replace(one, of=column.of)
            for one, column in zip(profiles, columns, strict=True)
        ),
        duplicates=duplicates,
        near_duplicates=near_duplicates,
    )


def _frame(source: str, doing: str, *, has_names: bool = False) -> Any:
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
        found = dialect.dialect_of(lines, dialect.Reading(header=has_names or None))
    except dialect.UnclearError as error:
        hint = error.hint if has_names else "write a line of names, or set `header: true`"
        raise UsageError(doing, f"{error}", hint=hint) from None
    if len(found.header) > 1 and found.delimiter != delimiter:
        raise UsageError(
            doing,
            f"its cells have {found.delimiter!r} between them, and Spark reads it by {delimiter!r}",
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
            said = "{}[]"
        case "map":
            inner = [_in_duckdb(type_.keyType), _in_duckdb(type_.valueType)]
            said = "MAP({}, {})"
        case "struct" if len({name.lower() for name in type_.names} | {""}) > len(type_.names):
            inner = [_in_duckdb(field.dataType) for field in type_]
            named = [
                engine.name(name).replace("{", "{{").replace("}", "}}") for name in type_.names
            ]
            said = f"STRUCT({', '.join(f'{name} {{}}' for name in named)})"
        case _:
            return _TYPES.get(kind)
    return said.format(*inner) if inner and None not in inner else None


class _Frame:
    """The rows of Spark, whose columns DuckDB knows as `c0`, `c1`, … of the table `rows`. What it
    does not know is there as true, or null.
    """

    def __init__(self, frame: Any, connection: Any, doing: str) -> None:
        from pyspark.sql import functions

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
                given = functions.when(given.isNotNull(), functions.lit(True))
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
        (said,) = self.connection.sql(f"SELECT CAST(NULL AS {type_})").types
        column = structs.replace(column_of_duckdb(field.name, said), sql=f"c{place}")
        self.fields[field.name] = parts.fields_of(column, said, {})
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

    def tallied(self, task: _Task, nothing: Sequence[_Tally], columns: Collection[str]) -> Any:
        """What a task counts in the rows of all partitions, one after the other, added up."""
        frame = self._frame.select(*columns) if columns else self._frame
        found = list(nothing)
        counted = frame.mapInArrow(partial(_tallied, task, self._examples), _RESULT)
        for row in counted.toLocalIterator(prefetchPartitions=True):
            part = msgspec.msgpack.decode(bytes(row.payload), type=type(found[row.place]))
            found[row.place] = _merged(found[row.place], part)
        return found


class _Counted:
    """The columns of a frame, counted."""

    def __init__(self, frame: _Frame, columns: Sequence[Column], shaper: Shaper) -> None:
        self._frame = frame
        self._columns = columns
        self._shaper = shaper

    def profiles(self) -> tuple[int, list[ColumnProfile]]:
        """The rows, and the profile of each column."""
        specs = self._specs()
        nothing = [0, *map(_nothing, specs)]
        rows, *counted = self._tallied(partial(_count, specs), nothing, self._columns)
        there = {
            spec.column.name: found.there
            for spec, found in zip(specs, counted, strict=True)
            if isinstance(found, FewTexts) and found.counts is None
        }
        many = self._many_texts(there, rows)
        return rows, [
            many.get(spec.column.name) or self._profile(spec, found, rows)
            for spec, found in zip(specs, counted, strict=True)
        ]

    def _specs(self) -> list[Spec]:
        """How each column is counted: at the edges of the baseline, or at those of a sample."""
        specs = {one.name: self._shaper.spec(one) for one in self._columns}
        unknown = [one for one in self._columns if _is_number(one) and not specs[one.name].edges]
        if unknown:
            most = min(_MOST_SAMPLED, max(_MIN_SAMPLED, MAX_SAMPLED // len(unknown)))
            nothing = [Sample(most=most)] * len(unknown)
            samples = self._tallied(partial(_sample, unknown, most), nothing, unknown)
            for column, sample in zip(unknown, samples, strict=True):
                edges = sample.edges(self._shaper.most)
                specs[column.name] = structs.replace(specs[column.name], edges=edges)
        return list(specs.values())

    def _many_texts(self, there: dict[str, int], rows: int) -> dict[str, ColumnProfile]:
        """The profiles of the texts that are too many to be counted one by one."""
        columns = [column for column in self._columns if column.name in there]
        if not columns:
            return {}
        shares = [min(1.0, SAMPLE / there[column.name]) for column in columns]
        known = [self._shaper.known(column) or () for column in columns]
        read = partial(_read_texts, columns, shares, known)
        texts = self._tallied(read, [ManyTexts() for _ in columns], columns)
        hashes = [
            likely(text.sample, share, there[column.name])
            for column, text, share in zip(columns, texts, shares, strict=True)
        ]
        frequent = [FewTexts() for _ in columns]
        if any(hashes):
            frequent = self._tallied(partial(_find_texts, columns, hashes), frequent, columns)
        return {
            column.name: self._shaper.many_texts(
                column,
                text,
                rows - there[column.name],
                counting.distinct_in(text.least),
                found.counts or {},
            )
            for column, text, found in zip(columns, texts, frequent, strict=True)
        }

    def _profile(self, spec: Spec, found: Any, rows: int) -> ColumnProfile:
        column = spec.column
        if _is_number(column):
            return self._shaper.numbers(column, found, spec.edges)
        nulls = rows - found.there
        match column.counting:
            case "text":
                return self._shaper.few_texts(column, found.counts, nulls)
            case "boolean":
                false = found.there - found.value
                return self._shaper.booleans(column, found.value, false, nulls)
        return self._shaper.presence(column, rows, found)

    def _tallied(self, task: _Task, nothing: Sequence[Any], columns: Sequence[Column]) -> Any:
        """What a task counts, which reads these columns, or what they were taken out of."""
        by_name = {column.name: column for column in self._columns}
        read = set()
        for column in columns:
            while column.of:
                column = by_name[column.of]
            read.add(column.read)
        return self._frame.tallied(task, nothing, sorted(read))


_Tally = int | Partial | Facts | FewTexts | ManyTexts | Sample
_Task = Callable[[Rows], Sequence[_Tally]]
"""Something that is counted in a chunk of rows: a value for each column, which add up."""


def _is_number(column: Column) -> bool:
    return column.counting in ("number", "length")


def _nothing(spec: Spec) -> _Tally:
    """What is known of a column before any of its rows was counted."""
    if _is_number(spec.column):
        return spec.nothing
    return FewTexts() if spec.column.counting == "text" else Facts()


def _merged(one: Any, other: Any) -> Any:
    if isinstance(one, int):
        return one + other
    return counting.merge(one, other) if isinstance(one, Partial) else one.merged(other)


# On an executor


class _Chunk(msgspec.Struct):
    """Some rows of a partition, in a table of DuckDB."""

    connection: Any
    relation: str = "rows"
    doing: str = "counting rows on an executor"
    direct: None = None


def _sample(columns: Sequence[Column], most: int, rows: Rows) -> list[Sample]:
    return tallies.sampled(rows, columns, most)


def _count(specs: Sequence[Spec], rows: Rows) -> list[_Tally]:
    """The rows, and what is counted of each column."""
    numbers = [spec for spec in specs if _is_number(spec.column)]
    rest = [one.column for one in specs if one.column.counting in ("boolean", "presence")]
    counted = iter(tallies.counted(rows, numbers) if numbers else ())
    facts = iter(tallies.facts(rows, rest))
    found: list[_Tally] = list(tallies.query(rows, f"SELECT count(*) FROM {rows.relation}")[0])
    for column in (spec.column for spec in specs):
        if _is_number(column):
            found.append(next(counted))
        elif column.counting == "text":
            ((there,),) = tallies.query(rows, f"SELECT count({column.read}) FROM {rows.relation}")
            found.append(FewTexts(there, tallies.few_texts(rows, column)))
        else:
            found.append(next(facts))
    return found


def _read_texts(
    columns: Sequence[Column],
    shares: Sequence[float],
    known: Sequence[Sequence[str]],
    rows: Rows,
) -> list[ManyTexts]:
    return [
        structs.replace(
            tallies.many_texts(rows, column, of),
            sample=tallies.sample_of_texts(rows, column, share),
            least=tallies.least_texts(rows, column),
        )
        for column, share, of in zip(columns, shares, known, strict=True)
    ]


def _find_texts(
    columns: Sequence[Column], hashes: Sequence[Sequence[int]], rows: Rows
) -> list[FewTexts]:
    return [
        FewTexts(0, tallies.frequent_texts(rows, *pair))
        for pair in zip(columns, hashes, strict=True)
    ]


def _tallied(task: _Task, examples: str, batches: Iterable[Any]) -> Iterator[Any]:
    """What a task counts in a partition: a place and a payload for each column."""
    import pyarrow as pa

    found: list[_Tally] = []
    for chunk in _chunks(examples, batches):
        part = task(chunk)
        found = list(map(_merged, found, part)) if found else list(part)
    places = pa.array(range(len(found)), pa.int32())
    payloads = pa.array(map(msgspec.msgpack.encode, found), pa.binary())
    yield pa.RecordBatch.from_arrays([places, payloads], names=["place", "payload"])


def _queried(sql: str, examples: str, batches: Iterable[Any]) -> Iterator[Any]:
    """What a query gives of each chunk of a partition. Spark has no unsigned numbers."""
    import pyarrow as pa

    for chunk in _chunks(examples, batches):
        for batch in pa.RecordBatchReader.from_stream(chunk.connection.sql(sql)):
            arrays = [
                one.view(pa.int64()) if one.type == pa.uint64() else one for one in batch.columns
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


def _duplicates(
    frame: _Frame, columns: Sequence[Column], rows: int
) -> tuple[int | None, int | None]:
    """How many rows repeat another one, and how many nearly do, by hashes of 64 bits."""
    from pyspark.sql import functions

    if rows < 2:
        return 0, 0
    if rows > profile.MAX_DUPLICATE_ROWS or not columns:
        return None, None
    exact = ", ".join(column.read for column in columns)
    nearly = ", ".join(near(column) for column in columns)
    hashes = frame.queried(f"SELECT hash({exact}) AS h, hash({nearly}) AS n FROM rows", _HASHES)
    found = hashes.agg(*[functions.count_distinct(one) for one in ("h", "n")]).first()
    return rows - int(found[0]), rows - int(found[1])


_HASHES = "h long, n long"
