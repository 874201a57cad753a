"""The columns of a data set on both sides, from two profiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from assent.compare.alike import are_alike, content, have_other_values, have_same_values
from assent.compare.bins import Damaged, align
from assent.compare.chance import is_beyond_chance
from assent.compare.drift import LEVELS, Moved, judge, measure
from assent.compare.facts import LOOKS, Looked, fact_changes
from assent.compare.renames import renamed
from assent.compare.shares import shares
from assent.core.diff.data import (
    ColumnChange,
    ColumnFacts,
    Drift,
    FactChange,
    MeasuredColumn,
)
from assent.core.diff.sameness import NotCompared
from assent.core.diff.shape import Struct
from assent.core.profile import Categories, ColumnProfile, DataProfile

_IN_PART = "not all of its parts were compared"
_NO_ROWS = "one side has no rows"
_PART_OF_ONE = "only one side has counted this part of the column"
_MANY_VALUES = 20  # so many are the same by chance once in ten million times: n! / n ** n
_MOST_CHARTS = 200  # columns that keep the shares of their bins
_MOST_LISTED = 100  # categories that came or went


class Columns(Struct, frozen=True, kw_only=True):
    """Columns that differ, the most important first; how many others hold the same values, how many
    are alike in every count, how many differ by no more than chance or than little, which were not
    compared, and of how many nobody can say whether they drifted; and what gates judge from.
    """

    changes: tuple[ColumnChange, ...] = ()
    same: int = 0
    alike: int = 0
    close: int = 0
    not_compared: tuple[NotCompared, ...] = ()
    inconclusive: int = 0
    measured: tuple[MeasuredColumn, ...] = ()


class _Pair(Struct, frozen=True, kw_only=True):
    """A column that both sides have, and where it stands in the candidate. `counted` are both as
    they are compared: text that is written as numbers, as such where the other side has numbers.
    `is_same`: the values are known to be the same.
    """

    at: int
    old: ColumnProfile
    new: ColumnProfile
    counted: tuple[ColumnProfile, ColumnProfile]
    is_label: bool
    is_same: bool = False
    moved: Moved | None = None
    not_compared: str = ""
    problem: str = ""

    @property
    def is_alike(self) -> bool:
        """Whether both are the same to the last count."""
        return are_alike(self.old, self.new)

    @property
    def is_other(self) -> bool:
        """Whether the values are known not to be the same."""
        return have_other_values(*self.counted)

    @property
    def has_moved(self) -> bool:
        """Whether the values are not even alike."""
        return not self.is_same and (self.is_other or not self.is_alike)


def compare_columns(
    old: DataProfile, new: DataProfile, *, labels: tuple[str | None, str | None], is_counted: bool
) -> Columns:
    """`labels` are the columns that are predicted, before and now. `is_counted`: the candidate was
    counted in the bins of `old`.
    """
    pairs, added = _paired(old, new, labels, is_counted=is_counted)
    drifts = _judged(pairs)
    looks = _looks(pairs)
    rows = old.rows, new.rows
    moved = {pair.new.of for pair in pairs if pair.new.of and pair.has_moved}
    changed = (
        _change(pair, drifts.get(pair.at), rows, looks, has_parts=pair.new.name in moved)
        for pair in pairs
    )
    changes = [change for change in changed if change is not None]
    changes += _of_one_side(old, new, pairs, added, labels)
    changes.sort(key=importance)
    seen = {change.name for change in changes if change.new is not None}
    left = [pair for pair in pairs if pair.new.name not in seen]
    compared = [pair for pair in left if not pair.not_compared]
    same = sum(pair.is_same for pair in compared)
    alike = sum(not (pair.is_same or pair.has_moved or pair.new.name in moved) for pair in compared)
    parts = dict.fromkeys(column.name for column in _only_parts(old, pairs, added))
    return Columns(
        changes=tuple(_with_charts(changes, pairs)),
        same=same,
        alike=alike,
        close=len(compared) - same - alike,
        not_compared=tuple(
            NotCompared(name=name, reason=reason)
            for name, reason in (
                *((pair.new.name, pair.not_compared) for pair in left if pair.not_compared),
                *((name, _PART_OF_ONE) for name in parts),
            )
        ),
        inconclusive=sum(drift.outcome == "inconclusive" for drift in drifts.values()),
        measured=measured_columns(new, pairs, old.rows),
    )


def _paired(
    old: DataProfile,
    new: DataProfile,
    labels: tuple[str | None, str | None],
    *,
    is_counted: bool,
) -> tuple[list[_Pair], list[ColumnProfile]]:
    """The columns that both sides have, measured, and those that only the candidate has."""
    before = _by_name(old)
    names = renamed(old, new)
    is_alike = _is_alike(old, new)
    parts = _shared_parts(old, new)
    has_rows = min(old.rows, new.rows) > 0
    pairs: list[_Pair] = []
    added: list[ColumnProfile] = []
    for at, column in enumerate(_by_name(new).values()):
        origin = before.get(names.get(column.name, column.name))
        if origin is None or origin.of != column.of:
            added.append(column)
            continue
        counted = _counted_alike(origin, column)
        can_count = is_counted and origin.name == column.name
        pair = _Pair(
            at=at,
            old=origin,
            new=column,
            counted=counted,
            is_label=column.name == labels[1] or origin.name == labels[0],
            is_same=has_rows
            and have_same_values(*counted, (old.rows, new.rows), is_counted=can_count),
        )
        if not pair.is_same:
            why = _stand_in(pair, parts) if has_rows else _NO_ROWS
            pair = replace(pair, not_compared=why)
        if has_rows and not is_alike:
            pair = _measured(pair, (old.rows, new.rows), is_counted=can_count)
        pairs.append(pair)
    unread = {pair.new.of for pair in pairs if pair.new.of and pair.not_compared}
    unread |= {column.of for column in _only_parts(old, pairs, added)}
    return [
        replace(pair, not_compared=pair.not_compared or _IN_PART)
        if pair.new.name in unread and not pair.is_same
        else pair
        for pair in pairs
    ], added


def _of_one_side(
    old: DataProfile,
    new: DataProfile,
    pairs: Sequence[_Pair],
    added: Iterable[ColumnProfile],
    labels: tuple[str | None, str | None],
) -> Iterator[ColumnChange]:
    """Columns that came and that are gone. A part of a column that both sides have is neither."""
    kept = {pair.old.name for pair in pairs}
    wholes = {pair.new.name for pair in pairs}
    for column in added:
        if column.of not in wholes:
            is_label = column.name == labels[1]
            yield ColumnChange(name=column.name, new=facts(column, new.rows), is_label=is_label)
    for column in _by_name(old).values():
        if column.name not in kept and column.of not in wholes:
            is_label = column.name == labels[0]
            yield ColumnChange(name=column.name, old=facts(column, old.rows), is_label=is_label)


def _only_parts(
    old: DataProfile, pairs: Sequence[_Pair], added: Iterable[ColumnProfile]
) -> list[ColumnProfile]:
    """Parts that one side alone has counted, of columns that both sides have, and whose values are
    not the same.
    """
    kept = {pair.old.name for pair in pairs}
    wholes = {pair.new.name for pair in pairs if not pair.is_same}
    gone = [column for column in _by_name(old).values() if column.name not in kept]
    return [column for column in (*added, *gone) if column.of in wholes]


def measured_columns(
    new: DataProfile, pairs: Iterable[_Pair] = (), old_rows: int = 0
) -> tuple[MeasuredColumn, ...]:
    """Every column of the candidate as gates judge it."""
    by_name = {pair.new.name: pair for pair in pairs}
    wholes = {name for name, pair in by_name.items() if not pair.is_same}
    measured: list[MeasuredColumn] = []
    for column in _by_name(new).values():
        ours = facts(column, new.rows)
        pair = by_name.get(column.name)
        if pair is None:
            why = _PART_OF_ONE if column.of in wholes else ""
            measured.append(MeasuredColumn(name=column.name, new=ours, not_compared=why))
            continue
        measured.append(
            MeasuredColumn(
                name=column.name,
                new=facts(pair.counted[1], new.rows),
                old_name=pair.old.name,
                old=facts(pair.counted[0], old_rows),
                outside=_outside(pair),
                test=None if pair.moved is None else pair.moved.test,
                not_compared=pair.not_compared,
                problem=pair.problem,
                is_open=not pair.is_same and _is_open(*pair.counted, new.rows),
            )
        )
    return tuple(measured)


def _is_open(old: ColumnProfile, new: ColumnProfile, rows: int) -> bool:
    """Whether a category may be new without anybody being able to tell."""
    ours, theirs = old.categories, new.categories
    if ours is None or theirs is None:
        may_have = ours is not None or theirs is not None or "text" in (old.kind, new.kind)
        return may_have and new.nulls < rows
    return ours.others > 0 or _are_hashed_apart(ours, theirs)


def _are_hashed_apart(old: Categories, new: Categories) -> bool:
    """Whether one value has another name on either side, for all that is known."""
    if old.is_hashed != new.is_hashed:
        return True
    known = {value for value, _ in old.top}
    return old.is_hashed and not any(value in known for value, _ in new.top)


def facts(column: ColumnProfile, rows: int) -> ColumnFacts:
    """What a person compares of a column."""
    known = ColumnFacts(
        type=column.type,
        kind=column.kind,
        nulls=_share(column.nulls, rows),
        nans=_share(column.nans, rows),
        infinite=_share(column.infinities, rows),
        tokens=_share(column.tokens, rows),
        distinct=column.distinct,
    )
    numbers = column.numbers
    if numbers is None or column.kind not in ("number", "time"):
        return known
    is_time = column.kind == "time"
    return replace(
        known,
        zeros=None if is_time else _share(numbers.zeros, rows),
        negatives=None if is_time else _share(numbers.negatives, rows),
        minimum=numbers.minimum,
        maximum=numbers.maximum,
        mean=numbers.mean,
        deviation=numbers.deviation,
    )


def _stand_in(pair: _Pair, parts: Mapping[str, list[str]]) -> str:
    """What of a column alone is known on both sides, empty where that is its values. `parts` are
    the columns that both sides took out of others: the fields of a struct and the numbers of a list
    are its values, the norm of a list is not.
    """
    name = pair.new.name
    ours = parts.get(name, []) if pair.old.name == name else []
    if any(part.startswith((f"{name}.", f"{name}[")) for part in ours):
        return ""
    only = _only(*pair.counted, has_norm=bool(ours))
    return f"other values, of which {only}" if only and pair.is_other else only


def _only(old: ColumnProfile, new: ColumnProfile, *, has_norm: bool) -> str:
    if "text" in (old.kind, new.kind):
        values = old.frequent is not None and new.frequent is not None
        frequent = " and the frequent values" if values else ""
        return f"only the lengths{frequent} of its texts were compared"
    if "nested" not in (old.kind, new.kind):
        return ""
    if old.numbers is not None and new.numbers is not None:
        norm = " and its norm" if has_norm else ""
        return f"only its lengths{norm} were compared"
    return "only its nulls were compared"


def _shared_parts(old: DataProfile, new: DataProfile) -> dict[str, list[str]]:
    before = {(column.of, column.name) for column in old.columns if column.of}
    shared: dict[str, list[str]] = {}
    for column in new.columns:
        if (column.of, column.name) in before:
            shared.setdefault(column.of, []).append(column.name)
    return shared


def _counted_alike(old: ColumnProfile, new: ColumnProfile) -> tuple[ColumnProfile, ColumnProfile]:
    """Both sides of one kind, if text that is written as numbers or moments makes that possible."""
    if old.kind != new.kind:
        if new.fits is not None and new.fits.kind == old.kind:
            return old, new.fits
        if old.fits is not None and old.fits.kind == new.kind:
            return old.fits, new
    return old, new


def _outside(pair: _Pair) -> tuple[int, int] | None:
    """Rows outside of the baseline's range, where they were counted or there surely is none."""
    old, new = pair.counted
    ours, theirs = old.numbers, new.numbers
    if old.kind != new.kind or new.kind not in ("number", "time"):
        return None
    if new.outside is not None:
        return new.outside
    if ours is None or theirs is None or ours.minimum is None or ours.maximum is None:
        return None
    if theirs.minimum is None or theirs.maximum is None:
        return 0, 0
    is_within = ours.minimum <= theirs.minimum and theirs.maximum <= ours.maximum
    return (0, 0) if is_within else None


