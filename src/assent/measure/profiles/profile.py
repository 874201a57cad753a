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
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from msgspec.structs import replace

from assent.core.digest import Digest, digest_of_value
from assent.core.profile import Categories, ColumnProfile, DataProfile
from assent.measure import engine, fits
from assent.measure.profiles import counting, fingerprints, parts, stream
from assent.measure.profiles.columns import Column, column_of_duckdb
from assent.measure.profiles.counting import Partial, Runs, Values
from assent.measure.profiles.fingerprints import hash_of_text
from assent.measure.profiles.near import near
from assent.measure.profiles.reading import Table, require_columns
from assent.measure.profiles.shaping import (
    MAX_CATEGORIES,
    Hashed,
    boolean_profile,
    category_profile,
    is_category,
    lengths_of,
    most_values,
    number_profile,
    old_bounds,
    old_edges,
    text_profile,
)
from assent.measure.profiles.words import (
    SAMPLE,
    Words,
    least_rows,
    likely,
    ordered,
    shortened_in_sql,
    token_in_sql,
    words_of,
)

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
    columns = [column for column in table.columns if column.name not in set(leave_out)]
    baseline = () if against is None else against.columns
    unpacked = parts.flat(table.columns, _parts(table, columns, baseline))
    require_columns(table, parts.unknown(leave_out, unpacked), "left out")
    counts = parts.without(unpacked, leave_out)
    reader = _Reader(
        table,
        baseline=baseline,
        most=counting.most_edges(len(counts)),
        most_values=most_values(len(counts)),
        hashed=Hashed(salt) if hash_values else None,
        whole_rows=whole_rows,
    )
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
        rows=table.rows,
        columns=tuple(replace(counted[one.name][0], of=one.of) for one in counts),
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


def _parts(
    table: Table, columns: Sequence[Column], baseline: Sequence[ColumnProfile]
) -> dict[str, list[Column]]:
    """The parts of each nested column."""
    found: dict[str, list[Column]] = {}
    for column in columns:
        listed = [column, *table.fields.get(column.name, ())]
        found[column.name] = [
            part
            for one in listed
            for part in ((one,) if one.of else ()) + _numbers_of(table, one, baseline)
        ]
    return found


def _numbers_of(
    table: Table, column: Column, baseline: Sequence[ColumnProfile]
) -> tuple[Column, ...]:
    """The norm and the dimensions of a list of numbers."""
    if column.elements is None:
        return ()
    given = column.read
    squares = f"list_transform({given}, lambda x: CAST(x AS DOUBLE) * CAST(x AS DOUBLE))"
    sql = f"CASE WHEN {given} IS NOT NULL THEN sqrt(coalesce(list_sum({squares}), 0)) END"
    count = parts.known_dimensions(column, table.rows, baseline)
    if count is None:
        count = _dimensions(table, given)
    return (
        parts.norm_of(column, sql),
        *parts.dimensions_of(column, count, lambda at: f"list_extract({given}, {at + 1})"),
    )


def _dimensions(table: Table, given: str) -> int:
    """How many numbers all lists have, if that is few."""
    query = f"SELECT min(len(v)), max(len(v)) FROM (SELECT {given} AS v FROM {table.relation}"
    with engine.explained(table.doing):
        for limit in (f" LIMIT {parts.FIRST}", ""):
            cursor = table.connection.cursor()
            least, most = cursor.execute(f"{query}{limit})").fetchone()
            count = parts.fitting_dimensions(least, most, table.rows)
            if count == 0 and least is not None:
                return 0
    return count


