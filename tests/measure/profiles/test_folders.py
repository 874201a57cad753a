"""Columns that the names of folders give, in every format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pytest

from assent.compare.alike import have_other_values
from assent.errors import UsageError
from assent.measure.profiles.reading import open_table
from assent.verbs.diff_data import diff_data
from tests.measure.profiles.tables import both, column, profile, write

Rows = list[int]


def of_parquet(path: Path, rows: Rows, name: str) -> None:
    write(path.with_suffix(".parquet"), {name: rows})


def of_csv(path: Path, rows: Rows, name: str) -> None:
    path.with_suffix(".csv").write_text("\n".join([f"{name},y", *(f"{one},q" for one in rows)]))


def of_one_column(path: Path, rows: Rows, name: str) -> None:
    path.with_suffix(".csv").write_text("\n".join([name, *map(str, rows)]))


def of_json(path: Path, rows: Rows, name: str) -> None:
    path.with_suffix(".jsonl").write_text("\n".join(json.dumps({name: one}) for one in rows))


def of_json_by_key(path: Path, rows: Rows, name: str) -> None:
    lines = (json.dumps({name: one, "a": 1, "A": 2}) for one in rows)
    path.with_suffix(".jsonl").write_text("\n".join(lines))


def of_arrow(path: Path, rows: Rows, name: str) -> None:
    pa.feather.write_feather(pa.table({name: rows}), str(path.with_suffix(".arrow")))


Writer = Callable[[Path, Rows, str], None]
WRITERS = [of_parquet, of_csv, of_one_column, of_json, of_json_by_key, of_arrow]
FIRST, SECOND = list(range(50)), list(range(100, 150))


def written(root: Path, writer: Writer, of: dict[str, Rows], name: str = "x") -> None:
    for folder, rows in of.items():
        (root / folder).mkdir(parents=True)
        writer(root / folder / "part", rows, name)


@pytest.mark.parametrize("writer", WRITERS)
def test_every_format_has_the_columns_of_folders(tmp_path: Path, writer: Writer) -> None:
    null = "d/kind=__HIVE_DEFAULT_PARTITION__/month=01"
    written(tmp_path, writer, {"d/kind=a%20b/month=02": FIRST, null: SECOND[:10]})
    found = profile(tmp_path, "d")
    assert found.rows == 60
    kind, month = column(found, "kind"), column(found, "month")
    assert kind.categories is not None
    assert month.categories is not None
    assert (kind.type, dict(kind.categories.top), kind.nulls) == ("string", {"a b": 50}, 10)
    assert (month.type, dict(month.categories.top)) == ("string", {"01": 10, "02": 50})


@pytest.mark.parametrize("writer", WRITERS)
def test_whole_numbers_are_numbers(tmp_path: Path, writer: Writer) -> None:
    written(tmp_path, writer, {"d/year=2025": FIRST, "d/year=-7": SECOND})
    year = column(profile(tmp_path, "d"), "year")
    assert year.numbers is not None
    assert (year.type, year.numbers.minimum, year.numbers.maximum) == ("int64", -7, 2025)


@pytest.mark.parametrize("value", ["007", "-0", "00", "1234567890123456789"])
def test_no_digit_of_a_folder_is_lost(tmp_path: Path, value: str) -> None:
    written(tmp_path, of_parquet, {f"d/k={value}": FIRST})
    known = column(profile(tmp_path, "d"), "k").categories
    assert known is not None
    assert known.top == ((value, 50),)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_column_is_not_hidden_by_a_folder_above(tmp_path: Path, writer: Writer) -> None:
    """Jenkins calls folders `label=linux`: they are nobody's columns."""
    for name, rows in (("old", FIRST), ("new", SECOND)):
        written(tmp_path / "label=linux", writer, {name: rows}, name="label")
    root = tmp_path / "label=linux"
    old, new = (column(profile(root, side), "label") for side in ("old", "new"))
    assert have_other_values(old, new)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("folder", ["k=1", "K=1"])
def test_a_column_that_a_folder_hides_is_refused(
    tmp_path: Path, writer: Writer, folder: str
) -> None:
    written(tmp_path, writer, {f"d/{folder}": FIRST}, name="k")
    with pytest.raises(UsageError, match="so do its folders") as caught:
        open_table(tmp_path, "d")
    assert caught.value.hint is not None


def test_a_column_that_says_the_same_is_read_once(tmp_path: Path) -> None:
    """As Polars writes Parquet, and DuckDB with WRITE_PARTITION_COLUMNS."""
    written(tmp_path, of_parquet, {"d/k=1": [1, 1], "d/k=2": [2]}, name="k")
    found = both(tmp_path, "d")
    assert [one.name for one in found.columns] == ["k"]
    assert (found.rows, column(found, "k").distinct) == (3, 2)


def test_files_in_folders_of_other_columns_are_refused(tmp_path: Path) -> None:
    written(tmp_path, of_csv, {"d/k=1": FIRST, "d/j=1": SECOND})
    with pytest.raises(UsageError, match="other columns") as caught:
        open_table(tmp_path, "d")
    assert "glob" in (caught.value.hint or "")


@pytest.mark.parametrize("folder", ["k=1/k=2", "k=1/K=2", "k=%ff", "k=[1]"])
def test_folders_that_say_no_one_thing_are_refused(tmp_path: Path, folder: str) -> None:
    written(tmp_path, of_parquet, {f"d/{folder}": FIRST})
    with pytest.raises(UsageError, match="folder"):
        open_table(tmp_path, "d")


def test_a_name_with_signs_of_patterns_keeps_its_folders(tmp_path: Path) -> None:
    written(tmp_path, of_parquet, {"d/k=a'b.c": FIRST})
    (tmp_path / "d/k=a'b.c/part.parquet").rename(tmp_path / "d/k=a'b.c/part[1].parquet")
    assert column(both(tmp_path, "d"), "k").distinct == 1


def test_rows_that_changed_folders_have_changed(tmp_path: Path) -> None:
    written(tmp_path / "old", of_csv, {"k=1": FIRST, "k=2": SECOND})
    written(tmp_path / "new", of_csv, {"k=1": SECOND, "k=2": FIRST})
    found = diff_data(str(tmp_path / "old"), str(tmp_path / "new"), key=["x"])
    (change,) = found.diff.changes
    assert change.rows is not None
    assert (change.rows.changed, change.rows.added, change.rows.removed) == (100, 0, 0)
