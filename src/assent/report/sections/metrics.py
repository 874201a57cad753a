"""What changed in the metrics."""

from __future__ import annotations

from heapq import nsmallest
from math import sqrt

from assent.core.diff.metrics import MetricChange
from assent.report import numbers
from assent.report.numbers import Effect, count
from assent.report.parts import (
    Cell,
    Move,
    Row,
    Section,
    Words,
    cell,
)
from assent.report.review import ReviewReport
from assent.report.sections import shapes

_RANK_OF_EFFECT = {effect: rank for rank, effect in enumerate(Effect)}
_Ranked = tuple[int, float, int, Effect, MetricChange]


def metrics_section(report: ReviewReport) -> Section:
    """Every metric on both sides; those of slices apart."""
    metrics = report.diff.metrics
    if not metrics:
        return Section(title="Metrics", summary=cell(Words("None were measured.")))
    has_baseline = report.diff.baseline is not None
    whole: list[_Ranked] = []
    sliced: list[_Ranked] = []
    tally = dict.fromkeys(Effect, 0)
    for at, metric in enumerate(metrics):
        effect = numbers.effect(metric)
        tally[effect] += 1
        ranked = (_RANK_OF_EFFECT[effect], -abs(metric.relative or 0.0), at, effect, metric)
        (sliced if is_slice(metric.name) else whole).append(ranked)
    if has_baseline and tally[Effect.UNCHANGED] == len(metrics):
        summary = cell(Words(f"unchanged ({len(metrics):,})"))
    elif has_baseline:
        summary = shapes.tally([(tally[effect], effect.value) for effect in Effect])
    else:
        summary = cell(Words(count(len(metrics), "metric")))
    titles = ("Metric", "Value", "Change") if has_baseline else ("Metric", "Measured")
    slices = shapes.table(
        f"Slices: {count(len(sliced), 'metric')}",
        ("Slice", *titles),
        [_slice_row(one, has_baseline) for one in nsmallest(shapes.MAX_ROWS, sliced)],
        total=len(sliced),
        fold=True,
    )
    table = shapes.table(
        "Metrics",
        titles,
        [_metric_row(one, has_baseline) for one in nsmallest(shapes.MAX_ROWS, whole)],
        total=len(whole),
        fold=tally[Effect.UNCHANGED] == len(metrics),
    )
    return Section(title="Metrics", summary=summary, tables=shapes.filled(table, slices))


def is_slice(name: str) -> bool:
    """Whether a metric's name is `slices.<column>.<value>.<metric>`."""
    return name.startswith("slices.") and name.count(".") >= 3


def _metric_row(ranked: _Ranked, has_baseline: bool) -> Row:
    metric = ranked[-1]
    return (cell(metric.name), *_measured(metric, ranked[-2], has_baseline))


def _slice_row(ranked: _Ranked, has_baseline: bool) -> Row:
    metric = ranked[-1]
    _, column, rest = metric.name.split(".", 2)
    value, name = rest.rsplit(".", 1)
    return (
        cell(f"{column} = {value}"),
        cell(name),
        *_measured(metric, ranked[-2], has_baseline),
    )


def _measured(metric: MetricChange, effect: Effect, has_baseline: bool) -> tuple[Cell, ...]:
    if not has_baseline:
        return ((shapes.part(numbers.show(metric.new)),),)
    if effect is Effect.UNCHANGED or effect is Effect.NEW:
        return (shapes.part(numbers.show(metric.new)),), (Move(effect),)
    change, relative = metric.change, metric.relative
    move = Move(
        effect,
        arrow="" if change is None else numbers.arrow(change),
        amount="" if change is None else numbers.signed(change),
        percent="" if relative is None else numbers.percent(relative),
        bar=None if relative is None else _bar(relative),
    )
    return shapes.both(*numbers.show_both(metric.old, metric.new)), (move,)


def _bar(relative: float) -> float:
    """The root of the change: one percent can be seen, and one hundred percent is the end."""
    length = sqrt(min(1.0, abs(relative)))
    return round(length if relative > 0 else -length, 3)
