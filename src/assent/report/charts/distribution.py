"""How a column of the data is distributed on both sides."""

from __future__ import annotations

from collections.abc import Sequence

from assent.compare.bins import WITHOUT_PLACE
from assent.core.diff.data import ColumnChange, DataDiff, Share
from assent.report.charts import axes, histogram
from assent.report.charts.drawing import WIDTH, Drawing, fit
from assent.report.charts.scales import Scale, groups, percent_text, share
from assent.report.numbers import count, number
from assent.report.parts import Chart, Text, Words

_MOST_BINS = 40
_MOST_CATEGORIES = 10
_ROW = 24.0
_LABELS = 118.0
_BARS = (126.0, 290.0)
_FEW_BINS = 4  # a step line through fewer says less than bars with their labels

_MOST_APART = 3
_APART = 54.0

_Bar = tuple[str, float, float]
"""A label, and the share of both sides."""


def distribution_charts(data: DataDiff, most: int) -> tuple[Chart, ...]:
    """Columns whose distribution has moved, or whose categories came or went; the most important
    first, as the diff has them.
    """
    charts: list[Chart] = []
    for change in data.changes:
        for column in change.columns:
            if len(charts) == most:
                return tuple(charts)
            if _is_worth_a_chart(column):
                charts.append(_chart(change.name, column))
    return tuple(charts)


def _is_worth_a_chart(column: ColumnChange) -> bool:
    has_moved = column.drift is not None and column.drift.outcome == "shown"
    if not (has_moved or column.added or column.vanished):
        return False
    # A side without rows, or a column without bins, has no distribution.
    return any(share(bin_.old) for bin_ in column.shares) and any(
        share(bin_.new) for bin_ in column.shares
    )


def _chart(data: str, column: ColumnChange) -> Chart:
    is_ordered = column.new is not None and column.new.kind in ("number", "time")
    if is_ordered and sum(not _is_missing(bin_) for bin_ in column.shares) > _FEW_BINS:
        drawing = _bins(column.shares)
    else:
        drawing = _categories(column.shares, is_ordered=is_ordered)
    facts = _facts(column)
    return Chart(
        title=(Text(fit(column.name, 270)), Words("in"), Text(fit(data, 200))),
        note=(Words(facts),) if facts else (),
        drawing=drawing.svg(_said(data, column, facts)),
    )


def _is_missing(bin_: Share) -> bool:
    """Whether a bin of numbers or times counts what has no place among them, such as `(null)`."""
    return bin_.label in WITHOUT_PLACE


def _bins(shares: Sequence[Share]) -> Drawing:
    """Bins side by side, each as wide as the next: they hold about as many rows as each other in
    the baseline, and one far value must not squeeze all others into a corner. What is no number
    stands apart, to the right.
    """
    ranged = [bin_ for bin_ in shares if not _is_missing(bin_)]
    apart = [bin_ for bin_ in shares if _is_missing(bin_)][:_MOST_APART]
    bars = [_joined(ranged[first:last]) for first, last in groups(len(ranged), _MOST_BINS)]
    right = histogram.RIGHT - _APART * len(apart)
    scale = Scale(0, len(bars), histogram.LEFT, right)
    drawing = Drawing(histogram.HEIGHT)
    places = [scale.at(at) for at in range(len(bars) + 1)]
    top = max(max(bar[1:]) for bar in (*bars, *map(_bar, apart)))
    height = histogram.draw(
        drawing, places, [bar[1] for bar in bars], [bar[2] for bar in bars], top=top
    )
    for bar, place, after in zip(bars, places, places[1:], strict=False):
        with drawing.group(f"{fit(bar[0], 400)}: {_both(bar[1], bar[2])}"):
            drawing.rect(place, histogram.TOP, after - place, height.start - histogram.TOP, "hit")
    y = histogram.BOTTOM + 15
    _ends(drawing, [bin_.label for bin_ in ranged], right, y)
    for at, bar in enumerate(map(_bar, apart)):
        x = right + _APART * at + 16
        with drawing.group(f"{fit(bar[0], 400)}: {_both(bar[1], bar[2])}"):
            for shift, portion, style in ((0, bar[1], "old area"), (12, bar[2], "new fill")):
                drawing.rect(
                    x + shift, height.at(portion), 11, height.start - height.at(portion), style
                )
            drawing.text(x + 11.5, y, fit(bar[0], _APART - 4), "name", "middle")
    return drawing


