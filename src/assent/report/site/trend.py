"""A metric over the versions of a model: its values as a line, its bounds as they were recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assent.core.diff.metrics import Better
from assent.core.verdict import Outcome
from assent.report.charts import axes
from assent.report.charts.drawing import WIDTH, Drawing, Point
from assent.report.charts.scales import Scale, drawable, tick_text, ticks
from assent.report.numbers import number
from assent.report.site.bounds import Bound
from assent.report.site.history import Struct

_LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 54.0, 372.0, 10.0, 128.0, 152.0
_DOTTED = 40
"""Up to so many versions each has a dot of its own."""
_FINE = 600


class Trend(Struct, frozen=True, kw_only=True):
    """The values of one metric by version, those that are numbers; `unread` are versions of which
    nothing could be read. `bounds` are those of each version, `standing` the version that the last
    stage holds.
    """

    metric: str
    better: Better | None
    values: Mapping[int, float]
    bounds: Mapping[int, tuple[Bound, ...]]
    unread: int = 0
    standing: int | None = None

    @property
    def drawn(self) -> dict[int, float]:
        """The values that have a place on a scale."""
        places = {version: drawable(value) for version, value in self.values.items()}
        return {version: place for version, place in places.items() if place is not None}


def draw(trend: Trend) -> str:
    """The chart of a metric; empty where there is nothing to draw."""
    values = trend.drawn
    if not values:
        return ""
    limits = [bound.limit for bounds in trend.bounds.values() for bound in bounds]
    low, high = _ends([*values.values(), *(limit for limit in limits if drawable(limit))])
    across = Scale(min(values), max(max(values), min(values) + 1), _LEFT + 6, _RIGHT - 6)
    up = Scale(low, high, _BOTTOM, _TOP)
    drawing = Drawing(_HEIGHT, WIDTH)
    axes.up(drawing, up, ticks(low, high, 4), _LEFT, _RIGHT, tick_text)
    _numbers(drawing, across, values)
    _bounds(drawing, across, up, trend)
    for run in _runs(values):
        drawing.path([(across.at(v), up.at(value)) for v, value in _thinned(run)], "new stroke")
    _dots(drawing, across, up, trend, values)
    return drawing.svg(_sentence(trend, values))


def spark(values: Sequence[float]) -> str:
    """The run of a few values, without axes: the numbers stand beside it."""
    places = [place for place in map(drawable, values) if place is not None]
    if len(places) < 2:
        return ""
    drawing = Drawing(28, 120)
    low, high = _ends(places)
    across, up = Scale(0, len(places) - 1, 3, 112), Scale(low, high, 24, 4)
    points: list[Point] = [(across.at(at), up.at(value)) for at, value in enumerate(places)]
    drawing.path(points, "new stroke")
    drawing.dot(*points[-1], 3, "new dot")
    shown = f"{number(places[0])} to {number(places[-1])}"
    return drawing.svg(f"{len(places)} versions, from {shown}")


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = (high - low) * 0.08 or abs(high) * 0.05 or 1.0
    return low - margin, high + margin


def _numbers(drawing: Drawing, across: Scale, values: Mapping[int, float]) -> None:
    marks = [mark for mark in ticks(min(values), max(values), 6) if mark == int(mark)]
    for mark in marks:
        x = across.at(mark)
        drawing.text(x, _BOTTOM + 16, f"v{int(mark)}", "tick", "middle")


def _runs(values: Mapping[int, float]) -> list[list[tuple[int, float]]]:
    """Neighbours without a gap: what was not read is not drawn through."""
    runs: list[list[tuple[int, float]]] = []
    before: int | None = None
    for version in sorted(values):
        if before is None or version != before + 1:
            runs.append([])
        runs[-1].append((version, values[version]))
        before = version
    return runs


def _thinned(run: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """No more points than can be seen, with the lowest and the highest of each group."""
    if len(run) <= _FINE:
        return run
    size = -(-len(run) // (_FINE // 2))
    thinned: list[tuple[int, float]] = []
    for at in range(0, len(run), size):
        group = run[at : at + size]
        ends = {min(group, key=lambda point: point[1]), max(group, key=lambda point: point[1])}
        thinned += sorted(ends)
    return thinned


def _bounds(drawing: Drawing, across: Scale, up: Scale, trend: Trend) -> None:
    for side in ("min", "max"):
        points: list[Point] = []
        for version in sorted(trend.bounds):
            for bound in trend.bounds[version]:
                if bound.side != side or drawable(bound.limit) is None:
                    continue
                if points and points[-1][1] != up.at(bound.limit):
                    points.append((across.at(version), points[-1][1]))
                points.append((across.at(version), up.at(bound.limit)))
        if points:
            if len(points) == 1:
                points = [(_LEFT, points[0][1]), *points]
            drawing.path([*points, (_RIGHT, points[-1][1])], "bound")


def _dots(
    drawing: Drawing, across: Scale, up: Scale, trend: Trend, values: Mapping[int, float]
) -> None:
    """A dot where one can be told from the next, and always where a bound was broken or what is
    served stands.
    """
    for version, value in values.items():
        is_broken = any(bound.outcome is Outcome.FAILED for bound in trend.bounds.get(version, ()))
        is_standing = version == trend.standing
        if len(values) > _DOTTED and not (is_broken or is_standing):
            continue
        x, y = across.at(version), up.at(value)
        broken = ", bound broken" if is_broken else ""
        with drawing.group(f"v{version}: {number(value)}{broken}"):
            if is_standing:
                drawing.dot(x, y, 7, "standing")
            if is_broken:
                drawing.path([(x, y - 5), (x + 5, y + 4), (x - 5, y + 4)], "broken", is_closed=True)
            else:
                drawing.dot(x, y, 3, "new dot")


def _sentence(trend: Trend, values: Mapping[int, float]) -> str:
    first, last = min(values), max(values)
    return (
        f"{trend.metric} of {len(values)} versions: v{first} {number(values[first])}, "
        f"v{last} {number(values[last])}; lowest {number(min(values.values()))}, "
        f"highest {number(max(values.values()))}."
    )
