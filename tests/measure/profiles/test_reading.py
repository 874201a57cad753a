from __future__ import annotations

import gzip
import json
import os
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.feather
import pytest

from assent.errors import AssentError, OutsideError, UsageError
from assent.measure.profiles.encoding import encode_profile
from assent.measure.profiles.profile import profile_data
from assent.measure.profiles.reading import open_table
from assent.measure.profiles.rows import row_changes
from tests.measure.profiles.tables import both, column, profile, write

ROWS: dict[str, Any] = {
    "i": [1, 2, None, 4, 5, 5],
    "x": [0.5, None, 1.5, 2.5, 1e10, -3.0],
    "b": [True, False, None, True, True, True],
    "k": ["a", "b", "a", None, "b", "a"],
}


def without_types(found: Any) -> list[Any]:
    return [(c.name, c.kind, c.nulls, c.numbers, c.categories) for c in found.columns]


def test_formats_of_rows_give_the_same_profile(tmp_path: Path) -> None:
    write(tmp_path / "d.parquet", ROWS)
    expected = both(tmp_path, "d.parquet")
    lines = [dict(zip(ROWS, values, strict=True)) for values in zip(*ROWS.values(), strict=True)]
    text = "\n".join(map(json.dumps, lines))
    (tmp_path / "d.jsonl").write_text(text)
    (tmp_path / "d.json").write_text(json.dumps(lines))
    (tmp_path / "d.ndjson.gz").write_bytes(gzip.compress(text.encode()))
    for ending, sign in (("csv", ","), ("tsv", "\t")):
        cells = [[("" if v is None else str(v)) for v in line.values()] for line in lines]
        content = "\n".join(sign.join(row) for row in [list(ROWS), *cells]) + "\n"
        (tmp_path / f"d.{ending}").write_text(content)
    table = pa.table(ROWS)
    pyarrow.feather.write_feather(table, tmp_path / "d.feather")
    with pa.ipc.new_stream(os.fspath(tmp_path / "d.arrow"), table.schema) as writer:
        writer.write_table(table)
    for ending in ("jsonl", "json", "ndjson.gz", "csv", "tsv", "feather", "arrow"):
        assert without_types(both(tmp_path, f"d.{ending}")) == without_types(expected), ending
    assert encode_profile(both(tmp_path, "d.feather")) == encode_profile(expected)


def test_the_types_of_a_csv_are_those_of_all_its_rows(tmp_path: Path) -> None:
    rows = [f"{i},{i}\n" for i in range(30_000)]
    (tmp_path / "d.csv").write_text("".join(["a,b\n", *rows, "1.5,x\n"]))
    found = both(tmp_path, "d.csv")
    assert [one.type for one in found.columns] == ["double", "string"]
    assert found.rows == 30_001


def test_folders_and_partitions(tmp_path: Path) -> None:
    write(tmp_path / "d/year=2025/kind=a%20b/1.parquet", {"x": [1.0, 2.0]})
    write(tmp_path / "d/year=2026/kind=c/2.parquet", {"x": [3.0]})
    write(tmp_path / "d/year=2026/kind=c/_hidden.parquet", {"other": [3.0]})
    (tmp_path / "d/_SUCCESS").touch()
    found = both(tmp_path, "d")
    assert found.rows == 3
    assert column(found, "year").type == "int64"
    assert column(found, "year").distinct == 2
    assert column(found, "kind").type == "string"
    assert column(found, "kind").distinct == 2
    assert both(tmp_path, "d/**/*.parquet") == found


def test_files_whose_columns_differ_are_read_by_name(tmp_path: Path) -> None:
    write(tmp_path / "d/1.parquet", {"x": [1, 2], "y": ["a", "a"]})
    write(
        tmp_path / "d/2.parquet", {"y": ["a", "b"], "x": pa.array([1, 2], pa.int32()), "z": [0, 1]}
    )
    found = both(tmp_path, "d")
    assert found.rows == 4
    assert column(found, "z").nulls == 2
    assert column(found, "x").type == "int64"


