"""The profile of a table: each column counted, two at a time.

A column is read whole, sorted, and counted exactly, so that the order of rows and of files does
not matter. From `WHOLE_ROWS` on columns are counted batch by batch instead: the counts are exact as
well, but the edges are those of the baseline, or else quantiles of a sample of every n-th value,
the number of distinct values is approximate, and both, with the last digits of the moments, do
depend on the order of rows.

What is kept of each kind: numbers, times and lengths keep moments and counts in bins; text with
few values keeps these values, all other text only its lengths. Decimals and 128-bit integers are
counted as floats, times of day and intervals as seconds, moments with a zone in UTC; lists, maps
and bytes by their length, structs only for nulls. NaN and infinities are counted apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from assent.core.digest import Digest, digest_of
from assent.core.profile import Categories, ColumnProfile, DataProfile
from assent.measure import engine
from assent.measure.profiles import counting, stream
from assent.measure.profiles.columns import Column
from assent.measure.profiles.counting import Partial, Runs, Values
from assent.measure.profiles.encoding import encode_profile
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
    text_profile,
)

WHOLE_ROWS = 20_000_000
"""Up to so many rows a column is held in memory (160 MB for each of two)."""

MAX_DUPLICATE_ROWS = 20_000_000
"""Rows are searched for duplicates up to here; both hashes of each take 320 MB."""

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
    (its attachment's; without it, of `encode_profile(against)`). With `hash_values` texts are kept
    as salted hashes (HMAC-SHA256, truncated) only; numbers keep their bins. Raises `UsageError`
    for an unknown column and for data that cannot be read.
    """
    require_columns(table, leave_out, "left out")
    if table.rows or table.columns:
        require_columns(table, key, "part of the key")
    columns = [column for column in table.columns if column.name not in set(leave_out)]
    baseline = {} if against is None else {column.name: column for column in against.columns}
    reader = _Reader(
        table,
        baseline=baseline,
        most=counting.most_edges(len(columns)),
        most_values=most_values(len(columns)),
        hashed=Hashed(salt) if hash_values else None,
        whole_rows=whole_rows,
    )
    counted: dict[str, tuple[ColumnProfile, bool]] = {}
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        work = [pool.submit(reader.profiles, part) for part in reader.parts(columns)]
        try:
            for part in work:
                found = part.result()
                counted |= {profile.name: (profile, unique) for profile, unique in found}
                if progress is not None:
                    progress(len(found))
        finally:
            pool.shutdown(cancel_futures=True)
    content = [column for column in columns if column.name not in set(key)]
    unique = [column for column in content if counted[column.name][1]]
    duplicates, near_duplicates = _duplicates(table, content, unique)
    return DataProfile(
        rows=table.rows,
        columns=tuple(counted[column.name][0] for column in columns),
        duplicates=duplicates,
        near_duplicates=near_duplicates,
        against=digest_against(against, against_digest),
    )


def digest_against(against: DataProfile | None, digest: Digest | None) -> Digest | None:
    """The digest that the baseline's profile is known by: given, or of its bytes."""
    if against is None:
        return None
    return digest_of(encode_profile(against)) if digest is None else digest


