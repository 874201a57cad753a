"""CSV by a stated dialect: what is not of it is counted, named and refused."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from assent.errors import UsageError
from assent.measure.dialect import Reading, choose
from assent.measure.profiles.reading import open_table

ROWS = [f"{at},{at}.5,x{at}" for at in range(1, 3_001)]


def rows(root: Path, source: str, **reading: Any) -> list[tuple[Any, ...]]:
    with open_table(root, source, reading=Reading(**reading)) as table:
        found: list[tuple[Any, ...]] = table.connection.execute(
            f"SELECT * FROM {table.relation}"
        ).fetchall()
        return found


def names(root: Path, source: str, **reading: Any) -> list[str]:
    with open_table(root, source, reading=Reading(**reading)) as table:
        return [column.name for column in table.columns]


def refused(root: Path, source: str, **reading: Any) -> str:
    with (
        pytest.raises(UsageError) as caught,
        open_table(root, source, reading=Reading(**reading)),
    ):
        pass
    return f"{caught.value} ({caught.value.hint})"


@pytest.mark.parametrize(
    ("lines", "delimiter", "columns"),
    [
        (["a,b", "1,2"], ",", 2),
        (["a;b;c", "1,5;2,5;3,5", "1,5;2,5;3,5"], ";", 3),
        (["a|b", "1|2,3"], "|", 2),
        (["a\tb", "1\t2,3"], "\t", 2),
        (["a,b;c", "1,2;3", "4,5;6"], ",", 2),
        (['"a,b";c', '"1,2";3'], ";", 2),
        (["one", "1", "2"], ",", 1),
        (['a,"b', 'c"', "1,2"], ",", 2),
        (["a,b"], ",", 2),
    ],
)
def test_the_delimiter_is_what_header_and_rows_agree_on(
    lines: list[str], delimiter: str, columns: int
) -> None:
    found = choose(lines, (",", ";", "\t", "|"))
    assert (found.delimiter, len(found.header)) == (delimiter, columns)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("extra", [",more", None])
def test_a_ragged_line_is_named(
    tmp_path: Path, ending: str, mark: str, packed: bool, extra: str | None
) -> None:
    lines = ["id,x,k", *ROWS]
    lines[5] = f'5,5.5,"a{ending}b"'  # one row of two lines
    lines[2_000] = "2000" if extra is None else lines[2_000] + extra
    content = (mark + ending.join(lines) + ending).encode()
    name = "d.csv.gz" if packed else "d.csv"
    (tmp_path / name).write_bytes(gzip.compress(content) if packed else content)
    cells = 1 if extra is None else 4
    said = refused(tmp_path, name)
    assert f"1 line is not as the header says: {name}, line 2,002 has {cells} cells" in said


def test_every_ragged_line_of_every_file_is_counted(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name in ("1.csv", "2.csv", "3.csv"):
        lines = ["id,x,k", *ROWS]
        if name != "2.csv":
            for at in range(100, 3_000, 100):
                lines[at] += ",x"
        (tmp_path / "d" / name).write_text("\n".join(lines) + "\n")
    said = refused(tmp_path, "d")
    assert "58 lines are not as the header says: d/1.csv, line 101 has 4 cells" in said
    assert "d/1.csv, line 201" in said
    assert "; and 55 more (" in said


@pytest.mark.parametrize("cell", ['"never ends', '"ends" too early'])
def test_a_quote_that_is_not_sound(tmp_path: Path, cell: str) -> None:
    lines = ["id,x,k", *ROWS]
    lines[2_999] = f"2999,1.5,{cell}"
    (tmp_path / "d.csv").write_text("\n".join(lines) + "\n")
    assert "d.csv, line 3,000 has a quote" in refused(tmp_path, "d.csv")


def test_a_name_twice_in_the_header(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a,b,a\n1,2,3\n")
    assert "the header of d.csv has the column 'a' twice" in refused(tmp_path, "d.csv")


def test_the_header_again_among_the_rows(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("\n".join(["id,x,k", *ROWS, "id,x,k", *ROWS]) + "\n")
    said = refused(tmp_path, "d.csv")
    assert "the header is there again once among the rows: d.csv, line 3,002 (" in said
    (tmp_path / "d.csv").write_text("word\nword\n")
    assert rows(tmp_path, "d.csv") == [("word",)]


def test_names_that_differ_by_case_are_columns_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/1.csv").write_text("a,A,ä\n1,2,3\n")
    (tmp_path / "d/2.csv").write_text("A,a\n20,10\n")
    assert names(tmp_path, "d") == ["a", "A_1", "ä"]
    assert sorted(rows(tmp_path, "d")) == [(1, 2, 3), (10, 20, None)]


def test_names_of_the_header(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(',"it\'s, ""x""", b\n1,2,3\n')
    assert names(tmp_path, "d.csv") == ["column0", 'it\'s, "x"', "b"]