@pytest.mark.parametrize("content", [b"", b"a,b\n"])
def test_empty_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "d.csv").write_bytes(content)
    found = both(tmp_path, "d.csv")
    assert found.rows == 0
    assert found.duplicates == 0
    assert [one.name for one in found.columns] == (["a", "b"] if b"a" in content else [])


def test_a_table_without_columns(tmp_path: Path) -> None:
    write(tmp_path / "d.parquet", {})
    found = profile(tmp_path, "d.parquet")
    assert (found.rows, found.columns) == (0, ())


NASTY = [
    '"; DROP TABLE x; --',
    "it's",
    "a.b",
    "Größe | <b>\n",
    "select",
    "a b",
    "*",
    "\\",
    "${x}",
    "",
]


def test_odd_names_of_columns(tmp_path: Path) -> None:
    write(tmp_path / "d.parquet", {name: [1, 2, 2] for name in NASTY if name})
    found = both(tmp_path, "d.parquet", leave_out=["it's"])
    assert [one.name for one in found.columns] == [n for n in NASTY if n and n != "it's"]
    assert all(one.numbers and one.numbers.counts == (1, 2, 0) for one in found.columns)
    texts = {name: ["a", "a'", "a'"] * 2 for name in NASTY if name}
    write(tmp_path / "t.parquet", texts)
    found = both(tmp_path, "t.parquet")
    assert all(one.kind == "category" for one in found.columns)


def test_names_that_only_differ_in_case_and_names_twice(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], ["a", "A", "a"])
    pa.parquet.write_table(table, tmp_path / "d.parquet")
    found = both(tmp_path, "d.parquet")
    assert len({one.name for one in found.columns}) == 3
    assert [one.numbers.maximum for one in found.columns if one.numbers] == [1, 2, 3]


@pytest.mark.parametrize(
    "name",
    ["a*b.parquet", "a[1].parquet", "it's.parquet", "x?.parquet", "ü {a}.parquet", "n\nl.parquet"],
)
def test_odd_names_of_files(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, {"x": [1, 2]})
    write(tmp_path / "a1b.parquet", {"x": [7, 7, 7]})
    write(tmp_path / "a1.parquet", {"x": [7, 7, 7]})
    assert both(tmp_path, name).rows == 2


@pytest.mark.threat(39)
@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\xff" * 64 + b"PAR1", b"<html>"])
@pytest.mark.parametrize("use_pyarrow", [True, False])
def test_what_is_no_parquet(tmp_path: Path, content: bytes, use_pyarrow: bool) -> None:
    (tmp_path / "d.parquet").write_bytes(content)
    with pytest.raises(AssentError, match=r"d\.parquet"):
        profile(tmp_path, "d.parquet", use_pyarrow=use_pyarrow)


@pytest.mark.parametrize("use_pyarrow", [True, False])
def test_a_damaged_page(tmp_path: Path, use_pyarrow: bool) -> None:
    path = write(
        tmp_path / "d.parquet", {"x": [i * 0.7 for i in range(5_000)], "k": ["ab"] * 5_000}
    )
    content = bytearray(path.read_bytes())
    content[4:20_000] = b"\xff" * (20_000 - 4)
    path.write_bytes(content)
    with pytest.raises(AssentError, match=r"reading d\.parquet"):
        profile(tmp_path, "d.parquet", use_pyarrow=use_pyarrow)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("missing.csv", "no file with data"),
        ("mixed", "several formats"),
        ("../d.csv", "leaves the repository"),
        ("/etc/passwd", "leaves the repository"),
        ("duckdb:d.db", "no table or query"),
        ("duckdb:missing.db?t", "no such file"),
        ("ftp://host/d.csv", "no address"),
        ("https://host/d.xlsx", "Parquet, CSV and JSON Lines"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, source: str, said: str) -> None:
    write(tmp_path / "mixed/a.parquet", {"x": [1]})
    (tmp_path / "mixed/b.csv").write_text("x\n1\n")
    with pytest.raises(UsageError, match=said):
        open_table(tmp_path, source)


