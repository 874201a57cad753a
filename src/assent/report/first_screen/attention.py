"""What a person should look at before approving: large changes that no gate judges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest
from typing import NamedTuple

from msgspec.structs import replace
from packaging.version import InvalidVersion, Version

from assent.compare.drift import LEVELS
from assent.core.diff import Diff
from assent.core.diff.data import ColumnChange, DataChange
from assent.core.diff.metrics import MetricChange, slice_of
from assent.core.diff.values import ValueChange
from assent.core.scope import Facet, Scope
from assent.core.units import count
from assent.core.verdict import Finding, Outcome
from assent.report import numbers
from assent.report.first_screen.figures import worse_slices
from assent.report.numbers import Effect, share
from assent.report.parts import Cell, Part, Row, Table, Text, Words
from assent.report.quality import fallen, is_of_quality, worse_classes
from assent.report.review import ReviewReport
from assent.report.sections import shapes
from assent.report.sections.metrics import effect_of

_MOST = 5
_MOST_NAMED = 3
_COLLAPSED = 0.2
"""A class that is found so much less often than before has to be seen."""
_MANY = 0.1
"""A share of the rows, or a change of their number, that has to be seen."""
_MAX_VERSION = 100
_WORSE = (Effect.MISSING, Effect.NO_NUMBER, Effect.WORSE)


class _Item(NamedTuple):
    """One thing to look at, and how large it is, from 0 to 1 (what no size is known of has one that
    says where it stands).
    """

    size: float
    told: Cell


def unlooked(report: ReviewReport) -> Table:
    """At most five, the largest first. Without a baseline nothing has changed."""
    diff, scope = report.diff, report.scope
    items: list[_Item] = []
    if diff.baseline is not None:
        items = [
            *_metrics(diff, scope, report.verdict.findings),
            *_classes(diff),
            *_slices(diff, scope),
            *(item for change in diff.data.changes for item in _data(change, scope)),
            *_leaks(diff, scope),
            *_model(diff, scope),
            *_packages(diff.packages.changes),
        ]
    first = nlargest(_MOST, items, key=lambda item: item.size)
    title = "Look at before you approve: no gate judges it"
    rows: list[Row] = [(item.told,) for item in first]
    return shapes.table(title, (title,), rows, total=len(items), kept=len(rows))


def _metrics(diff: Diff, scope: Scope, findings: Sequence[Finding]) -> Iterator[_Item]:
    """Metrics that got worse, whose change no gate bounds, and that no other gate has stopped."""
    stopped = {finding.metric for finding in findings if finding.outcome is not Outcome.PASSED}
    worse = [
        change
        for change in diff.metrics
        if slice_of(change.name) is None
        and is_of_quality(change)
        and effect_of(change) in _WORSE
        and change.name not in scope.bounded
        and change.name not in stopped
    ]
    worse.sort(key=lambda change: (-_size(change), change.name))
    if worse:
        named = _enumerated([_moved(change) for change in worse], len(worse))
        bounds = "" if scope.bounded else "; no gate bounds a change of any metric"
        yield _Item(_size(worse[0]), (*named, Words(f"{_said(worse)}{bounds}.")))


def _said(changes: Sequence[MetricChange]) -> str:
    """What they are, all together. Of what is missing nobody knows whether it is worse."""
    are = "is" if len(changes) == 1 else "are"
    lost = sum(effect_of(change) is not Effect.WORSE for change in changes)
    if lost == len(changes):
        return f"{are} not told any more"
    return f"{are} worse or not told any more" if lost else f"{are} worse"


def _size(change: MetricChange) -> float:
    """What the model can do no more counts more than what may be the reason of it."""
    if effect_of(change) is not Effect.WORSE:
        return 1.0
    return min(
        1.0, 0.4 + abs(change.relative if change.relative is not None else change.change or 0.0)
    )


def _moved(change: MetricChange) -> Cell:
    effect = effect_of(change)
    if effect is not Effect.WORSE or change.change is None:
        return (Text(change.name), Words(f"({effect.value})"))
    percent = (
        numbers.signed(change.change)
        if change.relative is None
        else numbers.percent(change.relative)
    )
    return (Text(change.name), Words(f"({percent})"))


def _enumerated(cells: Sequence[Cell], total: int) -> Cell:
    """Cells with commas between them, and how many others there are."""
    parts: list[Part] = []
    for at, cell in enumerate(cells[:_MOST_NAMED]):
        parts += [Words(","), *cell] if at else cell
    left = total - min(len(cells), _MOST_NAMED)
    return (*parts, Words(f"and {count(left, 'other')}")) if left else tuple(parts)


def _classes(diff: Diff) -> Iterator[_Item]:
    worse = [class_ for class_ in worse_classes(diff) if fallen(class_) >= _COLLAPSED]
    worse.sort(key=lambda class_: -fallen(class_))
    if worse:
        named = _enumerated(
            [
                (
                    Text(class_.name),
                    Words(f"({class_.old_recall or 0:.0%} → {class_.new_recall or 0:.0%})"),
                )
                for class_ in worse
            ],
            len(worse),
        )
        words = Words(f"Recall fell in {'class' if len(worse) == 1 else 'classes'}")
        yield _Item(min(1.0, 0.4 + fallen(worse[0])), (words, *named, Words(".")))


def _slices(diff: Diff, scope: Scope) -> Iterator[_Item]:
    if scope.slices:
        return
    judged = {".".join((slice_of(name) or ())[:2]) for name in scope.bounded_slices}
    lost = [slice_ for slice_ in diff.lost_slices if slice_ not in judged]
    if lost:
        named = _enumerated([(Text(slice_),) for slice_ in lost], len(lost))
        yield _Item(0.6, (Words("Slices"), *named, Words("are gone, or next to without rows.")))
    worse = [change for change in worse_slices(diff) if change.name not in scope.bounded_slices]
    if not worse:
        return
    worst = max(worse, key=_size)
    column, value, name = slice_of(worst.name) or ("", "", "")
    slices = {(slice_of(change.name) or ("", ""))[:2] for change in worse}
    left = count(len(slices) - 1, "other slice") if len(slices) > 1 else ""
    told = (
        Words("Slice"),
        Text(f"{column} = {value}"),
        *((Words(f"and {left}"),) if left else ()),
        Words("got worse:"),
        *_moved(replace(worst, name=name)),
    )
    yield _Item(_size(worst), told)


def _data(change: DataChange, scope: Scope) -> Iterator[_Item]:
    """What differs in one data set, in one item: the columns, then the rows."""
    told: list[tuple[float, Cell]] = []
    for column in change.columns:
        for facet, size, words in _of_column(column, change):
            if (change.name, column.name, facet) not in scope.columns:
                told.append((size, (Text(column.name), Words(words))))
    rows = [None if side is None else side.rows for side in (change.old, change.new)]
    if rows[0] and rows[1] is not None and change.name not in scope.rows:
        moved = rows[1] / rows[0] - 1
        if abs(moved) >= _MANY:
            words = f"{rows[0]:,} → {rows[1]:,} rows ({numbers.percent(moved)})"
            told.append((min(1.0, abs(moved)) / 2, (Words(words),)))
    if told:
        told.sort(key=lambda item: -item[0])
        cells = _enumerated([cell for _, cell in told], len(told))
        yield _Item(told[0][0], (Words("Data"), Text(change.name), Words(":"), *cells, Words(".")))


def _of_column(column: ColumnChange, change: DataChange) -> Iterator[tuple[Facet, float, str]]:
    label = 0.2 if column.is_label else 0.0
    if column.new is None:
        yield "schema", 0.7 + label, "is gone"
        return
    if column.old is None:
        yield "schema", 0.3 + label, "is new"
        return
    if column.old.type != column.new.type:
        yield "schema", 0.5 + label, f"is {column.new.type} instead of {column.old.type}"
    rows = None if change.new is None else change.new.rows
    unseen = sum(count for _, count in column.added)
    if unseen and not column.is_by_chance:
        part = unseen / rows if rows else _MANY
        where = f" ({share(part)} of the rows)" if rows else ""
        yield "new categories", min(1.0, 0.2 + part + label), f"has values never seen{where}"
    drift = column.drift
    if drift is not None and drift.outcome == "shown" and drift.level is not None:
        size = (0.1, 0.35, 0.6)[[*LEVELS].index(drift.level)] + label
        how = "" if drift.shift is None else f" by {numbers.number(drift.shift, 2)} deviations"
        yield "drift", size, f"moved{how} ({drift.level})"


def _leaks(diff: Diff, scope: Scope) -> Iterator[_Item]:
    judged = {frozenset(pair) for pair in scope.leakage}
    for overlap in diff.data.overlaps:
        if overlap.rows and frozenset((overlap.first, overlap.second)) not in judged:
            part = overlap.rows / overlap.of if overlap.of else 1.0
            amount = f"({count(overlap.rows, 'row')}, {share(part)})"
            told = (Words("Rows of"), Text(overlap.second), Words("are in"), Text(overlap.first))
            yield _Item(min(1.0, 0.5 + part), (*told, Words("too"), Words(f"{amount}.")))


def _model(diff: Diff, scope: Scope) -> Iterator[_Item]:
    added = [name for part in diff.model_files.parts for name in part.added_imports]
    if added and not scope.imports:
        named = _enumerated([(Text(name),) for name in added], len(added))
        yield _Item(0.6, (Words("Loading the model newly imports"), *named, Words(".")))
    signature = diff.model_files.signature
    if signature is not None and signature.verdict == "breaking" and not scope.signature:
        fields = [(Text(field.name),) for field in signature.fields if field.is_breaking]
        named = _enumerated(fields, len(fields))
        words = Words("The signature is another one, and callers must change:")
        yield _Item(0.8, (words, *named, Words(".")))


def _packages(changes: Iterable[ValueChange]) -> Iterator[_Item]:
    major = [change for change in changes if _is_major(change)]
    if major:
        named = _enumerated(
            [
                (Text(change.name), *shapes.both(*numbers.show_both(change.old, change.new)))
                for change in major
            ],
            len(major),
        )
        size = 0.4 if any(change.matters for change in major) else 0.15
        verb = "has another major version." if len(major) == 1 else "have other major versions."
        yield _Item(size, (*named, Words(verb)))


def _is_major(change: ValueChange) -> bool:
    """Whether the first number of the version is another one."""
    old, new = (_major(side) for side in (change.old, change.new))
    return old is not None and new is not None and old != new


def _major(version: object) -> int | None:
    if not isinstance(version, str) or len(version) > _MAX_VERSION:
        return None
    try:
        return Version(version).major
    except InvalidVersion:
        return None
