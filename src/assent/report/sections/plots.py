"""The plots of the team."""

from __future__ import annotations

from assent.report import numbers
from assent.report.charts.pictures import problems
from assent.report.numbers import count
from assent.report.parts import Cell, Number, Row, Section, Words, cell
from assent.report.review import Plot, ReviewReport
from assent.report.sections import shapes


def plots_section(report: ReviewReport) -> Section | None:
    """The plots by name; None if there are none. The full report shows them as well."""
    plots = report.plots
    if not plots:
        return None
    reasons = problems(plots)
    table = shapes.table(
        "Plots by name",
        ("Plot", "Type", "Size", "Where"),
        [_row(*pair) for pair in zip(plots[: shapes.MAX_ROWS], reasons, strict=False)],
        total=len(plots),
        fold=True,
    )
    summary = f"{count(len(plots), 'plot')}, {reasons.count(''):,} shown in the full report"
    return Section(title="Plots", summary=cell(Words(summary)), tables=(table,))


def _row(plot: Plot, problem: str) -> Row:
    where: Cell = (Words(f"not shown: {problem}" if problem else "in the full report"),)
    size = Number(numbers.size(max(0, plot.size)))
    return cell(plot.name), cell(plot.media_type), (size,), where
