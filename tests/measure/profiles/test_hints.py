from __future__ import annotations

from pathlib import Path

import pytest

from assent.errors import UsageError
from assent.measure.dialect import Reading
from assent.measure.profiles.reading import open_table
from tests.measure.profiles.tables import write


def notes(root: Path, values: list[str], **said: object) -> tuple[str, ...]:
    """What is said of a file of one column `x`, beside one of text."""
    (root / "d.csv").write_text("x;k\n" + "".join(f"{one};a\n" for one in values))
    with open_table(root, "d.csv", reading=Reading(**said)) as table:  # type: ignore[arg-type]
        return table.texts.notes


def types(root: Path, values: list[str], **said: object) -> tuple[str, list[str | None]]:
    """The type of the column `x`, and its values as text."""
    (root / "d.csv").write_text("x;k\n" + "".join(f"{one};a\n" for one in values))
    with open_table(root, "d.csv", reading=Reading(**said)) as table:  # type: ignore[arg-type]
        rows = table.connection.execute(f"SELECT CAST(x AS VARCHAR) FROM {table.relation}")
        return table.columns[0].type, [row[0] for row in rows.fetchall()]


def test_words_for_nothing_are_suggested(tmp_path: Path) -> None:
    values = [*map(str, range(300)), "n/a", "-", "-", "N/A"]
    assert notes(tmp_path, values) == (
        "column 'x' is text: 300 of its 304 values are numbers, and 4 say that there is none; "
        'if so, set `missing: ["-", "n/a"]`',
    )
    assert notes(tmp_path, values, missing=("-", "N/A")) == ()
    assert types(tmp_path, values, missing=("-", "N/A"))[0] == "int64"
    assert notes(tmp_path, [*values, *["x"] * 7]) == ()  # below 98 %
    assert len(notes(tmp_path, [*values, *["x"] * 5])) == 1
    assert notes(tmp_path, ["007", "010"] * 50 + ["-"]) == ()


def test_a_decimal_comma_is_suggested(tmp_path: Path) -> None:
    values = ["1,5", "2", "-,25", "1,5e3", "?"]
    assert notes(tmp_path, values) == (
        "column 'x' is text: 3 of its 5 values are numbers with a decimal comma; if so, set "
        '`decimal: ","`',
        "column 'x' is text: 4 of its 5 values are numbers, and 1 say that there is none; if so, "
        'set `missing: ["?"]`',
    )
    assert types(tmp_path, values)[0] == "string"
    found = types(tmp_path, values, decimal=",", missing=("?",))
    assert found == ("double", ["1.5", "2.0", "-0.25", "1500.0", None])


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1,5", "1.234,5"], "string"),  # of thousands, perhaps
        (["1.5", "2.5"], "string"),
        (["1", "2"], "int64"),
        (["12345678901234567890,5", "1,25"], "decimal128(38, 6)"),
        (["01,5"], "string"),
        (["1,5", "x,y"], "string"),
        (["2024-01-01 10:00:00.5"], "timestamp[us]"),
    ],
)
def test_a_decimal_comma_that_was_set(tmp_path: Path, values: list[str], type_: str) -> None:
    found, read = types(tmp_path, values, decimal=",")
    assert found == type_
    if type_ == "string":
        assert read == values


def test_missing_values_are_null_whatever_their_case(tmp_path: Path) -> None:
    values = ["Unknown", " unknown\t", "known", "UNKNOWN"]
    assert types(tmp_path, values, missing=(" unknown ",))[1] == [None, None, "known", None]
    assert types(tmp_path, ["-999", "1.5"], missing=("-999",)) == ("double", [None, "1.5"])
    (tmp_path / "d.jsonl").write_text('{"a": "NA", "b": [1]}\n{"a": "x", "b": [2]}\n')
    with open_table(tmp_path, "d.jsonl", reading=Reading(missing=("na",))) as table:
        rows = table.connection.execute(f"SELECT a, b FROM {table.relation}").fetchall()
    assert rows == [(None, [1]), ("x", [2])]


def test_ragged_lines_are_left_out_where_that_is_set(tmp_path: Path) -> None:
    lines = ["a,b", *(f"{at},{at}" for at in range(100))]
    lines[40] += ",more"
    lines[60] = "59"
    (tmp_path / "d.csv").write_text("\n".join(lines) + "\n")
    with open_table(tmp_path, "d.csv", reading=Reading(skip_ragged=True)) as table:
        assert (table.rows, table.texts.ragged) == (98, 2)
        assert table.texts.notes == (
            "2 lines were left out: d.csv, line 41 has 3 cells in place of 2; "
            "d.csv, line 61 has 1 cells in place of 2",
        )
    for line in ('1,"never ends', "1,caf\udce9"):
        lines[80] = line
        content = ("\n".join(lines) + "\n").encode(errors="surrogateescape")
        (tmp_path / "d.csv").write_bytes(content)
        with pytest.raises(UsageError, match="line 81"):
            open_table(tmp_path, "d.csv", reading=Reading(skip_ragged=True))


@pytest.mark.parametrize(
    ("name", "reading", "named"),
    [
        ("d.parquet", Reading(missing=("x",)), "`missing`"),
        ("d.parquet", Reading(decimal=",", skip_ragged=True), "`decimal` and `skip_ragged`"),
        ("d.jsonl", Reading(decimal=","), "`decimal`"),
        ("duckdb:d.db?t", Reading(missing=("x",)), "`missing`"),
    ],
)
def test_what_says_nothing_is_refused(
    tmp_path: Path, name: str, reading: Reading, named: str
) -> None:
    write(tmp_path / "d.parquet", {"a": [1]})
    (tmp_path / "d.jsonl").write_text('{"a": 1}\n')
    with pytest.raises(UsageError, match=f"{named} can be set of text files only"):
        open_table(tmp_path, name, reading=reading)
