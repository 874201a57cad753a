"""Whether two columns are alike in every count, and whether their values are the same."""

from __future__ import annotations

from msgspec.structs import replace

from assent.core.profile import ColumnProfile


def are_alike(old: ColumnProfile, new: ColumnProfile) -> bool:
    """Whether both have the same content to the last count. Fingerprints are not counts."""
    return content(old) == content(new)


def content(column: ColumnProfile) -> ColumnProfile:
    """The counts of a column alone, without its name and what earlier versions did not write."""
    numbers = column.numbers
    if numbers is not None and numbers.within:
        numbers = replace(numbers, within=())
    return replace(
        column,
        name="",
        in_bins=(),
        outside=None,
        numbers=numbers,
        fits=None if column.fits is None else content(column.fits),
        fingerprint=None,
    )


def have_other_values(old: ColumnProfile, new: ColumnProfile) -> bool:
    """Whether the values are known not to be the same, by fingerprints that can be compared."""
    ours, theirs = old.fingerprint, new.fingerprint
    if ours is None or theirs is None or ours.scheme != theirs.scheme:
        return False
    return ours.values != theirs.values


def have_same_values(
    old: ColumnProfile, new: ColumnProfile, rows: tuple[int, int], *, is_counted: bool
) -> bool:
    """Whether the values are known to be the same, in whatever order: by fingerprints, or because
    both list all values with their rows. Profiles come from outside: where what was counted of the
    same values cannot be of them, nobody is believed. `is_counted`: `new.in_bins` is about `old`.
    """
    if rows[0] != rows[1] or old.kind != new.kind or _missing(old) != _missing(new):
        return False
    if not _agree(old, new, is_counted=is_counted):
        return False
    if _lists_all(old, rows[0]) and _lists_all(new, rows[1]):
        return old.categories == new.categories
    return old.fingerprint is not None and old.fingerprint == new.fingerprint


def _missing(column: ColumnProfile) -> tuple[int, int, int, int]:
    return column.nulls, column.nans, column.infinities, column.tokens


def _lists_all(column: ColumnProfile, rows: int) -> bool:
    """Whether the profile has each value with its rows."""
    if column.categories is None or not column.categories.top:
        return False
    return sum(count for _, count in column.categories.top) == rows - column.nulls


def _agree(old: ColumnProfile, new: ColumnProfile, *, is_counted: bool) -> bool:
    """Whether what was counted exactly can be of the same values."""
    ours, theirs = old.numbers, new.numbers
    if ours is not None and theirs is not None:
        exact = ("minimum", "maximum", "zeros", "negatives")
        if any(getattr(ours, name) != getattr(theirs, name) for name in exact):
            return False
        if ours.edges == theirs.edges and ours.counts != theirs.counts:
            return False
    elif ours is not theirs:
        return False
    if not (is_counted and new.in_bins):
        return True
    if ours is not None and ours.counts:
        return new.in_bins == ours.counts
    if old.categories is not None:
        listed = tuple(count for _, count in old.categories.top)
        return new.in_bins == (*listed, old.categories.others)
    return True
