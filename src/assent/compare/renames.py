"""Columns that were renamed, told by what they hold."""

from __future__ import annotations

from collections.abc import Iterable

from assent.compare.alike import are_alike
from assent.compare.bins import Bins, align
from assent.compare.drift import ALPHA, Moved, measure, stable_p
from assent.core.profile import ColumnProfile, DataProfile

_CLOSE = 0.02  # a renamed column must be shown to have moved by less than that
_FAR = 0.1  # and any other column must seem to be further away than that
_LEAST_ROWS = 100  # below, different columns may be equal by chance
_LEAST_VALUES = 3  # below, different columns may agree by chance
_MOST = 20  # columns on either side: with more it is another data set, not one with new names


def renamed(old: DataProfile, new: DataProfile) -> dict[str, str]:
    """Names in `new` with the names that they had in `old`, where content leaves no doubt.

    A pair is a column that is gone and one that is new, of one type, whose values are the same to
    the last count, or are shown to agree and have at least three different ones. And neither
    resembles any other column of that type: among ten normalised features nobody can tell which
    one was renamed.
    """
    gone, came = _only_in(old, new), _only_in(new, old)
    if not 0 < max(len(gone), len(came)) <= _MOST or min(old.rows, new.rows) < _LEAST_ROWS:
        return {}
    earlier_names: dict[str, str] = {}
    for before in gone:
        for after in came:
            if not _agree(before, after, (old.rows, new.rows)):
                continue
            others = (column for column in new.columns if column.name != after.name)
            earlier = (column for column in old.columns if column.name != before.name)
            if not (
                _has_double(before, others, (old.rows, new.rows))
                or _has_double(after, earlier, (new.rows, old.rows))
            ):
                earlier_names[after.name] = before.name
    return earlier_names


def _only_in(profile: DataProfile, other: DataProfile) -> list[ColumnProfile]:
    names = {column.name for column in other.columns}
    return [column for column in profile.columns if column.name not in names]


def _agree(before: ColumnProfile, after: ColumnProfile, rows: tuple[int, int]) -> bool:
    if before.type != after.type or before.kind != after.kind:
        return False
    if _values(before) < 2 or _values(after) < 2:
        return False
    if rows[0] == rows[1] and are_alike(before, after):
        return True
    if min(_values(before), _values(after)) < _LEAST_VALUES or not _is_near(before, after):
        return False
    moved = _moved(before, after, rows)
    return moved is not None and stable_p(moved.test, _CLOSE) < ALPHA


def _has_double(
    column: ColumnProfile, others: Iterable[ColumnProfile], rows: tuple[int, int]
) -> bool:
    """Whether any of `others` could be taken for the column as well."""
    for other in others:
        if other.type != column.type or other.kind != column.kind or not _is_near(column, other):
            continue
        moved = _moved(column, other, rows)
        if moved is None or not moved.test.weight:
            return True
        if (moved.test.low - moved.test.bins + 1) / moved.test.weight < _FAR:
            return True
    return False


def _moved(column: ColumnProfile, other: ColumnProfile, rows: tuple[int, int]) -> Moved | None:
    if column.numbers is None and column.categories is None:
        return None
    bins = align(column, other, rows, is_counted=False)
    return measure(bins) if isinstance(bins, Bins) else None


def _is_near(column: ColumnProfile, other: ColumnProfile) -> bool:
    """Whether it is worth counting: mean and deviation rule most pairs out."""
    left, right = column.numbers, other.numbers
    if left is None or right is None:
        return True
    if left.mean is None or right.mean is None or not left.deviation or not right.deviation:
        return True
    ratio = left.deviation / right.deviation
    return abs(left.mean - right.mean) <= left.deviation and 0.5 <= ratio <= 2


def _values(column: ColumnProfile) -> int:
    """How many values the column is known to have."""
    if column.distinct is not None:
        return column.distinct
    listed = 0 if column.categories is None else len(column.categories.top)
    return max(listed, 0 if column.numbers is None else len(column.numbers.edges))
