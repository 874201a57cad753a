from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from assent.core.profile import Overlap
from assent.errors import UsageError
from assent.measure.profiles.overlap import overlap
from assent.measure.profiles.reading import open_table
from tests.measure.profiles.tables import write


def compared(
    root: Path,
    first: dict[str, Any],
    second: dict[str, Any],
    key: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
) -> Overlap:
    write(root / "first.parquet", first)
    write(root / "second.parquet", second)
    with open_table(root, "first.parquet") as one, open_table(root, "second.parquet") as other:
        return overlap(one, other, names=("train", "test"), key=key, without=without)


def test_rows_and_keys_that_are_in_both(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        {"id": [1, 2, 3, 4], "x": [0.5, 1.5, None, 4.0], "only": [1, 1, 1, 1]},
        {"x": [1.5, None, 9.0, 1.5], "id": [2, 3, 4, 2], "other": ["", "", "", ""]},
        key=("id",),
    )
    assert found == Overlap(first="train", second="test", of=4, rows=3, keys=4, near=3, columns=1)


ROWS = {"x": [0.25, 1.5, 2.125, 3.0], "c": ["a", "b", None, "d"]}


def test_a_row_is_its_content_whatever_its_key(tmp_path: Path) -> None:
    first, second = {"id": [1, 2, 3, 4], **ROWS}, {"id": [7, 8, 9, 4], **ROWS}
    assert compared(tmp_path, first, second).rows == 1
    found = compared(tmp_path, first, second, key=("id",))
    assert (found.rows, found.near, found.keys, found.columns) == (4, 4, 1, 2)


def test_what_is_left_out_and_the_key_of_one_side_are_no_content(tmp_path: Path) -> None:
    first = {"id": [1, 2, 3, 4], "loaded": [1] * 4, **ROWS}
    second = {"id": [5, 6, 7, 8], "loaded": [2] * 4, **ROWS}
    assert compared(tmp_path, first, second, without=("id", "loaded")).rows == 4
    assert compared(tmp_path, first, second, key=("id",)).rows == 0


def test_a_field_that_is_left_out_is_no_content(tmp_path: Path) -> None:
    first, second = (
        {"s": [{"id": start + at, "x": at / 4} for at in range(4)]} for start in (0, 100)
    )
    assert compared(tmp_path, first, second).rows == 0
    found = compared(tmp_path, first, second, without=("s.id",))
    assert (found.rows, found.near, found.columns) == (4, 4, 1)


def test_a_row_that_is_nothing_but_its_key(tmp_path: Path) -> None:
    found = compared(tmp_path, {"id": [1, 2]}, {"id": [2, 3]}, key=("id",))
    assert (found.rows, found.keys, found.columns) == (1, 1, 1)
    with pytest.raises(UsageError, match="no column in common but keys and what is left out"):
        compared(tmp_path, {"id": [1]}, {"id": [1]}, without=("id",))


RANDOM = np.random.default_rng(9)
FULL = RANDOM.normal(size=50) * 10.0 ** RANDOM.integers(-3, 6, 50)
CENTS = np.round(1e5 + FULL, 2)
TIMES = range(50)
NEAR: dict[str, tuple[Any, Any]] = {
    "rounded": (FULL, np.round(FULL, 3)),
    "rounded to whole numbers": (FULL, np.round(FULL)),
    "integers": (FULL, np.round(FULL).astype(np.int64)),
    "single precision": (FULL.astype(np.float32), FULL),
    "single precision of cents": (CENTS.astype(np.float32), CENTS),
    "white space": ([f"words {at}" for at in TIMES], [f" wor  ds\t{at}\n" for at in TIMES]),
    "case": ([f"Ähre {at}" for at in TIMES], [f"ÄHRE {at}" for at in TIMES]),
    "missing": ([None] * 49 + ["a"], [""] * 49 + ["a "]),
    "numbers among texts": (
        [float(at) for at in range(49)] + [None],
        [f"{at}.00" for at in range(49)] + ["?"],
    ),
}


@pytest.mark.parametrize("case", NEAR)
def test_rows_that_are_nearly_there_are_counted_beside_the_exact(tmp_path: Path, case: str) -> None:
    one, other = NEAR[case]
    for here, there in ((one, other), (other, one)):
        found = compared(tmp_path, {"v": here, "n": range(50)}, {"v": there, "n": range(50)})
        assert found.rows < 10
        assert found.near is not None
        assert found.near >= 49
    same = compared(tmp_path, {"v": one, "n": range(50)}, {"v": one, "n": range(50)})
    assert same.rows == same.near == 50


def test_noise_in_the_last_digits_is_near(tmp_path: Path) -> None:
    random = np.random.default_rng(10)
    values = random.normal(size=1_000)
    found = compared(tmp_path, {"v": values}, {"v": values * (1 + 1e-12)})
    assert found.rows < 10
    assert found.near is not None
    assert found.near >= 995


@pytest.mark.parametrize("of", ["whole numbers", "cents", "moments", "large"])
def test_what_differs_is_not_near(tmp_path: Path, of: str) -> None:
    values = {
        "whole numbers": (np.arange(1e7, 1e7 + 500), np.arange(2e7, 2e7 + 500)),
        "cents": (np.arange(1e7, 1e7 + 500) / 100, (np.arange(1e7, 1e7 + 500) + 0.5) / 50),
        "moments": (np.arange(500) * 2 + 1_700_000_000, np.arange(500) * 2 + 1_700_000_001),
        "large": (np.arange(500.0) * 2 + 2**40, np.arange(500.0) * 2 + 2**40 + 1),
    }
    one, other = values[of]
    assert compared(tmp_path, {"v": one}, {"v": other}).near == 0


ODD = [0.0, -0.0, float("nan"), float("inf"), -float("inf"), 1e300, -1e308, 5e-324, None]


def test_odd_numbers_are_the_same_and_near(tmp_path: Path) -> None:
    values = pa.array([*ODD, 0.1 + 0.2], pa.float64())
    found = compared(tmp_path, {"v": values}, {"v": values})
    assert (found.rows, found.near) == (10, 10)


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
    "whole decimals and floats": (
        pa.array([2.0**53], pa.float64()),
        pa.array([Decimal(2**53)], pa.decimal128(30, 2)),
        pa.array([Decimal(2**53 + 1)], pa.decimal128(30, 2)),
    ),
    "decimals of more digits than a float has": (
        pa.array([0.1], pa.float64()),
        pa.array([Decimal("0.1000")], pa.decimal128(30, 4)),
        pa.array([Decimal("0.10000000000000000001")], pa.decimal128(30, 20)),
    ),
    "small decimals and floats": (
        pa.array([-1.5e-7], pa.float64()),
        pa.array([Decimal("-0.00000015")], pa.decimal128(30, 10)),
        pa.array([Decimal("-0.00000016")], pa.decimal128(30, 8)),
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
    assert found == Overlap(first="train", second="test", of=1, rows=0, keys=0, near=0, columns=1)


def test_nothing_to_compare_is_no_pass(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no column in common"):
        compared(tmp_path, {"a": [1]}, {"b": [1]})
    with pytest.raises(UsageError, match="no column 'id'"):
        compared(tmp_path, {"id": [1]}, {"b": [1]}, key=("id",))


def test_names_that_would_be_sql(tmp_path: Path) -> None:
    name = "\"); DROP TABLE x; --\n'"
    found = compared(tmp_path, {name: [1, 2]}, {name: [2, 3]}, key=(name,))
    assert (found.rows, found.keys) == (1, 1)