def test_files_of_other_dialects_are_read_by_name(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/1.csv").write_text("a,b\n1,x\n")
    (tmp_path / "d/2.csv").write_text('b;a\n"y;z";2\n')
    assert sorted(rows(tmp_path, "d")) == [(1, "x"), (2, "y;z")]


@pytest.mark.parametrize(
    ("head", "what"),
    [(b"PK\x03\x04", "Excel"), (b"PAR1", "Parquet"), (b"SQLite format 3\0", "SQLite")],
)
def test_what_is_no_text_has_no_columns(tmp_path: Path, head: bytes, what: str) -> None:
    (tmp_path / "t.csv").write_bytes(head + b"abc,d\n1,2\n")
    assert "t.csv is no text: it begins as" in refused(tmp_path, "t.csv")
    assert what in refused(tmp_path, "t.csv")


def test_other_encodings_are_named(tmp_path: Path) -> None:
    text = "id,name\n" + "".join(f"{at},x\n" for at in range(5_000)) + "1,café\n"
    (tmp_path / "u.csv").write_bytes(text.encode("utf-16"))
    assert "u.csv is written in UTF-16" in refused(tmp_path, "u.csv")
    (tmp_path / "n.csv").write_bytes(text.encode("utf-16-le"))
    assert "n.csv is written in UTF-16" in refused(tmp_path, "n.csv")
    (tmp_path / "l.csv").write_bytes(text.encode("latin-1"))
    assert "l.csv, line 5,002 holds the byte 0xE9, which is no UTF-8" in refused(tmp_path, "l.csv")
    (tmp_path / "h.csv").write_bytes("café,b\n1,2\n".encode("latin-1"))
    assert "h.csv, line 1 holds the byte 0xE9" in refused(tmp_path, "h.csv")
    (tmp_path / "b.csv").write_bytes(text.encode("utf-8-sig"))
    assert names(tmp_path, "b.csv") == ["id", "name"]
    assert rows(tmp_path, "b.csv")[-1] == (1, "café")


NOT_FOUND = "the first row below the header of d.csv cannot be read"
VALUES = "1,1.5,n1\n2,2.5,n2\n3,4.5,n1\n"


def test_a_first_row_of_values_is_refused_until_somebody_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(VALUES)
    said = refused(tmp_path, "d.csv")
    assert "d.csv: its first line has no names of columns, but values" in said
    assert "'1', '1.5', 'n1'" in said
    assert "`header: false`" in said
    assert names(tmp_path, "d.csv", header=False) == ["column1", "column2", "column3"]
    assert rows(tmp_path, "d.csv", header=False)[0] == (1, 1.5, "n1")
    assert len(rows(tmp_path, "d.csv", header=False)) == 3
    assert names(tmp_path, "d.csv", header=("a", "b", "c")) == ["a", "b", "c"]
    assert names(tmp_path, "d.csv", header=True) == ["1", "1.5", "n1"]
    assert len(rows(tmp_path, "d.csv", header=True)) == 2
    assert "`header` names 2 columns, and its first row has 3 cells" in refused(
        tmp_path, "d.csv", header=("a", "b")
    )


def test_one_file_of_several_without_a_header(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/1.csv").write_text("id,x,k\n" + VALUES)
    (tmp_path / "d/2.csv").write_text(VALUES)
    assert "d/2.csv: its first line has no names" in refused(tmp_path, "d")
    (tmp_path / "d/1.csv").write_text(VALUES)
    assert len(rows(tmp_path, "d", header=False)) == 6


def test_a_row_that_is_there_again_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(VALUES + VALUES)
    assert len(rows(tmp_path, "d.csv", header=False)) == 6


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "", "\n\nsep=;"])
def test_the_line_for_excel_and_empty_ones_are_no_header(
    tmp_path: Path, ending: str, mark: str, first: str
) -> None:
    text = f"{first}\nid;x\n1;2\n3;4\n5;6;7\n"
    (tmp_path / "d.csv").write_bytes((mark + text.replace("\n", ending)).encode())
    line = text[: text.index("5;6;7")].count("\n") + 1
    if mark and first.startswith('"'):
        assert "the first row below the header of d.csv cannot be read" in refused(
            tmp_path, "d.csv"
        )
        return
    assert f"d.csv, line {line} has 3 cells in place of 2" in refused(tmp_path, "d.csv")
    assert rows(tmp_path, "d.csv", skip_ragged=True) == [(1, 2), (3, 4)]