def test_csv_and_json_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text('{"a": 1}\nnot json\n')
    with pytest.raises(UsageError, match=r"reading d\.jsonl"):
        open_table(tmp_path, "d.jsonl")
    (tmp_path / "d.arrow").write_bytes(b"ARROW1\0\0nothing")
    with pytest.raises(UsageError, match="the Arrow file cannot be read"):
        open_table(tmp_path, "d.arrow")


def test_a_link_does_not_lead_out(tmp_path: Path) -> None:
    write(tmp_path / "secret.parquet", {"x": [1]})
    (tmp_path / "root").mkdir()
    (tmp_path / "root/d.parquet").symlink_to(tmp_path / "secret.parquet")
    with pytest.raises(UsageError, match="outside"):
        open_table(tmp_path / "root", "d.parquet")


@pytest.fixture
def databases(tmp_path: Path) -> Path:
    with duckdb.connect(os.fspath(tmp_path / "d.duckdb")) as database:
        database.execute("CREATE SCHEMA s")
        database.execute("CREATE TABLE s.\"odd 'name\" AS SELECT 1 AS a, 'x' AS k FROM range(4)")
        database.execute("CREATE TABLE t AS SELECT range::INTEGER AS a, 'x' AS k FROM range(4)")
    with closing(sqlite3.connect(tmp_path / "d.sqlite")) as lite:
        lite.execute('CREATE TABLE t (a INTEGER, k TEXT, r REAL, z BLOB, "Ü ""x" TEXT)')
        lite.executemany(
            "INSERT INTO t VALUES (?, ?, ?, ?, ?)",
            [(1, "x", 0.5, b"\x01", "007"), (2, "x", None, None, "008"), (3, None, 2.5, b"", "1")],
        )
        lite.execute("CREATE TABLE empty (a INTEGER, b TEXT)")
        lite.commit()
    return tmp_path


def test_a_table_or_query_of_duckdb(databases: Path) -> None:
    found = both(databases, "duckdb:d.duckdb?t")
    assert [one.type for one in found.columns] == ["int32", "string"]
    assert found.rows == 4
    assert both(databases, "duckdb:d.duckdb?s.odd 'name").rows == 4
    found = both(databases, "duckdb:d.duckdb?SELECT a, k FROM t WHERE a > 1 -- and no more")
    assert found.rows == 2


def test_a_table_or_query_of_sqlite(databases: Path) -> None:
    found = both(databases, "sqlite:d.sqlite?t")
    assert found.rows == 3
    assert [one.name for one in found.columns] == ["a", "k", "r", "z", 'Ü "x']
    assert column(found, "a").type == "int64"
    assert column(found, "r").nulls == 1
    assert column(found, 'Ü "x').type == "string"
    assert both(databases, "sqlite:d.sqlite?select a from t where a > 1").rows == 2
    empty = both(databases, "sqlite:d.sqlite?empty")
    assert (empty.rows, len(empty.columns)) == (0, 2)


@pytest.mark.parametrize(
    "source",
    [
        "duckdb:d.duckdb?SELECT 1; DROP TABLE t",
        "duckdb:d.duckdb?FROM t) TO '/tmp/x'; --",
        "duckdb:d.duckdb?SELECT * FROM read_text('/etc/passwd')",
        "duckdb:d.duckdb?SELECT * FROM '/etc/passwd.csv'",
        "duckdb:d.duckdb?no such table",
        "sqlite:d.sqlite?select 1; drop table t",
        "sqlite:d.sqlite?with x as (select 1) delete from t",
        "sqlite:d.sqlite?no such table",
        "sqlite:d.duckdb?t",
    ],
)
def test_a_query_is_one_select_on_its_database(databases: Path, source: str) -> None:
    with pytest.raises((UsageError, OutsideError)):
        open_table(databases, source)
    assert both(databases, "duckdb:d.duckdb?t").rows == 4
    assert both(databases, "sqlite:d.sqlite?t").rows == 3


