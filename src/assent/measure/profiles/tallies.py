"""What is counted of columns in rows that DuckDB can query: those of a whole table, or a part of
those of a partition in Spark. What is counted of parts adds up to what is counted of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import msgspec

from assent.measure.profiles import counting, fingerprints, stream
from assent.measure.profiles.columns import Column
from assent.measure.profiles.counting import Partial, Values
from assent.measure.profiles.direct import ParquetFiles
from assent.measure.profiles.fingerprints import hash_of_text
from assent.measure.profiles.words import MAX_CATEGORIES, shortened, token_in_sql


class Rows(Protocol):
    """Rows that DuckDB reads by `relation`, some of their columns perhaps faster by pyarrow."""

    @property
    def connection(self) -> Any:
        """DuckDB, of which each query takes a cursor of its own."""

    @property
    def relation(self) -> str:
        """What it reads them by."""

    @property
    def doing(self) -> str:
        """What is being done, for an error."""

    @property
    def direct(self) -> ParquetFiles | None:
        """The same rows in Parquet files."""


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """How numbers are counted: at which edges, and at the edges and bounds of the baseline."""

    column: Column
    edges: tuple[float, ...] = ()
    against: tuple[float, ...] = ()
    bounds: tuple[float, float] | None = None

    @property
    def nothing(self) -> Partial:
        """What is known before any row was counted."""
        return Partial(outside=None if self.bounds is None else (0, 0))


class Sample(msgspec.Struct, frozen=True):
    """Every n-th value of a column in the order of its rows, `most` at most."""

    values: list[float] = []
    step: int = 1
    most: int = 0

    def merged(self, other: Sample) -> Sample:
        """Both, as thin as the thinner one, and with at most so many values."""
        step = max(self.step, other.step)
        values = self.values[:: step // self.step] + other.values[:: step // other.step]
        while len(values) > self.most:
            values, step = values[::2], 2 * step
        return Sample(values, step, self.most)

    def edges(self, most: int) -> tuple[float, ...]:
        """The edges that it chooses."""
        import numpy as np

        runs = counting.sort(Values(numbers=np.array(self.values, np.float64)))
        return counting.choose_edges(runs, most)


class Facts(msgspec.Struct, frozen=True):
    """How many rows have a value. `value` is of booleans how many are true, of texts about how many
    are distinct, with the hashes of a `sample`, and of all others the sum of their hashes.
    """

    there: int = 0
    value: int = 0
    sample: Sequence[int] = ()

    def merged(self, other: Facts) -> Facts:
        """Both, of what is no text."""
        return Facts(self.there + other.there, (self.value + other.value) % fingerprints.MODULUS)


class FewTexts(msgspec.Struct, frozen=True):
    """How many rows have a text, and how often each occurs; None where these are too many."""

    there: int = 0
    counts: dict[str, int] | None = {}

    def merged(self, other: FewTexts) -> FewTexts:
        """Both."""
        counts = None
        if self.counts is not None and other.counts is not None:
            counts = added(self.counts, other.counts)
        if counts is not None and len(counts) > MAX_CATEGORIES:
            counts = None
        return FewTexts(self.there + other.there, counts)


class ManyTexts(msgspec.Struct, frozen=True, kw_only=True):
    """The rows by the length of their text, those that say that there is none, the sum of the
    hashes of all, and how often those of the baseline occur. In Spark also the hashes of a `sample`
    and the `least` ones, which tell how many there are.
    """

    lengths: dict[int, int] = {}
    tokens: int = 0
    hashed: int = 0
    known: dict[str, int] = {}
    sample: list[int] = []
    least: bytes = b""

    def merged(self, other: ManyTexts) -> ManyTexts:
        """Both."""
        return ManyTexts(
            lengths=added(self.lengths, other.lengths),
            tokens=self.tokens + other.tokens,
            hashed=(self.hashed + other.hashed) % fingerprints.MODULUS,
            known=added(self.known, other.known),
            sample=self.sample + other.sample,
            least=counting.least_of_both(self.least, other.least),
        )


_Key = TypeVar("_Key")


def added(first: Mapping[_Key, int], second: Mapping[_Key, int]) -> dict[_Key, int]:
    """How often each is there in both together."""
    return {key: first.get(key, 0) + second.get(key, 0) for key in {**first, **second}}


def query(rows: Rows, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """All that a query gives."""
    answer: list[tuple[Any, ...]] = rows.connection.cursor().execute(sql, parameters).fetchall()
    return answer


def text_of(column: Column) -> str:
    """A column in SQL as text."""
    return f"CAST({column.read} AS VARCHAR)"


def is_direct(rows: Rows, column: Column) -> bool:
    """Whether pyarrow reads a column."""
    direct = rows.direct
    is_there = direct is not None and not column.sql and column.name in direct.columns
    return is_there and column.is_direct


# Numbers, times and lengths


def numbers(rows: Rows, columns: Sequence[Column]) -> Iterator[Sequence[Values]]:
    """The columns as numbers, batch by batch. Of pyarrow's it is one column."""
    if rows.direct is not None and is_direct(rows, columns[0]):
        for values in rows.direct.numbers(columns[0]):
            yield (values,)
        return
    asked = [f"{_number(column)} AS c{place}" for place, column in enumerate(columns)]
    hashed = [at for at, column in enumerate(columns) if fingerprints.is_hashed_by_engine(column)]
    asked += [f"{fingerprints.hash_in_sql(columns[at])} AS h{at}" for at in hashed]
    sql = f"SELECT {', '.join(asked)} FROM {rows.relation}"
    for batch in stream.batches(rows.connection, sql, rows.doing):
        chunk = batch[: len(columns)]
        for place, hashes in zip(hashed, batch[len(columns) :], strict=True):
            summed = fingerprints.sum_of_hashes(hashes.numbers)
            chunk[place] = replace(chunk[place], hashed=summed)
        yield chunk


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