@pytest.mark.parametrize(
    ("name", "sign", "called"),
    [
        ("d.tsv", ",", "','"),
        ("d.tsv", ";", "';'"),
        ("d.tsv", "|", "'|'"),
        ("d.csv", "~", "'~'"),
        ("d.csv", "^", "'^'"),
        ("d.csv", "\x01", "^A"),
    ],
)
def test_a_delimiter_that_is_not_looked_for_is_named(
    tmp_path: Path, name: str, sign: str, called: str
) -> None:
    text = "id,x,k\n" + VALUES
    (tmp_path / name).write_text(text.replace(",", sign))
    said = refused(tmp_path, name)
    assert f"{name}: its header is 3 cells with {called} between them" in said
    assert "set `delimiter`" in said
    assert ("ending .csv" in said) is (name == "d.tsv")
    assert rows(tmp_path, name, delimiter=sign)[0] == (1, 1.5, "n1")


@pytest.mark.parametrize("before", ["# made by a tool\n", "Report of 2024\n\n"])
def test_lines_before_the_header_are_not_the_header(tmp_path: Path, before: str) -> None:
    (tmp_path / "d.csv").write_text(before + "id,x,k\n" + VALUES * 10)
    said = refused(tmp_path, "d.csv")
    assert "its first line is one cell, but its rows are 3 cells with ',' between them" in said
    assert "leave out lines before the header" in said


@pytest.mark.parametrize("sign", [" ", "   ", ":"])
def test_a_column_that_may_be_several_is_noted(tmp_path: Path, sign: str) -> None:
    text = "id,x,k\n" + VALUES
    (tmp_path / "d.csv").write_text(text.replace(",", sign))
    with open_table(tmp_path, "d.csv") as table:
        assert [one for one in table.texts.notes if "read as one column; if the 3 parts" in one]
    (tmp_path / "d.csv").write_text("note\nall is well\nso be it\n")
    with open_table(tmp_path, "d.csv") as table:
        assert table.texts.notes == ()


def test_texts_with_commas_are_one_column(tmp_path: Path) -> None:
    lines = ["well, it is", "no", "if, and only if, so", "yes, it is"]
    (tmp_path / "d.csv").write_text("\n".join(["note", *lines]) + "\n")
    assert [row[0] for row in rows(tmp_path, "d.csv")] == lines


