"""CSV that spreadsheets open, and in which nothing is a formula."""

from __future__ import annotations

import csv

import pytest

from assent.core.entry import Kind, decode_entry
from assent.core.history import History
from assent.report.spreadsheet import COLUMNS, cell, to_csv
from tests.builders import AT, draft, registered
from tests.core.histories import written

SIGNS = (*"=+-@\t\r", *map(chr, (0xFF1D, 0xFF0B, 0xFF0D, 0xFF20)))
"""Those that begin a formula, the last four in full width."""


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["", " ", "   "])
def test_no_cell_begins_like_a_formula(sign: str, before: str) -> None:
    shown = cell(f"{before}{sign}cmd|' /C calc'!A0")
    assert not shown.lstrip(" ").startswith(SIGNS)


@pytest.mark.parametrize("text", ["", "v1", "1.5", "a=b", "https://x.example/?a=b", "'"])
def test_what_is_none_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


def test_every_row_is_a_line_of_as_many_cells_whatever_is_in_it() -> None:
    hostile = '=HYPERLINK("https://x","y")\r\n"quoted", \x1b[31m \u202e ::set-output name=a::b'
    drafts = [
        registered(1),
        draft(Kind.NOTED, reason=hostile, metrics={"=a": -1.0}, links={"@x": "+y\n"}),
    ]
    entries = [decode_entry(content) for content in written(drafts)]
    history = History(entries, AT)
    text = to_csv(history.moment(entry) for entry in entries)
    assert text.count("\r\n") == 3
    assert "\x1b" not in text
    assert "\u202e" not in text
    rows = list(csv.DictReader(text.splitlines()))
    assert [list(row) for row in rows] == [list(COLUMNS)] * 2
    assert rows[0]["kind"] == "registered"
    assert rows[1]["reason"].startswith("'=HYPERLINK")
    assert rows[1]["metrics"] == "'=a=-1.0"
    assert rows[1]["links"] == "'@x=+y\\n"
