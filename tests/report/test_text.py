"""Sections in a terminal."""

from __future__ import annotations

from assent.report.parts import Section, Table, Words, cell
from assent.report.sections import shapes
from assent.report.text import MOST_FOLDED_ROWS, MOST_ROWS, to_text


def table(title: str, rows: int, *, fold: bool = False) -> Table:
    return shapes.table(
        title, ("Name",), [(cell(Words(f"row-{at}")),) for at in range(rows)], fold=fold
    )


def shown(*tables: Table) -> str:
    return to_text([Section(title="Metrics", summary=cell(Words("two")), tables=tables)])


def test_a_table_called_as_its_section_needs_no_title_of_its_own() -> None:
    assert shown(table("Metrics", 1)) == "Metrics: two\n    row-0"
    assert shown(table("Slices", 1)) == "Metrics: two\n  Slices\n    row-0"


def test_what_a_page_folds_does_not_bury_the_rest() -> None:
    folded = shown(table("Slices", 80, fold=True))
    assert folded.count("row-") == MOST_FOLDED_ROWS
    assert "… 70 more (--json has all)" in folded
    assert shown(table("Slices", 80)).count("row-") == MOST_ROWS
    assert shown(table("Slices", 3, fold=True)).count("row-") == 3