@pytest.mark.parametrize(
    "header", ['{"a": 0, "b": 0}', 'a, "b" c', 'a, "b', 'a,"b', 'a,"b" c', '"a" ,b']
)
def test_a_header_with_a_quote_that_is_not_sound(tmp_path: Path, header: str) -> None:
    (tmp_path / "d.csv").write_text(f"{header}\n1,2\n3,4\n")
    assert "d.csv: its header has a quote that does not end" in refused(tmp_path, "d.csv")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(
    "header",
    ['"a,b",c', 'a, "b,c"', '"a\nb",c', '"a,\nb","c"', 'a"x,c', '"a""b",""', '"",c', "a,'c"],
)
def test_quotes_in_a_header_lose_no_row(tmp_path: Path, mark: str, header: str) -> None:
    (tmp_path / "d.csv").write_text(f"{mark}{header}\n1,2\n3,4\n")
    if mark and header.startswith('"') and "\n" in header:
        assert "the first row below the header of d.csv cannot be read" in refused(
            tmp_path, "d.csv"
        )
        return
    assert rows(tmp_path, "d.csv") == [(1, 2), (3, 4)]


def test_a_header_of_several_lines(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text('a,"b\n(in m)"\n1,2\n3,4\n')
    assert names(tmp_path, "d.csv") == ["a", "b\n(in m)"]
    assert rows(tmp_path, "d.csv") == [(1, 2), (3, 4)]


@pytest.mark.parametrize(("first", "then"), [("\n", "\r\n"), ("\r\n", "\n"), ("\n", "\r")])
def test_lines_that_end_in_two_ways_are_named(tmp_path: Path, first: str, then: str) -> None:
    lines = [f"{row}{first}" for row in ["id,x,k", *ROWS]]
    lines[100] = lines[100].removesuffix(first) + then
    (tmp_path / "d.csv").write_bytes("".join(lines).encode())
    assert "the lines of d.csv do not end alike: line 101 " in refused(tmp_path, "d.csv")


def test_lines_that_end_with_cr_are_read(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes(b"a,b\r1,2\r3,4\r")
    assert rows(tmp_path, "d.csv") == [(1, 2), (3, 4)]


def test_what_cannot_be_unpacked(tmp_path: Path) -> None:
    packed = gzip.compress(("id,x,k\n" + VALUES).encode())
    (tmp_path / "d.csv.gz").write_bytes(packed[:-9])
    assert "d.csv.gz cannot be unpacked: Compressed file ended" in refused(tmp_path, "d.csv.gz")
    (tmp_path / "d.csv.gz").write_bytes(VALUES.encode())
    assert "d.csv.gz cannot be unpacked: Not a gzipped file" in refused(tmp_path, "d.csv.gz")
    (tmp_path / "d.csv").write_bytes(packed)
    assert "d.csv is no text: it begins as gzip does" in refused(tmp_path, "d.csv")
    (tmp_path / "d.csv").write_text("<!DOCTYPE html>\n<p>Please, sign in</p>\n")
    assert "it begins as a web page does" in refused(tmp_path, "d.csv")


@pytest.mark.parametrize("size", [200_000, 1_500_000])
@pytest.mark.parametrize("written", ["{}", '"{}\n"'])
def test_a_document_in_a_cell_does_not_hide_the_columns(
    tmp_path: Path, size: int, written: str
) -> None:
    (tmp_path / "d.csv").write_text(f"id,html\n1,{written.format('x' * size)}\n2,short\n")
    found = rows(tmp_path, "d.csv")
    assert [(one, len(text.strip())) for one, text in found] == [(1, size), (2, 5)]


def test_a_line_that_is_too_long_for_csv_is_named(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(f"id,html\n1,a\n2,{'x' * 3_000_000}\n")
    said = refused(tmp_path, "d.csv")
    assert "d.csv, line 3 has more than 2 MB, which only Parquet and JSON Lines may have" in said


def test_what_ends_too_early_is_said_wherever_it_is_read(tmp_path: Path) -> None:
    packed = gzip.compress(b"id,x\n" + b"1,2\n" * 50_000)
    (tmp_path / "d.csv.gz").write_bytes(packed[:-20])
    assert "d.csv.gz cannot be unpacked" in refused(tmp_path, "d.csv.gz")
