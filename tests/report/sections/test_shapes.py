"""What sections are made of."""

from __future__ import annotations

from assent.core.diff.sameness import Same
from assent.core.digest import digest_of
from assent.report.numbers import Shown, show
from assent.report.parts import Column, Number, Pair, Row, Text, Words, cell
from assent.report.sections import shapes


def test_a_table_counts_its_rows_unless_it_shows_some_of_them() -> None:
    rows: list[Row] = [(cell("a"), cell(Number("1")))]
    whole = shapes.table("Metrics", ("Name", shapes.MEASURED), rows)
    assert (whole.total, whole.rows) == (1, tuple(rows))
    assert whole.columns == (Column("Name"), Column("Measured", is_of_numbers=True))
    assert shapes.table("Metrics", ("Name",), rows, total=9).total == 9
    assert shapes.table("Metrics", ("Name",), rows, total=0).total == 0


def test_a_listing_says_how_many_there_are_of_those_it_leaves_out() -> None:
    lines = (f"line {number}" for number in range(7))
    listed = shapes.listing("Notes", lines, limit=3)
    assert [row[0] for row in listed.rows] == [cell(Words(f"line {number}")) for number in range(3)]
    assert (listed.total, listed.kept) == (7, 3)


def test_tables_without_rows_are_not_shown() -> None:
    empty = shapes.listing("Nothing", ())
    full = shapes.listing("Something", ("here",))
    assert shapes.filled(empty, full, empty) == (full,)


def test_a_tally_leaves_out_what_there_is_none_of() -> None:
    assert shapes.tally([(1_200, "added"), (0, "gone"), (3, "changed")]) == cell(
        Words("1,200 added, 3 changed")
    )
    assert shapes.tally([(0, "gone")]) == cell(Words(""))


def test_unchanged_says_of_how_many_things() -> None:
    assert shapes.unchanged(Same(things=1_234)) == cell(Words("unchanged (1,234)"))
    assert shapes.unchanged(Same(things=2), "every row") == cell(Words("unchanged (every row)"))


def test_texts_of_teams_are_texts_and_numbers_are_numbers() -> None:
    assert shapes.part(Shown("adam", is_text=True)) == Text("adam")
    assert shapes.part(show(0.25)) == Number("0.25")
    assert shapes.both(show(1), show("1")) == (Pair(Number("1"), shapes.part(show("1"))),)


def test_an_enumeration_ends_with_its_conjunction() -> None:
    names = ["ada", "bob", "eve", "zoe"]
    assert shapes.named(names[:1], 3, "and") == (Text("ada"),)
    assert shapes.named(names[:2], 3, "or") == (Text("ada"), Words("or"), Text("bob"))
    assert shapes.named(names, 4, "and")[-3:] == (Text("eve"), Words("and"), Text("zoe"))
    assert shapes.named(names, 2, "and") == (
        *(Text("ada"), Words(","), Text("bob"), Words("and"), Words("2 others")),
    )
    assert shapes.named(names, 3, "and")[-1] == Words("1 other")
    assert shapes.named([], 3, "and") == ()


def test_a_digest_is_shown_by_twelve_digits_of_it() -> None:
    digest = digest_of(b"weights")
    shown = shapes.digits(digest)
    assert len(shown) == 12
    assert digest.removeprefix("sha256:").startswith(shown)
