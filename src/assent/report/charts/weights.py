"""Which layers have moved, and how far."""

from __future__ import annotations

from assent.core.diff.model import ModelDiff, WeightChange
from assent.report.charts.drawing import WIDTH, Drawing, fit, width_of
from assent.report.charts.scales import Scale, drawable
from assent.report.numbers import count, share
from assent.report.parts import Chart, Words

_MOST = 12
_ROW = 30.0
_TRACK = WIDTH


def weights_charts(model: ModelDiff) -> tuple[Chart, ...]:
    """The tensors that have moved most, by relative distance; first those with values that are no
    finite numbers.
    """
    moved = [(_distance(change), change) for change in model.weights]
    drawn = [(far, change) for far, change in moved if (far or 0) > 0 or change.nonfinite]
    shown = sorted(drawn, key=lambda pair: not pair[1].nonfinite)[:_MOST]
    if not shown:
        return ()
    most = max((far for far, _ in shown if far is not None), default=0.0)
    scale = Scale(0, most or 1.0, 0, _TRACK)
    drawing = Drawing(_ROW * len(shown))
    for at, (far, change) in enumerate(shown):
        y = at * _ROW
        value = _value(far, change)
        with drawing.group(f"{change.name}: {value}"):
            drawing.text(0, y + 12, fit(change.name, WIDTH - 14 - width_of(value)), "name")
            style = "value worse" if change.nonfinite else "value"
            drawing.text(WIDTH, y + 12, value, style, "end")
            drawing.rect(0, y + 17, _TRACK, 7, "chip")
            drawing.rect(0, y + 17, scale.at(far or 0.0), 7, "new fill")
    total = max(model.weights_compared, len(model.weights))
    note = f"relative distance; {len(shown):,} of {count(total, 'tensor')}"
    farthest = "; ".join(
        f"{fit(change.name, 200)} {_value(far, change)}" for far, change in shown[:5]
    )
    return (
        Chart(
            title=(Words("Weights that moved most"),),
            note=(Words(note),),
            drawing=drawing.svg(f"Relative distance of weights by tensor: {farthest}."),
        ),
    )


def _distance(change: WeightChange) -> float | None:
    distance = drawable(change.distance)
    return None if distance is None else max(0.0, distance)


def _value(distance: float | None, change: WeightChange) -> str:
    if change.nonfinite:
        return f"{change.nonfinite:,} not finite"
    return share(distance or 0.0)
