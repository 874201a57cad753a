"""The first screen of a review: whether the model is better or worse and by how much, and what no
rule looked at.
"""

from __future__ import annotations

import msgspec

from assent.report.first_screen.attention import unlooked
from assent.report.first_screen.figures import deciding_figures
from assent.report.parts import Section, Table, Words, cell
from assent.report.quality import Quality, quality_of
from assent.report.review import ReviewReport
from assent.report.sections.shapes import filled


class FirstScreen(msgspec.Struct, frozen=True, kw_only=True):
    """`quality` counts what got better and worse, `figures` are those that decide, and `look_at`
    is what a person should see before approving, because no gate judges it.
    """

    quality: Quality
    figures: Table
    look_at: Table


def first_screen(report: ReviewReport) -> FirstScreen:
    """The first screen of a review."""
    return FirstScreen(
        quality=quality_of(report.diff),
        figures=deciding_figures(report),
        look_at=unlooked(report),
    )


def first_section(report: ReviewReport) -> Section:
    """The first screen as a section, for a terminal."""
    screen = first_screen(report)
    tables = filled(screen.figures, screen.look_at)
    return Section(
        title=screen.figures.title, summary=cell(Words(screen.quality.words)), tables=tables
    )
