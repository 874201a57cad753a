"""Text in lines that fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.report.lines import cells, table, wrapped

URL = "https://ci.example/" + "x" * 100


@pytest.mark.parametrize(
    ("text", "count"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("\x1b[31mred\x1b[0m", 3), ("", 0)]
)
def test_how_many_columns_it_takes(text: str, count: int) -> None:
    assert cells(text) == count


def test_it_is_broken_at_spaces_with_what_the_lines_begin_with() -> None:
    lines = list(wrapped("one two three four", 12, first="* ", then="  "))
    assert lines == ["* one two", "  three four"]


def test_without_a_width_it_is_one_line() -> None:
    assert list(wrapped("word " * 100, None, first=" ")) == [" " + "word " * 100]


def test_an_address_stays_whole() -> None:
    assert URL in list(wrapped(f"see {URL} there", 40, then="  "))[1]


@given(st.text(alphabet="ab 日\u0301", max_size=80), st.integers(10, 60))
def test_no_line_is_too_long_but_for_words_that_are(text: str, columns: int) -> None:
    lines = list(wrapped(text, columns, then="  "))
    longest = max(map(cells, text.split(" ")), default=0)
    assert all(cells(line) <= max(columns, longest + 2) for line in lines)
    assert [word for line in lines for word in line.split()] == text.split()


def test_a_table_lines_up_and_its_last_cell_goes_on_below_itself() -> None:
    rows = [("a", "one two three four five"), ("longer", "six")]
    assert list(table(rows, 31)) == [
        "  a       one two three four",
        "          five",
        "  longer  six",
    ]
    assert next(table(rows, None)) == "  a       one two three four five"
    assert list(table([], 80)) == []


def test_where_nothing_is_left_beside_the_others_it_is_below_them() -> None:
    shown = list(table([("n" * 40, "one two three")], 44))
    assert shown == ["  " + "n" * 40 + "  one", " " * 24 + "two three"]
