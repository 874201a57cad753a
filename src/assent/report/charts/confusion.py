"""Which class was taken for which, and what has changed in that."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from assent.core.diff.predictions import Confusion, PredictionsDiff
from assent.report.charts import matrix
from assent.report.charts.drawing import fit
from assent.report.charts.matrix import Square
from assent.report.numbers import MINUS, count
from assent.report.parts import Chart, Words

_MOST_CLASSES = 10
_FEW_CLASSES = 4  # cells with room for two lines
_TITLES = ("label", "predicted")

_Counts = tuple[tuple[int, ...], ...]


def confusion_charts(predictions: PredictionsDiff) -> tuple[Chart, ...]:
    """The candidate's confusion, and with a baseline the change; with many classes the baseline's
    as well, which otherwise stands in the candidate's cells.
    """
    new = predictions.new_confusion
    if new is None or not _is_square(new):
        return ()
    old = predictions.old_confusion
    if old is None or not _is_square(old):
        alone = _aligned(new, new.classes)
        grid, counts, _ = _reduced(new.classes, alone, alone, new.others)
        return (_counted("Confusion: candidate", grid, counts, None),)
    classes = tuple(dict.fromkeys((*old.classes, *new.classes)))
    others = new.others if old.classes == new.classes else 0
    grid, before, after = _reduced(classes, _aligned(old, classes), _aligned(new, classes), others)
    charts: list[Chart] = []
    if len(grid.names) > _FEW_CLASSES:
        charts.append(_counted("Confusion: baseline", grid, before, None))
    charts.append(_counted("Confusion: candidate", grid, after, before))
    charts.append(_changed(grid, before, after))
    return tuple(charts)


def _is_square(confusion: Confusion) -> bool:
    size = len(confusion.classes)
    return 0 < size == len(confusion.counts) and all(len(row) == size for row in confusion.counts)


def _aligned(confusion: Confusion, classes: Sequence[str]) -> _Counts:
    """The counts in the order of `classes`."""
    at = {name: place for place, name in enumerate(confusion.classes)}
    return tuple(
        tuple(
            max(0, confusion.counts[at[label]][at[predicted]])
            if label in at and predicted in at
            else 0
            for predicted in classes
        )
        for label in classes
    )


class _Grid(msgspec.Struct, frozen=True):
    """The classes that are drawn. The last one `is_rest` if it stands for many."""

    names: tuple[str, ...]
    is_rest: bool = False

    def is_told(self, label: int, predicted: int) -> bool:
        """Whether a cell says who is right."""
        return not self.is_rest or len(self.names) - 1 not in (label, predicted)


def _reduced(
    classes: Sequence[str], old: _Counts, new: _Counts, others: int
) -> tuple[_Grid, _Counts, _Counts]:
    """The classes of which most rows have changed cells, then those with most rows, in their
    order; and one for all others.
    """
    if len(classes) <= _MOST_CLASSES:
        return _Grid(tuple(classes), bool(others)), old, new
    named = range(len(classes) - bool(others))
    sizes = [sum(old[at]) + sum(new[at]) for at in named]
    moved = [sum(abs(a - b) for a, b in zip(old[at], new[at], strict=True)) for at in named]
    ranked = sorted(named, key=lambda at: (-moved[at], -sizes[at], at))
    kept = sorted(ranked[: _MOST_CLASSES - 1])
    rest = sorted(set(range(len(classes))) - set(kept))
    bins = [[at] for at in kept] + [rest]
    left = len(rest) + max(0, others - 1)
    names = (*(classes[at] for at in kept), count(left, "other"))
    return _Grid(names, is_rest=True), _summed(old, bins), _summed(new, bins)


def _summed(counts: _Counts, bins: Sequence[Sequence[int]]) -> _Counts:
    return tuple(
        tuple(sum(counts[label][at] for label in down for at in across) for across in bins)
        for down in bins
    )


def _counted(title: str, grid: _Grid, counts: _Counts, was: _Counts | None) -> Chart:
    classes = grid.names
    names = matrix.names(classes)
    cells = [
        [
            Square(
                _short(amount, is_short=matrix.is_narrow(len(row))),
                "" if was is None else f"was {_short(was[down][at])}",
                strength=amount / (sum(row) or 1),
                tooltip=_tooltip(names[down], names[at], f"{amount:,}")
                + ("" if was is None else f", was {was[down][at]:,}"),
            )
            for at, amount in enumerate(row)
        ]
        for down, row in enumerate(counts)
    ]
    right = sum(counts[at][at] for at in range(len(classes)) if grid.is_told(at, at))
    rows = sum(map(sum, counts))
    rest = f", {counts[-1][-1]:,} not told apart" if grid.is_rest else ""
    words = f"{title}: {right:,} of {rows:,} rows on the diagonal{rest}, {len(classes):,} classes."
    return Chart(
        title=(Words(title),),
        note=(Words("rows; the shade is the share of the label"),),
        drawing=matrix.draw(classes, classes, cells, titles=_TITLES).svg(words),
    )


def _changed(grid: _Grid, old: _Counts, new: _Counts) -> Chart:
    """Counts where both sides have as many rows, else the shares of each label."""
    classes = grid.names
    size = len(classes)
    is_counted = sum(map(sum, old)) == sum(map(sum, new))
    before, after = (old, new) if is_counted else (_shares(old), _shares(new))
    changes = [[after[down][at] - before[down][at] for at in range(size)] for down in range(size)]
    largest = max(abs(change) for row in changes for change in row) or 1
    signed = _counts_signed if is_counted else _points_signed
    names = matrix.names(classes)
    cells = [
        [
            Square(
                signed(change, is_short=matrix.is_narrow(size)),
                style=_style(grid, down, at, change),
                strength=abs(change) / largest,
                tooltip=_tooltip(names[down], names[at], signed(change)),
            )
            for at, change in enumerate(row)
        ]
        for down, row in enumerate(changes)
    ]
    most = sorted(
        ((down, at) for down in range(size) for at in range(size)),
        key=lambda place: (-abs(changes[place[0]][place[1]]), place),
    )[:4]
    words = "; ".join(
        _tooltip(classes[down], classes[at], signed(changes[down][at])) for down, at in most
    )
    unit = "rows" if is_counted else "percentage points of the label"
    return Chart(
        title=(Words("Confusion: the change"),),
        note=(Words(f"{unit}; green is better, orange is worse"),),
        drawing=matrix.draw(classes, classes, cells, titles=_TITLES).svg(
            f"Change of the confusion in {unit}. Most: {words}."
        ),
    )


def _style(grid: _Grid, label: int, predicted: int, change: float) -> str:
    if not grid.is_told(label, predicted):
        return "heat"
    return "better" if (change > 0) == (label == predicted) else "worse"


def _shares(counts: _Counts) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(cell / (sum(row) or 1) for cell in row) for row in counts)


def _tooltip(label: str, predicted: str, text: str) -> str:
    return f"{fit(label, 200)} predicted as {fit(predicted, 200)}: {text}"


def _counts_signed(change: float, *, is_short: bool = False) -> str:
    return _signed(change, _short(abs(int(change)), is_short=is_short))


def _points_signed(change: float, *, is_short: bool = False) -> str:
    points = abs(change) * 100
    return _signed(change, f"{points:.0f}" if is_short and points >= 10 else f"{points:.1f}")


def _signed(change: float, size: str) -> str:
    if size in ("0", "0.0"):
        return "0"
    return ("+" if change > 0 else MINUS) + size


def _short(amount: int, *, is_short: bool = False) -> str:
    """A count in at most six characters, four if it `is_short`."""
    for limit, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if amount >= limit and (limit > 10**3 or amount >= 10**5 or is_short):
            if amount < limit * 10 or (not is_short and amount < limit * 100):
                return f"{amount // (limit // 10) / 10:.1f}".removesuffix(".0") + unit
            return f"{min(amount // limit, 999)}{unit}"
    return f"{amount:,}"
