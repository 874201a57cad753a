"""What the report says of the data."""

from __future__ import annotations

from typing import Any

import pytest

from assent.core.diff.data import (
    ColumnChange,
    ColumnFacts,
    DataChange,
    DataDiff,
    Drift,
    FactChange,
    Level,
    Share,
)
from assent.core.diff.sameness import NotCompared
from assent.core.profile import Overlap, RowChanges
from assent.report.html import to_html
from assent.report.markdown import LIMIT, sections_to_markdown, to_markdown
from assent.report.parts import Section, State, Text
from assent.report.sections.data import data_section
from assent.report.sections.shapes import MAX_ROWS
from assent.report.text import to_text
from tests.report import samples
from tests.report.nasty import TEXTS
from tests.report.rendered import page

OLD = ColumnFacts(type="double", kind="number", nulls=0.0, minimum=0, maximum=80, mean=40.0)
NEW = ColumnFacts(type="double", kind="number", nulls=0.0, minimum=0, maximum=90, mean=47.0)
CITY = ColumnFacts(type="string", kind="category", nulls=0.0, distinct=3)
FALLING = tuple(Share(label=f"{n}", old=0.5 - n / 5, new=0.1 + n / 5) for n in range(3))


def drift(level: Level | None = "moderate", **more: Any) -> Drift:
    fields = {"psi": 0.314, "distance": 0.2, "variation": 0.3, "ks": 0.25, "shift": 0.7, "p": 1e-9}
    outcome = "shown" if level else "stable"
    return Drift(**{"outcome": outcome, "level": level, **fields, **more})


def column(name: str = "age", **fields: Any) -> ColumnChange:
    return ColumnChange(**{"name": name, "old": OLD, "new": NEW, **fields})


def section(*columns: ColumnChange, diff: dict[str, Any] | None = None, **change: Any) -> Section:
    old, new = samples.data("train", 1_000, b"1"), samples.data("train", 1_200, b"2")
    one = DataChange(name="train", old=old, new=new, is_profiled=True, columns=columns, **change)
    data = DataDiff(**{"changes": (one,), **(diff or {})})
    return data_section(data)


def rows(found: Section) -> list[list[str]]:
    """The rows of all tables, as a browser shows them."""
    shown = page(sections_to_markdown([found])).rows
    return [[" ".join(one.split()) for one in row] for row in shown]


def row(one: ColumnChange) -> str:
    """The row of a column that differs."""
    (found,) = [row for row in rows(section(one)) if row[0].startswith(one.name)]
    return " | ".join(found)


def said(found: Section) -> str:
    return to_text([found]).splitlines()[0]


def test_what_did_not_change_is_one_line() -> None:
    same = samples.data("test", 10, b"t")
    unchanged = samples.diff(data=DataDiff(same=(same,)))
    found = data_section(unchanged.data)
    assert said(found) == "Data: unchanged (1)"
    assert all(table.is_folded for table in found.tables)
    nothing = data_section(DataDiff())
    assert (said(nothing), nothing.tables) == ("Data: None was declared.", ())


def test_the_summary_says_what_matters() -> None:
    found = section(
        column("y", drift=drift(), is_label=True),
        column("age", drift=drift("severe")),
        column("new", old=None),
    )
    assert said(found) == (
        "Data: 1 data set differs; 2 columns have drifted (1 severely); the label has drifted; "
        "1 change of the schema"
    )


def test_a_drifted_column_says_how_far_and_draws_both_sides() -> None:
    told = row(column(drift=drift(), shares=FALLING))
    assert "⚠️ moderate drift PSI 0.31, KS 0.25, moved by 0.7 deviations" in told
    assert "mean 40 → 47" in told
    assert "█▅▂" in told
    assert "▂▅█" in told
    assert "about" not in told
    assert "about PSI" in row(column(drift=drift(is_approximate=True)))
    text = ColumnFacts(type="string", kind="text", nulls=0.0)
    assert "drift of the lengths, PSI" in row(column(old=text, new=text, drift=drift()))


