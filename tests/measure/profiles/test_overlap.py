from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from assent.core.profile import Overlap
from assent.errors import UsageError
from assent.measure.profiles.overlap import overlap
from assent.measure.profiles.reading import open_table
from tests.measure.profiles.tables import write


def compared(
    root: Path, first: dict[str, Any], second: dict[str, Any], key: tuple[str, ...] = ()
) -> Overlap:
    write(root / "first.parquet", first)
    write(root / "second.parquet", second)
    with open_table(root, "first.parquet") as one, open_table(root, "second.parquet") as other:
        return overlap(one, other, names=("train", "test"), key=key)


def test_rows_and_keys_that_are_in_both(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        {"id": [1, 2, 3, 4], "x": [0.5, 1.5, None, 4.0], "only": [1, 1, 1, 1]},
        {"x": [1.5, None, 9.0, 1.5], "id": [2, 3, 4, 2], "other": ["", "", "", ""]},
        key=("id",),
    )
    assert found == Overlap(first="train", second="test", of=4, rows=3, keys=4)


def test_a_null_in_a_key_is_no_match(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        {"a": [1, None], "b": ["x", "y"]},
        {"a": [None, 1, 1], "b": ["y", "x", "z"]},
        key=("a", "b"),
    )
    assert (found.rows, found.keys) == (2, 1)


def test_types_that_differ_are_compared_by_value(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        {"id": pa.array([1, 2, 3], pa.int32()), "x": [1, 2, 3]},
        {"id": pa.array([3, 2, 9], pa.int64()), "x": [3.0, 2.5, 9.0]},
        key=("id",),
    )
    assert (found.rows, found.keys) == (1, 2)


SECOND = 1_700_000_000
PER = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("unit", PER)
@pytest.mark.parametrize("other", PER)
def test_moments_of_any_unit_are_compared_as_instants(
    tmp_path: Path, unit: str, other: str, zone: str | None
) -> None:
    def at(seconds: list[int], unit: str, zone: str | None) -> Any:
        return pa.array([one * PER[unit] for one in seconds], pa.timestamp(unit, zone))

    found = compared(
        tmp_path,
        {"t": at([SECOND, SECOND + 1, SECOND + 2], unit, None)},
        {"t": at([SECOND, SECOND + 1, SECOND + 9], other, zone)},
        key=("t",),
    )
    assert (found.rows, found.keys) == (2, 2)


FINE = {
    "nanoseconds": (
        pa.array([SECOND * 10**9], pa.timestamp("ns")),
        pa.array([SECOND * 10**6], pa.timestamp("us")),
        pa.array([SECOND * 10**9 + 1], pa.timestamp("ns")),
    ),
    "a date": (
        pa.array([1], pa.date32()),
        pa.array([86_400_000], pa.timestamp("ms")),
        pa.array([86_400_001], pa.timestamp("ms")),
    ),
    "times of day": (
        pa.array([1_000_000], pa.time64("ns")),
        pa.array([1_000], pa.time64("us")),
        pa.array([1_001], pa.time64("us")),
    ),
    "integers and floats": (
        pa.array([2**53], pa.int64()),
        pa.array([2.0**53], pa.float64()),
        pa.array([2**53 + 1], pa.int64()),
    ),
    "unsigned integers": (
        pa.array([2**63 - 1], pa.int64()),
        pa.array([2**63 - 1], pa.uint64()),
        pa.array([2**63], pa.uint64()),
    ),
    "decimals": (
        pa.array([Decimal("12345678901234567890.10")], pa.decimal128(30, 2)),
        pa.array([Decimal("12345678901234567890.1")], pa.decimal128(30, 1)),
        pa.array([Decimal("12345678901234567890.101")], pa.decimal128(30, 3)),
    ),
    "decimals and integers": (
        pa.array([2**60], pa.int64()),
        pa.array([Decimal(2**60)], pa.decimal128(30, 2)),
        pa.array([2**60 + 1], pa.uint64()),
    ),
}


@pytest.mark.parametrize("case", FINE)
def test_no_digit_is_lost_between_types(tmp_path: Path, case: str) -> None:
    here, same, other = FINE[case]
    assert here.type != same.type
    assert compared(tmp_path, {"v": here}, {"v": same}).rows == 1
    assert compared(tmp_path, {"v": same}, {"v": other}).rows == 0
    assert compared(tmp_path, {"v": here}, {"v": other}).rows == 0


def test_columns_in_another_order_and_swapped_values(tmp_path: Path) -> None:
    found = compared(tmp_path, {"a": [1, 2], "b": [2, 1]}, {"b": [2, 2], "a": [1, 2]})
    assert found.rows == 1


def test_an_empty_side(tmp_path: Path) -> None:
    found = compared(tmp_path, {"a": pa.array([], pa.int64())}, {"a": [1]}, key=("a",))
    assert found == Overlap(first="train", second="test", of=1, rows=0, keys=0)


def test_nothing_to_compare_is_no_pass(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no column in common"):
        compared(tmp_path, {"a": [1]}, {"b": [1]})
    with pytest.raises(UsageError, match="no column 'id'"):
        compared(tmp_path, {"id": [1]}, {"b": [1]}, key=("id",))


def test_names_that_would_be_sql(tmp_path: Path) -> None:
    name = "\"); DROP TABLE x; --\n'"
    found = compared(tmp_path, {name: [1, 2]}, {name: [2, 3]}, key=(name,))
    assert (found.rows, found.keys) == (1, 1)
