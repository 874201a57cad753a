"""A profile: what is known of a data set without its rows. Small, mergeable, comparable."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from assent.core.digest import Digest

FORMAT = "assent/profile/1"

ColumnKind = Literal["number", "category", "boolean", "time", "text", "nested"]
"""How a column is counted. `category`: text with few values; `text`: text with many, or long;
`time`: dates and moments, in seconds since 1970-01-01 UTC; `nested`: lists, structs, maps, bytes.
"""


MISSING_TOKENS = frozenset(("", "-", "?", "n/a", "na", "nan", "none", "null", "#n/a", "<na>"))
"""What people write into text where there is no value: compared without case and outer space."""

FREQUENT = 0.01
"""The share of rows from which on a value of text is kept though most others are not."""

LEAST_FREQUENT = 10
"""Rows that it must have at least: a name in a small table is not kept."""


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of every part of a profile."""


class Numbers(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The finite values of a column of numbers or times, or the lengths of texts and lists.

    `edges` ascend. `counts` has one more: the values up to and including `edges[0]`, those above
    `edges[i - 1]` up to and including `edges[i]`, and those above the last edge. Where a column
    has few values, each is an edge, and the counts are exact for each of them. `mean`, `deviation`
    (of the population), `skewness` and `kurtosis` (excess) are moments, None where undefined.

    `within` says for each count where the mean of its values lies between the ends of their bin, as
    a share of its width; the first bin begins at `minimum`, the last ends at `maximum`. It is empty
    where each edge is a value, and in profiles that were written before there was one.
    """

    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None
    skewness: float | None = None
    kurtosis: float | None = None
    zeros: int = 0
    negatives: int = 0
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    within: tuple[float, ...] = ()


class Categories(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Values of a column by how often they occur, the most frequent first, ties by value. `others`
    counts the rows of all values that are not listed. Where `is_hashed`, values are salted hashes.
    """

    top: tuple[tuple[str, int], ...] = ()
    others: int = 0
    is_hashed: bool = False


class Fingerprint(Struct, frozen=True, kw_only=True):
    """What stands for the values of a column that are neither null nor NaN, in any order. Only two
    of the same `scheme` (what was hashed, and how) say something: equal `values` (64 bits, as hex
    digits) are the same values, but for an accident in 10 ** 18; others are other values. It is a
    checksum, no proof against somebody who chooses the values.
    """

    scheme: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]
    values: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]


class ColumnProfile(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One column. `type` is its type in the words of Arrow, the same whatever the file format.
    `distinct` is approximate above a few thousand. `nans` and `infinities` are neither null nor
    among `numbers`. `in_bins` counts the rows in the bins of the profile that this one was
    counted against (`DataProfile.against`): like `Numbers.counts` for its edges, or one count for
    each value in its `Categories.top` and one for all others. `outside` counts the rows below the
    minimum and above the maximum of that profile's column, None where it has none or this one was
    not counted against it.

    `tokens` counts the rows of text that say that there is no value (`MISSING_TOKENS`).
    `frequent` are the values of text that is not counted as categories of which each makes up at
    least `FREQUENT` of the rows that have one, and `LEAST_FREQUENT` rows, the most frequent first,
    ties by value; None where that was not looked for. A long one is its beginning and a digest.
    `is_hashed` as in `Categories`. `of` is the column that this one was
    taken out of (a field of a struct, the norm of a list of numbers), empty for a column of the
    table itself.

    `fits` is a column of text whose values are all written as numbers or moments, counted as these:
    on the other side they may be of that type. Only against a column of that type has it `in_bins`
    and `outside`.

    `fingerprint` stands for the values, None where there is none: in profiles of earlier versions,
    of categories whose values are all listed and of booleans, which `categories` says whole, and
    of what is computed from others (norms).
    """

    name: str
    type: str
    kind: ColumnKind
    nulls: int = 0
    nans: int = 0
    infinities: int = 0
    distinct: int | None = None
    numbers: Numbers | None = None
    categories: Categories | None = None
    in_bins: tuple[int, ...] = ()
    outside: tuple[int, int] | None = None
    tokens: int = 0
    frequent: tuple[tuple[str, int], ...] | None = None
    is_hashed: bool = False
    of: str = ""
    fits: ColumnProfile | None = None
    fingerprint: Fingerprint | None = None


class DataProfile(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All columns of a data set, in its order. `duplicates` counts rows that repeat another one in
    all columns but those of the key and those left out; `near_duplicates` also those that do but
    for rounding, white space and the case of letters. Both are None where that was not counted.
    `against` is the digest of the profile in whose bins the rows were counted as well. `ragged`
    lines of text had more or fewer cells than the header, and were left out because the settings
    say so.
    """

    format: str = "assent/profile/1"  # for ever: what is left out is of the first format
    rows: int = 0
    columns: tuple[ColumnProfile, ...] = ()
    duplicates: int | None = None
    near_duplicates: int | None = None
    against: Digest | None = None
    ragged: int = 0


class Overlap(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What two data sets share. `rows` of the second are also in the first, whatever their keys,
    compared in `columns` columns: those that both have, without the key of either and without what
    either leaves out. `near` counts rows that are there but for rounding, white space and the case
    of letters, those of `rows` among them. `keys` are rows whose key is there, None where no key is
    declared. `of` is the number of rows of the second. Where `columns` and `near` are None, an
    earlier version has counted, which compared the keys as well.
    """

    first: str
    second: str
    of: int
    rows: int
    keys: int | None = None
    near: int | None = None
    columns: int | None = None


class RowChanges(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A data set against an earlier state of it, by key. `columns` counts the changed rows in which
    each column differs, the most first. `repeated_keys` counts rows whose key is not unique on
    either side; they are in no other count.
    """

    data: str
    key: tuple[str, ...]
    added: int = 0
    removed: int = 0
    changed: int = 0
    same: int = 0
    repeated_keys: int = 0
    columns: tuple[tuple[str, int], ...] = ()
