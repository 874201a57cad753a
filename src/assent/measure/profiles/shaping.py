"""The profile of one column, made of what was counted of it, wherever it was counted."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import hmac
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import structs

from assent.core.profile import Categories, ColumnProfile, Numbers
from assent.measure.profiles import counting, fingerprints
from assent.measure.profiles.columns import Column
from assent.measure.profiles.counting import Partial, Runs
from assent.measure.profiles.tallies import Facts, ManyTexts, Spec
from assent.measure.profiles.words import (
    MAX_CATEGORIES,
    Words,
    least_rows,
    ordered,
    tokens_of,
    words_of,
)

MAX_CATEGORY_LENGTH = 200
MIN_REPEATED = 2
"""Text is a category if it has few and short values, which occur at least twice on average: names
of people in a small table are none.
"""

VALUES_OF_ALL = 25_000
MIN_VALUES = 24
"""Texts of all categories together, and of each: many columns share what a profile may hold."""

_HASH_DIGITS = 16


class Hashed:
    """Salted hashes of texts."""

    def __init__(self, salt: bytes) -> None:
        self.salt = salt

    def __call__(self, value: str) -> str:
        """The hash that stands for `value`."""
        encoded = value.encode(errors="surrogatepass")
        return hmac.new(self.salt, encoded, hashlib.sha256).hexdigest()[:_HASH_DIGITS]


class Shaper:
    """Makes the profiles of so many columns, beside those of a baseline. Texts are `hashed` where
    that is set; `connection` hashes by DuckDB.
    """

    def __init__(
        self,
        columns: int,
        baseline: Iterable[ColumnProfile],
        hashed: Hashed | None,
        connection: Callable[[], Any],
    ) -> None:
        self.most = counting.most_edges(columns)
        self._most_values = min(MAX_CATEGORIES, max(MIN_VALUES, VALUES_OF_ALL // max(1, columns)))
        self._baseline = {(old.of, old.name): old for old in baseline}
        self.hashed = hashed
        self._connection = connection

    def spec(self, column: Column, edges: Sequence[float] = ()) -> Spec:
        """How the numbers of a column are counted, or the lengths of its texts, beside those of the
        baseline, if these were counted in the same way. Without `edges` it is at theirs.
        """
        old = self._baseline.get((column.of, column.name))
        if old is None or old.numbers is None or old.kind != column.kind:
            return Spec(column=column, edges=tuple(edges))
        against = old.numbers.edges
        bounds = counting.bounds_of(old.numbers.minimum, old.numbers.maximum)
        return Spec(column=column, edges=tuple(edges) or against, against=against, bounds=bounds)

    def known(self, column: Column) -> tuple[str, ...] | None:
        """The texts of the baseline's column, if it has few and they can be told."""
        old = self._old_categories(column, "category")
        return None if old is None or old.is_hashed else tuple(value for value, _ in old.top)

    def numbers(self, column: Column, partial: Partial, edges: Sequence[float]) -> ColumnProfile:
        """The profile of a column of numbers, times or lengths."""
        distinct = counting.distinct_of(partial) if column.counting == "number" else None
        profile = _number_profile(column, partial, edges, distinct)
        return self._fingerprinted(profile, column, partial.hashed)

    def facts(self, column: Column, rows: int, facts: Facts) -> ColumnProfile:
        """The profile of a column of booleans, or of one that is only counted for nulls."""
        nulls = rows - facts.there
        if column.counting == "boolean":
            return self.booleans(column, facts.value, facts.there - facts.value, nulls)
        profile = ColumnProfile(name=column.name, type=column.type, kind="nested", nulls=nulls)
        return self._fingerprinted(profile, column, facts.value)

    def booleans(self, column: Column, true: int, false: int, nulls: int) -> ColumnProfile:
        """The profile of a column of booleans: two values, never hashed."""
        counts = {value: count for value, count in (("true", true), ("false", false)) if count}
        old = self._old_categories(column, "boolean")
        return ColumnProfile(
            name=column.name,
            type=column.type,
            kind="boolean",
            nulls=nulls,
            distinct=len(counts),
            categories=Categories(top=_most_first(counts)),
            in_bins=() if old is None else _in_top(counts, old),
        )

    def few_texts(self, column: Column, counts: Mapping[str, int], nulls: int) -> ColumnProfile:
        """The profile of a column of text whose values are all counted."""
        if self._is_category(column, counts):
            profile = self._category(column, counts, nulls)
            if profile.categories is None or not profile.categories.others:
                return profile  # which says all there is
        else:
            words = words_of(counts, self.hashed)
            profile = self._texts(column, _lengths_of(counts, nulls), len(counts), words)
        sql = f"SELECT t, {fingerprints.hash_of_text('t')} FROM (SELECT unnest(?::VARCHAR[]) AS t)"
        hashes = dict(self._connection().cursor().execute(sql, [[*counts]]).fetchall())
        return self._fingerprinted(profile, column, fingerprints.sum_of_counts(counts, hashes))

    def many_texts(
        self, column: Column, texts: ManyTexts, nulls: int, distinct: int, counts: Mapping[str, int]
    ) -> ColumnProfile:
        """The profile of a column of text whose values are too many to be counted one by one. How
        many they are is an estimate; `counts` are those that may be frequent.
        """
        lengths = counting.runs_of(list(texts.lengths.items()), nulls)
        in_bins: tuple[int, ...] = ()
        known = self.known(column)
        if known is not None:
            there = [texts.known.get(value, 0) for value in known]
            in_bins = (*there, lengths.total - sum(there))
        frequent = {text: n for text, n in counts.items() if n >= least_rows(lengths.total)}
        words = Words(tokens=texts.tokens, frequent=ordered(frequent, self.hashed))
        profile = self._texts(column, lengths, min(distinct, lengths.total), words, in_bins)
        return self._fingerprinted(profile, column, texts.hashed)

    def _fingerprinted(self, profile: ColumnProfile, column: Column, hashed: int) -> ColumnProfile:
        """The profile with a fingerprint of DuckDB's hashes, where the values have no other."""
        if not fingerprints.is_hashed_by_engine(column):
            return profile
        salt = None if self.hashed is None else self.hashed.salt
        mark = fingerprints.of_hashes(column, hashed, self._examples, salt)
        return structs.replace(profile, fingerprint=mark)

    @functools.cached_property
    def _examples(self) -> str:
        return fingerprints.examples_of(self._connection())

    def _old_categories(self, column: Column, kind: str) -> Categories | None:
        old = self._baseline.get((column.of, column.name))
        return None if old is None or old.kind != kind else old.categories

    def _is_category(self, column: Column, counts: Mapping[str, int]) -> bool:
        """Whether the values of a text are few, short and repeated, or have been."""
        if len(counts) > MAX_CATEGORIES or any(
            len(value) > MAX_CATEGORY_LENGTH for value in counts
        ):
            return False
        old = self._baseline.get((column.of, column.name))
        if old is not None and old.kind == "category":
            return True
        return 0 < len(counts) * MIN_REPEATED <= sum(counts.values())

    def _category(self, column: Column, counts: Mapping[str, int], nulls: int) -> ColumnProfile:
        """The profile of text with few values, of which the most frequent are kept."""
        shown = counts
        if self.hashed is not None:
            shown = {self.hashed(value): count for value, count in counts.items()}
        top = _most_first(shown)[: self._most_values]
        return ColumnProfile(
            name=column.name,
            type=column.type,
            kind="category",
            nulls=nulls,
            tokens=tokens_of(counts),
            distinct=len(counts),
            categories=Categories(
                top=top,
                others=sum(counts.values()) - sum(count for _, count in top),
                is_hashed=self.hashed is not None,
            ),
            in_bins=self._category_in_bins(column, counts, shown),
        )

    def _category_in_bins(
        self, column: Column, counts: Mapping[str, int], shown: Mapping[str, int]
    ) -> tuple[int, ...]:
        old = self._old_categories(column, "category")
        if old is None:
            against = self.spec(column).against
            return counting.count_at(_lengths_of(counts), against) if against else ()
        if old.is_hashed:
            return () if self.hashed is None else _in_top(shown, old)
        return _in_top(counts, old)

    def _texts(
        self,
        column: Column,
        lengths: Runs,
        distinct: int,
        words: Words,
        in_bins: tuple[int, ...] = (),
    ) -> ColumnProfile:
        """The profile of text with many values: its lengths in characters, and its words."""
        edges = counting.choose_edges(lengths, self.most)
        spec = self.spec(column, edges)
        partial = counting.count(lengths, edges, spec.against, spec.bounds)
        if in_bins:
            partial = dataclasses.replace(partial, in_bins=in_bins)
        return structs.replace(
            _number_profile(column, partial, edges, distinct),
            tokens=words.tokens,
            frequent=words.frequent,
            is_hashed=self.hashed is not None,
        )