def test_nothing_else_can_be_read(tmp_path: Path) -> None:
    write(tmp_path / "d.parquet", {"x": [1]})
    write(tmp_path / "other.parquet", {"x": [1]})
    with open_table(tmp_path, "d.parquet") as table:
        other = os.fspath(tmp_path / "other.parquet")
        with pytest.raises(duckdb.PermissionException):
            table.connection.execute("SELECT * FROM read_parquet(?)", [other])
        with pytest.raises(duckdb.Error):
            table.connection.execute("SET enable_external_access = true")


def test_the_private_folder_goes_with_the_table(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a\n1\n")
    with open_table(tmp_path, "d.csv") as table:
        folder = table.folder
        assert profile_data(table).rows == 1
        assert folder.stat().st_mode & 0o077 == 0
        assert list(folder.iterdir())
    assert not folder.exists()


def test_whole_numbers_of_128_bits_keep_their_digits(tmp_path: Path) -> None:
    """Parquet has no type for them: DuckDB writes floats."""
    with duckdb.connect(os.fspath(tmp_path / "d.duckdb")) as database:
        database.execute("CREATE TABLE t AS SELECT 12345678901234567890::HUGEINT + range AS a "
                         "FROM range(3)")  # fmt: skip
    with open_table(tmp_path, "duckdb:d.duckdb?t") as table:
        (found,) = table.columns
        assert found.type == "decimal128(38, 0)"
        query = f"SELECT count(DISTINCT a) FROM {table.relation}"
        assert table.connection.execute(query).fetchone() == (3,)


def test_texts_of_sqlite_stay_texts(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "d.sqlite")) as lite:
        lite.execute("CREATE TABLE t (id TEXT, n INTEGER)")
        ids = ["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380011", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380012"]
        lite.executemany("INSERT INTO t VALUES (?, ?)", [(ids[0], 2**53), (ids[1], 2**53 + 1)])
        lite.commit()
    with open_table(tmp_path, "sqlite:d.sqlite?t") as table:
        assert [one.type for one in table.columns] == ["string", "int64"]
        rows = table.connection.execute(f"SELECT * FROM {table.relation}").fetchall()
    assert rows == [(ids[0], 2**53), (ids[1], 2**53 + 1)]


def test_one_odd_value_of_sqlite_leaves_the_others_comparable(tmp_path: Path) -> None:
    for side, last in (("old", "2024-01-03"), ("new", "soon")):
        with closing(sqlite3.connect(tmp_path / f"{side}.sqlite")) as lite:
            lite.execute("CREATE TABLE t (id INTEGER, at TEXT)")
            days = [(1, "2024-01-01"), (2, "2024-01-02"), (3, last)]
            lite.executemany("INSERT INTO t VALUES (?, ?)", days)
            lite.commit()
    with (
        open_table(tmp_path, "sqlite:old.sqlite?t") as old,
        open_table(tmp_path, "sqlite:new.sqlite?t") as new,
    ):
        found = row_changes(old, new, name="d", key=["id"])
    assert (found.same, found.changed) == (2, 1)


@pytest.mark.parametrize("is_list", [False, True])
def test_decimals_that_would_be_read_as_floats_are_refused(tmp_path: Path, is_list: bool) -> None:
    type_ = pa.decimal256(50, 0)
    values = pa.array([Decimal("1e45"), None], type_)
    if is_list:
        values = pa.array([[one] for one in values.to_pylist()], pa.list_(type_))
    write(tmp_path / "d.parquet", pa.table({"x": values}))
    with pytest.raises(UsageError, match="has decimals of 50 digits, and only 38 can be read"):
        profile(tmp_path, "d.parquet")


def test_an_arrow_file_that_parquet_cannot_hold_says_what_to_do(tmp_path: Path) -> None:
    months = pa.table({"m": pa.array([pa.MonthDayNano([1, 0, 0])])})
    with pa.ipc.new_file(os.fspath(tmp_path / "d.arrow"), months.schema) as writer:
        writer.write_table(months)
    with pytest.raises(UsageError, match="interval") as caught:
        open_table(tmp_path, "d.arrow")
    assert "types that Parquet has" in (caught.value.hint or "")
