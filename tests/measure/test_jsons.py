"""Objects of JSON as rows: strings stay strings, numbers keep their digits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assent.errors import UsageError
from assent.measure.profiles.reading import open_table
from assent.measure.profiles.rows import row_changes

UUID = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380011"


def write(path: Path, *rows: str | dict[str, Any]) -> None:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n")


def read(root: Path, name: str = "d.jsonl") -> tuple[dict[str, str], list[tuple[Any, ...]]]:
    with open_table(root, name) as table:
        types = {column.name: column.type for column in table.columns}
        if not table.relation:
            return types, []
        rows: list[tuple[Any, ...]] = table.connection.execute(
            f"SELECT * FROM {table.relation}"
        ).fetchall()
        return types, rows


def types_of(root: Path) -> dict[str, str]:
    with open_table(root, "d.jsonl") as table:
        return {column.name: column.type for column in table.columns}


def test_strings_stay_strings(tmp_path: Path) -> None:
    write(tmp_path / "d.jsonl", {"u": UUID, "n": "007", "w": "1"}, {"u": UUID, "n": "7", "w": "2"})
    types, rows = read(tmp_path)
    assert types == {"u": "string", "n": "string", "w": "string"}
    assert rows == [(UUID, "007", "1"), (UUID, "7", "2")]


def test_strings_that_are_all_moments_are_moments(tmp_path: Path) -> None:
    write(
        tmp_path / "d.jsonl",
        {"day": "2024-01-31", "at": "2024-01-31T10:00:00Z", "us": "01/31/2024", "v": "2024-01-31"},
        {"day": "2024-02-01", "at": "2024-01-31T10:00:00+02:00", "us": "02/01/2024", "v": "later"},
    )
    assert types_of(tmp_path) == {
        "day": "date32[day]",
        "at": "timestamp[us, tz=UTC]",
        "us": "string",
        "v": "string",
    }


@pytest.mark.parametrize(
    ("numbers", "type_", "values"),
    [
        (["1", "-9223372036854775808"], "int64", [1, -(2**63)]),
        (["18446744073709551615", "0"], "uint64", [2**64 - 1, 0]),
        (["92233720368547758001", "92233720368547758002"], "string", None),
        (["9007199254740993", "null"], "int64", [2**53 + 1, None]),
        (["9007199254740993", "0.5"], "decimal128(38, 6)", None),
        (["1", "0.5"], "double", [1.0, 0.5]),
        (["1e3", "1"], "double", [1000.0, 1.0]),
    ],
)
def test_numbers_keep_their_digits(
    tmp_path: Path, numbers: list[str], type_: str, values: list[Any] | None
) -> None:
    write(tmp_path / "d.jsonl", *(f'{{"v": {one}}}' for one in numbers))
    types, rows = read(tmp_path)
    assert types == {"v": type_}
    assert len({row[0] for row in rows}) == len(numbers)
    if values is not None:
        assert [row[0] for row in rows] == values


def test_keys_that_differ_by_case_are_columns_of_their_own(tmp_path: Path) -> None:
    write(
        tmp_path / "d.jsonl",
        '{"a": 1, "A": "x", "a/~b": true, "l": [1, 2], "L": null}',
        '{"A": "y", "a": 20000000000000000001, "a/~b": false}',
    )
    types, rows = read(tmp_path)
    assert list(types) == ["a", "A_1", "a/~b", "l", "L_1"]
    assert rows == [
        ("1", "x", True, "[1,2]", None),
        ("20000000000000000001", "y", False, None, None),
    ]


def test_what_is_nested_keeps_its_structure(tmp_path: Path) -> None:
    write(
        tmp_path / "d.jsonl",
        {"o": {"q": 1, "s": UUID}, "l": [1.5], "e": {}, "m": 1, "deep": [{"x": [True]}]},
        {"o": {"q": 2}, "l": [], "m": "1"},
    )
    types, rows = read(tmp_path)
    assert types == {
        "o": "struct<q: int64, s: string>",
        "l": "list<double>",
        "e": "string",
        "m": "string",
        "deep": "list<struct<x: list<bool>>>",
    }
    assert rows[0][0] == {"q": 1, "s": UUID}
    assert [row[3] for row in rows] == ["1", '"1"']
    write(tmp_path / "d.jsonl", '{"l": [18446744073709551615]}', '{"l": [1]}')
    assert read(tmp_path)[1] == [("[18446744073709551615]",), ("[1]",)]


def test_a_list_of_objects_and_what_is_none(tmp_path: Path) -> None:
    write(tmp_path / "d.json", '[{"a": 1},', ' {"a": "x", "b": 2}]')
    assert read(tmp_path, "d.json")[1] == [("1", None), ('"x"', 2)]
    write(tmp_path / "e.json", "[]")
    assert read(tmp_path, "e.json") == ({}, [])
    write(tmp_path / "n.jsonl", '{"a": 1}', "no json")
    with pytest.raises(UsageError, match=r"reading n\.jsonl"):
        read(tmp_path, "n.jsonl")


@pytest.mark.parametrize(
    ("values", "odd"),
    [
        ([f"{UUID[:-2]}{at}" for at in range(10, 40)], "walk-in"),
        ([f"2024-01-01T00:00:{at}Z" for at in range(10, 40)], "2024-01-01"),
        ([f"2024-01-01T00:00:{at}" for at in range(10, 40)], "never"),
        ([at + 0.5 for at in range(30)], "x"),
        (list(range(30)), "x"),
        (list(range(30)), 92233720368547758001),
    ],
)
def test_one_odd_value_leaves_all_others_the_same(
    tmp_path: Path, values: list[Any], odd: Any
) -> None:
    """Whatever type the others lose by it: they are compared as they were written."""
    rows = [{"id": at, "v": value} for at, value in enumerate(values)]
    write(tmp_path / "old.jsonl", *rows)
    write(tmp_path / "new.jsonl", *rows[:-1], {"id": len(rows) - 1, "v": odd})
    for ending in ("jsonl", "csv"):
        if ending == "csv":
            for side in ("old", "new"):
                written = (tmp_path / f"{side}.jsonl").read_text().splitlines()
                lines = map(json.loads, written)
                text = "".join(f"{row['id']},{row['v']}\n" for row in lines)
                (tmp_path / f"{side}.csv").write_text("id,v\n" + text)
        with (
            open_table(tmp_path, f"old.{ending}") as old,
            open_table(tmp_path, f"new.{ending}") as new,
        ):
            found = row_changes(old, new, name="d", key=["id"])
            by_value = row_changes(old, new, name="d", key=["v"])
        assert (found.same, found.changed) == (len(values) - 1, 1), ending
        assert (by_value.same, by_value.added, by_value.removed) == (len(values) - 1, 1, 1)


def test_integers_of_both_signs_within_lists_and_objects_are_integers(tmp_path: Path) -> None:
    write(tmp_path / "d.jsonl", {"l": [-1, 2], "o": {"n": 0}}, {"l": [3], "o": {"n": -4}})
    types, rows = read(tmp_path)
    assert types == {"l": "list<int64>", "o": "struct<n: int64>"}
    assert rows == [([-1, 2], {"n": 0}), ([3], {"n": -4})]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[0.5, 100000000000000000001]", "[0.5, 100000000000000000002]"),
        ('{"a": [{"b": 0.5}, {"b": -9007199254740993}]}', '{"a": [{"b": -9007199254740994}]}'),
        ('{"it*s": 0.5, "n": 1}', '{"it*s": 0.25, "n": 1}'),
        ('{"say \\"hi\\"": [10000000000000000.5]}', '{"say \\"hi\\"": [10000000000000001.5]}'),
    ],
)
def test_long_whole_numbers_among_floats_keep_their_digits(
    tmp_path: Path, old: str, new: str
) -> None:
    write(tmp_path / "a.jsonl", f'{{"id": 1, "l": {old}}}', '{"id": 2, "l": null}')
    write(tmp_path / "b.jsonl", f'{{"id": 1, "l": {new}}}', '{"id": 2, "l": null}')
    with open_table(tmp_path, "a.jsonl") as before, open_table(tmp_path, "b.jsonl") as after:
        found = row_changes(before, after, name="d", key=("id",))
    assert (found.changed, found.same) == (1, 1)


def test_floats_with_many_digits_and_whole_numbers_beside_them_keep_their_structure(
    tmp_path: Path,
) -> None:
    moment = 1_700_000_000_000_000_001
    write(tmp_path / "d.jsonl", {"o": {"at": moment, "v": 0.12345678901234567}})
    assert types_of(tmp_path) == {"o": "struct<at: int64, v: double>"}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (['{"a": 1}', '{"a": 2, "a": 3}'], "d.jsonl, in line 2"),
        (['{"a": 1}', '{"a": 2, "b"'], "d.jsonl, at byte"),
        (["a,b", "1,2"], "Malformed JSON in file d.jsonl"),
    ],
)
def test_json_that_is_none_names_file_and_remedy(
    tmp_path: Path, rows: list[str], said: str
) -> None:
    write(tmp_path / "d.jsonl", *rows)
    with pytest.raises(UsageError) as caught, open_table(tmp_path, "d.jsonl"):
        pass
    assert said in caught.value.problem
    assert str(tmp_path) not in caught.value.problem
    assert "is one object, with each key once" in str(caught.value.hint)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": "y"}}',
        '{"columns": ["a"], "data": [[1], [2]]}',
        '{"data": [{"a": 1}, {"a": 2}]}',
    ],
)
def test_a_table_in_one_object_is_noted(tmp_path: Path, text: str) -> None:
    (tmp_path / "d.json").write_text(text)
    with open_table(tmp_path, "d.json") as table:
        assert table.texts.notes == (
            "it holds one object, which is one row; if it is a table by columns, write a "
            "list of rows, or one object a line",
        )
    (tmp_path / "d.json").write_text('[{"a": [1]}, {"a": [2]}]')
    with open_table(tmp_path, "d.json") as table:
        assert table.texts.notes == ()