def _most_first(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _lengths_of(counts: Mapping[str, int], nulls: int = 0) -> Runs:
    """How long counted texts are, in characters."""
    lengths: dict[int, int] = {}
    for value, times in counts.items():
        lengths[len(value)] = lengths.get(len(value), 0) + times
    return counting.runs_of(list(lengths.items()), nulls)


def _in_top(counts: Mapping[str, int], old: Categories) -> tuple[int, ...]:
    top = [counts.get(value, 0) for value, _ in old.top]
    return (*top, sum(counts.values()) - sum(top))


def _number_profile(
    column: Column, partial: Partial, edges: Sequence[float], distinct: int | None
) -> ColumnProfile:
    return ColumnProfile(
        name=column.name,
        type=column.type,
        kind=column.kind,
        nulls=partial.nulls,
        nans=partial.nans,
        infinities=partial.infinities,
        distinct=distinct,
        numbers=_numbers(partial, edges, distinct),
        in_bins=partial.in_bins,
        outside=partial.outside,
        fingerprint=fingerprints.of_numbers(column, partial.hashed),
    )


def _numbers(partial: Partial, edges: Sequence[float], distinct: int | None) -> Numbers | None:
    total = partial.total
    if total == 0:
        return None
    deviation = math.sqrt(partial.m2 / total) if partial.m2 >= 0 else math.nan
    skewness = kurtosis = math.nan
    if 0 < partial.m2 < math.inf:
        variance = partial.m2 / total
        if variance * variance > 0:
            skewness = partial.m3 / total / variance / deviation
            kurtosis = partial.m4 / total / variance / variance - 3
    return Numbers(
        minimum=partial.minimum,
        maximum=partial.maximum,
        mean=_rounded(partial.mean, beside=max(abs(partial.minimum), abs(partial.maximum))),
        deviation=_rounded(deviation, beside=max(abs(partial.minimum), abs(partial.maximum))),
        skewness=_rounded(skewness, beside=1000.0),
        kurtosis=_rounded(kurtosis, beside=1000.0),
        zeros=partial.zeros,
        negatives=partial.negatives,
        edges=tuple(edges),
        counts=partial.counts,
        within=_within(partial, edges, distinct),
    )


def _within(partial: Partial, edges: Sequence[float], distinct: int | None) -> tuple[float, ...]:
    """Where the mean of each bin lies in it; nothing where each edge is a value."""
    if not edges or (distinct is not None and distinct <= len(edges) and not partial.counts[-1]):
        return ()
    low, high = min(partial.minimum, edges[0]), max(partial.maximum, edges[-1])
    return tuple(
        _share(total / count, start, end) if count else 0.0
        for count, total, (start, end) in zip(
            partial.counts, partial.sums, itertools.pairwise((low, *edges, high)), strict=True
        )
    )


def _share(value: float, start: float, end: float) -> float:
    """How far `value` lies between both, as a share: with three digits of the distance to the end
    that is nearer, for the bins at the ends of a long tail are very wide.
    """
    width = end - start
    if not (0 < width < math.inf and math.isfinite(value)):
        return 1.0 if width == 0 else 0.5
    share = min(1.0, max(0.0, (value - start) / width))
    if share <= 0.5:
        return float(f"{share:.3g}")
    return round(1.0 - float(f"{1.0 - share:.3g}"), 15)


def _rounded(value: float, *, beside: float = 0.0) -> float | None:
    """`value` with twelve significant digits; with fewer where it is small beside what it was
    computed from, so that the last digit is always sound. None if it is not finite.
    """
    if not math.isfinite(value):
        return None
    if beside > abs(value) > 0 and math.isfinite(beside):
        digits = 11 - math.floor(math.log10(beside))
        value = round(value, digits) if abs(digits) < 300 else value
    rounded = float(f"{value:.12g}")
    return rounded + 0.0 if math.isfinite(rounded) else value