class _Reader:
    """Reads and counts the columns of one table."""

    def __init__(
        self,
        table: Table,
        *,
        baseline: Mapping[str, ColumnProfile],
        most: int,
        most_values: int,
        hashed: Hashed | None,
        whole_rows: int,
    ) -> None:
        self.table = table
        self.rows = table.rows
        self.baseline = baseline
        self.most = most
        self.most_values = most_values
        self.hashed = hashed
        self.is_whole = self.rows <= whole_rows

    def parts(self, columns: Sequence[Column]) -> Iterator[list[Column]]:
        """The columns that are read together: one of pyarrow's, or several of DuckDB's."""
        size = max(1, min(_MAX_TOGETHER, _TOGETHER // max(1, self.rows)))
        pending: dict[bool, list[Column]] = {True: [], False: []}
        for column in columns:
            if self._is_direct(column):
                yield [column]
                continue
            waiting = pending[column.counting in ("number", "length")]
            waiting.append(column)
            if len(waiting) == size:
                yield waiting.copy()
                waiting.clear()
        yield from filter(None, pending.values())

    def profiles(self, columns: Sequence[Column]) -> list[tuple[ColumnProfile, bool]]:
        """The profile of each, and whether no value occurs twice in it."""
        with _explained(self.table, columns):
            if columns[0].counting in ("number", "length"):
                return self._of_numbers(columns)
            return [self._of_words(column, facts) for column, facts in self._facts(columns)]

    def _is_direct(self, column: Column) -> bool:
        direct = self.table.direct
        return direct is not None and column.is_direct and column.name in direct.columns

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
        expressions = ", ".join(
            f"{_number(column)} AS c{place}" for place, column in enumerate(columns)
        )
        query = f"SELECT {expressions} FROM {self.table.relation}"
        yield from stream.batches(self.table.connection, query, self.table.doing)

    def _of_whole(self, column: Column, values: Values) -> tuple[ColumnProfile, bool]:
        runs = counting.sort(values)
        edges = counting.choose_edges(runs, self.most)
        partial = counting.count(runs, edges, self._old_edges(column))
        return number_profile(column, partial, edges), runs.distinct == self.rows

    def _of_batches(self, columns: Sequence[Column]) -> list[tuple[ColumnProfile, bool]]:
        edges = [self._old_edges(column) for column in columns]
        if not all(edges):
            sampled = _sample(self._batches(columns), len(columns), self.rows)
            for place, runs in enumerate(sampled):
                edges[place] = edges[place] or counting.choose_edges(runs, self.most)
        found = [Partial() for _ in columns]
        for batch in self._batches(columns):
            for place, values in enumerate(batch):
                against = self._old_edges(columns[place])
                runs = counting.sort(values)
                part = counting.count(runs, edges[place], against, sketch=True)
                found[place] = counting.merge(found[place], part)
        return [
            (number_profile(column, part, at), False)
            for column, part, at in zip(columns, found, edges, strict=True)
        ]

    def _old_edges(self, column: Column) -> tuple[float, ...]:
        old = self.baseline.get(column.name)
        if old is None or old.numbers is None or old.kind != column.kind:
            return ()
        return old.numbers.edges

    # Text, booleans, and what is only counted for nulls

    def _facts(self, columns: Sequence[Column]) -> Iterator[tuple[Column, tuple[int, ...]]]:
        """Of each column: the rows that are not null, and for DuckDB's texts about how many are
        distinct, for its booleans how many are true.
        """
        rest = [column for column in columns if not self._is_direct(column)]
        if not rest:
            yield from ((column, ()) for column in columns)
            return
        asked = []
        for column in rest:
            quoted = engine.name(column.name)
            asked.append(f"count({quoted})")
            match column.counting:
                case "text":
                    asked.append(f"approx_count_distinct(CAST({quoted} AS VARCHAR))")
                case "boolean":
                    asked.append(f"count_if({quoted})")
                case _:
                    asked.append("0")
        (row,) = self._query(f"SELECT {', '.join(asked)} FROM {self.table.relation}")
        for place, column in enumerate(rest):
            yield column, (int(row[2 * place]), int(row[2 * place + 1] or 0))

    def _of_words(self, column: Column, facts: tuple[int, ...]) -> tuple[ColumnProfile, bool]:
        match column.counting:
            case "boolean":
                return self._of_booleans(column, facts), False
            case "text":
                return self._of_texts(column, facts)
        nulls = self.rows - facts[0]
        return ColumnProfile(name=column.name, type=column.type, kind="nested", nulls=nulls), False

    def _of_booleans(self, column: Column, facts: tuple[int, ...]) -> ColumnProfile:
        if not facts:
            assert self.table.direct is not None
            true, false, nulls = self.table.direct.booleans(column)
        else:
            true, false, nulls = facts[1], facts[0] - facts[1], self.rows - facts[0]
        return boolean_profile(column, true, false, nulls, self.baseline.get(column.name))

    def _of_texts(self, column: Column, facts: tuple[int, ...]) -> tuple[ColumnProfile, bool]:
        old = self.baseline.get(column.name)
        counts, nulls, distinct = self._counted_texts(column, facts)
        if counts is not None and is_category(counts, old):
            return category_profile(
                column, counts, nulls, old, self.hashed, self.most_values
            ), False
        in_bins: tuple[int, ...] = ()
        if counts is not None:
            runs = lengths_of(counts, nulls)
        else:
            runs = counting.runs_of(list(self._lengths(column).items()), nulls)
            if old is not None and old.categories is not None and old.kind == "category":
                in_bins = self._in_old_categories(column, old.categories, self.rows - nulls)
        return text_profile(column, runs, distinct, old, self.most, in_bins), (
            distinct == self.rows and counts is not None
        )

    def _counted_texts(
        self, column: Column, facts: tuple[int, ...]
    ) -> tuple[dict[str, int] | None, int, int]:
        """How often each text occurs, None if they are too many; the nulls; and how many differ,
        approximately where they are too many.
        """
        if not facts:
            assert self.table.direct is not None
            found = self.table.direct.texts(column, MAX_CATEGORIES)
            if found is not None:
                return *found, len(found[0])
            quoted = engine.name(column.name)
            ((there, about),) = self._query(
                f"SELECT count({quoted}), approx_count_distinct({quoted}) "
                f"FROM {self.table.relation}"
            )
            return None, self.rows - int(there), min(int(about), int(there))
        there, about = facts
        nulls = self.rows - there
        if about <= 2 * MAX_CATEGORIES:
            text = f"CAST({engine.name(column.name)} AS VARCHAR)"
            counts = self._query(
                f"SELECT {text}, count(*) FROM {self.table.relation} "
                f"WHERE {text} IS NOT NULL GROUP BY 1"
            )
            if len(counts) <= MAX_CATEGORIES:
                return dict(counts), nulls, len(counts)
        return None, nulls, min(about, there)

    def _lengths(self, column: Column) -> dict[int, int]:
        length = f"length(CAST({engine.name(column.name)} AS VARCHAR))"
        counted = self._query(
            f"SELECT {length}, count(*) FROM {self.table.relation} "
            f"WHERE {length} IS NOT NULL GROUP BY 1"
        )
        return dict(counted)

    def _in_old_categories(self, column: Column, old: Categories, there: int) -> tuple[int, ...]:
        """The rows of each value of the baseline, and of all others, where no dictionary was made:
        there are too many values.
        """
        if old.is_hashed:
            return ()
        text = f"CAST({engine.name(column.name)} AS VARCHAR)"
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


def _number(column: Column) -> str:
    """What DuckDB hands over of a column of numbers, times or lengths."""
    quoted = engine.name(column.name)
    kind = column.type
    if column.counting == "number":
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


def _gather(batches: Iterable[Sequence[Values]], columns: int, rows: int) -> Iterator[Values]:
    """All batches of each column in one array that nobody else has."""
    import numpy as np

    wholes: list[Any] = [None] * columns
    filled = [0] * columns
    last: Sequence[Values] = ()
    nulls = [0] * columns
    for last in batches:
        for place, values in enumerate(last):
            if wholes[place] is None:
                wholes[place] = np.empty(rows, values.numbers.dtype)
            start = filled[place]
            filled[place] += len(values.numbers)
            wholes[place][start : filled[place]] = values.numbers
            nulls[place] += values.nulls
    for place in range(columns):
        if not last:
            yield Values(numbers=np.empty(0))
            continue
        whole, wholes[place] = wholes[place][: filled[place]], None
        yield Values(
            numbers=whole, nulls=nulls[place], times=last[place].times, per=last[place].per
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
    quoted = [engine.name(column.name) for column in columns]
    nearly = [near(column) for column in columns]
    if table.rows < 2 or any(near(column) == engine.name(column.name) for column in unique):
        return 0, 0
    if not columns or table.rows > MAX_DUPLICATE_ROWS:
        return None, None
    asked = [quoted] if nearly == quoted else [quoted, nearly]
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