def _by_name(profile: DataProfile) -> dict[str, ColumnProfile]:
    return {column.name: column for column in profile.columns}


def _is_alike(old: DataProfile, new: DataProfile) -> bool:
    """Whether both profiles agree to the last count in every column: then there is nothing to
    test, however few the rows are. One column that agrees alone may do so by chance.
    """
    before = {name: content(column) for name, column in _by_name(old).items()}
    after = {name: content(column) for name, column in _by_name(new).items()}
    return old.rows == new.rows > 0 and before == after


def _share(part: int, rows: int) -> float:
    """A share of the rows; all of them where a profile from outside says what cannot be."""
    return part / rows if 0 <= part <= rows and rows else float(part != 0)


def _measured(pair: _Pair, rows: tuple[int, int], *, is_counted: bool) -> _Pair:
    """The pair with its drift, or with the problem that there is none. The same values have not
    drifted, unless they are so few that other rows may well have them. A profile that contradicts
    itself says nothing of its values either.
    """
    bins = align(*pair.counted, rows, is_counted=is_counted)
    if isinstance(bins, Damaged):
        return replace(pair, problem=bins.problem, is_same=False)
    if pair.is_same and _is_no_chance(pair.counted[1], rows[1]):
        return pair
    if isinstance(bins, NotCompared):
        return replace(pair, not_compared=bins.reason)
    return replace(pair, moved=measure(bins, *pair.counted))


