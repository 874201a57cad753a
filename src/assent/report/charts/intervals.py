"""By how much each metric has changed, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assent.core.diff.metrics import MetricChange, slice_of
from assent.report.charts.changes import Found, Sense, found
from assent.report.charts.drawing import WIDTH, Drawing, fit, width_of
from assent.report.charts.gated import NOT_GATED
from assent.report.charts.scales import Scale, round_up, tick_text
from assent.report.numbers import signed
from assent.report.parts import Chart, Words

_MOST = 12
_ROW = 42.0
_TRACK = (58.0, 322.0)
_ORDER = ("worse", "better", "moved", "unsure")
_SHARES = frozenset(
    "accuracy balanced_accuracy precision recall f1 precision_macro recall_macro f1_macro roc_auc "
    "roc_auc_ovr average_precision ndcg_at_10 mrr map".split()
)
_WORDS = {"worse": "worse", "better": "better", "moved": "changed", "unsure": "may be chance"}


def interval_charts(
    metrics: Sequence[MetricChange], ranks: Mapping[str, int] | None = None
) -> tuple[Chart, ...]:
    """A forest plot: first what a rule failed on, then what rules look at (`ranks`, by name).
    Shares of rows and areas lie between 0 and 1 and have one scale, so that a change twice as large
    is drawn twice as long. Any other metric has a unit and so a scale of its own, whose ends are
    written beside it. Metrics without an interval are in the table only.
    """
    drawn = [row for metric in metrics if (row := _row_of(metric)) is not None]
    if not drawn:
        return ()
    ranked = ranks or {}
    drawn.sort(key=lambda row: (ranked.get(row.metric.name, NOT_GATED), _ORDER.index(row.sense)))
    shown = drawn[:_MOST]
    together = [_reach(row) for row in shown if row.metric.name in _SHARES]
    drawing = Drawing(_ROW * len(shown) + 22)
    middle = (_TRACK[0] + _TRACK[1]) / 2
    for at, row in enumerate(shown):
        is_share = row.metric.name in _SHARES
        _draw_row(drawing, row, at * _ROW, max(together) if is_share else _reach(row))
    bottom = _ROW * len(shown)
    drawing.text(middle, bottom + 14, "no change", "tick", "middle")
    left = f"; {len(shown):,} of {len(drawn):,}" if len(shown) < len(drawn) else ""
    levels = {row.metric.interval.confidence for row in shown if row.metric.interval is not None}
    level = f"{min(levels):.0%} intervals" if len(levels) == 1 else "intervals"
    sentences = "; ".join(_said(row) for row in shown)
    return (
        Chart(
            title=(Words("Change of the metrics"),),
            note=(Words(f"{level}; {_scales(len(together), len(shown))}{left}"),),
            drawing=drawing.svg(f"Changes with intervals: {sentences}."),
        ),
    )


def _row_of(metric: MetricChange) -> Found | None:
    if metric.interval is None or slice_of(metric.name) is not None:
        return None
    row = found(metric)
    if row is None or (row.low == row.high == row.change == 0):
        return None
    return row


def _reach(row: Found) -> float:
    return max(abs(row.low), abs(row.high), abs(row.change))


def _scales(together: int, shown: int) -> str:
    if together == shown:
        return "all on one scale"
    if together < 2:
        return "each row in its own unit"
    return f"the {together:,} between 0 and 1 on one scale, each other row in its own unit"


def _draw_row(drawing: Drawing, row: Found, y: float, reach: float) -> None:
    end = round_up(reach)
    scale = Scale(-end, end, *_TRACK)
    zero, track = scale.at(0), y + 19
    words = f"{signed(row.change)} {_WORDS[row.sense]}"
    with drawing.group(_said(row)):
        drawing.text(0, y + 12, fit(row.metric.name, WIDTH - 14 - width_of(words)), "name")
        drawing.text(WIDTH, y + 12, words, f"value {row.sense}", "end")
        for start, is_up in ((_TRACK[0], False), (zero, True)):
            side = "chip"
            if row.metric.better is not None:
                is_good = is_up == (row.metric.better == "higher")
                side = "good side" if is_good else "bad side"
            drawing.rect(start, track, (_TRACK[1] - _TRACK[0]) / 2, 14, side)
        drawing.text(_TRACK[0] - 6, track + 11, tick_text(-end), "tick", "end")
        drawing.text(_TRACK[1] + 6, track + 11, tick_text(end, signed=True), "tick")
        drawing.line((zero, track - 3), (zero, track + 17), "axis")
        whiskers(drawing, scale, row, track + 7, row.sense)


def whiskers(
    drawing: Drawing, scale: Scale, row: Found, y: float, sense: Sense, radius: float = 4.5
) -> None:
    """The interval with its ends, and the change as a dot: filled where it is beyond chance."""
    low, high = scale.at(row.low), scale.at(row.high)
    if row.has_interval:
        drawing.line((low, y), (high, y), f"whisker {sense}")
        for value, x in ((row.low, low), (row.high, high)):
            if scale.holds(value):
                drawing.line((x, y - 3.5), (x, y + 3.5), f"whisker {sense}")
            else:  # it goes on beyond the axis
                back = -5 if value > scale.high else 5
                drawing.path([(x + back, y - 4), (x, y), (x + back, y + 4)], f"open {sense}")
    if scale.holds(row.change):
        drawing.dot(scale.at(row.change), y, radius, f"point {sense}")


def _said(row: Found) -> str:
    return (
        f"{fit(row.metric.name, 200)} {signed(row.change)}, from {signed(row.low)} to "
        f"{signed(row.high)}: {_WORDS[row.sense]}"
    )