def test_categories_are_told_by_those_that_moved_most() -> None:
    shares = (
        Share(label="berlin", old=0.5, new=0.3),
        Share(label="bonn", old=0.3, new=0.3),
        Share(label="köln", old=0.2, new=0.4),
        Share(label="(null)", old=0.0, new=0.0004),
    )
    told = row(column("city", old=CITY, new=CITY, drift=drift(ks=None, shift=None), shares=shares))
    assert "moderate drift PSI 0.31 |" in told
    assert "berlin 50% → 30%" in told
    assert "köln 20% → 40%" in told
    assert "(null) 0% → 0.04%" in told
    assert "bonn" not in told


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"new": None}, "⚠️ gone type double"),
        ({"old": None}, "new type double"),
        ({"old_name": "years"}, "was years"),
        ({"new": CITY}, "type double → string"),
        ({"problem": "its profile contradicts itself"}, "not compared: its profile contradicts"),
        ({"new": ColumnFacts(type="double", kind="number", nulls=0.25)}, "nulls 0% → 25%"),
        (
            {"facts": (FactChange(fact="minimum", old=-3.5, new=-999.0, rows=12),)},
            "minimum -3.5 → -999 (12 rows are beyond)",
        ),
        ({"facts": (FactChange(fact="zeros", old=0.0, new=0.05, is_share=True),)}, "zeros 0% → 5%"),
        (
            {"facts": (FactChange(fact="frequent", value="bot", new=0.5, is_share=True),)},
            "bot makes up less than 1% → 50%",
        ),
        ({"not_compared": "only its lengths were compared"}, "not compared: only its lengths"),
        ({"added": (("a", 1),), "is_by_chance": True}, "new: a (1 row) (perhaps by chance)"),
        (
            {"added": (("a", 3), ("b", 2), ("c", 1), ("d", 1))},
            "new: a (3 rows) b (2 rows) c (1 row)",
        ),
        ({"added": (("a", 3), ("b", 2), ("c", 1), ("d", 1))}, "and 1 other"),
        ({"vanished": (("a", 300),)}, "vanished: a (300 rows)"),
        ({"is_label": True, "drift": drift("slight")}, "age (label)"),
    ],
)
def test_every_change_is_told(change: dict[str, Any], expected: str) -> None:
    assert expected in row(column(**change))


def test_data_sets_that_share_rows_are_named() -> None:
    leak = Overlap(first="train", second="test", of=2_000, rows=3, keys=5)
    clean = Overlap(first="train", second="holdout", of=100, rows=0)
    found = section(diff={"overlaps": (leak, clean)})
    assert ["test", "train", "3 of 2,000", "\N{EN DASH}", "5"] in rows(found)
    assert not any("holdout" in row for row in rows(found))
    assert said(found).endswith("; 3 rows of test are in train too")
    alone = section(diff={"changes": (), "overlaps": (leak,)})
    assert ["test", "train", "3 of 2,000", "\N{EN DASH}", "5"] in rows(alone)
    nothing = section(diff={"changes": (), "overlaps": (clean,)})
    assert not nothing.tables
    assert "no row is in two data sets" in said(nothing)


def test_rows_that_are_nearly_shared_are_counted_beside_the_exact() -> None:
    both = Overlap(first="train", second="test", of=2_000, rows=3, keys=0, near=1_200, columns=2)
    found = section(diff={"overlaps": (both,)})
    assert ["test", "train", "3 of 2,000 by 2 columns", "1,200", "0"] in rows(found)
    assert said(found).endswith("; 3 rows of test are in train too")
    nearly = Overlap(first="train", second="test", of=9, rows=0, near=1, columns=1)
    found = section(diff={"changes": (), "overlaps": (nearly,)})
    assert ["test", "train", "0 of 9 by 1 column", "1", "\N{EN DASH}"] in rows(found)
    assert "1 row of test is nearly in train" in said(found)
    none = Overlap(first="train", second="test", of=9, rows=0, near=0, columns=1)
    assert "no row is in two data sets, not even nearly" in said(
        section(diff={"changes": (), "overlaps": (none,)})
    )


def test_of_many_leaks_the_largest_is_named() -> None:
    leaks = (
        Overlap(first="train", second="test", of=2_000, rows=1),
        Overlap(first="train", second="holdout", of=100, rows=7),
        Overlap(first="holdout", second="test", of=100, rows=0, keys=9),
    )
    told = said(section(diff={"overlaps": leaks}))
    assert "7 rows of holdout are in train too (2 other pairs share rows)" in told
    assert "1 key of b is in a too" in said(
        section(diff={"overlaps": (Overlap(first="a", second="b", of=5, rows=0, keys=1),)})
    )


def test_rows_by_key_are_counted() -> None:
    changed = RowChanges(
        data="train",
        key=("id",),
        added=1_200,
        removed=3,
        changed=7,
        repeated_keys=2,
        columns=(("age", 6), ("city", 1)),
    )
    told = [row for row in rows(section(rows=changed)) if row[:2] == ["train", "1,200"]]
    assert told == [
        [
            "train",
            "1,200",
            "3",
            "7",
            "age (6 rows) city (1 row) 2 rows have a key that is not unique",
        ]
    ]


def test_repeated_rows_and_columns_are_counted() -> None:
    told = rows(
        section(
            column(drift=drift()),
            same_columns=2,
            alike_columns=22,
            old_duplicates=0,
            new_duplicates=9,
        )
    )
    assert "repeated rows 0 → 9" in told[1][1]
    assert (
        "of 25 columns: 1 differs, 2 hold the same values, 22 are alike in every count"
        in told[1][1]
    )
    assert "repeated" not in rows(section(old_duplicates=0, new_duplicates=0))[1][1]
    near: dict[str, Any] = {"old_near_duplicates": 4, "new_near_duplicates": 4}
    told = rows(section(old_duplicates=4, new_duplicates=1, **near))
    assert "repeated rows 4 → 1 (4 nearly)" in told[1][1]
    told = rows(section(old_duplicates=4))
    assert "repeated rows 4 → not counted" in told[1][1]
    assert "of 25 columns: 25 are alike in every count" in rows(section(alike_columns=25))[1][1]


