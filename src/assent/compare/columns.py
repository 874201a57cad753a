"""The columns of a data set on both sides, from two profiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from assent.compare.bins import Bins, align
from assent.compare.chance import is_beyond_chance
from assent.compare.drift import LEVELS, Moved, judge, measure
from assent.compare.renames import renamed, without_name
from assent.compare.shares import shares
from assent.core.diff.data import (
    ColumnChange,
    ColumnFacts,
    Drift,
    MeasuredColumn,
)
from assent.core.diff.shape import Struct
from assent.core.profile import ColumnProfile, DataProfile

_MOST_CHARTS = 200  # columns that keep the shares of their bins
_MOST_LISTED = 100  # categories that came or went


class Columns(Struct, frozen=True, kw_only=True):
    """Columns that differ, the most important first; how many others there are, and of how many
    nobody can say; and what gates judge from.
    """

    changes: tuple[ColumnChange, ...] = ()
    same: int = 0
    inconclusive: int = 0
    measured: tuple[MeasuredColumn, ...] = ()


class _Pair(Struct, frozen=True, kw_only=True):
    """A column that both sides have, and where it stands in the candidate."""

    at: int
    old: ColumnProfile
    new: ColumnProfile
    is_label: bool
    moved: Moved | None = None
    problem: str = ""


def compare_columns(
    old: DataProfile, new: DataProfile, *, labels: tuple[str | None, str | None], is_counted: bool
) -> Columns:
    """`labels` are the columns that are predicted, before and now. `is_counted`: the candidate was
    counted in the bins of `old`.
    """
    before = _by_name(old)
    is_same = _is_same(old, new)
    names = renamed(old, new)
    pairs: list[_Pair] = []
    added: list[tuple[int, ColumnProfile]] = []
    for at, column in enumerate(_by_name(new).values()):
        origin = before.get(names.get(column.name, column.name))
        if origin is None:
            added.append((at, column))
            continue
        is_label = column.name == labels[1] or origin.name == labels[0]
        pair = _Pair(at=at, old=origin, new=column, is_label=is_label)
        can_count = is_counted and origin.name == column.name
        if not is_same:
            pair = _measured(pair, (old.rows, new.rows), is_counted=can_count)
        pairs.append(pair)
    kept = {pair.old.name for pair in pairs}
    drifts = _judged(pairs)
    looks = _looks(pairs)
    changes = [
        change
        for pair in pairs
        if (change := _change(pair, drifts.get(pair.at), (old.rows, new.rows), looks)) is not None
    ]
    changes += [
        ColumnChange(
            name=column.name, new=facts(column, new.rows), is_label=column.name == labels[1]
        )
        for _, column in added
    ]
    changes += [
        ColumnChange(
            name=column.name, old=facts(column, old.rows), is_label=column.name == labels[0]
        )
        for column in before.values()
        if column.name not in kept
    ]
    changes.sort(key=importance)
    seen = {change.name for change in changes if change.new is not None}
    return Columns(
        changes=tuple(_with_charts(changes, pairs)),
        same=sum(pair.new.name not in seen for pair in pairs),
        inconclusive=sum(drift.outcome == "inconclusive" for drift in drifts.values()),
        measured=measured_columns(new, pairs, old.rows),
    )


def measured_columns(
    new: DataProfile, pairs: Iterable[_Pair] = (), old_rows: int = 0
) -> tuple[MeasuredColumn, ...]:
    """Every column of the candidate as gates judge it."""
    found = {pair.new.name: pair for pair in pairs}
    measured: list[MeasuredColumn] = []
    for column in _by_name(new).values():
        nulls = _share(column.nulls, new.rows)
        pair = found.get(column.name)
        if pair is None:
            measured.append(MeasuredColumn(name=column.name, nulls=nulls))
            continue
        listed = pair.old.categories
        measured.append(
            MeasuredColumn(
                name=column.name,
                nulls=nulls,
                old_name=pair.old.name,
                old_nulls=_share(pair.old.nulls, old_rows),
                test=None if pair.moved is None else pair.moved.test,
                problem=pair.problem,
                is_open=pair.new.categories is not None and (listed is None or listed.others > 0),
            )
        )
    return tuple(measured)


def facts(column: ColumnProfile, rows: int) -> ColumnFacts:
    """What a person compares of a column."""
    numbers = column.numbers if column.kind in ("number", "time") else None
    return ColumnFacts(
        type=column.type,
        kind=column.kind,
        nulls=_share(column.nulls, rows),
        distinct=column.distinct,
        minimum=None if numbers is None else numbers.minimum,
        maximum=None if numbers is None else numbers.maximum,
        mean=None if numbers is None else numbers.mean,
    )


def _by_name(profile: DataProfile) -> dict[str, ColumnProfile]:
    return {column.name: column for column in profile.columns}


def _is_same(old: DataProfile, new: DataProfile) -> bool:
    """Whether both profiles agree to the last count in every column: then there is nothing to
    test, however few the rows are. One column that agrees alone may do so by chance.
    """
    before = {name: without_name(column) for name, column in _by_name(old).items()}
    after = {name: without_name(column) for name, column in _by_name(new).items()}
    return old.rows == new.rows > 0 and before == after


def _share(part: int, rows: int) -> float:
    """A share of the rows; all of them where a profile from outside says what cannot be."""
    return part / rows if 0 <= part <= rows and rows else float(part != 0)


def _measured(pair: _Pair, rows: tuple[int, int], *, is_counted: bool) -> _Pair:
    """The pair with its drift, or with the problem that there is none."""
    bins = align(pair.old, pair.new, rows, is_counted=is_counted)
    if not isinstance(bins, Bins):
        return replace(pair, problem=bins)
    return replace(pair, moved=measure(bins, pair.old, pair.new))


def _judged(pairs: list[_Pair]) -> dict[int, Drift]:
    """Drift by the column's place. The label is looked at apart, so that a thousand features do not
    dilute it.
    """
    drifts: dict[int, Drift] = {}
    for is_label in (True, False):
        family = [
            (pair.at, pair.moved)
            for pair in pairs
            if pair.is_label is is_label and pair.moved is not None
        ]
        judged = judge([moved for _, moved in family])
        drifts.update(zip((at for at, _ in family), judged, strict=True))
    return drifts


def _looks(pairs: list[_Pair]) -> int:
    """How many things are looked at beside the distribution: both ends of the range, nulls, and
    each category.
    """
    listed = sum(len(pair.old.categories.top) for pair in pairs if pair.old.categories is not None)
    return 3 * len(pairs) + listed


def _change(
    pair: _Pair, drift: Drift | None, rows: tuple[int, int], looks: int
) -> ColumnChange | None:
    """What differs in a column that both sides have, None if nothing does."""
    old, new = pair.old, pair.new
    came = tuple(_added(old, new))
    went = tuple(_vanished(old, new, rows, looks)) if drift is not None else ()
    outside = _outside(old, new, rows, looks) if drift is not None else 0
    has_nulls = (
        drift is not None and not old.nulls and is_beyond_chance(new.nulls, rows[1], rows[0], looks)
    )
    differs = (
        old.name != new.name
        or old.type != new.type
        or pair.problem
        or (drift is not None and drift.outcome == "shown")
        or came
        or went
        or outside
        or has_nulls
    )
    if not differs:
        return None
    return ColumnChange(
        name=new.name,
        old_name=old.name if old.name != new.name else None,
        old=facts(old, rows[0]),
        new=facts(new, rows[1]),
        drift=drift,
        added=came[:_MOST_LISTED],
        vanished=went[:_MOST_LISTED],
        outside=outside,
        is_label=pair.is_label,
        problem=pair.problem,
    )


def _added(old: ColumnProfile, new: ColumnProfile) -> Iterator[tuple[str, int]]:
    """Categories that the baseline does not have: only where its profile lists all it has."""
    ours, theirs = old.categories, new.categories
    if ours is None or theirs is None or ours.others or ours.is_hashed != theirs.is_hashed:
        return
    known = {value for value, _ in ours.top}
    if ours.is_hashed and not any(value in known for value, _ in theirs.top):
        return  # other salt
    if known:
        yield from ((value, rows) for value, rows in theirs.top if value not in known and rows > 0)


def _vanished(
    old: ColumnProfile, new: ColumnProfile, rows: tuple[int, int], looks: int
) -> Iterator[tuple[str, int]]:
    """Categories that the candidate does not have, and that are too frequent in the baseline for
    that to be chance (see `chance`).
    """
    ours, theirs = old.categories, new.categories
    if ours is None or theirs is None or theirs.others or ours.is_hashed != theirs.is_hashed:
        return
    left = {value for value, count in theirs.top if count}
    if ours.is_hashed and not any(value in left for value, _ in ours.top):
        return
    for value, count in ours.top:
        if value not in left and is_beyond_chance(count, rows[0], rows[1], looks):
            yield value, count


def _outside(old: ColumnProfile, new: ColumnProfile, rows: tuple[int, int], looks: int) -> int:
    """Rows of the candidate that are surely beyond the baseline's range, by its own bins."""
    ours, theirs = old.numbers, new.numbers
    if (
        ours is None
        or theirs is None
        or ours.minimum is None
        or ours.maximum is None
        or old.kind != new.kind
        or old.kind not in ("number", "time")
        or len(theirs.counts) != len(theirs.edges) + 1
    ):
        return 0
    above = below = 0
    for at, count in enumerate(theirs.counts):
        if at > 0 and theirs.edges[at - 1] >= ours.maximum:
            above += count
        if at < len(theirs.edges) and theirs.edges[at] < ours.minimum:
            below += count
    return sum(
        count for count in (above, below) if is_beyond_chance(count, rows[1], rows[0], looks)
    )


def importance(change: ColumnChange) -> tuple[bool, int, int, float, str]:
    """The label first, then the schema, then drift by its level, then the rest; ties by name."""
    old, new, drift = change.old, change.new, change.drift
    if old is None or new is None or change.old_name is not None or old.type != new.type:
        schema = 0 if new is None else 1 if old is not None else 2
    else:
        schema = 3
    levels = [*LEVELS]
    level = -1 if drift is None or drift.level is None else levels.index(drift.level)
    moved = 0.0 if drift is None else drift.psi
    return (not change.is_label, schema, -level, -moved, change.name)


def _with_charts(changes: list[ColumnChange], pairs: list[_Pair]) -> Iterator[ColumnChange]:
    """The changes, the most important with the shares of their bins."""
    found = {pair.new.name: pair for pair in pairs}
    left = _MOST_CHARTS
    for change in changes:
        pair = found.get(change.name)
        is_shown = change.drift is not None and change.drift.outcome == "shown"
        if left and is_shown and pair is not None and pair.moved is not None:
            left -= 1
            yield replace(change, shares=shares(pair.old, pair.moved.groups))
        else:
            yield change
