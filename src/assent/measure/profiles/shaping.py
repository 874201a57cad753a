"""The profile of one column, made of what was counted of it, wherever it was counted."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import itertools
import math
from collections.abc import Callable, Mapping, Sequence

from msgspec import structs

from assent.core.profile import Categories, ColumnKind, ColumnProfile, Numbers
from assent.measure.profiles import counting, fingerprints
from assent.measure.profiles.columns import Column
from assent.measure.profiles.counting import Partial, Runs
from assent.measure.profiles.words import Words, tokens_of

MAX_CATEGORIES = 1_000
MAX_CATEGORY_LENGTH = 200
MIN_REPEATED = 2
"""Text is a category if it has few and short values, which occur at least twice on average: names
of people in a small table are none.
"""

VALUES_OF_ALL = 25_000
MIN_VALUES = 24
"""Texts of all categories together, and of each: many columns share what a profile may hold."""

_HASH_DIGITS = 16


def most_values(columns: int) -> int:
    """The texts that a category may keep in a profile of so many columns."""
    return min(MAX_CATEGORIES, max(MIN_VALUES, VALUES_OF_ALL // max(1, columns)))


class Hashed:
    """Salted hashes of texts."""

    def __init__(self, salt: bytes) -> None:
        self.salt = salt

    def __call__(self, value: str) -> str:
        """The hash that stands for `value`."""
        said = value.encode(errors="surrogatepass")
        return hmac.new(self.salt, said, hashlib.sha256).hexdigest()[:_HASH_DIGITS]


def number_profile(
    column: Column, partial: Partial, edges: Sequence[float], distinct: int | None = None
) -> ColumnProfile:
    """The profile of a column of numbers, times or lengths, of its counts."""
    if column.counting == "number":
        distinct = counting.distinct_of(partial) if distinct is None else distinct
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


def old_edges(kind: ColumnKind, old: ColumnProfile | None) -> tuple[float, ...]:
    """The edges of the baseline's column, if it was counted in the same way."""
    return () if old is None or old.numbers is None or old.kind != kind else old.numbers.edges


def old_bounds(kind: ColumnKind, old: ColumnProfile | None) -> tuple[float, float] | None:
    """The bounds beyond which a value is out of the range of the baseline's column."""
    if old is None or old.numbers is None or old.kind != kind:
        return None
    return counting.bounds_of(old.numbers.minimum, old.numbers.maximum)


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
    said = float(f"{value:.12g}")
    return said + 0.0 if math.isfinite(said) else value


def is_category(counts: Mapping[str, int], old: ColumnProfile | None) -> bool:
    """Whether the values of a text are few, short and repeated, or have been."""
    if len(counts) > MAX_CATEGORIES or any(len(value) > MAX_CATEGORY_LENGTH for value in counts):
        return False
    if old is not None and old.kind == "category":
        return True
    return 0 < len(counts) * MIN_REPEATED <= sum(counts.values())


def category_profile(
    column: Column,
    counts: Mapping[str, int],
    nulls: int,
    old: ColumnProfile | None,
    hashed: Callable[[str], str] | None,
    most: int = MAX_CATEGORIES,
) -> ColumnProfile:
    """The profile of text with few values, of which the `most` frequent are kept."""
    there = sum(counts.values())
    in_bins: tuple[int, ...] = ()
    if old is not None and old.categories is not None and old.kind == "category":
        if not old.categories.is_hashed:
            in_bins = _in_top(counts, old.categories)
        elif hashed is not None:
            in_bins = _in_top(_renamed(counts, hashed), old.categories)
    elif old is not None and old.numbers is not None and old.kind == "text":
        in_bins = counting.count_at(lengths_of(counts), old.numbers.edges)
    shown = counts if hashed is None else _renamed(counts, hashed)
    ordered = sorted(shown.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
    return ColumnProfile(
        name=column.name,
        type=column.type,
        kind="category",
        nulls=nulls,
        tokens=tokens_of(counts),
        distinct=len(counts),
        categories=Categories(
            top=tuple(ordered),
            others=there - sum(count for _, count in ordered),
            is_hashed=hashed is not None,
        ),
        in_bins=in_bins,
    )


def lengths_of(counts: Mapping[str, int], nulls: int = 0) -> Runs:
    """How long counted texts are, in characters."""
    lengths: dict[int, int] = {}
    for value, times in counts.items():
        lengths[len(value)] = lengths.get(len(value), 0) + times
    return counting.runs_of(list(lengths.items()), nulls)


def _renamed(counts: Mapping[str, int], hashed: Callable[[str], str]) -> dict[str, int]:
    return {hashed(value): count for value, count in counts.items()}


def _in_top(counts: Mapping[str, int], old: Categories) -> tuple[int, ...]:
    found = [counts.get(value, 0) for value, _ in old.top]
    return (*found, sum(counts.values()) - sum(found))


def boolean_profile(
    column: Column, true: int, false: int, nulls: int, old: ColumnProfile | None
) -> ColumnProfile:
    """The profile of a column of booleans: two values, never hashed."""
    counts = {value: count for value, count in (("true", true), ("false", false)) if count}
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    in_bins: tuple[int, ...] = ()
    if old is not None and old.kind == "boolean" and old.categories is not None:
        in_bins = _in_top(counts, old.categories)
    return ColumnProfile(
        name=column.name,
        type=column.type,
        kind="boolean",
        nulls=nulls,
        distinct=len(counts),
        categories=Categories(top=tuple(ordered)),
        in_bins=in_bins,
    )


def text_profile(
    column: Column,
    lengths: Runs,
    distinct: int | None,
    old: ColumnProfile | None,
    most: int,
    words: Words,
    in_bins: tuple[int, ...] = (),
    *,
    is_hashed: bool = False,
) -> ColumnProfile:
    """The profile of text with many values: its lengths in characters, and its words, whose values
    are hashed where `is_hashed`.
    """
    edges = counting.choose_edges(lengths, most)
    partial = counting.count(lengths, edges, old_edges("text", old), old_bounds("text", old))
    if in_bins:
        partial = dataclasses.replace(partial, in_bins=in_bins)
    return structs.replace(
        number_profile(column, partial, edges, distinct),
        tokens=words.tokens,
        frequent=words.frequent,
        is_hashed=is_hashed,
    )
