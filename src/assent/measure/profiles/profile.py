"""The profile of a table: each column counted, two at a time.

A column is read whole, sorted, and counted exactly, so that the order of rows and of files does
not matter. From `WHOLE_ROWS` on columns are counted batch by batch instead: the counts are exact as
well, but the edges are those of the baseline, or else quantiles of a sample of every n-th value,
the number of distinct values is approximate, and both, with the last digits of the moments, do
depend on the order of rows.

What is kept of each kind: numbers, times and lengths keep moments and counts in bins; text with
few values keeps these values, all other text its lengths and its frequent values. Decimals and
128-bit integers are counted as floats, times of day and intervals as seconds, moments with a zone
in UTC; lists, maps and bytes by their length, structs only for nulls. Fields of structs, norms and
numbers of lists are columns of their own (`parts`). NaN and infinities are counted apart. Beside
all that stands a fingerprint of the values themselves (`fingerprints`).
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from msgspec import structs

from assent.core.digest import Digest, digest_of_value
from assent.core.profile import FORMAT, ColumnProfile, DataProfile
from assent.measure import engine, fits
from assent.measure.profiles import counting, fingerprints, parts, stream, tallies
from assent.measure.profiles.columns import Column, column_of_duckdb
from assent.measure.profiles.counting import Values
from assent.measure.profiles.near import near
from assent.measure.profiles.reading import Table, require_columns
from assent.measure.profiles.shaping import Hashed, Shaper
from assent.measure.profiles.tallies import Facts, is_direct, text_of
from assent.measure.profiles.words import MAX_CATEGORIES, SAMPLE, likely

WHOLE_ROWS = 20_000_000
"""Up to so many rows a column is held in memory (160 MB for each of two)."""

MAX_DUPLICATE_ROWS = 20_000_000
"""Rows are searched for duplicates up to here; both hashes of each take 320 MB."""

_FITTING = (*fits.NUMBERS, *fits.MOMENTS)

_SAMPLE = 1_000_000
_TOGETHER = 1_000_000
"""Values that DuckDB hands over of several columns at once."""

_MAX_TOGETHER = 64
_THREADS = 2

Progress = Callable[[int], None]
"""Called with the number of columns that have been counted since the last call."""


def profile_data(
    table: Table,
    *,
    against: DataProfile | None = None,
    against_digest: Digest | None = None,
    leave_out: Sequence[str] = (),
    key: Sequence[str] = (),
    hash_values: bool = False,
    salt: bytes = b"",
    progress: Progress | None = None,
    whole_rows: int = WHOLE_ROWS,
) -> DataProfile:
    """The profile of all columns but those of `leave_out`; its duplicates are of these columns
    without those of `key`.

    The rows are counted in the bins of `against` as well, which is known as `against_digest`
    (its attachment's; without it, that of its value). With `hash_values` texts are kept
    as salted hashes (HMAC-SHA256, truncated) only; numbers keep their bins. Raises `UsageError`
    for an unknown column and for data that cannot be read.
    """
    if table.rows or table.columns:
        require_columns(table, key, "part of the key")
    baseline = () if against is None else against.columns
    unpacked = parts.unpacked(
        table.columns,
        table.fields,
        table.rows,
        frozenset(leave_out),
        baseline,
        functools.partial(_sizes, table),
    )
    require_columns(table, parts.unknown(leave_out, unpacked), "left out")
    counts = parts.without(unpacked, leave_out)
    hashed = Hashed(salt) if hash_values else None
    shaper = Shaper(len(counts), baseline, hashed, lambda: table.connection)
    reader = _Reader(table, shaper, whole_rows)
    counted: dict[str, tuple[ColumnProfile, bool]] = {}
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        work = [pool.submit(reader.profiles, part) for part in reader.parts(counts)]
        try:
            for part in work:
                done = part.result()
                counted |= {profile.name: (profile, unique) for profile, unique in done}
                if progress is not None:
                    progress(len(done))
        finally:
            pool.shutdown(cancel_futures=True)
    content = parts.content(unpacked, {*leave_out, *key})
    unique = [column for column in content if counted[column.name][1]]
    duplicates, near_duplicates = _duplicates(table, content, unique)
    return DataProfile(
        format=FORMAT,
        rows=table.rows,
        columns=tuple(structs.replace(counted[column.name][0], of=column.of) for column in counts),
        duplicates=duplicates,
        near_duplicates=near_duplicates,
        against=digest_against(against, against_digest),
        ragged=table.texts.ragged,
    )


def digest_against(against: DataProfile | None, digest: Digest | None) -> Digest | None:
    """The digest that the baseline's profile is known by: given, or of its value."""
    if against is None:
        return None
    return digest_of_value(against) if digest is None else digest


def _sizes(table: Table, column: Column, first: int | None) -> tuple[int | None, int | None]:
    limit = "" if first is None else f" LIMIT {first}"
    sql = f"SELECT min(len(v)), max(len(v)) FROM (SELECT {column.read} AS v FROM {table.relation}"
    with engine.explained(table.doing):
        ((least, most),) = tallies.query(table, f"{sql}{limit})")
        return least, most


class _Reader:
    """Reads and counts the columns of one table."""

    def __init__(self, table: Table, shaper: Shaper, whole_rows: int) -> None:
        self.table = table
        self.rows = table.rows
        self.shaper = shaper
        self.is_whole = self.rows <= whole_rows
        self.sampled = min(1.0, SAMPLE / max(1, self.rows))

    def parts(self, columns: Sequence[Column]) -> Iterator[list[Column]]:
        """The columns that are read together: one of pyarrow's, or several of DuckDB's. Parts of a
        column take up to the memory of one that is held whole: each reading reads all of it.
        """
        size = max(1, min(_MAX_TOGETHER, _TOGETHER // max(1, self.rows)))
        more = max(size, min(_MAX_TOGETHER, WHOLE_ROWS // max(1, self.rows)))
        pending: dict[tuple[bool, str], list[Column]] = {}
        for column in columns:
            if is_direct(self.table, column):
                yield [column]
                continue
            is_number = column.counting in ("number", "length")
            waiting = pending.setdefault((is_number, column.of), [])
            waiting.append(column)
            if len(waiting) == (more if column.of else size):
                yield waiting.copy()
                waiting.clear()
        yield from filter(None, pending.values())

    def profiles(self, columns: Sequence[Column]) -> list[tuple[ColumnProfile, bool]]:
        """The profile of each, and whether no value occurs twice in it."""
        with _explained(self.table, columns):
            if columns[0].counting in ("number", "length"):
                return self._of_numbers(columns)
            if is_direct(self.table, columns[0]):
                return [self._of_direct(column) for column in columns]
            facts = tallies.facts(self.table, columns, self.sampled)
            return [self._of_facts(*pair) for pair in zip(columns, facts, strict=True)]

    # Numbers, times and lengths

    def _of_numbers(self, columns: Sequence[Column]) -> list[tuple[ColumnProfile, bool]]:
        if self.is_whole:
            gathered = _gather(tallies.numbers(self.table, columns), len(columns), self.rows)
            return [self._of_whole(*pair) for pair in zip(columns, gathered, strict=True)]
        specs = [self.shaper.spec(column) for column in columns]
        if not all(spec.edges for spec in specs):
            samples = tallies.sampled(self.table, columns, _SAMPLE)
            specs = [
                spec if spec.edges else structs.replace(spec, edges=sample.edges(self.shaper.most))
                for spec, sample in zip(specs, samples, strict=True)
            ]
        return [
            (self.shaper.numbers(spec.column, part, spec.edges), False)
            for spec, part in zip(specs, tallies.counted(self.table, specs), strict=True)
        ]

    def _of_whole(self, column: Column, values: Values) -> tuple[ColumnProfile, bool]:
        runs = counting.sort(values)
        edges = counting.choose_edges(runs, self.shaper.most)
        spec = self.shaper.spec(column, edges)
        partial = counting.count(runs, edges, spec.against, spec.bounds)
        return self.shaper.numbers(column, partial, edges), runs.distinct == self.rows

    # Text, booleans, and what is only counted for nulls

    def _of_direct(self, column: Column) -> tuple[ColumnProfile, bool]:
        direct = self.table.direct
        assert direct is not None
        if column.counting == "boolean":
            return self.shaper.booleans(column, *direct.booleans(column)), False
        counted = direct.texts(column, MAX_CATEGORIES)
        if counted is not None:
            return self._of_few_texts(column, *counted)
        (facts,) = tallies.facts(self.table, [column], self.sampled)
        return self._of_facts(column, facts)

    def _of_facts(self, column: Column, facts: Facts) -> tuple[ColumnProfile, bool]:
        if column.counting != "text":
            return self.shaper.facts(column, self.rows, facts), False
        counts = None
        if facts.value <= 2 * MAX_CATEGORIES:
            counts = tallies.few_texts(self.table, column)
        if counts is None:
            return self._of_many_texts(column, facts), False
        return self._of_few_texts(column, counts, self.rows - facts.there)

    def _of_few_texts(
        self, column: Column, values: dict[str, int], nulls: int
    ) -> tuple[ColumnProfile, bool]:
        profile = self.shaper.few_texts(column, values, nulls)
        fitted = self._fitted(column) if fits.may_fit(values, _FITTING) else None
        is_unique = profile.kind == "text" and profile.distinct == self.rows
        return structs.replace(profile, fits=fitted), is_unique

    def _of_many_texts(self, column: Column, facts: Facts) -> ColumnProfile:
        texts = tallies.many_texts(self.table, column, self.shaper.known(column) or ())
        nulls, distinct = self.rows - facts.there, facts.value
        frequent = self._frequent(column, facts)
        profile = self.shaper.many_texts(column, texts, nulls, distinct, frequent)
        return structs.replace(profile, fits=self._fitted(column))

    def _frequent(self, column: Column, facts: Facts) -> dict[str, int]:
        """The values that a sample of hashes shows to be likely frequent, counted. Where most rows
        are null, the first sample is too small.
        """
        sample, share = facts.sample, self.sampled
        if len(sample) < min(facts.there, SAMPLE // 2):
            share = min(1.0, SAMPLE / facts.there)
            sample = tallies.sample_of_texts(self.table, column, share)
        hashes = likely(sample, share, facts.there)
        return tallies.frequent_texts(self.table, column, hashes) if hashes else {}

    def _fitted(self, column: Column) -> ColumnProfile | None:
        """A column of text counted as numbers or moments, if all values are written as these. None
        where texts are hashed: those who hash them do not want to see them as numbers.
        """
        if self.shaper.hashed is not None:
            return None
        text = text_of(column)
        cursor = self.table.connection.cursor()
        relation = f"(SELECT {text} AS v FROM {self.table.relation})"
        type_ = fits.fitted(cursor, relation, {"v": _FITTING})["v"]
        if type_ == fits.TEXT:
            return None
        (duckdb_type,) = cursor.sql(f"SELECT CAST(NULL AS {type_})").types
        read = structs.replace(
            column_of_duckdb(column.name, duckdb_type),
            sql=f"CAST(trim({text}) AS {type_})",
            of=column.of,
        )
        ((profile, _),) = self._of_numbers([read])
        return profile


def _explained(table: Table, columns: Sequence[Column]) -> Any:
    """What cannot be read, with the column that it is in."""
    if len(columns) == 1:
        return engine.explained(f"{table.doing}, column {columns[0].name!r}")
    return engine.explained(table.doing)


def _gather(batches: Iterable[Sequence[Values]], columns: int, rows: int) -> Iterator[Values]:
    """All batches of each column in one array that nobody else has."""
    import numpy as np

    wholes: list[Any] = [None] * columns
    filled = [0] * columns
    last: Sequence[Values] = ()
    nulls = [0] * columns
    hashed: list[int | None] = [None] * columns
    for last in batches:
        for place, values in enumerate(last):
            if wholes[place] is None:
                wholes[place] = np.empty(rows, values.numbers.dtype)
            start = filled[place]
            filled[place] += len(values.numbers)
            wholes[place][start : filled[place]] = values.numbers
            nulls[place] += values.nulls
            if values.hashed is not None:
                hashed[place] = values.hashed + (hashed[place] or 0)
    for place in range(columns):
        if not last:
            yield Values(numbers=np.empty(0))
            continue
        whole, wholes[place] = wholes[place][: filled[place]], None
        yield dataclasses.replace(
            last[place], numbers=whole, nulls=nulls[place], hashed=hashed[place]
        )


def _duplicates(
    table: Table, columns: Sequence[Column], unique: Sequence[Column]
) -> tuple[int | None, int | None]:
    """How many rows repeat an earlier one, and how many nearly do: none if a column has no value
    twice. Else hashes of 64 bits are counted; of 10 million different rows, two share one in 3 of a
    million data sets.
    """
    exact = [fingerprints.told_apart(column, column.read) for column in columns]
    nearly = [
        sql if near(column) == column.read else near(column)
        for column, sql in zip(columns, exact, strict=True)
    ]
    if table.rows < 2 or any(near(column) == column.read for column in unique):
        return 0, 0
    if not columns or table.rows > MAX_DUPLICATE_ROWS:
        return None, None
    asked = [exact] if nearly == exact else [exact, nearly]
    with engine.explained(f"{table.doing}, looking for duplicates"):
        hashes = ", ".join(f"hash({', '.join(names)}) AS h{at}" for at, names in enumerate(asked))
        query = f"SELECT {hashes} FROM {table.relation}"
        batches = stream.batches(table.connection, query, table.doing)
        repeated = [_repeated(values) for values in _gather(batches, len(asked), table.rows)]
    return (0 if unique else repeated[0]), repeated[-1]


def _repeated(hashes: Values) -> int:
    import numpy as np

    numbers = hashes.numbers
    numbers.sort()
    return len(numbers) - 1 - int(np.count_nonzero(numbers[1:] != numbers[:-1]))
