"""Whether a score of 0.7 means that it happens seven times in ten."""

from __future__ import annotations

from collections.abc import Sequence

from assent.core.diff.predictions import CalibrationBin, PredictionsDiff
from assent.report.charts import axes
from assent.report.charts.drawing import Drawing
from assent.report.charts.scales import Scale, drawable, groups, round_up, share, tick_text, ticks
from assent.report.numbers import number
from assent.report.parts import Chart, Words

_LEFT, _RIGHT = 42.0, 372.0
_TOP, _BOTTOM = 26.0, 246.0
_SIZES = (268.0, 300.0)  # top and bottom of the sizes of the bins
_HEIGHT = 330.0
_MOST_BINS = 20
_RADIUS = (2.0, 6.0)

_Bin = tuple[float, float, int]
"""Mean score, observed share, rows."""


def calibration_charts(predictions: PredictionsDiff) -> tuple[Chart, ...]:
    """Observed shares against scores of both models, with the diagonal, and the bins' sizes."""
    old, new = _bins(predictions.old_calibration), _bins(predictions.new_calibration)
    if not new:
        return ()
    # Scores of rare things are all small: the axes end where they do.
    end = min(1.0, round_up(max(max(bin_[0], bin_[1]) for bin_ in (*old, *new))))
    drawing = Drawing(_HEIGHT)
    axes.sides(drawing, 12, has_old=bool(old), is_dotted=True)
    x, y = Scale(0, end, _LEFT, _RIGHT), Scale(0, end, _BOTTOM, _TOP)
    marks = ticks(0, end, 6)
    axes.up(drawing, y, marks, _LEFT, _RIGHT, tick_text)
    drawing.line((x.at(0), y.at(0)), (x.at(end), y.at(end)), "ideal")
    for bins, style in ((old, "old"), (new, "new")):
        drawing.path([(x.at(bin_[0]), y.at(bin_[1])) for bin_ in bins], f"{style} stroke")
        most = max((bin_[2] for bin_ in bins), default=0)
        for bin_ in bins:
            radius = _RADIUS[0] + (_RADIUS[1] - _RADIUS[0]) * (bin_[2] / most) ** 0.5
            with drawing.group(_tooltip(style, bin_)):
                drawing.dot(x.at(bin_[0]), y.at(bin_[1]), radius, f"{style} dot")
    _sizes(drawing, x, old, new)
    axes.across(drawing, x, marks, _SIZES[1], _SIZES[1], tick_text)
    drawing.text((_LEFT + _RIGHT) / 2, _HEIGHT - 3, "mean score", "tick", "middle")
    return (
        Chart(
            title=(Words("Calibration"),),
            note=(Words("share of positives by score; below: rows"),),
            drawing=drawing.svg(_said(old, new)),
        ),
    )


def _bins(measured: Sequence[CalibrationBin]) -> list[_Bin]:
    """Bins with rows, by score; neighbours joined where there are very many."""
    bins = sorted(
        (share(bin_.score), share(bin_.observed), bin_.rows)
        for bin_ in measured
        if bin_.rows > 0
        and drawable(bin_.score) is not None
        and drawable(bin_.observed) is not None
    )
    joined: list[_Bin] = []
    for first, last in groups(len(bins), _MOST_BINS):
        run = bins[first:last]
        rows = sum(bin_[2] for bin_ in run)
        score = sum(bin_[0] * (bin_[2] / rows) for bin_ in run)
        observed = sum(bin_[1] * (bin_[2] / rows) for bin_ in run)
        joined.append((score, observed, rows))
    return joined


def _sizes(drawing: Drawing, x: Scale, old: Sequence[_Bin], new: Sequence[_Bin]) -> None:
    most = max(bin_[2] for bin_ in (*old, *new))
    height = Scale(0, most, 0, _SIZES[1] - _SIZES[0])
    for bins, style, shift in ((old, "old area", -5.5), (new, "new fill", 0.5)):
        for bin_ in bins:
            tall = max(1.0, height.at(bin_[2]))
            left = min(_RIGHT - 5, max(_LEFT, x.at(bin_[0]) + shift))
            drawing.rect(left, _SIZES[1] - tall, 5, tall, style)
    drawing.line((_LEFT, _SIZES[1]), (_RIGHT, _SIZES[1]), "axis")
    drawing.text(_LEFT - 6, _SIZES[1], "rows", "tick", "end")


def _tooltip(style: str, bin_: _Bin) -> str:
    side = "baseline" if style == "old" else "candidate"
    score, observed = number(bin_[0], 3), number(bin_[1], 3)
    return f"{side}: score {score}, observed {observed}, {bin_[2]:,} rows"


def _said(old: Sequence[_Bin], new: Sequence[_Bin]) -> str:
    sides = [("candidate", new)] + ([("baseline", old)] if old else [])
    gaps = "; ".join(
        f"{name} on average {_gap(bins)} away from the diagonal" for name, bins in sides
    )
    return f"Calibration: {gaps}."


def _gap(bins: Sequence[_Bin]) -> str:
    rows = sum(bin_[2] for bin_ in bins)
    return number(sum(abs(bin_[0] - bin_[1]) * (bin_[2] / rows) for bin_ in bins), 2)
