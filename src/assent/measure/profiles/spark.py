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

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from msgspec import structs

from assent.core.digest import Digest
from assent.core.profile import FORMAT, ColumnProfile, DataProfile, Overlap
from assent.errors import UsageError
from assent.measure.profiles import counting, parts, profile, tallies
from assent.measure.profiles.columns import Column
from assent.measure.profiles.frames import Frame, Tally, Task, counting_engine
from assent.measure.profiles.near import near
from assent.measure.profiles.overlap import content_of, row_hashes, shared
from assent.measure.profiles.profile import Progress
from assent.measure.profiles.shaping import Hashed, Shaper
from assent.measure.profiles.tallies import Facts, FewTexts, ManyTexts, Rows, Sample, Spec
from assent.measure.profiles.words import SAMPLE, likely
from assent.measure.redaction import redact_text

MAX_SAMPLED = 8_000_000
"""Values of the samples of all columns together, which the driver holds."""

_MIN_SAMPLED, _MOST_SAMPLED = 512, 100_000
"""Values in the sample of one column."""


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
    with counting_engine(doing) as connection:
        frame = Frame(source, connection, doing, has_names=has_names)
        counted = _profile(frame, baseline, leave_out, key, hashed, progress)
        return structs.replace(counted, against=known)


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
    with counting_engine(doing) as connection:
        both = [Frame(source, connection, doing, has_names=True) for source in (first, second)]
        return _overlap(both, names, key, without, doing)


def _overlap(
    both: Sequence[Frame],
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


def _same_keys(both: Sequence[Frame], key: Sequence[str]) -> int:
    """The rows of the second whose key is in the first. A key with a null in it equals no key."""
    sides = []
    for frame, given in zip(both, shared(both[0].columns, both[1].columns), strict=True):
        asked = [given[name] for name in key]
        there = " AND ".join(f"{name} IS NOT NULL" for name in asked)
        listed = f"hash({', '.join(asked)}) AS h, hash('second', {', '.join(asked[::-1])}) AS g"
        sides.append(frame.queried(f"SELECT {listed} FROM rows WHERE {there}", "h long, g long"))
    return int(sides[1].join(sides[0], ["h", "g"], "left_semi").count())


def _profile(
    frame: Frame,
    baseline: Sequence[ColumnProfile],
    leave_out: Sequence[str],
    key: Sequence[str],
    hashed: Hashed | None,
    progress: Progress | None,
) -> DataProfile:
    unpacked = parts.unpacked(
        frame.columns, frame.fields, 0, frozenset(leave_out), baseline, frame.sizes
    )
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
        format=FORMAT,
        rows=rows,
        columns=tuple(
            structs.replace(column_profile, of=column.of)
            for column_profile, column in zip(profiles, columns, strict=True)
        ),
        duplicates=duplicates,
        near_duplicates=near_duplicates,
    )


class _Counted:
    """The columns of a frame, counted."""

    def __init__(self, frame: Frame, columns: Sequence[Column], shaper: Shaper) -> None:
        self._frame = frame
        self._columns = columns
        self._shaper = shaper

    def profiles(self) -> tuple[int, list[ColumnProfile]]:
        """The rows, and the profile of each column."""
        specs = self._specs()
        nothing = [0, *map(_nothing, specs)]
        rows, *counted = self._tallied(partial(_count, specs), nothing, self._columns)
        there = {
            spec.column.name: texts.there
            for spec, texts in zip(specs, counted, strict=True)
            if isinstance(texts, FewTexts) and texts.counts is None
        }
        many = self._many_texts(there, rows)
        return rows, [
            many.get(spec.column.name) or self._profile(spec, tally, rows)
            for spec, tally in zip(specs, counted, strict=True)
        ]

    def _specs(self) -> list[Spec]:
        """How each column is counted: at the edges of the baseline, or at those of a sample."""
        specs = {column.name: self._shaper.spec(column) for column in self._columns}
        unknown = [
            column
            for column in self._columns
            if _is_number(column) and not specs[column.name].edges
        ]
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
                few.counts or {},
            )
            for column, text, few in zip(columns, texts, frequent, strict=True)
        }

    def _profile(self, spec: Spec, tally: Any, rows: int) -> ColumnProfile:
        if _is_number(spec.column):
            return self._shaper.numbers(spec.column, tally, spec.edges)
        if spec.column.counting == "text":
            return self._shaper.few_texts(spec.column, tally.counts, rows - tally.there)
        return self._shaper.facts(spec.column, rows, tally)

    def _tallied(self, task: Task, nothing: Sequence[Any], columns: Sequence[Column]) -> Any:
        """What a task counts, which reads these columns, or what they were taken out of."""
        by_name = {column.name: column for column in self._columns}
        read = set()
        for column in columns:
            while column.of:
                column = by_name[column.of]
            read.add(column.read)
        return self._frame.tallied(task, nothing, sorted(read))


def _is_number(column: Column) -> bool:
    return column.counting in ("number", "length")


def _nothing(spec: Spec) -> Tally:
    """What is known of a column before any of its rows was counted."""
    if _is_number(spec.column):
        return spec.nothing
    return FewTexts() if spec.column.counting == "text" else Facts()


# On an executor


def _sample(columns: Sequence[Column], most: int, rows: Rows) -> list[Sample]:
    return tallies.sampled(rows, columns, most)


def _count(specs: Sequence[Spec], rows: Rows) -> list[Tally]:
    """The rows, and what is counted of each column."""
    numbers = [spec for spec in specs if _is_number(spec.column)]
    rest = [spec.column for spec in specs if spec.column.counting in ("boolean", "presence")]
    counted = iter(tallies.counted(rows, numbers) if numbers else ())
    facts = iter(tallies.facts(rows, rest))
    tallied: list[Tally] = list(tallies.query(rows, f"SELECT count(*) FROM {rows.relation}")[0])
    for column in (spec.column for spec in specs):
        if _is_number(column):
            tallied.append(next(counted))
        elif column.counting == "text":
            ((there,),) = tallies.query(rows, f"SELECT count({column.read}) FROM {rows.relation}")
            tallied.append(FewTexts(there, tallies.few_texts(rows, column)))
        else:
            tallied.append(next(facts))
    return tallied


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


def _duplicates(
    frame: Frame, columns: Sequence[Column], rows: int
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
    row = hashes.agg(*[functions.count_distinct(name) for name in ("h", "n")]).first()
    return rows - int(row[0]), rows - int(row[1])


_HASHES = "h long, n long"
