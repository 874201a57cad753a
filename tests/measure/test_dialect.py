"""CSV by a stated dialect: what is not of it is counted, named and refused."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from assent.errors import UsageError
from assent.measure.dialect import choose
from assent.measure.profiles.reading import open_table

ROWS = [f"{at},{at}.5,x{at}" for at in range(1, 3_001)]


def rows(root: Path, source: str) -> list[tuple[Any, ...]]:
    with open_table(root, source) as table:
        found: list[tuple[Any, ...]] = table.connection.execute(
            f"SELECT * FROM {table.relation}"
        ).fetchall()
        return found


def names(root: Path, source: str) -> list[str]:
    with open_table(root, source) as table:
        return [column.name for column in table.columns]


def refused(root: Path, source: str) -> str:
    with pytest.raises(UsageError) as caught, open_table(root, source):
        pass
    return str(caught.value)


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
    assert said.endswith("and 55 more")


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
    assert said.endswith("the header is there again once among the rows: d.csv, line 3,002")
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