def test_lines_that_were_left_out_are_said_even_if_they_are_as_many_as_before() -> None:
    assert "lines left out 3 → 3" in rows(section(old_ragged=3, new_ragged=3))[1][1]
    assert "lines left out 0 → 3" in rows(section(new_ragged=3))[1][1]
    assert "left out" not in rows(section())[1][1]


def test_what_was_not_compared_is_named_and_not_called_the_same() -> None:
    left = (
        NotCompared(name="body", reason="only the lengths of its texts were compared"),
        NotCompared(name="title", reason="only the lengths of its texts were compared"),
    )
    found = section(alike_columns=1, close_columns=2, not_compared=left)
    said = (
        "of 5 columns: 2 by no more than chance, or little, "
        "1 is alike in every count, 2 were not compared"
    )
    assert said in rows(found)[1][1]
    told = [" ".join(str(part) for part in note) for note in found.notes]
    assert any("body" in note and "title" in note and "lengths" in note for note in told)


def test_too_few_rows_and_other_bins_are_said() -> None:
    found = section(column(drift=drift(is_approximate=True)), inconclusive=3)
    text = to_text([found])
    assert "For 3 columns of train the rows are too few to tell whether they drifted." in text
    assert "counted in other bins" in text
    assert not section(column(drift=drift())).notes


def test_the_most_important_column_comes_first_across_data_sets() -> None:
    reference = samples.data("x", 10, b"1")
    changes = tuple(
        DataChange(name=name, old=reference, new=reference, is_profiled=True, columns=columns)
        for name, columns in (
            ("a", (column("mild", drift=drift("slight")),)),
            ("b", (column("wild", drift=drift("severe")), column("gone", new=None))),
        )
    )
    (table,) = [
        one
        for one in section(diff={"changes": changes}).tables
        if one.title == "Columns that differ"
    ]
    assert [(row[0], row[1]) for row in table.rows] == [
        ((Text("b"),), (Text("gone"),)),
        ((Text("b"),), (Text("wild"),)),
        ((Text("a"),), (Text("mild"),)),
    ]
    assert table.kept == 2
    assert isinstance(table.rows[1][2][0], State)


def test_a_hundred_thousand_columns_do_not_blow_up_the_comment() -> None:
    shares = tuple(Share(label=f"{n}", old=0.05, new=0.05) for n in range(20))
    columns = tuple(
        column(f"c{n}", drift=drift(), shares=shares if n < 200 else ()) for n in range(100_000)
    )
    found = section(*columns)
    (table,) = [one for one in found.tables if one.title == "Columns that differ"]
    assert (len(table.rows), table.total) == (MAX_ROWS, 100_000)
    old, new = samples.data("train", 1_000, b"1"), samples.data("train", 1_200, b"2")
    one = DataChange(name="train", old=old, new=new, is_profiled=True, columns=columns)
    report = samples.review(samples.PASS, diff=samples.diff(data=DataDiff(changes=(one,))))
    text = to_markdown(report)
    assert len(text.encode()) <= LIMIT
    assert "more rows" in text


@pytest.mark.threat(33)
@pytest.mark.parametrize("text", TEXTS)
def test_whatever_the_names_are_the_section_is_inert(text: str) -> None:
    facts = ColumnFacts(type=text, kind="category", nulls=0.0)
    one = column(
        text,
        old=facts,
        new=ColumnFacts(type=text + "!", kind="category", nulls=0.5),
        old_name=text + "?",
        drift=drift(),
        added=((text, 3),),
        vanished=((text, 3),),
        shares=(Share(label=text, old=0.1, new=0.9),),
        problem=text,
    )
    found = section(
        one,
        diff={"overlaps": (Overlap(first=text, second=text, of=1, rows=1),)},
        rows=RowChanges(data=text, key=(text,), columns=((text, 1),)),
    )
    shown = page(sections_to_markdown([found]))
    assert not {"a", "img", "script", "h1", "h4"} & set(shown.names)
    assert shown.names.count("table") == 4
    report = samples.review(samples.PASS, diff=samples.diff(data=DataDiff()))
    assert to_html(report)


def test_columns_of_the_same_values_are_not_called_the_same_rows() -> None:
    said = "which values stand in one row was not compared"
    (_, told), *_ = rows(section(same_columns=2, alike_columns=1))[1:]
    assert told.endswith(f"of 3 columns: 2 hold the same values, 1 is alike in every count; {said}")
    assert said not in rows(section(same_columns=1))[1][1]
    assert said not in rows(section(same_columns=2, close_columns=1))[1][1]
    by_key = RowChanges(data="train", key=("id",), same=5)
    assert said not in rows(section(same_columns=2, rows=by_key))[1][1]