def _is_no_chance(column: ColumnProfile, rows: int) -> bool:
    """Whether other rows can hardly have the same values: a column of booleans may well."""
    return min(rows if column.distinct is None else column.distinct, rows) >= _MANY_VALUES


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
    """How many things are looked at beside the distribution: the facts of each column, each of its
    categories and each of its frequent values.
    """
    listed = sum(
        len(() if column.categories is None else column.categories.top) + len(column.frequent or ())
        for pair in pairs
        for column in pair.counted
    )
    return LOOKS * len(pairs) + listed


def _change(
    pair: _Pair, drift: Drift | None, rows: tuple[int, int], looks: int, *, has_parts: bool
) -> ColumnChange | None:
    """What differs in a column that both sides have, None if nothing does. `has_parts`: some of
    what was taken out of it differs, and says so.
    """
    old, new = pair.counted
    came = tuple(_added(old, new))
    went = tuple(_vanished(old, new, rows, looks)) if drift is not None else ()
    told = _facts(pair, rows, looks, has_parts=has_parts)
    is_shown = drift is not None and drift.outcome == "shown"
    is_schema = any(
        (
            pair.old.name != pair.new.name,
            pair.old.type != pair.new.type,
            # how many different texts make them categories is no matter of the data
            old.kind != new.kind and {old.kind, new.kind} != {"text", "category"},
        )
    )
    if not (is_schema or pair.problem or is_shown or came or went or told):
        return None
    return ColumnChange(
        name=pair.new.name,
        old_name=pair.old.name if pair.old.name != pair.new.name else None,
        old=replace(facts(old, rows[0]), type=pair.old.type),
        new=replace(facts(new, rows[1]), type=pair.new.type),
        drift=drift,
        added=came[:_MOST_LISTED],
        vanished=went[:_MOST_LISTED],
        is_by_chance=bool(came)
        and not any(is_beyond_chance(count, rows[1], rows[0], looks) for _, count in came),
        facts=told,
        is_label=pair.is_label,
        not_compared=pair.not_compared,
        problem=pair.problem,
    )


