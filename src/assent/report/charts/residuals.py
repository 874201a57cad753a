"""How far the predictions of a regression are off, on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from assent.core.diff.predictions import PredictionsDiff, Residuals
from assent.report.charts import axes, histogram
from assent.report.charts.drawing import Drawing
from assent.report.charts.scales import Scale, drawable, groups, share, tick_text, ticks
from assent.report.parts import Chart, Words

_MOST_BINS = 80
_UNEVEN = 1.3
_THIN = 0.5  # of a pixel: a bin that nobody could see must not hide all others


def residuals_charts(predictions: PredictionsDiff) -> tuple[Chart, ...]:
    """Prediction minus label: the candidate's distribution over the baseline's, around 0."""
    residuals = predictions.residuals
    if residuals is None:
        return ()
    edges = [drawable(edge) for edge in residuals.edges]
    inner = [edge for edge in edges if edge is not None]
    bins = len(edges) - 1
    is_whole = len(inner) == len(edges) and all(low < high for low, high in pairwise(inner))
    if bins < 1 or not is_whole or len(residuals.old) != bins or len(residuals.new) != bins:
        return ()
    runs = groups(bins, _MOST_BINS)
    places = [inner[first] for first, _ in runs] + [inner[-1]]
    old = [sum(map(share, residuals.old[first:last])) for first, last in runs]
    new = [sum(map(share, residuals.new[first:last])) for first, last in runs]
    if not any(new):
        return ()
    scale = Scale(inner[0], inner[-1], histogram.LEFT, histogram.RIGHT)
    drawing = Drawing(histogram.HEIGHT)
    across = [scale.at(place) for place in places]
    widths = [right - left for left, right in pairwise(across)]
    if max(widths) > _UNEVEN * min(widths):  # then areas are shares, and heights say nothing
        histogram.draw(drawing, across, *_as_areas(old, new, widths), text=_unsaid)
    else:
        histogram.draw(drawing, across, old, new)
    marks = ticks(inner[0], inner[-1], 7)
    axes.across(drawing, scale, marks, histogram.BOTTOM, histogram.BOTTOM, _signed)
    if inner[0] < 0 < inner[-1]:
        zero = scale.at(0)
        drawing.line((zero, histogram.TOP), (zero, histogram.BOTTOM), "ideal")
    return (
        Chart(
            title=(Words("Residuals"),),
            note=(Words("prediction minus label; the outermost bars hold all beyond"),),
            drawing=drawing.svg(_said(residuals, inner)),
        ),
    )


def _as_areas(
    old: Sequence[float], new: Sequence[float], widths: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Heights of which the largest is 1, so that areas are as large as the shares."""
    thick = [max(width, _THIN) for width in widths]
    heights = [
        [height / width for height, width in zip(side, thick, strict=True)] for side in (old, new)
    ]
    most = max(map(max, heights))
    left, right = ([height / most for height in side] for side in heights)
    return left, right


def _unsaid(_: float) -> str:
    return ""


def _signed(value: float) -> str:
    return tick_text(value, signed=True)


def _said(residuals: Residuals, edges: Sequence[float]) -> str:
    ends = f"{tick_text(edges[0])} to {tick_text(edges[-1])}"
    peaks = [
        f"{name} most often between {tick_text(edges[at])} and {tick_text(edges[at + 1])}"
        for name, shares in (("candidate", residuals.new), ("baseline", residuals.old))
        for at in [max(range(len(shares)), key=lambda at: (share(shares[at]), -at))]
    ]
    return f"Prediction minus label, from {ends}: {'; '.join(peaks)}."
