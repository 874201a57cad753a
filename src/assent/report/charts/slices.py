"""One metric in every slice: for whom the change is good, and for whom it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from math import sqrt

from assent.core.diff import Diff
from assent.core.diff.metrics import slice_of
from assent.report.charts import axes
from assent.report.charts.changes import Found, Sense, found
from assent.report.charts.drawing import WIDTH, Drawing, fit
from assent.report.charts.gated import NOT_GATED
from assent.report.charts.intervals import whiskers
from assent.report.charts.scales import Scale, tick_text, ticks
from assent.report.numbers import count, number, signed
from assent.report.parts import Chart, Text, Words

_MOST_METRICS = 2
_MOST_SLICES = 14
_ROW = 24.0
_TOP = 8.0
_LABELS = 128.0
_TRACK = (138.0, 312.0)
_RADIUS = (3.0, 9.0)

_Row = tuple[str, Found]


def slice_charts(diff: Diff, ranks: Mapping[str, int] | None = None) -> tuple[Chart, ...]:
    """Slices on one axis, the worst first, with the change over all rows as a dashed line. The
    metrics that a rule failed on somewhere come first, then those that rules look at (`ranks`, by
    name), that got worse somewhere beyond chance, and with most intervals.

    Of many slices some have an interval beside 0 by chance: only those that are worse after the
    correction for all of them have the colour of it.
    """
    sliced: dict[str, list[_Row]] = {}
    for metric in diff.metrics:
        parts = slice_of(metric.name)
        drawn = found(metric) if parts is not None else None
        if parts is not None and drawn is not None:
            sliced.setdefault(parts[2], []).append((f"{parts[0]} = {parts[1]}", drawn))
    worse = {
        f"slices.{change.column}.{change.value}.{change.metric}"
        for change in (diff.predictions.slices if diff.predictions else ())
    }
    whole = {metric.name: metric for metric in diff.metrics if metric.name in sliced}
    useful = [
        name
        for name, rows in sliced.items()
        if len(rows) > 1 and any(row.change or row.low or row.high for _, row in rows)
    ]
    flagged = {name for name, rows in sliced.items() if any(_is_in(worse, row) for row in rows)}
    ranked = ranks or {}
    gated = {
        name: min(ranked.get(row.metric.name, NOT_GATED) for _, row in rows)
        for name, rows in sliced.items()
    }
    useful.sort(key=lambda name: (gated[name], name not in flagged, -_intervals(sliced[name])))
    overall: Mapping[str, float | None] = {
        name: drawn.change for name, metric in whole.items() if (drawn := found(metric)) is not None
    }
    return tuple(
        _chart(name, sliced[name], overall.get(name), worse) for name in useful[:_MOST_METRICS]
    )


def _intervals(rows: Sequence[_Row]) -> int:
    return sum(row.has_interval for _, row in rows)


def _is_in(worse: AbstractSet[str], row: _Row) -> bool:
    return row[1].metric.name in worse


def _flag(row: Found, worse: AbstractSet[str]) -> str:
    return ", worse beyond chance" if row.metric.name in worse else ""


def _sense(row: Found, worse: AbstractSet[str]) -> Sense:
    if row.metric.name in worse:
        return "worse"
    return "unsure" if row.sense == "unsure" or row.metric.is_of_small_slice else "moved"


def _chart(
    metric: str, rows: Sequence[_Row], overall: float | None, worse: AbstractSet[str]
) -> Chart:
    ranked = sorted(rows, key=lambda row: (row[1].metric.is_of_small_slice, row[1].gain))
    shown = ranked[:_MOST_SLICES]
    low, high = _domain([row for _, row in shown], overall)
    scale = Scale(low, high, *_TRACK)
    bottom = _TOP + _ROW * len(shown)
    drawing = Drawing(bottom + 36)
    axes.across(drawing, scale, ticks(low, high, 4), _TOP, bottom, _signed)
    drawing.line((scale.at(0), _TOP), (scale.at(0), bottom), "axis")
    if overall is not None:
        place = scale.at(overall)
        drawing.line((place, _TOP), (place, bottom), "ideal")
    largest = max((row.metric.rows or 0 for _, row in shown), default=0)
    for at, (label, drawn) in enumerate(shown):
        y = _TOP + _ROW * (at + 0.5)
        with drawing.group(_said(label, drawn) + _flag(drawn, worse)):
            style = "name faint" if drawn.metric.is_of_small_slice else "name"
            drawing.text(0, y + 4, fit(label, _LABELS), style)
            sense = _sense(drawn, worse)
            if scale.holds(drawn.change):
                size = _radius(drawn, largest)
                drawing.dot(scale.at(drawn.change), y, size, f"bubble {sense}")
            whiskers(drawing, scale, drawn, y, sense, 2.4)
            if drawn.metric.rows is not None:
                drawing.text(WIDTH, y + 4, f"n {drawn.metric.rows:,}", "tick", "end")
    _directions(drawing, shown[0][1], bottom + 30)
    left = f"; the {len(shown):,} worst of {len(rows):,}" if len(shown) < len(rows) else ""
    dashed = "; dashed: all rows" if overall is not None else ""
    judged = sum(_is_in(worse, row) for row in rows)
    colour = f"; orange: worse beyond chance ({judged:,})" if judged else ""
    sentences = "; ".join(_said(label, row) + _flag(row, worse) for label, row in shown)
    return Chart(
        title=(Text(fit(metric, 270)), Words("by slice")),
        note=(Words(f"change{dashed}{colour}{left}"),),
        drawing=drawing.svg(f"Change of {fit(metric, 200)} by slice: {sentences}."),
    )


def _domain(rows: Sequence[Found], overall: float | None) -> tuple[float, float]:
    """From the lowest to the highest end, 0 and all rows included, with a margin. Slices of few
    rows have intervals so long that they would flatten all others: they may run off the axis.
    """
    judged = [row for row in rows if not row.metric.is_of_small_slice] or list(rows)
    ends = [0.0, *(row.low for row in judged), *(row.high for row in judged)]
    ends += [row.change for row in judged] + ([] if overall is None else [overall])
    margin = (max(ends) - min(ends)) * 0.06 or 1.0
    return min(ends) - margin, max(ends) + margin


def _directions(drawing: Drawing, row: Found, y: float) -> None:
    if row.metric.better is None:
        return
    words = ("◀ worse", "better ▶") if row.metric.better == "higher" else ("◀ better", "worse ▶")
    drawing.text(_TRACK[0], y, words[0], "tick")
    drawing.text(_TRACK[1], y, words[1], "tick", "end")


def _radius(row: Found, largest: int) -> float:
    """The area of the dot is the slice's size."""
    if not row.metric.rows or largest <= 0:
        return 4.0
    return _RADIUS[0] + (_RADIUS[1] - _RADIUS[0]) * sqrt(max(0, row.metric.rows) / largest)


def _signed(value: float) -> str:
    return tick_text(value, signed=True)


def _said(label: str, row: Found) -> str:
    span = f", from {signed(row.low)} to {signed(row.high)}" if row.has_interval else ""
    size = f", {count(row.metric.rows, 'row')}" if row.metric.rows is not None else ""
    value = signed(row.change) if row.change else number(0)
    return f"{fit(label, 200)} {value}{span}{size}"