class _Reader:
    """Reads and counts the columns of one table."""

    def __init__(
        self,
        table: Table,
        *,
        baseline: Iterable[ColumnProfile],
        most: int,
        most_values: int,
        hashed: Hashed | None,
        whole_rows: int,
    ) -> None:
        self.table = table
        self.rows = table.rows
        self.baseline = {(old.of, old.name): old for old in baseline}
        self.most = most
        self.most_values = most_values
        self.hashed = hashed
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
            if self._is_direct(column):
                yield [column]
                continue
            is_number = column.counting in ("number", "length")
            waiting = pending.setdefault((is_number, column.of), [])
            waiting.append(column)
            if len(waiting) == (more if column.of else size):
                yield waiting.copy()
                waiting.clear()
        yield from filter(None, pending.values())

    def _old(self, column: Column) -> ColumnProfile | None:
        return self.baseline.get((column.of, column.name))

    def profiles(self, columns: Sequence[Column]) -> list[tuple[ColumnProfile, bool]]:
        """The profile of each, and whether no value occurs twice in it."""
        with _explained(self.table, columns):
            if columns[0].counting in ("number", "length"):
                return self._of_numbers(columns)
            return [self._of_words(column, facts) for column, facts in self._facts(columns)]

    def _is_direct(self, column: Column) -> bool:
        direct = self.table.direct
        is_there = direct is not None and not column.sql and column.name in direct.columns
        return is_there and column.is_direct

    def _query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        cursor = self.table.connection.cursor()
        found: list[tuple[Any, ...]] = cursor.execute(sql, parameters).fetchall()
        return found

    # Numbers, times and lengths

    def _of_numbers(self, columns: Sequence[Column]) -> list[tuple[ColumnProfile, bool]]:
        if self.is_whole:
            gathered = _gather(self._batches(columns), len(columns), self.rows)
            return [self._of_whole(*pair) for pair in zip(columns, gathered, strict=True)]
        return self._of_batches(columns)

    def _batches(self, columns: Sequence[Column]) -> Iterator[Sequence[Values]]:
        if self.table.direct is not None and self._is_direct(columns[0]):
            for values in self.table.direct.numbers(columns[0]):
                yield (values,)
            return
        asked = [f"{_number(column)} AS c{place}" for place, column in enumerate(columns)]
        hashed = [
            place
            for place, column in enumerate(columns)
            if fingerprints.is_hashed_by_engine(column)
        ]
        asked += [f"{fingerprints.hash_in_sql(columns[at])} AS h{at}" for at in hashed]
        query = f"SELECT {', '.join(asked)} FROM {self.table.relation}"
        for batch in stream.batches(self.table.connection, query, self.table.doing):
            yield _with_hashes(batch, len(columns), hashed)

    def _of_whole(self, column: Column, values: Values) -> tuple[ColumnProfile, bool]:
        runs = counting.sort(values)
        edges = counting.choose_edges(runs, self.most)
        old = self._old(column)
        against, bounds = old_edges(column.kind, old), old_bounds(column.kind, old)
        partial = counting.count(runs, edges, against, bounds)
        found = self._fingerprinted(number_profile(column, partial, edges), column, runs.hashed)
        return found, runs.distinct == self.rows

    def _of_batches(self, columns: Sequence[Column]) -> list[tuple[ColumnProfile, bool]]:
        old = [self._old(column) for column in columns]
        against = [old_edges(*pair) for pair in zip((c.kind for c in columns), old, strict=True)]
        bounds = [old_bounds(*pair) for pair in zip((c.kind for c in columns), old, strict=True)]
        edges = against.copy()
        if not all(edges):
            sampled = _sample(self._batches(columns), len(columns), self.rows)
            for place, runs in enumerate(sampled):
                edges[place] = edges[place] or counting.choose_edges(runs, self.most)
        found = [Partial() for _ in columns]
        for batch in self._batches(columns):
            for place, values in enumerate(batch):
                runs = counting.sort(values)
                part = counting.count(
                    runs, edges[place], against[place], bounds[place], sketch=True
                )
                found[place] = counting.merge(found[place], part)
        return [
            (self._fingerprinted(number_profile(column, part, at), column, part.hashed), False)
            for column, part, at in zip(columns, found, edges, strict=True)
        ]

    def _fingerprinted(self, found: ColumnProfile, column: Column, hashed: int) -> ColumnProfile:
        """The profile with a fingerprint of DuckDB's hashes, where the values have no other."""
        if not fingerprints.is_hashed_by_engine(column):
            return found
        salt = None if self.hashed is None else self.hashed.salt
        mark = fingerprints.of_hashes(column, hashed, self._examples, salt)
        return replace(found, fingerprint=mark)

    @functools.cached_property
    def _examples(self) -> str:
        """Which hash DuckDB has."""
        return fingerprints.examples_of(self._query(fingerprints.examples_in_sql())[0])

    # Text, booleans, and what is only counted for nulls

    def _facts(self, columns: Sequence[Column]) -> Iterator[tuple[Column, tuple[Any, ...]]]:
        """Of each column: the rows that are not null, and for DuckDB's texts about how many are
        distinct, and hashes of a sample of them, for its booleans how many are true, for all others
        the sum of their hashes.
        """
        rest = [column for column in columns if not self._is_direct(column)]
        if not rest:
            yield from ((column, ()) for column in columns)
            return
        asked = []
        for column in rest:
            quoted = column.read
            asked.append(f"count({quoted})")
            match column.counting:
                case "text":
                    text = _text(column)
                    asked.append(f"approx_count_distinct({text})")
                    asked.append(_sampled(text, self.sampled))
                case "boolean":
                    asked += [f"count_if({quoted})", "0"]
                case _:
                    asked += [f"sum({fingerprints.hash_in_sql(column)})", "0"]
        (row,) = self._query(f"SELECT {', '.join(asked)} FROM {self.table.relation}")
        for place, column in enumerate(rest):
            there, about, sample = row[3 * place : 3 * place + 3]
            yield column, (int(there), int(about or 0), sample or [])

    def _of_words(self, column: Column, facts: tuple[Any, ...]) -> tuple[ColumnProfile, bool]:
        match column.counting:
            case "boolean":
                return self._of_booleans(column, facts), False
            case "text":
                return self._of_texts(column, facts)
        nulls = self.rows - facts[0]
        found = ColumnProfile(name=column.name, type=column.type, kind="nested", nulls=nulls)
        return self._fingerprinted(found, column, facts[1]), False

    def _of_booleans(self, column: Column, facts: tuple[Any, ...]) -> ColumnProfile:
        if not facts:
            assert self.table.direct is not None
            true, false, nulls = self.table.direct.booleans(column)
        else:
            true, false, nulls = facts[1], facts[0] - facts[1], self.rows - facts[0]
        return boolean_profile(column, true, false, nulls, self._old(column))

    def _of_texts(self, column: Column, facts: tuple[Any, ...]) -> tuple[ColumnProfile, bool]:
        counts = self._counted_in_dictionary(column, facts)
        if counts is None:
            found = self._of_many_texts(column, facts or self._text_facts(column))
            return replace(found, fits=self._fitted(column)), False
        found = self._of_few_texts(column, *counts)
        fitted = self._fitted(column) if fits.may_fit(counts[0], _FITTING) else None
        is_unique = found.kind == "text" and found.distinct == self.rows
        return replace(found, fits=fitted), is_unique

    def _of_few_texts(self, column: Column, values: dict[str, int], nulls: int) -> ColumnProfile:
        old = self._old(column)
        if is_category(values, old):
            found = category_profile(column, values, nulls, old, self.hashed, self.most_values)
            if found.categories is None or not found.categories.others:
                return found  # which says all there is
        else:
            found = self._text_profile(
                column, lengths_of(values, nulls), len(values), words_of(values, self.hashed)
            )
        query = f"SELECT t, {hash_of_text('t')} FROM (SELECT unnest(?::VARCHAR[]) AS t)"
        hashes = dict(self._query(query, [[*values]]))
        return self._fingerprinted(found, column, fingerprints.sum_of_counts(values, hashes))

    def _fitted(self, column: Column) -> ColumnProfile | None:
        """A column of text counted as numbers or moments, if all values are written as these. None
        where texts are hashed: those who hash them do not want to see them as numbers.
        """
        if self.hashed is not None:
            return None
        text = _text(column)
        cursor = self.table.connection.cursor()
        relation = f"(SELECT {text} AS v FROM {self.table.relation})"
        type_ = fits.fitted(cursor, relation, {"v": _FITTING})["v"]
        if type_ == fits.TEXT:
            return None
        (said,) = cursor.sql(f"SELECT CAST(NULL AS {type_})").types
        read = replace(
            column_of_duckdb(column.name, said),
            sql=f"CAST(trim({text}) AS {type_})",
            of=column.of,
        )
        ((found, _),) = self._of_numbers([read])
        return found

    def _text_profile(
        self,
        column: Column,
        lengths: Runs,
        distinct: int,
        words: Words,
        in_bins: tuple[int, ...] = (),
    ) -> ColumnProfile:
        return text_profile(
            column,
            lengths,
            distinct,
            self._old(column),
            self.most,
            words,
            in_bins,
            is_hashed=self.hashed is not None,
        )

    def _counted_in_dictionary(
        self, column: Column, facts: tuple[Any, ...]
    ) -> tuple[dict[str, int], int] | None:
        """How often each text occurs, and the nulls; None if they are too many."""
        if not facts:
            assert self.table.direct is not None
            return self.table.direct.texts(column, MAX_CATEGORIES)
        there, about, _ = facts
        if about > 2 * MAX_CATEGORIES:
            return None
        text = _text(column)
        counts = self._query(
            f"SELECT {text}, count(*) FROM {self.table.relation} "
            f"WHERE {text} IS NOT NULL GROUP BY 1"
        )
        return (dict(counts), self.rows - there) if len(counts) <= MAX_CATEGORIES else None

    def _text_facts(self, column: Column) -> tuple[Any, ...]:
        """The same as `_facts`, of a column that pyarrow has given up."""
        text = _text(column)
        ((there, about, sample),) = self._query(
            f"SELECT count({text}), approx_count_distinct({text}), "
            f"{_sampled(text, self.sampled)} FROM {self.table.relation}"
        )
        return int(there), int(about), sample or []

    def _of_many_texts(self, column: Column, facts: tuple[Any, ...]) -> ColumnProfile:
        """The profile of a text whose values are too many to be counted one by one. How many they
        are is an estimate.
        """
        there, about, sample = facts
        old = self._old(column)
        lengths, tokens, hashed = self._lengths(column)
        in_bins: tuple[int, ...] = ()
        if old is not None and old.categories is not None and old.kind == "category":
            in_bins = self._in_old_categories(column, old.categories, there)
        frequent = ordered(self._frequent(column, there, sample), self.hashed)
        found = self._text_profile(
            column,
            counting.runs_of(list(lengths.items()), self.rows - there),
            min(about, there),
            Words(tokens=tokens, frequent=frequent),
            in_bins,
        )
        return self._fingerprinted(found, column, hashed)

    def _lengths(self, column: Column) -> tuple[dict[int, int], int, int]:
        """The rows by the length of their text, those that say that there is none, and the sum of
        the hashes of all.
        """
        counted = self._query(
            f"SELECT length(t), count(*), count(*) FILTER ({token_in_sql('t')}), "
            f"sum({hash_of_text('t')}) "
            f"FROM (SELECT {_text(column)} AS t FROM {self.table.relation}) "
            "WHERE t IS NOT NULL GROUP BY 1"
        )
        lengths = {row[0]: row[1] for row in counted}
        return lengths, sum(row[2] for row in counted), sum(row[3] for row in counted)

    def _frequent(self, column: Column, there: int, sample: Sequence[int]) -> dict[str, int]:
        """The frequent values, counted: those that a sample of hashes shows to be likely. Where
        most rows are null, the first sample is too small.
        """
        text, share = _text(column), self.sampled
        if len(sample) < min(there, SAMPLE // 2):
            share = min(1.0, SAMPLE / there)
            ((sample,),) = self._query(f"SELECT {_sampled(text, share)} FROM {self.table.relation}")
        hashes = likely(sample or (), share, there)
        if not hashes:
            return {}
        found = self._query(
            f"SELECT {shortened_in_sql('t')}, n FROM (SELECT t, count(*) AS n "
            f"FROM (SELECT {text} AS t FROM {self.table.relation}) "
            f"WHERE hash(t) IN (SELECT unnest(?::UBIGINT[])) GROUP BY t) WHERE n >= ?",
            [hashes, least_rows(there)],
        )
        return dict(found)

    def _in_old_categories(self, column: Column, old: Categories, there: int) -> tuple[int, ...]:
        """The rows of each value of the baseline, and of all others, where no dictionary was made:
        there are too many values.
        """
        if old.is_hashed:
            return ()
        text = _text(column)
        names = [value for value, _ in old.top]
        counts = dict(
            self._query(
                f"SELECT {text}, count(*) FROM {self.table.relation} "
                f"WHERE {text} IN (SELECT unnest(?::VARCHAR[])) GROUP BY 1",
                [names],
            )
        )
        found = [int(counts.get(name, 0)) for name in names]
        return (*found, there - sum(found))


def _explained(table: Table, columns: Sequence[Column]) -> Any:
    """What cannot be read, with the column that it is in."""
    if len(columns) == 1:
        return engine.explained(f"{table.doing}, column {columns[0].name!r}")
    return engine.explained(table.doing)


def _text(column: Column) -> str:
    return f"CAST({column.read} AS VARCHAR)"


def _sampled(text: str, share: float) -> str:
    """Hashes of a sample of the texts, in SQL."""
    chosen = "" if share >= 1 else f" AND random() < {share!r}"
    return f"list(hash({text})) FILTER ({text} IS NOT NULL{chosen})"


def _number(column: Column) -> str:
    """What DuckDB hands over of a column of numbers, times or lengths."""
    quoted = column.read
    kind = column.type
    if column.counting == "number":
        if column.ticks:
            return f"CAST({quoted} AS DOUBLE) / {column.ticks}"
        if column.is_direct:
            return quoted
        if kind.startswith(("time32", "time64")):
            return f"CAST(epoch(CAST({quoted} AS TIME)) AS DOUBLE)"
        if kind.startswith("duration"):
            return f"CAST(epoch({quoted}) AS DOUBLE)"
        return f"CAST({quoted} AS DOUBLE)"
    if kind.startswith("map"):
        return f"CAST(cardinality({quoted}) AS BIGINT)"
    if kind.startswith("binary"):
        return f"CAST(octet_length({quoted}) AS BIGINT)"
    return f"CAST(len({quoted}) AS BIGINT)"


def _with_hashes(batch: Sequence[Values], columns: int, hashed: Sequence[int]) -> list[Values]:
    """A batch of so many columns; those at `hashed` have their hashes behind all columns."""
    found = list(batch[:columns])
    for place, hashes in zip(hashed, batch[columns:], strict=True):
        summed = fingerprints.sum_of_hashes(hashes.numbers)
        found[place] = dataclasses.replace(found[place], hashed=summed)
    return found


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


def _sample(batches: Iterable[Sequence[Values]], columns: int, rows: int) -> list[Runs]:
    """Every n-th value of each column."""
    import numpy as np

    step = max(1, math.ceil(rows / _SAMPLE))
    parts: list[list[Values]] = [[] for _ in range(columns)]
    passed = [0] * columns
    for batch in batches:
        for place, values in enumerate(batch):
            kept = values.numbers[-passed[place] % step :: step].copy()
            passed[place] += len(values.numbers)
            parts[place].append(
                Values(numbers=kept, nulls=values.nulls, times=values.times, per=values.per)
            )
    return [
        counting.sort(
            Values(
                numbers=np.concatenate([part.numbers for part in of]),
                times=of[0].times,
                per=of[0].per,
            )
            if of
            else Values(numbers=np.empty(0))
        )
        for of in parts
    ]


def _duplicates(
    table: Table, columns: Sequence[Column], unique: Sequence[Column]
) -> tuple[int | None, int | None]:
    """How many rows repeat an earlier one, and how many nearly do: none if a column has no value
    twice. Else hashes of 64 bits are counted; of 10 million different rows, two share one in 3 of a
    million data sets.
    """
    exact = [fingerprints.told_apart(column, column.read) for column in columns]
    nearly = [
        one if near(column) == column.read else near(column)
        for column, one in zip(columns, exact, strict=True)
    ]
    if table.rows < 2 or any(near(column) == column.read for column in unique):
        return 0, 0
    if not columns or table.rows > MAX_DUPLICATE_ROWS:
        return None, None
    asked = [exact] if nearly == exact else [exact, nearly]
    with engine.explained(f"{table.doing}, looking for duplicates"):
        hashes = ", ".join(f"hash({', '.join(one)}) AS h{at}" for at, one in enumerate(asked))
        query = f"SELECT {hashes} FROM {table.relation}"
        batches = stream.batches(table.connection, query, table.doing)
        repeated = [_repeated(one) for one in _gather(batches, len(asked), table.rows)]
    return (0 if unique else repeated[0]), repeated[-1]


def _repeated(hashes: Values) -> int:
    import numpy as np

    numbers = hashes.numbers
    numbers.sort()
    return len(numbers) - 1 - int(np.count_nonzero(numbers[1:] != numbers[:-1]))
