"""Durations and times of day: a unit is part of the type, and the values are seconds."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assent.errors import UsageError
from assent.measure.profiles.durations import _of_schema
from assent.measure.profiles.overlap import overlap
from assent.measure.profiles.reading import open_table
from assent.measure.profiles.rows import row_changes
from tests.measure.profiles.tables import both, column, write

UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
SECONDS = [None, *range(-50, 150)]


def lengths(unit: str, more: int = 0) -> Any:
    values = [None if one is None else one * UNITS[unit] + more for one in SECONDS]
    return pa.array(values, pa.duration(unit))


def table(unit: str, more: int = 0) -> dict[str, Any]:
    return {"id": list(range(len(SECONDS))), "d": lengths(unit, more)}


@pytest.mark.parametrize("unit", UNITS)
def test_a_duration_is_counted_in_seconds(tmp_path: Path, unit: str) -> None:
    write(tmp_path / "d.parquet", table(unit))
    found = column(both(tmp_path, "d.parquet"), "d")
    assert (found.type, found.kind, found.nulls) == (f"duration[{unit}]", "number", 1)
    assert found.numbers is not None
    assert (found.numbers.minimum, found.numbers.maximum) == (-50.0, 149.0)


@pytest.mark.parametrize("use_pyarrow", [True, False])
@pytest.mark.parametrize(("one", "other"), [("s", "ns"), ("ms", "us"), ("ns", "ms"), ("us", "us")])
def test_durations_in_two_units_are_compared_by_their_length(
    tmp_path: Path, one: str, other: str, use_pyarrow: bool
) -> None:
    def compared(more: int) -> tuple[int, int]:
        write(tmp_path / "old.parquet", table(one))
        write(tmp_path / "new.parquet", table(other, more))
        with (
            open_table(tmp_path, "old.parquet", use_pyarrow=use_pyarrow) as old,
            open_table(tmp_path, "new.parquet", use_pyarrow=use_pyarrow) as new,
        ):
            found = row_changes(old, new, name="d", key=("id",))
            shared = overlap(old, new, names=("old", "new"), without={"id"})
            return found.changed, shared.rows

    assert compared(0) == (0, len(SECONDS))
    assert compared(1) == (len(SECONDS) - 1, 1)  # one part of a second, not of it


def test_the_same_numbers_in_two_units_are_not_the_same(tmp_path: Path) -> None:
    numbers = list(range(100))
    for name, unit in (("old", "ms"), ("new", "us")):
        column_ = pa.array(numbers, pa.duration(unit))
        write(tmp_path / f"{name}.parquet", {"id": numbers, "d": column_})
    with open_table(tmp_path, "old.parquet") as old, open_table(tmp_path, "new.parquet") as new:
        assert row_changes(old, new, name="d", key=("id",)).changed == 99  # but nought


def test_files_of_one_table_in_two_units(tmp_path: Path) -> None:
    write(tmp_path / "d/1.parquet", table("ms"))
    write(tmp_path / "d/2.parquet", table("us"))
    with (
        pytest.raises(UsageError, match=r"durations of 'd' are in .+ in another"),
        open_table(tmp_path, "d") as found,
    ):
        assert found.columns


def test_an_arrow_file_keeps_its_durations(tmp_path: Path) -> None:
    given = pa.table(table("ms"))
    with (
        pa.OSFile(str(tmp_path / "d.arrow"), "wb") as file,
        pa.ipc.new_file(file, given.schema) as writer,
    ):
        writer.write_table(given)
    assert column(both(tmp_path, "d.arrow"), "d").type == "duration[ms]"


def test_a_schema_that_is_damaged_tells_nothing(tmp_path: Path) -> None:
    write(tmp_path / "d.parquet", table("ms"))
    whole = pq.read_metadata(tmp_path / "d.parquet").metadata[b"ARROW:schema"]
    content = base64.b64decode(whole)
    assert _of_schema(whole) == {"d": "ms"}
    assert _of_schema(b"no base64") == {}
    for at in range(len(content)):
        _of_schema(base64.b64encode(content[:at]))
        _of_schema(base64.b64encode(content[:at] + b"\xff" + content[at + 1 :]))


@pytest.mark.parametrize(
    ("one", "other", "types"),
    [
        (pa.time32("ms"), pa.time64("us"), ("time32[ms]", "time64[us]")),
        (pa.time64("us"), pa.time64("ns"), ("time64[us]", "time64[ns]")),
        (pa.time32("ms"), pa.time64("ns"), ("time32[ms]", "time64[ns]")),
    ],
)
def test_times_of_day_in_two_units(
    tmp_path: Path, one: Any, other: Any, types: tuple[str, str]
) -> None:
    for name, type_, more in (("old", one, 0), ("same", other, 0), ("new", other, 1)):
        per = UNITS[type_.unit]
        values = pa.array([second * per + more for second in range(100)], type_)
        write(tmp_path / f"{name}.parquet", {"id": list(range(100)), "t": values})
    with (
        open_table(tmp_path, "old.parquet") as old,
        open_table(tmp_path, "same.parquet") as same,
        open_table(tmp_path, "new.parquet") as new,
    ):
        assert tuple(side.columns[1].type for side in (old, new)) == types
        assert row_changes(old, same, name="d", key=("id",)).changed == 0
        assert row_changes(old, new, name="d", key=("id",)).changed == 100
    numbers = [column(both(tmp_path, f"{one}.parquet"), "t").numbers for one in ("old", "same")]
    assert numbers[0] == numbers[1]
