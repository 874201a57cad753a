"""Who was right before and who is right now."""

from __future__ import annotations

from assent.core.diff.predictions import Flips, PredictionsDiff
from assent.report.charts import matrix
from assent.report.charts.drawing import WIDTH, Drawing
from assent.report.charts.matrix import Square
from assent.report.charts.scales import Scale, percent_text
from assent.report.parts import Chart, Words

_MIDDLE = WIDTH / 2
_HALF = 150.0


def flips_charts(predictions: PredictionsDiff) -> tuple[Chart, ...]:
    """Rows that both models have predicted by who was right, and the flips against each other."""
    flips = predictions.flips
    if flips is None or flips.rows <= 0:
        return ()
    flipped = flips.worse + flips.better
    cells = (
        (
            _square(flips, flips.both_right, flips.rows, "heat", "right before and now"),
            _square(flips, flips.worse, flipped, "worse", "right before, wrong now"),
        ),
        (
            _square(flips, flips.better, flipped, "better", "wrong before, right now"),
            _square(flips, flips.both_wrong, flips.rows, "heat", "wrong before and now"),
        ),
    )
    headings = ("right", "wrong")
    drawing = matrix.draw(headings, headings, cells, titles=("baseline", "candidate"), extra=58)
    _balance(drawing, flips)
    sentence = (
        f"Of {flips.rows:,} rows both models are right on {flips.both_right:,} and wrong on "
        f"{flips.both_wrong:,}; {flips.better:,} got better and {flips.worse:,} got worse."
    )
    return (
        Chart(
            title=(Words("Who was right"),),
            note=(Words("rows that both models have predicted"),),
            drawing=drawing.svg(sentence),
        ),
    )


def _square(flips: Flips, rows: int, of: int, style: str, words: str) -> Square:
    """Flips are few: their shade is their share `of` the flips, or they would have none."""
    portion = percent_text(rows / flips.rows)
    return Square(f"{rows:,}", portion, style, rows / (of or 1), f"{words}: {rows:,} rows")


def _balance(drawing: Drawing, flips: Flips) -> None:
    """The flips as bars to both sides of one line: which way the balance leans."""
    y = drawing.height - 34
    scale = Scale(0, max(flips.worse, flips.better, 1), 0, _HALF)
    drawing.rect(_MIDDLE - scale.at(flips.worse), y, scale.at(flips.worse), 12, "worse")
    drawing.rect(_MIDDLE, y, scale.at(flips.better), 12, "better")
    drawing.line((_MIDDLE, y - 4), (_MIDDLE, y + 16), "axis")
    drawing.text(_MIDDLE - 8, y + 30, f"{percent_text(flips.negative)} got worse", "tick", "end")
    drawing.text(_MIDDLE + 8, y + 30, f"{percent_text(flips.positive)} got better", "tick")