def _facts(
    pair: _Pair, rows: tuple[int, int], looks: int, *, has_parts: bool
) -> tuple[FactChange, ...]:
    """The facts that differ. Other values are one where nothing else tells of them: beside counts
    that are not alike they are what anybody expects, and where only a stand-in was compared, that
    is what is said.
    """
    if pair.problem or pair.is_same:
        return ()
    if pair.is_alike:
        is_told = pair.is_other and not (has_parts or pair.not_compared)
        return (FactChange(fact="values"),) if is_told else ()
    looked = Looked(old=rows[0], new=rows[1], looks=looks)
    old, new = pair.counted
    return fact_changes(old, new, looked, is_stand_in=new.kind not in ("number", "time"))


def _added(old: ColumnProfile, new: ColumnProfile) -> Iterator[tuple[str, int]]:
    """Categories that the baseline does not have: only where its profile lists all it has."""
    ours, theirs = old.categories, new.categories
    if ours is None or theirs is None or ours.others or _are_hashed_apart(ours, theirs):
        return
    known = {value for value, _ in ours.top}
    if known:
        yield from ((value, rows) for value, rows in theirs.top if value not in known and rows > 0)


def _vanished(
    old: ColumnProfile, new: ColumnProfile, rows: tuple[int, int], looks: int
) -> Iterator[tuple[str, int]]:
    """Categories that the candidate does not have, and that are too frequent in the baseline for
    that to be chance (see `chance`).
    """
    ours, theirs = old.categories, new.categories
    if ours is None or theirs is None or theirs.others or _are_hashed_apart(ours, theirs):
        return
    left = {value for value, count in theirs.top if count}
    for value, count in ours.top:
        if value not in left and is_beyond_chance(count, rows[0], rows[1], looks):
            yield value, count


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
    by_name = {pair.new.name: pair for pair in pairs}
    left = _MOST_CHARTS
    for change in changes:
        pair = by_name.get(change.name)
        is_shown = change.drift is not None and change.drift.outcome == "shown"
        if left and is_shown and pair is not None and pair.moved is not None:
            left -= 1
            yield replace(change, shares=shares(pair.counted[0], pair.moved.groups))
        else:
            yield change
