"""Metrics of parts of the rows, and which of them got worse beyond chance."""

from __future__ import annotations

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from assent.compare.adjusted import holm
from assent.compare.metrics import is_alike, metric_change
from assent.compare.predictions.intervals import CONFIDENCE, Found, Ints
from assent.compare.predictions.measures import FEW_DRAWS, Measured, intervals
from assent.compare.predictions.same_rows import intervals_by_both
from assent.compare.predictions.sides import Side
from assent.compare.predictions.table import SliceColumn
from assent.core.diff.metrics import MIN_SLICE_ROWS, Interval, MetricChange, Own
from assent.core.diff.predictions import SliceChange
from assent.core.diff.sameness import NotCompared
from assent.core.direction import direction
from assent.core.scalar import Scalar, scalar

TESTED = frozenset({"accuracy", "roc_auc", "roc_auc_ovr", "log_loss", "mae", "ndcg_at_10"})
"""The metrics by which a slice is found to be worse: each one more costs the others power."""
MAX_VALUES = 200
"""Values of a column that are looked at: the largest."""
MAX_SLICES = 1_000
"""Slices that are looked at, of all columns together."""


class Rows(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What slices are made of: two sides, and which slices their rows are in (`old` and
    `old_columns` belong together, so do `new` and `new_columns`). `paired` are both on the shared
    rows, in the same order, with the candidate's slices as `paired_columns`.
    """

    new: Side
    new_columns: dict[str, SliceColumn]
    old: Side | None = None
    old_columns: dict[str, SliceColumn] = {}
    paired: tuple[Side, Side] | None = None
    paired_columns: dict[str, SliceColumn] = {}
    earlier: tuple[Side, Side] | None = None
    why_not: str = ""


class Slices(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in them."""

    metrics: tuple[MetricChange, ...] = ()
    worse: tuple[SliceChange, ...] = ()
    judged: int = 0
    untested: int = 0
    too_small: int = 0
    left_out: int = 0
    lost: tuple[str, ...] = ()


def compare_slices(rows: Rows) -> Slices:
    """Every metric in every slice that is looked at. Slices of fewer than `MIN_SLICE_ROWS` rows
    have values and are never judged. A slice got worse beyond chance if the p-value of a metric of
    `TESTED`, adjusted for all slices and metrics looked at (Holm), is below 5%. A slice of which
    no such metric has a p-value is not judged, however many rows it has.
    """
    names = sorted(rows.new_columns.keys() | rows.old_columns.keys())
    most = _most(len(names))
    metrics: list[MetricChange] = []
    tested: list[SliceChange] = []
    lost: list[str] = []
    judged = untested = too_small = left_out = 0
    for name in names:
        places = _Places(
            new=_places(rows.new_columns.get(name)),
            old=_places(rows.old_columns.get(name)),
            paired=_places(rows.paired_columns.get(name)),
        )
        together = {value: max(places.sizes(value)) for value in places.new | places.old}
        chosen = sorted(together, key=lambda value: (-together[value], value))
        # Those of the baseline are looked at whatever other columns and values a candidate has:
        # else it could crowd out the slice in which it got worse.
        before_all = sorted(places.old, key=lambda value: (-len(places.old[value]), value))
        looked_at = dict.fromkeys([*before_all[: _most(len(rows.old_columns))], *chosen[:most]])
        left_out += len(chosen) - len(looked_at)
        for value in looked_at:
            changes, tests, shared = _compare_slice(rows, places, name, value)
            lost += [f"{name}.{value}"] if places.is_shrunk(value) else []
            metrics += changes
            tested += tests
            is_large = min(places.sizes(value)[1], shared) >= MIN_SLICE_ROWS
            judged += is_large and bool(tests or rows.old is None)
            untested += is_large and not tests and rows.old is not None
            too_small += not is_large
    adjusted = holm([change.p for change in tested])
    worse = [
        msgspec.structs.replace(change, p=p)
        for change, p in zip(tested, adjusted, strict=True)
        if p < 1 - CONFIDENCE and _is_worse(change)
    ]
    return Slices(
        metrics=tuple(metrics),
        worse=tuple(
            sorted(worse, key=lambda change: (change.p, change.column, change.value, change.metric))
        ),
        judged=judged,
        untested=untested,
        too_small=too_small,
        left_out=left_out,
        lost=tuple(lost),
    )


class _Places(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The rows of each value of a column: of each side, and of the shared rows."""

    old: dict[str, Ints]
    new: dict[str, Ints]
    paired: dict[str, Ints]

    def sizes(self, value: str) -> tuple[int, int]:
        """How many rows the slice has on each side."""
        return len(_rows(self.old, value)), len(_rows(self.new, value))

    def is_shrunk(self, value: str) -> bool:
        """Whether the candidate has made a slice too small to be judged."""
        old_size, size = self.sizes(value)
        return size < MIN_SLICE_ROWS <= old_size


def _compare_slice(
    rows: Rows, places: _Places, name: str, value: str
) -> tuple[list[MetricChange], list[SliceChange], int]:
    """The metrics of one slice, those that are tested, and how many rows of it the baseline has."""
    _, size = places.sizes(value)
    before = None if rows.old is None else Measured(rows.old.take(_rows(places.old, value)))
    after = Measured(rows.new.take(_rows(places.new, value)))
    own = {} if before is None else before.values, after.values
    left, right = before, after
    if rows.paired is not None and size > 0:
        chosen = _rows(places.paired, value)
        pair = _taken(rows.paired, chosen)
        earlier = None if rows.earlier is None else _taken(rows.earlier, chosen)
        by_metric = intervals_by_both(pair, earlier, _paired_intervals)
        left, right = Measured(pair[0]), Measured(pair[1])
    elif before is None:
        by_metric = {}
    else:
        by_metric = intervals(before, after, is_paired=False, draws=FEW_DRAWS)
    changes = change_of(
        {} if left is None else left.values,
        right.values,
        by_metric,
        prefix=f"slices.{name}.{value}.",
        # A slice that the candidate has made small is judged all the same, by its values: its
        # size is not stated, which is what keeps small slices from being judged.
        rows=None if places.is_shrunk(value) else size,
        own=own,
        why_not=rows.why_not,
    )
    earlier_rows = size if left is None else left.side.rows
    return changes, _tested(name, value, size, left, right, by_metric), earlier_rows


def _paired_intervals(old: Side, new: Side) -> Found:
    return intervals(Measured(old), Measured(new), is_paired=True, draws=FEW_DRAWS)


def _taken(pair: tuple[Side, Side], rows: Ints) -> tuple[Side, Side]:
    return pair[0].take(rows), pair[1].take(rows)


def _most(columns: int) -> int:
    """How many values of each column are looked at."""
    return min(MAX_VALUES, MAX_SLICES // max(1, columns))


def change_of(
    old: dict[str, float],
    new: dict[str, float],
    by_metric: Found,
    *,
    rows: int | None,
    prefix: str = "",
    own: tuple[dict[str, float], dict[str, float]] | None = None,
    why_not: str = "",
) -> list[MetricChange]:
    """Metrics of both sides as changes; `own` is what each has measured by itself."""
    by_itself = (old, new) if own is None else own
    changes: list[MetricChange] = []
    for name in sorted(old.keys() | new.keys() | by_itself[0].keys() | by_itself[1].keys()):
        left, right = (_value(side, name) for side in (old, new))
        alone = Own(old=_value(by_itself[0], name), new=_value(by_itself[1], name))
        changes.append(
            msgspec.structs.replace(
                metric_change(prefix + name, left, right),
                interval=interval
                if isinstance(interval := by_metric.get(name), Interval)
                else None,
                no_interval=interval if isinstance(interval, str) else "",
                rows=rows,
                is_computed=True,
                own=None if is_alike(alone.old, left) and is_alike(alone.new, right) else alone,
                not_compared=NotCompared(name=prefix + name, reason=why_not) if why_not else None,
            )
        )
    return changes


def _value(values: dict[str, float], name: str) -> Scalar | UnsetType:
    return scalar(values[name]) if name in values else UNSET


def _tested(
    column: str,
    value: str,
    size: int,
    old: Measured | None,
    new: Measured,
    by_metric: Found,
) -> list[SliceChange]:
    if old is None:
        return []
    return [
        SliceChange(
            column=column,
            value=value,
            metric=name,
            rows=size,
            change=new.values[name] - old.values[name],
            p=interval.p,
        )
        for name, interval in sorted(by_metric.items())
        if isinstance(interval, Interval) and interval.p is not None and name in TESTED
    ]


def _is_worse(change: SliceChange) -> bool:
    return change.change < 0 if direction(change.metric) == "higher" else change.change > 0


def _places(column: SliceColumn | None) -> dict[str, Ints]:
    """The rows of each value."""
    if column is None:
        return {}
    order = np.argsort(column.codes, kind="stable")
    ends = np.cumsum(np.bincount(column.codes, minlength=len(column.values)))
    parts = np.split(order, ends[:-1])
    return {value: part for value, part in zip(column.values, parts, strict=True) if len(part)}


def _rows(places: dict[str, Ints], value: str) -> Ints:
    return places.get(value, np.empty(0, dtype=np.int64))
