"""Profiles where data outgrows one machine: the same kernel, inside Spark.

The rows are read twice. First each partition gives a sample, from which the edges are chosen; then
each counts its rows at these edges, and the driver merges what they counted. Where every column
has edges in the baseline's profile, the rows are read once. Assent must be installed on the
executors, with NumPy and pyarrow.

Equal to what the embedded engine finds: rows, nulls, NaN, infinities, minimum, maximum, categories,
lengths, and counts at the same edges. Moments differ by less than 1e-9 of the spread, distinct
values above `counting.MAX_FEW` by less than 5%; edges that are quantiles are those of a sample.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import importlib.util
import json
import math
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import structs

from assent.core.digest import Digest
from assent.core.profile import ColumnProfile, DataProfile, Overlap
from assent.errors import OutsideError, UsageError, to_install
from assent.measure import dialect
from assent.measure.profiles import counting, near, parts, profile, shaping, words
from assent.measure.profiles.columns import Column, is_plain_number, shortened
from assent.measure.profiles.counting import Partial
from assent.measure.profiles.databases import is_query
from assent.measure.profiles.profile import Progress
from assent.measure.profiles.reading import format_of
from assent.measure.profiles.shaping import MAX_CATEGORIES, Hashed
from assent.measure.profiles.stream import values_of
from assent.measure.redaction import redact_text

MAX_SAMPLED = 8_000_000
"""Values of the samples of all columns together, which the driver holds."""

_MIN_SAMPLED, _MOST_SAMPLED = 512, 100_000
"""Values of one column in the sample of one partition."""

_RESULT = "place int, payload string"


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
    shown = redact_text(source)
    doing = f"reading {shown} with Spark"
    if importlib.util.find_spec("pyspark") is None:
        raise UsageError(doing, "pyspark is not installed", hint=to_install("spark"))
    known = profile.digest_against(against, against_digest)
    with _explained(doing):
        return _profile(
            source, doing, against, known, leave_out, key, hash_values, salt, has_names, progress
        )


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
    if importlib.util.find_spec("pyspark") is None:
        raise UsageError(doing, "pyspark is not installed", hint=to_install("spark"))
    with _explained(doing):
        frames = _frame(first, doing, has_names=True), _frame(second, doing, has_names=True)
        return _overlap(frames, names, key, without, doing)


def _overlap(
    frames: tuple[Any, Any],
    names: tuple[str, str],
    key: Sequence[str],
    without: Collection[str],
    doing: str,
) -> Overlap:
    for frame in frames:
        for name in key:
            if name not in frame.columns:
                raise UsageError(doing, f"a side has no column {name!r}, which is part of the key")
    sides = [_held(frame, {*key, *without}) for frame in frames]
    shared = [name for name in sides[0] if name in sides[1]]
    if not shared:
        sides = [_held(frame, set(frame.columns) - set(key)) for frame in frames]
        shared = [name for name in sides[0] if name in sides[1]]
    if not shared:
        raise UsageError(doing, "they have no column in common but keys and what is left out")
    old, new = (
        _hashed(frame, [(ours[name], theirs[name]) for name in shared])
        for frame, ours, theirs in zip(frames, sides, sides[::-1], strict=True)
    )
    keys = None
    if key:
        wholes = [_held(frame, ()) for frame in frames]
        there, here = (
            frame.select(
                *[
                    _alike(ours[name], theirs[name]).alias(f"k{place}")
                    for place, name in enumerate(key)
                ]
            )
            for frame, ours, theirs in zip(frames, wholes, wholes[::-1], strict=True)
        )
        keys = here.join(there, [f"k{place}" for place in range(len(key))], "left_semi").count()
    return Overlap(
        first=names[0],
        second=names[1],
        of=new.count(),
        rows=new.join(old, ["h", "g"], "left_semi").count(),
        near=new.join(old, ["n"], "left_semi").count(),
        keys=keys,
        columns=len(shared),
    )


def _held(frame: Any, apart: Collection[str]) -> dict[str, Column]:
    """What the rows of a frame hold, by name."""
    columns = [_column(field.name, field.dataType) for field in frame.schema]
    fields = {
        column.name: _fields_of(column, field.dataType)
        for column, field in zip(columns, frame.schema, strict=True)
    }
    return {one.name: one for one in parts.content(parts.flat(columns, fields), apart)}


def _hashed(frame: Any, pairs: Sequence[tuple[Column, Column]]) -> Any:
    """The rows as hashes: `n` of what is nearly the same, `h` and `g` of the same."""
    from pyspark.sql import functions

    exact = [_alike(*pair) for pair in pairs]
    nearly = [_nearly(*pair, read) for pair, read in zip(pairs, exact, strict=True)]
    other = [functions.lit("second"), *exact[::-1]]
    return frame.select(
        *[
            functions.xxhash64(*[part for value in of for part in (value, value.isNull())]).alias(
                name
            )
            for name, of in (("n", nearly), ("h", exact), ("g", other))
        ]
    )


def _alike(column: Column, other: Column) -> Any:
    """A column so that equal values of both are equal. What has no order or no hash of its own, and
    what only text can compare, is text.
    """
    from pyspark.sql import functions

    read = functions.expr(column.sql)
    if "map<" in column.type or "map<" in other.type:
        return read.cast("string")
    if column.type == other.type:
        return read
    if column.kind == other.kind == "time":
        return read.cast("timestamp")
    if is_plain_number(column) and is_plain_number(other):
        are_whole = {column.type, other.type} <= _WHOLE
        return read.cast("bigint" if are_whole else "double")
    return read.cast("string")


_WHOLE = {"int8", "int16", "int32", "int64"}


def _nearly(column: Column, other: Column, read: Any) -> Any:
    """What `_alike` gives, so that values of both that are nearly the same are equal."""
    from pyspark.sql import functions

    if is_plain_number(column) and is_plain_number(other):
        are_floats = bool({column.type, other.type} & near.FLOATS)
        return _near(structs.replace(column, type="double" if are_floats else "int64"), read)
    kinds = {column.counting, other.counting}
    if kinds == {"text", "number"}:
        as_number = _near(structs.replace(column, type="double"), read.cast("double"))
        return functions.coalesce(as_number.cast("string"), read)
    is_text = kinds == {"text"}
    return _near(column, read) if is_text else read


def _reason(said: str) -> str:
    """The first line of an error, or of what it was caused by in the end."""
    lines = said.splitlines()
    causes = [line.strip() for line in lines if line.strip().startswith("Caused by: ")]
    return (causes or lines or [""])[-1 if causes else 0][:500]


def _profile(
    source: str,
    doing: str,
    against: DataProfile | None,
    against_digest: Digest | None,
    leave_out: Sequence[str],
    key: Sequence[str],
    hash_values: bool,
    salt: bytes,
    has_names: bool,
    progress: Progress | None,
) -> DataProfile:
    frame = _frame(source, doing, has_names=has_names)
    if len(set(frame.columns)) < len(frame.columns):
        raise UsageError(doing, "two columns have the same name")
    unpacked = _unpacked(frame, leave_out, () if against is None else against.columns)
    for name in parts.unknown(leave_out, unpacked):
        raise UsageError(doing, f"it has no column {name!r}, which is left out")
    for name in key:
        if name not in frame.columns:
            raise UsageError(doing, f"it has no column {name!r}, which is part of the key")
    columns = parts.without(unpacked, leave_out)
    fields = [field for field in frame.schema if field.name not in set(leave_out)]
    frame = frame.select(*[_quoted(field.name) for field in fields])
    baseline = {} if against is None else {(one.of, one.name): one for one in against.columns}
    old = [baseline.get((column.of, column.name)) for column in columns]
    prepared = frame.select(*[_expression(column, place) for place, column in enumerate(columns)])
    specs = [_spec(column, of) for column, of in zip(columns, old, strict=True)]
    edges = _edges(prepared, specs, counting.most_edges(len(columns)))
    plan = [dataclasses.replace(spec, edges=at) for spec, at in zip(specs, edges, strict=True)]
    merged: list[Any] = [_nothing(spec) for spec in plan]
    rows = 0
    for place, payload in _collected(prepared, functools.partial(_count, plan)):
        if place < 0:
            rows += int(payload)
        elif plan[place].is_text:
            merged[place] = merged[place].merged(_TextPartial.read(payload))
        else:
            merged[place] = counting.merge(merged[place], _read_partial(payload))
    hashed = Hashed(salt) if hash_values else None
    distinct = _distinct_texts(frame, columns, merged)
    frequent = _frequent_texts(frame, columns, merged)
    profiles = []
    for place, column in enumerate(columns):
        most = counting.most_edges(len(columns))
        profiles.append(
            _finished(
                column,
                merged[place],
                plan[place],
                old[place],
                distinct,
                frequent,
                hashed,
                most,
                shaping.most_values(len(columns)),
            )
        )
        if progress is not None:
            progress(1)
    content = parts.content(unpacked, {*leave_out, *key})
    duplicates, near_duplicates = _duplicates(frame, content, rows)
    return DataProfile(
        rows=rows,
        columns=tuple(
            structs.replace(found, of=column.of)
            for found, column in zip(profiles, columns, strict=True)
        ),
        duplicates=duplicates,
        near_duplicates=near_duplicates,
        against=against_digest,
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


def _named(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _quoted(name: str) -> Any:
    from pyspark.sql import functions

    return functions.col(_named(name))


_WORDS = {
    "tinyint": "int8",
    "smallint": "int16",
    "int": "int32",
    "bigint": "int64",
    "float": "float",
    "double": "double",
}
_TIMES = {
    "date": "date32[day]",
    "timestamp": "timestamp[us, tz=UTC]",
    "timestamp_ntz": "timestamp[us]",
}


def _column(name: str, type_: Any) -> Column:
    word = shortened(_word(type_))
    kind = type_.simpleString()
    if kind in _WORDS or kind.startswith(("decimal", "interval")):
        return Column(name=name, type=word, kind="number", counting="number", sql=_named(name))
    if kind in _TIMES:
        return Column(name=name, type=word, kind="time", counting="number", sql=_named(name))
    if kind == "boolean":
        return Column(name=name, type=word, kind="boolean", counting="boolean", sql=_named(name))
    if kind.startswith(("string", "varchar", "char")):
        return Column(name=name, type=word, kind="text", counting="text", sql=_named(name))
    is_long = kind.startswith(("array", "map")) or kind == "binary"
    inner = _column("", type_.elementType) if kind.startswith("array") else None
    return Column(
        name=name,
        type=word,
        kind="nested",
        counting="length" if is_long else "presence",
        sql=_named(name),
        elements=inner if inner is not None and is_plain_number(inner) else None,
    )


def _unpacked(
    frame: Any, leave_out: Sequence[str], baseline: Sequence[ColumnProfile]
) -> list[Column]:
    """The columns and their parts; those of a column that is left out are not looked for."""
    columns = [_column(field.name, field.dataType) for field in frame.schema]
    found: dict[str, list[Column]] = {}
    for column, field in zip(columns, frame.schema, strict=True):
        if column.name in leave_out:
            continue
        listed = [column, *_fields_of(column, field.dataType)]
        found[column.name] = [
            part
            for one in listed
            for part in ((one,) if one.of else ()) + _numbers_of(frame, one, baseline)
        ]
    return parts.flat(columns, found)


def _fields_of(column: Column, type_: Any) -> tuple[Column, ...]:
    types = {column.sql: type_}

    def fields(of: Column) -> list[Column]:
        found = []
        if types[of.sql].typeName() == "struct":
            for field in types[of.sql]:
                sql = f"{of.sql}.{_named(field.name)}"
                types[sql] = field.dataType
                found.append(structs.replace(_column(field.name, field.dataType), sql=sql))
        return found

    return parts.fields_of(column, fields)


def _numbers_of(
    frame: Any, column: Column, baseline: Sequence[ColumnProfile]
) -> tuple[Column, ...]:
    """The norm and the dimensions of a list of numbers."""
    if column.elements is None:
        return ()
    squares = f"transform({column.sql}, x -> CAST(x AS DOUBLE) * CAST(x AS DOUBLE))"
    sql = f"sqrt(aggregate({squares}, 0D, (sum, x) -> sum + coalesce(x, 0D)))"
    count = parts.known_dimensions(column, 0, baseline)
    if count is None:
        count = _dimensions(frame, column.sql)
    return (
        parts.norm_of(column, sql),
        *parts.dimensions_of(column, count, lambda at: f"get({column.sql}, {at})"),
    )


def _dimensions(frame: Any, sql: str) -> int:
    """How many numbers all lists have, if that is few."""
    from pyspark.sql import functions

    sizes = frame.select(functions.expr(f"CASE WHEN {sql} IS NOT NULL THEN size({sql}) END AS n"))
    count = 0
    for some in (sizes.limit(parts.FIRST), sizes):
        least, most = some.agg(functions.min("n"), functions.max("n")).first()
        count = parts.fitting_dimensions(least, most, 0)
        if count == 0 and least is not None:
            return 0
    return count


def _word(type_: Any) -> str:
    kind: str = type_.simpleString()
    for listed in (_WORDS, _TIMES):
        if kind in listed:
            return listed[kind]
    if kind.startswith("decimal"):
        return f"decimal128({type_.precision}, {type_.scale})"
    if kind.startswith("array"):
        return f"list<{_word(type_.elementType)}>"
    if kind.startswith("map"):
        return f"map<{_word(type_.keyType)}, {_word(type_.valueType)}>"
    if kind.startswith("struct"):
        return f"struct<{', '.join(f'{field.name}: {_word(field.dataType)}' for field in type_)}>"
    if kind.startswith(("string", "varchar", "char")):
        return "string"
    if kind.startswith("interval"):
        return "duration[us]"
    return {"boolean": "bool", "void": "null"}.get(kind, kind)


def _expression(column: Column, place: int) -> Any:
    """What the kernel gets of a column: a number, a moment or a text."""
    from pyspark.sql import functions

    given = functions.expr(column.sql)
    if column.type.startswith("decimal"):
        given = given.cast("double")
    elif column.type.startswith("duration"):
        given = given.cast("interval day to second").cast("bigint").cast("double")
    elif column.counting == "boolean":
        given = given.cast("int")
    elif column.counting == "text":
        given = given.cast("string")
    elif column.counting == "length":
        sized = functions.length if column.type == "binary" else functions.size
        given = functions.when(given.isNotNull(), sized(given))
    elif column.counting == "presence":
        given = functions.when(given.isNotNull(), functions.lit(1))
    return given.alias(f"c{place}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Spec:
    """How a column is counted: at which edges, at those of the baseline, or its texts."""

    is_text: bool
    edges: tuple[float, ...] = ()
    against: tuple[float, ...] = ()
    bounds: tuple[float, float] | None = None
    top: tuple[str, ...] = ()
    is_known: bool = False


def _spec(column: Column, old: ColumnProfile | None) -> _Spec:
    against = shaping.old_edges(column.kind, old)
    bounds = shaping.old_bounds(column.kind, old)
    top: tuple[str, ...] = ()
    if old is not None and old.categories is not None and not old.categories.is_hashed:
        top = tuple(value for value, _ in old.categories.top)
    if column.counting == "text":
        return _Spec(is_text=True, against=against, top=top, is_known=True)
    if column.counting in ("boolean", "presence"):
        return _Spec(is_text=False, edges=(0.0, 1.0), is_known=True)
    known = bool(against)
    return _Spec(is_text=False, edges=against, against=against, bounds=bounds, is_known=known)


def _nothing(spec: _Spec) -> Any:
    """What is known of a column before any of its rows was counted."""
    if spec.is_text:
        return _TextPartial()
    return Partial(outside=None if spec.bounds is None else (0, 0))


def _edges(frame: Any, specs: Sequence[_Spec], most: int) -> list[tuple[float, ...]]:
    """The edges of each column: known ones, or quantiles of a sample of each partition."""
    unknown = [place for place, spec in enumerate(specs) if not spec.is_known]
    edges = [spec.edges for spec in specs]
    if not unknown:
        return edges
    chosen = frame.select(*[f"c{place}" for place in unknown])
    partitions = chosen.rdd.getNumPartitions()
    size = min(_MOST_SAMPLED, max(_MIN_SAMPLED, MAX_SAMPLED // (partitions * len(unknown))))
    pairs: list[dict[float, int]] = [{} for _ in unknown]
    for place, payload in _collected(chosen, functools.partial(_sample, size)):
        for value, times in json.loads(payload):
            pairs[place][value] = pairs[place].get(value, 0) + times
    for place, of in zip(unknown, pairs, strict=True):
        edges[place] = counting.choose_edges(counting.runs_of(list(of.items())), most)
    return edges


def _collected(frame: Any, work: Any) -> Iterator[tuple[int, str]]:
    """What the work gives for each partition, one partition after the other."""
    for row in frame.mapInArrow(work, _RESULT).toLocalIterator(prefetchPartitions=True):
        yield row.place, row.payload


def _rows(found: Sequence[tuple[int, str]]) -> Any:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays(
        [
            pa.array([place for place, _ in found], pa.int32()),
            pa.array([payload for _, payload in found], pa.string()),
        ],
        names=["place", "payload"],
    )


def _sample(size: int, batches: Iterable[Any]) -> Iterator[Any]:
    """On an executor: every n-th value of each column, n so that there are at most `size`."""
    kept: list[list[float]] = []
    steps: list[int] = []
    passed: list[int] = []
    for batch in batches:
        if not kept:
            kept, steps = [[] for _ in batch.columns], [1 for _ in batch.columns]
            passed = [0 for _ in batch.columns]
        for place, array in enumerate(batch.columns):
            values = counting.in_order_of_rows(values_of(array))
            kept[place] += values[-passed[place] % steps[place] :: steps[place]].tolist()
            passed[place] += len(values)
            while len(kept[place]) > size:
                kept[place] = kept[place][::2]
                steps[place] *= 2
    found = [
        (place, json.dumps([(value, steps[place]) for value in values if math.isfinite(value)]))
        for place, values in enumerate(kept)
    ]
    yield _rows(found)


def _count(plan: Sequence[_Spec], batches: Iterable[Any]) -> Iterator[Any]:
    """On an executor: the counts of each column, and the rows, of one partition."""
    found: list[Any] = [_nothing(spec) for spec in plan]
    rows = 0
    for batch in batches:
        rows += batch.num_rows
        for place, (spec, array) in enumerate(zip(plan, batch.columns, strict=True)):
            if spec.is_text:
                found[place] = found[place].merged(_text_partial(array, spec))
            else:
                runs = counting.sort(values_of(array))
                part = counting.count(runs, spec.edges, spec.against, spec.bounds, sketch=True)
                found[place] = counting.merge(found[place], part)
    payloads = [
        (place, part.written() if isinstance(part, _TextPartial) else _written_partial(part))
        for place, part in enumerate(found)
    ]
    yield _rows([(-1, str(rows)), *payloads])


def _written_partial(part: Partial) -> str:
    given = dataclasses.asdict(part)
    return json.dumps(given | {"registers": base64.b85encode(part.registers).decode()})


def _read_partial(payload: str) -> Partial:
    given = json.loads(payload)
    given["registers"] = base64.b85decode(given["registers"])
    for name in ("counts", "sums", "in_bins", "outside", "few"):
        given[name] = None if given[name] is None else tuple(given[name])
    return Partial(**given)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _TextPartial:
    """The texts of a part of a column: how often each occurs while they are few, how long they
    are, how often those of the baseline occur, how many say that there is none, and counters of
    those that may be frequent.
    """

    nulls: int = 0
    values: dict[str, int] | None = dataclasses.field(default_factory=dict)
    lengths: dict[int, int] = dataclasses.field(default_factory=dict)
    top: dict[str, int] = dataclasses.field(default_factory=dict)
    tokens: int = 0
    counters: dict[str, int] = dataclasses.field(default_factory=dict)

    def merged(self, other: _TextPartial) -> _TextPartial:
        values = None
        if self.values is not None and other.values is not None:
            values = _sum(self.values, other.values)
            if len(values) > MAX_CATEGORIES:
                values = None
        return _TextPartial(
            nulls=self.nulls + other.nulls,
            values=values,
            lengths=_sum(self.lengths, other.lengths),
            top=_sum(self.top, other.top),
            tokens=self.tokens + other.tokens,
            counters=words.reduced(_sum(self.counters, other.counters)),
        )

    def written(self) -> str:
        return json.dumps(dataclasses.asdict(self) | {"lengths": list(self.lengths.items())})

    @classmethod
    def read(cls, payload: str) -> _TextPartial:
        given = json.loads(payload)
        return cls(**given | {"lengths": dict(given["lengths"])})


def _sum(first: dict[Any, int], second: dict[Any, int]) -> dict[Any, int]:
    return {key: first.get(key, 0) + second.get(key, 0) for key in {**first, **second}}


def _text_partial(array: Any, spec: _Spec) -> _TextPartial:
    import pyarrow as pa
    import pyarrow.compute as pc

    nulls = array.null_count
    array = array.drop_null()
    lengths = {
        pair["values"].as_py(): pair["counts"].as_py()
        for pair in pc.value_counts(pc.utf8_length(array))
    }
    counted = pc.value_counts(array)
    texts, counts = counted.field("values"), counted.field("counts")
    values = None
    if len(texts) <= MAX_CATEGORIES:
        values = dict(zip(texts.to_pylist(), counts.to_pylist(), strict=True))
    top: dict[str, int] = {}
    if spec.top:
        places = pc.index_in(array, value_set=pa.array(spec.top, array.type)).drop_null()
        for pair in pc.value_counts(places):
            top[spec.top[pair["values"].as_py()]] = pair["counts"].as_py()
    return _TextPartial(
        nulls=nulls,
        values=values,
        lengths=lengths,
        top=top,
        tokens=words.tokens_of(_picked(texts, counts, _may_be_tokens(texts))),
        counters=_counters(texts, counts),
    )


def _may_be_tokens(texts: Any) -> Any:
    """Which texts are short enough without white space around them."""
    import pyarrow.compute as pc

    return pc.less_equal(
        pc.utf8_length(pc.utf8_trim(texts, characters=words.WHITE)), words.LONGEST_TOKEN
    )


def _counters(texts: Any, counts: Any) -> dict[str, int]:
    """`words.reduced` of a batch, which may have many different texts."""
    import pyarrow.compute as pc

    less = 0
    if len(texts) > words.COUNTERS:
        less = sorted(counts.to_numpy(zero_copy_only=False).tolist())[-words.COUNTERS - 1]
    kept = _picked(texts, counts, pc.greater(counts, less))
    return {words.shortened(value): count - less for value, count in kept.items()}


def _picked(texts: Any, counts: Any, mask: Any) -> dict[str, int]:
    return dict(zip(texts.filter(mask).to_pylist(), counts.filter(mask).to_pylist(), strict=True))


def _distinct_texts(frame: Any, columns: Sequence[Column], merged: Sequence[Any]) -> dict[str, int]:
    """About how many texts differ, of the columns with too many to count them one by one."""
    from pyspark.sql import functions

    many = [
        column
        for column, part in zip(columns, merged, strict=True)
        if isinstance(part, _TextPartial) and part.values is None
    ]
    if not many:
        return {}
    counted = frame.agg(
        *[functions.approx_count_distinct(functions.expr(one.sql), 0.02) for one in many]
    )
    return dict(zip((one.name for one in many), counted.first(), strict=True))


def _frequent_texts(
    frame: Any, columns: Sequence[Column], merged: Sequence[Any]
) -> dict[str, dict[str, int]]:
    """The frequent values, counted, of the columns with too many to count them one by one."""
    from pyspark.sql import functions

    found: dict[str, dict[str, int]] = {}
    for column, part in zip(columns, merged, strict=True):
        if not isinstance(part, _TextPartial) or part.values is not None:
            continue
        there = sum(part.lengths.values())
        candidates = words.likely_counters(part.counters, there)
        if candidates:
            text = functions.expr(
                words.shortened_in_sql(f"CAST({column.sql} AS STRING)", "sha2({}, 256)")
            )
            rows = frame.select(text.alias("t")).filter(functions.col("t").isin(candidates))
            rows = rows.groupBy("t").count()
            least = words.least_rows(there)
            found[column.name] = {row[0]: row[1] for row in rows.collect() if row[1] >= least}
    return found


def _finished(
    column: Column,
    part: Any,
    spec: _Spec,
    old: ColumnProfile | None,
    distinct: dict[str, int],
    frequent: dict[str, dict[str, int]],
    hashed: Hashed | None,
    most: int,
    most_values: int,
) -> ColumnProfile:
    if isinstance(part, _TextPartial):
        if part.values is not None and shaping.is_category(part.values, old):
            return shaping.category_profile(
                column, part.values, part.nulls, old, hashed, most_values
            )
        lengths = counting.runs_of(list(part.lengths.items()), part.nulls)
        in_bins: tuple[int, ...] = ()
        if spec.top and part.values is None and old is not None and old.kind == "category":
            found = [part.top.get(value, 0) for value in spec.top]
            in_bins = (*found, lengths.total - sum(found))
        count = distinct.get(column.name, len(part.values or ()))
        kept = words.Words(
            tokens=part.tokens, frequent=words.ordered(frequent.get(column.name, {}), hashed)
        )
        if part.values is not None:
            kept = words.words_of(part.values, hashed)
        return shaping.text_profile(
            column, lengths, count, old, most, kept, in_bins, is_hashed=hashed is not None
        )
    if column.counting == "presence":
        return ColumnProfile(name=column.name, type=column.type, kind="nested", nulls=part.nulls)
    if column.counting == "boolean":
        false, true, _ = part.counts or (0, 0, 0)
        return shaping.boolean_profile(column, true, false, part.nulls, old)
    return shaping.number_profile(column, part, spec.edges)


def _duplicates(frame: Any, columns: Sequence[Column], rows: int) -> tuple[int | None, int | None]:
    """How many rows repeat another one, and how many nearly do, by hashes of 64 bits."""
    from pyspark.sql import functions

    if rows < 2:
        return 0, 0
    if rows > profile.MAX_DUPLICATE_ROWS or not columns:
        return None, None
    read = [functions.expr(column.sql) for column in columns]
    if any("map<" in field.dataType.simpleString() for field in frame.select(*read).schema):
        return None, None  # Spark has no hash of them
    hashes = []
    for values in (read, [_near(*pair) for pair in zip(columns, read, strict=True)]):
        # A null changes no hash in Spark, so that where it stands is hashed too.
        given = [part for value in values for part in (value, value.isNull())]
        hashes.append(functions.xxhash64(*given))
    found = frame.agg(*[functions.count_distinct(one) for one in hashes]).first()
    return rows - int(found[0]), rows - int(found[1])


def _near(column: Column, read: Any) -> Any:
    """What `near.near` is in DuckDB."""
    from pyspark.sql import functions

    if column.type in near.FLOATS:
        number = read.cast("double")
        cut = number * near.SPLIT - (number * near.SPLIT - number)
        return functions.when(functions.abs(number) < near.MOST_SPLIT, cut).otherwise(number)
    if column.counting == "text":
        bare = functions.lower(functions.translate(read, "".join(near.WHITE), ""))
        return functions.when(bare != "", bare)
    return read