def _ends(drawing: Drawing, labels: Sequence[str], right: float, y: float) -> None:
    """The first and the last label, and one between them if all three have room."""
    width = right - histogram.LEFT
    three = labels[0], labels[len(labels) // 2], labels[-1]
    room = width / 3 - 6
    if any(fit(label, room) != fit(label, width) for label in three):
        three, room = (labels[0], "", labels[-1]), width / 2 - 6
    drawing.text(histogram.LEFT, y, fit(three[0], room), "name")
    if three[1]:
        drawing.text((histogram.LEFT + right) / 2, y, fit(three[1], room), "name", "middle")
    drawing.text(right, y, fit(three[2], room), "name", "end")


def _bar(bin_: Share) -> _Bar:
    return bin_.label, share(bin_.old), share(bin_.new)


def _joined(run: Sequence[Share]) -> _Bar:
    label = (
        run[0].label if len(run) == 1 else f"{fit(run[0].label, 190)} … {fit(run[-1].label, 190)}"
    )
    old, new = sum(share(bin_.old) for bin_ in run), sum(share(bin_.new) for bin_ in run)
    return label, min(1.0, old), min(1.0, new)


def _categories(shares: Sequence[Share], *, is_ordered: bool) -> Drawing:
    bars = _kept(shares, is_ordered=is_ordered)
    drawing = Drawing(30 + _ROW * len(bars))
    axes.sides(drawing, 12)
    scale = Scale(0, max(max(old, new) for _, old, new in bars) or 1.0, *_BARS)
    for at, (label, old, new) in enumerate(bars):
        y = 26 + at * _ROW
        with drawing.group(f"{fit(label, 400)}: {_both(old, new)}"):
            drawing.text(0, y + 12, fit(label, _LABELS), "name")
            drawing.rect(_BARS[0], y, scale.at(old) - _BARS[0], 8, "old area")
            drawing.rect(_BARS[0], y + 9, scale.at(new) - _BARS[0], 8, "new fill")
            drawing.text(WIDTH, y + 12, _both(old, new), "value", "end")
    drawing.line((_BARS[0], 22), (_BARS[0], 26 + len(bars) * _ROW - 4), "axis")
    return drawing


def _kept(shares: Sequence[Share], *, is_ordered: bool) -> list[_Bar]:
    """The categories with the most rows on either side, in their order, and one for the rest."""
    bars = [_bar(bin_) for bin_ in shares]
    if len(bars) <= _MOST_CATEGORIES or is_ordered:
        return bars[:_MOST_CATEGORIES]
    ranked = sorted(range(len(bars)), key=lambda at: (-max(bars[at][1:]), at))
    kept = sorted(ranked[: _MOST_CATEGORIES - 1])
    rest = [bars[at] for at in ranked[_MOST_CATEGORIES - 1 :]]
    others = (
        count(len(rest), "other"),
        min(1.0, sum(old for _, old, _ in rest)),
        min(1.0, sum(new for _, _, new in rest)),
    )
    return [*(bars[at] for at in kept), others]


def _facts(column: ColumnChange) -> str:
    facts: list[str] = []
    if column.is_label:
        facts.append("the label")
    drift = column.drift
    if drift is not None and drift.outcome == "shown":
        about = "about " if drift.is_approximate else ""
        facts.append(f"{drift.level or 'some'} drift, {about}PSI {number(drift.psi, 2)}")
    if column.added:
        facts.append(count(len(column.added), "new category", "new categories"))
    if column.vanished:
        facts.append(count(len(column.vanished), "category", "categories") + " gone")
    return "; ".join(facts)


def _said(data: str, column: ColumnChange, facts: str) -> str:
    moved = sorted(column.shares, key=lambda bin_: -abs(share(bin_.new) - share(bin_.old)))[:3]
    most = "; ".join(
        f"{fit(bin_.label, 270)} from {percent_text(share(bin_.old))} to "
        f"{percent_text(share(bin_.new))}"
        for bin_ in moved
    )
    name, of = fit(column.name, 400), fit(data, 270)
    return f"Distribution of {name} in {of}. {facts}. Moved most: {most}."


def _both(old: float, new: float) -> str:
    return f"{percent_text(old)} → {percent_text(new)}"
