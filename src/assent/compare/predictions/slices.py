"""Metrics of parts of the rows, and which of them got worse beyond chance."""

from __future__ import annotations

import msgspec
import numpy as np
from msgspec import UNSET

from assent.compare.adjusted import holm
from assent.compare.metrics import metric_change
from assent.compare.predictions.intervals import CONFIDENCE, Ints
from assent.compare.predictions.measures import FEW_DRAWS, Measured, intervals
from assent.compare.predictions.sides import Side
from assent.compare.predictions.table import SliceColumn
from assent.core.diff.metrics import MIN_SLICE_ROWS, Interval, MetricChange
from assent.core.diff.predictions import SliceChange
from assent.core.direction import direction
from assent.core.scalar import scalar

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


class Slices(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in them."""

    metrics: tuple[MetricChange, ...] = ()
    worse: tuple[SliceChange, ...] = ()
    judged: int = 0
    too_small: int = 0
    left_out: int = 0


def compare_slices(rows: Rows) -> Slices:
    """Every metric in every slice that is looked at. Slices of fewer than `MIN_SLICE_ROWS` rows
    have values and are never judged. A slice got worse beyond chance if the p-value of a metric of
    `TESTED`, adjusted for all slices and metrics looked at (Holm), is below 5%.
    """
    names = sorted(rows.new_columns.keys() | rows.old_columns.keys())
    most = _most(len(names))
    metrics: list[MetricChange] = []
    tested: list[SliceChange] = []
    judged = too_small = left_out = 0
    for name in names:
        new_places = _places(rows.new_columns.get(name))
        old_places = _places(rows.old_columns.get(name))
        paired_places = _places(rows.paired_columns.get(name))
        together = {
            value: max(len(_rows(new_places, value)), len(_rows(old_places, value)))
            for value in new_places | old_places
        }
        chosen = sorted(together, key=lambda value: (-together[value], value))
        # Those of the baseline are looked at whatever other columns and values a candidate has:
        # else it could crowd out the slice in which it got worse.
        before_all = sorted(old_places, key=lambda value: (-len(old_places[value]), value))
        looked_at = dict.fromkeys([*before_all[: _most(len(rows.old_columns))], *chosen[:most]])
        left_out += len(chosen) - len(looked_at)
        for value in looked_at:
            size, old_size = (len(_rows(places, value)) for places in (new_places, old_places))
            old, new = rows.old, rows.new
            places = old_places, new_places
            is_paired = rows.paired is not None and size > 0
            if rows.paired is not None and is_paired:
                old, new = rows.paired
                places = paired_places, paired_places
            before = None if old is None else Measured(old.take(_rows(places[0], value)))
            after = Measured(new.take(_rows(places[1], value)))
            found = (
                {}
                if before is None
                else intervals(before, after, is_paired=is_paired, draws=FEW_DRAWS)
            )
            # A slice that the candidate has made small is judged all the same, by its values: its
            # size is not stated, which is what keeps small slices from being judged.
            is_shrunk = size < MIN_SLICE_ROWS <= old_size
            metrics += change_of(
                before.values if before else {},
                after.values,
                found,
                prefix=f"slices.{name}.{value}.",
                rows=None if is_shrunk else size,
            )
            judged += size >= MIN_SLICE_ROWS
            too_small += size < MIN_SLICE_ROWS
            tested += _tested(name, value, size, before, after, found)
    adjusted = holm([one.p for one in tested])
    worse = [
        msgspec.structs.replace(one, p=p)
        for one, p in zip(tested, adjusted, strict=True)
        if p < 1 - CONFIDENCE and _is_worse(one)
    ]
    return Slices(
        metrics=tuple(metrics),
        worse=tuple(sorted(worse, key=lambda one: (one.p, one.column, one.value, one.metric))),
        judged=judged,
        too_small=too_small,
        left_out=left_out,
    )


def _most(columns: int) -> int:
    """How many values of each column are looked at."""
    return min(MAX_VALUES, MAX_SLICES // max(1, columns))


def change_of(
    old: dict[str, float],
    new: dict[str, float],
    found: dict[str, Interval],
    *,
    rows: int | None,
    prefix: str = "",
) -> list[MetricChange]:
    """Metrics of both sides as changes."""
    changes: list[MetricChange] = []
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        left = UNSET if before is None else scalar(before)
        right = UNSET if after is None else scalar(after)
        change = metric_change(prefix + name, left, right)
        changes.append(
            msgspec.structs.replace(change, interval=found.get(name), rows=rows, is_computed=True)
        )
    return changes


def _tested(
    column: str,
    value: str,
    size: int,
    old: Measured | None,
    new: Measured,
    found: dict[str, Interval],
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
        for name, interval in sorted(found.items())
        if interval.p is not None and name in TESTED
    ]


def _is_worse(one: SliceChange) -> bool:
    return one.change < 0 if direction(one.metric) == "higher" else one.change > 0


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
