"""Equal for the same values in any order, and for no others."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from assent.core.profile import Fingerprint
from assent.measure.profiles import counting, fingerprints
from assent.measure.profiles.counting import Values
from tests.effort import examples
from tests.measure.profiles.tables import both, column, profile, write

TYPES = ["float64", "float32", "int64", "uint64", "int32", "uint8"]
MODULUS = fingerprints.MODULUS


@st.composite
def numbers(draw: st.DrawFn) -> Any:
    name = draw(st.sampled_from(TYPES))
    size = draw(st.integers(1, 60))
    return draw(arrays(np.dtype(name), size, fill=st.nothing()))


def summed(values: Any, **more: Any) -> int:
    return counting.sort(Values(numbers=np.array(values), **more)).hashed % MODULUS


@settings(max_examples=examples(200))
@given(numbers(), st.randoms(use_true_random=False), st.integers(0, 60))
def test_neither_order_nor_batches_matter(values: Any, random: Any, at: int) -> None:
    mixed = values[random.sample(range(len(values)), len(values))]
    assert summed(mixed) == summed(values)
    parts = [
        counting.count(counting.sort(Values(numbers=part.copy())), (), sketch=True)
        for part in (mixed[:at], mixed[at:])
    ]
    assert counting.merge(*parts).hashed == summed(values)
    # Counted as runs, or value by value, is one.
    several = np.repeat(values, 30)
    assert summed(several) == 30 * summed(values) % MODULUS


@settings(max_examples=examples(300))
@given(numbers(), st.data())
def test_any_single_change_is_seen(values: Any, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(values) - 1))
    other = values.copy()
    other[at] = data.draw(arrays(values.dtype, 1))[0]
    are_equal = other[at] == values[at] or (other[at] != other[at] and values[at] != values[at])
    assert (summed(other) == summed(values)) is bool(are_equal)


@settings(max_examples=examples(100))
@given(st.lists(st.integers(-(2**70), 2**70) | st.integers(0, 20), min_size=1, max_size=40))
def test_a_number_is_one_whatever_holds_it(whole: list[int]) -> None:
    found = set()
    for name in TYPES:
        try:
            held = np.array(whole, dtype=name)
        except OverflowError:
            continue
        if [int(one) if math.isfinite(one) else None for one in held.tolist()] == whole:
            found.add(summed(held))
    assert len(found) <= 1


@pytest.mark.parametrize("unit", ["float", "beyond", "cents", "nanoseconds", "powers", "days"])
def test_sums_of_neighbours_do_not_meet(unit: str) -> None:
    """What a sum that is linear or a square in the values cannot tell apart."""
    steps = np.arange(1, 41)
    held: dict[str, tuple[Any, dict[str, Any]]] = {
        "float": (steps.astype(float), {}),
        "beyond": (2**60 + 2 * steps + 1, {}),
        "cents": (steps / 100, {}),
        "powers": (2.0**steps, {}),
        "nanoseconds": (1_700_000_000 * 10**9 + steps, {"per": 10**9, "is_time": True}),
        "days": (steps, {"times": 86_400, "is_time": True}),
    }
    values, more = held[unit]
    each = [summed(values[at : at + 1], **more) for at in range(len(values))]
    sums = {sum(chosen) % MODULUS for chosen in itertools.combinations_with_replacement(each, 4)}
    assert len(sums) == math.comb(len(each) + 3, 4)


def test_zeros_infinities_and_what_is_no_number() -> None:
    assert summed([0.0, -0.0, 1.0]) == summed([0.0, 0.0, 1.0]) != summed([0.0, 1.0])
    assert summed([-0.0] * 64) == summed([0.0] * 64)
    assert summed([math.inf, -math.inf, -math.inf]) != summed([math.inf, math.inf, -math.inf])
    assert summed([1.0, math.nan]) == summed([1.0])
    assert summed(np.array([], np.float32)) == 0


def test_moments_are_instants_of_any_unit_and_any_year() -> None:
    seconds = [-(2**40), -(2**33), -1, 0, 1, 1_700_000_000, 2**33, 2**40]
    units = {
        per: summed(np.array([one * per for one in seconds]), per=per, is_time=True)
        for per in (1, 1_000, 1_000_000)
    }
    assert len(set(units.values())) == 1
    days = np.array([-(2**20), -5, 0, 19_000, 2**20], np.int32)
    as_seconds = days.astype(np.int64) * 86_400
    assert summed(days, times=86_400, is_time=True) == summed(as_seconds, is_time=True)
    late = np.array([2**62, 2**62 + 1])
    assert summed(late, per=1_000_000, is_time=True) != summed(late[:1].repeat(2), per=1_000_000)


def marks(root: Path, columns: dict[str, Any], name: str = "t.parquet") -> list[Any]:
    write(root / name, columns)
    return [one.fingerprint for one in both(root, name).columns]


def mark(root: Path, values: Any) -> Fingerprint | None:
    found: Fingerprint | None = marks(root, {"c": values})[0]
    return found


def decimals(whole: list[int]) -> Any:
    return pa.array(list(map(Decimal, whole)), pa.decimal128(38, 0))


LARGE = [2**53 + 2 * at + 1 for at in range(40)]
LONG = [10**37 + at for at in range(40)]
TEXTS = [f"text {at}" for at in range(2_000)]


@pytest.mark.parametrize(
    ("values", "other"),
    [
        (pa.array(LARGE), pa.array([one + 1 for one in LARGE])),
        (pa.array(LARGE, pa.uint64()), pa.array([*LARGE[:-1], LARGE[-1] + 2], pa.uint64())),
        (decimals(LONG), decimals([one + 1 for one in LONG])),
        (pa.array([math.inf, -math.inf, 1.0]), pa.array([math.inf, math.inf, 1.0])),
        tuple(pa.array([10**18, 10**18 + at], pa.timestamp("ns")) for at in (1, 0)),
        tuple(pa.array([10**12, 10**12 + at], pa.time64("ns")) for at in (1, 0)),
        (TEXTS, [*TEXTS[:-1], "text 1998"]),
        (TEXTS[:9], [*TEXTS[:8], "text 9"]),
        ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 4.0], [3.0, 2.0]]),
        ([[0.0], [1.0, 0.0]], [[1.0], [0.0, 0.0]]),
        ([[0, 5], [7]], [[5], [0, 7]]),
        ([["a"], ["b", None]], [["b"], ["a", None]]),
        ([[[1], [2]]], [[[1, 2]]]),
        ([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}], [{"a": 1, "b": "y"}, {"a": 2, "b": "x"}]),
        ([{"a": [1], "b": [2, 3]}], [{"a": [1, 2], "b": [3]}]),
        ([b"\x00", b"\xff"], [b"\x00", b"\xfe"]),
        (
            pa.array([[("a", 1)], [("b", 2)]], pa.map_(pa.string(), pa.int64())),
            pa.array([[("a", 2)], [("b", 1)]], pa.map_(pa.string(), pa.int64())),
        ),
    ],
)  # fmt: skip
def test_what_counts_do_not_see(tmp_path: Path, values: Any, other: Any) -> None:
    one = mark(tmp_path, values)
    assert one is not None
    found = mark(tmp_path, other)
    assert found is not None
    assert (found.scheme, found.values != one.values) == (one.scheme, True)
    assert mark(tmp_path, pa.array(values)[::-1]) == one


def test_a_type_that_holds_the_same_numbers_has_the_same_fingerprint(tmp_path: Path) -> None:
    whole = [5, 0, -3, 1_000, 2**31 - 1]
    types = [pa.int32(), pa.int64(), pa.float64()]
    found = marks(tmp_path, {str(one): pa.array(whole, one) for one in types})
    assert len(set(map(str, found))) == 1
    moments = [dt.datetime(2024, 1, day) for day in (1, 2, 3)]
    units = {unit: pa.array(moments, pa.timestamp(unit)) for unit in ("ms", "us", "ns")}
    days = {"day": pa.array([one.date() for one in moments])}
    assert len(set(map(str, marks(tmp_path, units | days)))) == 1


def test_a_csv_has_the_fingerprints_of_a_parquet_file(tmp_path: Path) -> None:
    table = {
        "id": pa.array([9_007_199_254_740_993 + at for at in range(500)]),
        "x": pa.array([at / 7 for at in range(500)]),
        "at": pa.array([dt.datetime(2024, 1, 1) + dt.timedelta(seconds=at) for at in range(500)]),
        "body": pa.array([f"text {at}, and more" for at in range(500)]),
    }
    write(tmp_path / "t.parquet", table)
    rows = zip(*(column.to_pylist() for column in table.values()), strict=True)
    lines = [f'{key},{x!r},{at},"{body}"' for key, x, at, body in rows]
    (tmp_path / "t.csv").write_text("\n".join([",".join(table), *lines[::-1]]) + "\n")
    of_parquet = both(tmp_path, "t.parquet")
    of_csv = profile(tmp_path, "t.csv")
    for name in table:
        assert column(of_csv, name).fingerprint == column(of_parquet, name).fingerprint is not None


@settings(
    max_examples=examples(30),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(texts=st.lists(st.none() | st.text(max_size=30), min_size=1, max_size=40), data=st.data())
def test_texts_are_known_by_what_they_are(
    tmp_path: Path, texts: list[str | None], data: st.DataObject
) -> None:
    texts += ["once and for all"]  # else it may be a list of categories, which needs none
    other = data.draw(st.permutations(texts))
    one, two, three = (
        mark(tmp_path, pa.array(values, pa.string()))
        for values in (texts, other, [*other, "one more text"])
    )
    assert one == two
    assert one is None or one != three


def test_many_texts_in_many_files_are_as_few_in_one(tmp_path: Path) -> None:
    """Whether DuckDB hashes each row, or each different text."""
    many = TEXTS * 2
    write(tmp_path / "many" / "a.parquet", {"c": many[:3_000]}, row_group_size=100)
    write(tmp_path / "many" / "b.parquet", {"c": many[3_000:]})
    (of_many,) = both(tmp_path, "many").columns
    assert of_many.fingerprint == mark(tmp_path, many)
    few = dict.fromkeys(TEXTS[:500], 1)
    write(tmp_path / "few.parquet", {"c": [*few]})
    (of_few,) = profile(tmp_path, "few.parquet").columns
    assert of_few.kind == "text"
    said = fingerprints.hash_of_text("t")
    query = f"SELECT sum({said}) FROM (SELECT unnest(?::VARCHAR[]) AS t)"
    ((whole,),) = duckdb.connect().execute(query, [[*few]]).fetchall()
    assert of_few.fingerprint is not None
    assert of_few.fingerprint.values == f"{whole % MODULUS:016x}"


def test_in_batches_it_is_the_same(tmp_path: Path) -> None:
    table = {
        "x": np.arange(2_000) / 3,
        "big": 2**60 + np.arange(2_000),
        "at": pa.array(np.arange(2_000) * 10**15, pa.timestamp("ns")),
        "money": pa.array([Decimal(at) / 100 for at in range(2_000)], pa.decimal128(12, 2)),
        "l": [[at, 2] for at in range(2_000)],
    }
    write(tmp_path / "t.parquet", table, row_group_size=300)
    whole = both(tmp_path, "t.parquet")
    in_parts = both(tmp_path, "t.parquet", whole_rows=0)
    for one, other in zip(whole.columns, in_parts.columns, strict=True):
        assert one.fingerprint == other.fingerprint
        assert (one.fingerprint is None) is (one.name == "l (norm)")


def test_nobody_learns_of_hashed_texts_by_trying(tmp_path: Path) -> None:
    write(tmp_path / "t.parquet", {"name": TEXTS[:50], "names": [[one] for one in TEXTS[:50]]})
    options: dict[str, Any] = {"hash_values": True}
    plain = profile(tmp_path, "t.parquet")
    found = [both(tmp_path, "t.parquet", salt=salt, **options) for salt in (b"1", b"1", b"2")]
    for name in ("name", "names"):
        told = [column(one, name).fingerprint for one in (plain, *found)]
        assert told[1] == told[2]
        assert len({one.scheme for one in told if one is not None}) == 3
        assert len({one.values for one in told if one is not None}) == 3


def test_what_is_said_whole_needs_none(tmp_path: Path) -> None:
    found = marks(tmp_path, {"yes": [True, False] * 4, "c": ["a", "b"] * 4, "n": [None] * 8})
    assert found[:2] == [None, None]
    many = {f"c{at}": [f"{n}" for n in range(1_000)] * 2 for at in range(26)}
    (first, *_) = marks(tmp_path, many)  # of which a profile lists 961 each
    assert first is not None
    assert first.scheme.startswith("text ")