def counted(rows: Rows, specs: Sequence[Spec]) -> list[Partial]:
    """The counts of columns of numbers, batch by batch."""
    partials = [spec.nothing for spec in specs]
    for batch in numbers(rows, [spec.column for spec in specs]):
        for place, (spec, values) in enumerate(zip(specs, batch, strict=True)):
            runs = counting.sort(values)
            part = counting.count(runs, spec.edges, spec.against, spec.bounds, sketch=True)
            partials[place] = counting.merge(partials[place], part)
    return partials


def sampled(rows: Rows, columns: Sequence[Column], most: int) -> list[Sample]:
    """A sample of each column of numbers, of at most so many values."""
    samples = [Sample(most=most)] * len(columns)
    for batch in numbers(rows, columns):
        for place, values in enumerate(batch):
            step = samples[place].step
            kept = counting.in_order_of_rows(replace(values, numbers=values.numbers[::step]))
            samples[place] = samples[place].merged(Sample(kept.tolist(), step, most))
    return samples


# Text, booleans, and what is only counted for nulls


def facts(rows: Rows, columns: Sequence[Column], share: float = 1.0) -> list[Facts]:
    """The facts of each column; of texts a sample of this share."""
    asked = []
    for column in columns:
        asked.append(f"count({column.read})")
        match column.counting:
            case "text":
                text = text_of(column)
                asked += [f"approx_count_distinct({text})", _sample_of(text, share)]
            case "boolean":
                asked += [f"count_if({column.read})", "NULL"]
            case _:
                asked += [f"sum({fingerprints.hash_in_sql(column)})", "NULL"]
    (row,) = query(rows, f"SELECT {', '.join(asked)} FROM {rows.relation}") if asked else ((),)
    return [
        Facts(row[at], int(row[at + 1] or 0) % fingerprints.MODULUS, row[at + 2] or [])
        for at in range(0, len(row), 3)
    ]


def _sample_of(text: str, share: float) -> str:
    """Hashes of a sample of the texts, in SQL."""
    chosen = "" if share >= 1 else f" AND random() < {share!r}"
    return f"list(hash({text})) FILTER ({text} IS NOT NULL{chosen})"


def sample_of_texts(rows: Rows, column: Column, share: float) -> list[int]:
    """Hashes of a sample of this share of the texts."""
    sql = f"SELECT {_sample_of(text_of(column), share)} FROM {rows.relation}"
    return query(rows, sql)[0][0] or []


def few_texts(rows: Rows, column: Column) -> dict[str, int] | None:
    """How often each text occurs; None if these are too many."""
    text = text_of(column)
    counts = query(
        rows,
        f"SELECT {text}, count(*) FROM {rows.relation} WHERE {text} IS NOT NULL GROUP BY 1 "
        f"LIMIT {MAX_CATEGORIES + 1}",
    )
    return dict(counts) if len(counts) <= MAX_CATEGORIES else None


def many_texts(rows: Rows, column: Column, known: Sequence[str]) -> ManyTexts:
    """What is counted of texts that are too many, those that are `known` one by one."""
    there = _texts(rows, column)
    answer = query(
        rows,
        f"SELECT length(t), count(*), count(*) FILTER ({token_in_sql('t')}), "
        f"sum({hash_of_text('t')}) FROM {there} GROUP BY 1",
    )
    which = "WHERE t IN (SELECT unnest(?::VARCHAR[]))"
    sql = f"SELECT t, count(*) FROM {there} {which} GROUP BY 1"
    return ManyTexts(
        lengths={row[0]: row[1] for row in answer},
        tokens=sum(row[2] for row in answer),
        hashed=sum(row[3] for row in answer) % fingerprints.MODULUS,
        known=dict(query(rows, sql, [[*known]])) if known else {},
    )


def frequent_texts(rows: Rows, column: Column, hashes: Sequence[int]) -> dict[str, int]:
    """How often the texts of these hashes occur; long ones are shortened."""
    which = "hash(t) IN (SELECT unnest(?::UBIGINT[]))"
    sql = f"SELECT t, count(*) FROM {_texts(rows, column)} WHERE {which} GROUP BY t"
    return {shortened(text): count for text, count in query(rows, sql, [[*hashes]])}


def least_texts(rows: Rows, column: Column) -> bytes:
    """The least hashes of the texts, which tell how many there are."""
    import numpy as np

    sql = f"SELECT DISTINCT {hash_of_text('t')} FROM {_texts(rows, column)}"
    least = query(rows, f"{sql} ORDER BY 1 LIMIT {counting.MAX_FEW}")
    return counting.least_of(np.array([number for (number,) in least], np.uint64))


def _texts(rows: Rows, column: Column) -> str:
    """The texts that are there, in SQL."""
    return f"(SELECT {text_of(column)} AS t FROM {rows.relation} WHERE {column.read} IS NOT NULL)"
