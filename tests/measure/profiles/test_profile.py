from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import hmac
import itertools
import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from assent.core.digest import digest_of_value
from assent.core.profile import Categories, ColumnProfile, DataProfile, Numbers
from assent.errors import UsageError
from assent.measure.profiles.encoding import encode_profile
from assent.measure.profiles.reading import open_table
from tests.measure.profiles.tables import both, column, profile, write

UTC = dt.UTC
NAN, INF = float("nan"), float("inf")


def of(root: Path, values: Any, **options: Any) -> ColumnProfile:
    """The profile of one column."""
    write(root / "one.parquet", {"c": values})
    return both(root, "one.parquet", **options).columns[0]


def test_numbers(tmp_path: Path) -> None:
    found = of(tmp_path, [1.5, None, 0.0, -2.0, NAN, INF, -INF, 1.5])
    assert found == ColumnProfile(
        name="c",
        type="double",
        kind="number",
        nulls=1,
        nans=1,
        infinities=2,
        distinct=3,
        numbers=Numbers(
            minimum=-2.0,
            maximum=1.5,
            mean=0.25,
            deviation=found.numbers.deviation if found.numbers else None,
            skewness=found.numbers.skewness if found.numbers else None,
            kurtosis=found.numbers.kurtosis if found.numbers else None,
            zeros=1,
            negatives=1,
            edges=(-2.0, 0.0, 1.5),
            counts=(1, 1, 2, 0),
        ),
        fingerprint=found.fingerprint,
    )
    assert found.fingerprint is not None


@pytest.mark.parametrize(
    ("values", "type_", "edges"),
    [
        (pa.array([1, 2], pa.int8()), "int8", (1, 2)),
        (pa.array([1, 2**64 - 1], pa.uint64()), "uint64", (1, 18446744073800000000.0)),
        (pa.array([0.1, 2], pa.float32()), "float", (0.100000001491, 2)),
        (pa.array([decimal.Decimal("1.25")]), "decimal128(3, 2)", (1.25,)),
        (pa.array([dt.time(1, 0, 0, 500_000)]), "time64[us]", (3600.5,)),
        (pa.array([dt.time(1)], pa.time32("ms")), "time32[ms]", (3600,)),
        (pa.array([dt.time(1)], pa.time64("ns")), "time64[ns]", (3600,)),
        (pa.array([0.5], pa.float16()), "float", (0.5,)),
    ],
)
def test_every_kind_of_number(tmp_path: Path, values: Any, type_: str, edges: Any) -> None:
    found = of(tmp_path, values)
    assert (found.type, found.kind) == (type_, "number")
    assert found.numbers is not None
    assert found.numbers.edges == edges
    assert found.numbers.counts == (*[1] * len(edges), 0)


HALF = dt.datetime(1970, 1, 2, 0, 0, 0, 500_000)


@pytest.mark.parametrize(
    ("values", "type_", "edges"),
    [
        (pa.array([dt.date(1969, 12, 31), dt.date(1970, 1, 3)]), "date32[day]", (-86400, 172800)),
        (pa.array([HALF]), "timestamp[us]", (86400.5,)),
        (pa.array([HALF], pa.timestamp("ns")), "timestamp[ns]", (86400.5,)),
        (pa.array([HALF], pa.timestamp("ms")), "timestamp[ms]", (86400.5,)),
        (pa.array([86400], pa.timestamp("s")), "timestamp[ms]", (86400.0,)),
        (
            pa.array([HALF.replace(tzinfo=UTC)], pa.timestamp("us", "Asia/Tokyo")),
            "timestamp[us, tz=UTC]",
            (86400.5,),
        ),
        (
            pa.array([HALF.replace(tzinfo=UTC)], pa.timestamp("ns", "Asia/Tokyo")),
            "timestamp[ns, tz=UTC]",
            (86400.5,),
        ),
    ],
)
def test_times_are_seconds_in_utc(tmp_path: Path, values: Any, type_: str, edges: Any) -> None:
    found = of(tmp_path, values)
    assert (found.type, found.kind) == (type_, "time")
    assert found.numbers is not None
    assert found.numbers.edges == edges


def test_moments_of_96_bits_are_of_any_year(tmp_path: Path) -> None:
    """Spark wrote years in them that nanoseconds of 64 bits have no room for."""
    at = [dt.datetime(2024, 1, 1), dt.datetime(9999, 12, 31)]
    write(tmp_path / "d.parquet", {"a": at}, use_deprecated_int96_timestamps=True)
    found = column(both(tmp_path, "d.parquet"), "a")
    assert found.type == "timestamp[us]"
    assert found.numbers is not None
    assert found.numbers.edges == tuple(one.replace(tzinfo=UTC).timestamp() for one in at)


def test_booleans(tmp_path: Path) -> None:
    found = of(tmp_path, [True, None, False, True] * 5, hash_values=True)
    assert (found.kind, found.nulls, found.distinct) == ("boolean", 5, 2)
    assert found.categories == Categories(top=(("true", 10), ("false", 5)))


@pytest.mark.parametrize(
    ("values", "type_", "lengths"),
    [
        ([[1, 2], [], None, [3]], "list<int64>", ((0, 1, 2), (1, 1, 1, 0))),
        ([b"abc", None, b"abc"], "binary", ((3,), (2, 0))),
        (
            pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())),
            "map<string, int64>",
            ((0, 1), (1, 1, 0)),
        ),
        ([{"x": 1, "y z": "a"}, None], "struct<x: int64, y z: string>", None),
    ],
)
def test_nested_values_are_counted_by_length(
    tmp_path: Path, values: Any, type_: str, lengths: Any
) -> None:
    found = of(tmp_path, values)
    assert (found.type, found.kind, found.distinct) == (type_, "nested", None)
    assert found.nulls == sum(value is None for value in list(values))
    assert (found.numbers and (found.numbers.edges, found.numbers.counts)) == lengths


def test_a_category_keeps_its_values(tmp_path: Path) -> None:
    values = ["b", "a", "ü|\n", None, "b", "a"] * 2
    found = of(tmp_path, values)
    assert (found.kind, found.nulls, found.distinct) == ("category", 2, 3)
    assert found.categories == Categories(top=(("a", 4), ("b", 4), ("ü|\n", 2)))
    assert found.numbers is None
    in_dictionary = of(tmp_path, pa.array(values).dictionary_encode())
    assert in_dictionary == found


@pytest.mark.parametrize(
    "values",
    [
        [f"person {i}" for i in range(40)],
        [f"value {i % 1500}" for i in range(6_000)],
        [*(["x" * 201, "why not"] * 5), *(f"value {i}" for i in range(1_000))],
        [f"{i:07}" for i in range(30_000)],
    ],
)
def test_other_text_keeps_no_rare_value(tmp_path: Path, values: list[str]) -> None:
    found = of(tmp_path, values)
    assert found.kind == "text"
    assert found.categories is None
    assert found.distinct == pytest.approx(len(set(values)), rel=0.05)
    assert found.frequent == ()
    content = json.dumps(found, default=str)
    assert not any(value in content for value in values)
    assert found.numbers is not None
    assert sum(found.numbers.counts) == len(values)
    assert found.numbers.maximum == max(map(len, values))


LONG = "x" * 150 + "é" * 100


@pytest.mark.parametrize("rest", [600, 60_000])
def test_frequent_values_of_other_text_are_counted(tmp_path: Path, rest: int) -> None:
    """With a few values, with a sample, and where nulls leave little of the sample."""
    rows = rest * 2
    counts = {"often": rest // 3, LONG: rest // 5, "": 2 * rows // 100, "just": 0, "nearly": 0}
    values = [value for value, count in counts.items() for _ in range(count)]
    values += [f"{at}" for at in range(rest)]
    least = -(-len(values) // 98)  # each of the next two makes them more
    values += ["just"] * least + ["nearly"] * (least - 8 - least // 90)
    random = np.random.default_rng(0)
    nulls = pa.nulls(rest * 30, pa.string())
    shuffled = pa.array(random.permutation(np.array(values, object)), pa.string())
    found = of(tmp_path, pa.concat_arrays([nulls[: rest * 20], shuffled, nulls[: rest * 10]]))
    digest = hashlib.sha256(LONG.encode()).hexdigest()[:12]
    assert found.kind == "text"
    assert found.frequent == (
        ("often", counts["often"]),
        (f"{LONG[:100]}… {digest}", counts[LONG]),
        ("", counts[""]),
        ("just", least),
    )
    assert found.tokens == counts[""]
    hashed = of(tmp_path, shuffled, hash_values=True, salt=b"s")
    assert hashed.is_hashed
    assert [count for _, count in hashed.frequent or ()] == [n for _, n in found.frequent]
    name = hmac.new(b"s", b"often", hashlib.sha256).hexdigest()[:16]
    assert (hashed.frequent or (("", 0),))[0] == (name, counts["often"])


FITTING: list[tuple[list[str], str, str]] = [
    ([f"{at}" for at in range(3_000)], "int64", "number"),
    (["1", "2", " 3 "] * 10, "int64", "number"),
    (["0.5", "2", "1e3", "nan"], "double", "number"),
    (["2024-02-29", "2024-03-01 10:00"], "timestamp[us]", "time"),
]


@pytest.mark.parametrize(("values", "type_", "kind"), FITTING)
def test_text_that_is_written_as_numbers_is_counted_as_these_too(
    tmp_path: Path, values: list[str], type_: str, kind: str
) -> None:
    found = of(tmp_path, [*values, None])
    assert found.kind in ("text", "category")
    fitted = found.fits
    assert fitted is not None
    assert (fitted.name, fitted.type, fitted.kind) == ("c", type_, kind)
    assert (fitted.nulls, fitted.nans) == (1, values.count("nan"))
    assert fitted.numbers is not None
    was_number = of(tmp_path, values, against=DataProfile(columns=(fitted,)))
    assert was_number.fits is not None
    assert was_number.fits.in_bins == fitted.numbers.counts
    assert was_number.fits.outside == (0, 0)
    assert was_number.in_bins == ()
    assert of(tmp_path, values, hash_values=True).fits is None


@pytest.mark.parametrize(
    "values",
    [["1", "x"], ["007", "1"], [*map(str, range(3_000)), "n/a"], ["+49", "1"], [], ["1,5", "2,5"]],
)
def test_text_that_is_not_all_numbers_stays_text(tmp_path: Path, values: list[str]) -> None:
    assert of(tmp_path, pa.array(values, pa.string())).fits is None


def test_a_name_in_a_small_table_is_not_frequent(tmp_path: Path) -> None:
    values = [*map(str, range(20)), *["nine"] * 9, *["ten"] * 10]
    assert of(tmp_path, values).frequent == (("ten", 10),)


TOKENS = ["NA", " n/a\t", "None", "NULL\r\n", "-", "?", "  ", "#N/A", "<NA>", "nan"]


@pytest.mark.parametrize("others", [["a", "b"] * 20, [*map(str, range(100, 5_000))], [*"abc"]])
def test_words_for_nothing_are_counted(tmp_path: Path, others: list[str]) -> None:
    """In a category, in text with many values, and in one with few."""
    there = ["nano", "n a", "--", "NAN.", "no", "x-", "\u00a0", "\u212aa"]
    found = of(tmp_path, [*TOKENS, *TOKENS[:3], None, *there, *others])
    assert (found.nulls, found.tokens) == (1, 13)
    hashed = of(tmp_path, [*TOKENS, *there, *others], hash_values=True)
    assert hashed.tokens == 10


@pytest.mark.parametrize("type_", [pa.null(), pa.float64(), pa.string(), pa.timestamp("us")])
@pytest.mark.parametrize("rows", [0, 3])
def test_nothing_but_nulls(tmp_path: Path, type_: Any, rows: int) -> None:
    found = of(tmp_path, pa.array([None] * rows, type_))
    assert found.nulls == rows
    assert found.numbers is None
    assert not found.distinct
    again = of(tmp_path, pa.array([None] * rows, type_), against=DataProfile(columns=(found,)))
    assert again == found


def test_huge_numbers_have_no_moments(tmp_path: Path) -> None:
    found = of(tmp_path, [1e308, 1e308, -1e308, 1e200]).numbers
    assert found is not None
    assert (found.minimum, found.maximum) == (-1e308, 1e308)
    assert (found.deviation, found.skewness, found.kurtosis) == (None, None, None)
    assert sum(found.counts) == 4


def test_a_constant_has_no_shape(tmp_path: Path) -> None:
    found = of(tmp_path, [0.1] * 1_000).numbers
    assert found is not None
    assert (found.mean, found.deviation, found.skewness) == (0.1, 0.0, None)


def test_hashes_stand_for_texts(tmp_path: Path) -> None:
    values = ["a", "a", "b", "b"]
    found = of(tmp_path, values, hash_values=True, salt=b"s")
    expected = hmac.new(b"s", b"a", hashlib.sha256).hexdigest()[:16]
    assert found.categories is not None
    assert found.categories.is_hashed
    assert expected in dict(found.categories.top)
    old = DataProfile(rows=4, columns=(found,))
    again = of(tmp_path, ["a", "c", "c", "a", "a"], hash_values=True, salt=b"s", against=old)
    counts = dict(zip(dict(found.categories.top), again.in_bins, strict=False))
    assert counts[expected] == 3
    assert again.in_bins[-1] == 2
    assert of(tmp_path, values, against=old).in_bins == ()  # another salt, or none


def test_the_baselines_bins(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    names = np.array([f"k{i}" for i in range(30)])
    columns: dict[str, Any] = {
        "x": random.normal(size=3_000),
        "i": random.integers(0, 10**12, 3_000),
        "k": names[random.integers(0, 30, 3_000)],
        "t": [f"{i * 7919 % 10_007:x}" for i in range(3_000)],
        "b": random.random(3_000) < 0.5,
        "gone": random.normal(size=3_000),
    }
    write(tmp_path / "old.parquet", columns)
    old = both(tmp_path, "old.parquet")
    new = {
        "x": random.normal(0.5, 1, 2_000),
        "i": columns["i"][:2_000],
        "k": pa.array(["k1"] * 1_500 + [f"new{i}" for i in range(499)] + [None]),
        "t": ["abc", "abcdef"] * 1_000,
        "b": [True] * 2_000,
        "added": [1] * 2_000,
    }
    write(tmp_path / "new.parquet", new)
    found = both(tmp_path, "new.parquet", against=old)
    assert found.against == digest_of_value(old)
    for name in "xi":
        before = column(old, name).numbers
        assert before is not None
        at = np.searchsorted(before.edges, np.asarray(new[name], float), "left")
        counted = np.bincount(at, minlength=len(before.edges) + 1)
        assert column(found, name).in_bins == tuple(counted.tolist())
    top = column(old, "k").categories
    assert top is not None
    expected = tuple(1_500 if value == "k1" else 0 for value, _ in top.top)
    assert column(found, "k").in_bins == (*expected, 499)
    assert column(found, "k").kind == "category"  # it was one, and stays one
    lengths = column(old, "t").numbers
    assert lengths is not None
    assert dict(zip(lengths.edges, column(found, "t").in_bins, strict=False))[3] == 1_000
    assert column(found, "t").in_bins[-1] == 1_000
    assert column(found, "b").in_bins in ((2_000, 0, 0), (0, 2_000, 0))
    assert column(found, "added").in_bins == ()


def test_a_category_that_became_text_is_counted_in_the_old_values(tmp_path: Path) -> None:
    write(tmp_path / "old.parquet", {"k": ["a", "b'\"", "a", "b'\""]})
    write(tmp_path / "new.parquet", {"k": ["a"] * 10 + [f"v{i}" for i in range(3_000)] + ["b'\""]})
    old = both(tmp_path, "old.parquet")
    found = both(tmp_path, "new.parquet", against=old).columns[0]
    assert found.kind == "text"
    assert found.in_bins == (10, 1, 3_000)


@pytest.mark.parametrize("whole_rows", [0, 100])
def test_rows_outside_the_baselines_range(tmp_path: Path, whole_rows: int) -> None:
    start = dt.datetime(2026, 1, 1)
    old = {
        "x": [0.0, 0.1 + 0.2, None, NAN],
        "i": [-5, 5, 5, 0],
        "at": pa.array([start, start, start, None], pa.timestamp("ms")),
        "t": ["abc", "abcd", "abcde", "x"],
        "k": ["a", "a", "b", "b"],
        "nothing": pa.array([None] * 4, pa.float64()),
        "was": [1, 2, 3, 4],
    }
    new = {
        "x": [-0.0, -1e-300, 0.3, 0.1 + 0.2, 0.4, NAN, INF, -INF],
        "i": [-6, -5, 5, 6, 7, None, 2**62, -(2**62)],
        "at": pa.array([*[start + dt.timedelta(seconds=at) for at in (-1, 0, 1)], *[None] * 5],
            pa.timestamp("us")),
        "t": ["", "y", "abcdef", *[f"{at:04}" for at in range(5)]],
        "k": ["a"] * 8,
        "nothing": [1.0] * 8,
        "was": ["a", "b"] * 4,
    }  # fmt: skip
    write(tmp_path / "old.parquet", old)
    write(tmp_path / "new.parquet", new)
    before = both(tmp_path, "old.parquet")
    assert all(one.outside is None for one in before.columns)
    found = both(tmp_path, "new.parquet", against=before, whole_rows=whole_rows)
    assert {one.name: one.outside for one in found.columns} == {
        "x": (1, 1),
        "i": (2, 3),
        "at": (1, 1),
        "t": (1, 1),
        "k": None,
        "nothing": None,
        "was": None,
    }


def test_a_bound_that_was_rounded_leaves_no_row_outside(tmp_path: Path) -> None:
    """Earlier versions kept twelve digits of the least and the largest value."""
    values = np.random.default_rng(3).normal(size=4_000) * 10.0 ** np.arange(-8, 8).repeat(250)
    found = of(tmp_path, values)
    assert found.numbers is not None
    bounds = found.numbers.minimum, found.numbers.maximum
    assert bounds == (values.min(), values.max())
    low, high = (float(f"{bound:.12g}") for bound in bounds if bound is not None)
    assert low > values.min() or high < values.max()
    numbers = msgspec.structs.replace(found.numbers, minimum=low, maximum=high)
    old = DataProfile(columns=(msgspec.structs.replace(found, numbers=numbers),))
    assert of(tmp_path, values, against=old).outside == (0, 0)
    assert of(tmp_path, [*values, 2 * low, 2 * high], against=old).outside == (1, 1)


def test_columns_can_be_left_out(tmp_path: Path) -> None:
    write(tmp_path / "d.parquet", {"id": [1, 2, 3], "x": [1, 1, 2]})
    found = both(tmp_path, "d.parquet", leave_out=["id"])
    assert [column.name for column in found.columns] == ["x"]
    assert found.duplicates == 1
    with pytest.raises(UsageError, match="no column 'ID', which is left out"):
        profile(tmp_path, "d.parquet", leave_out=["ID"])


def test_duplicates(tmp_path: Path) -> None:
    write(
        tmp_path / "d.parquet",
        {"a": [1, 1, None, None, 2, 1], "b": ["x", "x", None, None, "x", "y"], "c": [[1]] * 6},
    )
    assert both(tmp_path, "d.parquet").duplicates == 2
    write(tmp_path / "unique.parquet", {"a": [1.5, 2.5, 3.5], "b": [1, 1, 1]})
    assert both(tmp_path, "unique.parquet").duplicates == 0


def test_duplicates_are_of_the_content_without_the_key(tmp_path: Path) -> None:
    rows = {"id": [1, 2, 3, 4], "a": [0.5, 0.5, 0.5 + 1e-12, 0.75], "b": ["x", "x", "X ", "x"]}
    write(tmp_path / "d.parquet", rows)
    found = both(tmp_path, "d.parquet")
    assert (found.duplicates, found.near_duplicates) == (0, 0)
    found = both(tmp_path, "d.parquet", key=["id"])
    assert (found.duplicates, found.near_duplicates) == (1, 2)
    assert [one.name for one in found.columns] == ["id", "a", "b"]
    found = both(tmp_path, "d.parquet", leave_out=["id", "b"])
    assert (found.duplicates, found.near_duplicates) == (1, 2)
    with pytest.raises(UsageError, match="no column 'key', which is part of the key"):
        profile(tmp_path, "d.parquet", key=["key"])


def test_a_field_that_is_left_out_is_no_content(tmp_path: Path) -> None:
    inner = [{"at": at, "name": "X" if at else "x"} for at in range(3)]
    rows = {"s": [{"id": at, "in": one} for at, one in enumerate(inner)], "v": [[1.0, 2.0]] * 3}
    write(tmp_path / "d.parquet", rows)
    found = both(tmp_path, "d.parquet")
    assert (found.duplicates, found.near_duplicates) == (0, 0)
    found = both(tmp_path, "d.parquet", leave_out=["s.id", "s.in.at", "v[0]"])
    assert (found.duplicates, found.near_duplicates) == (1, 2)


def test_values_that_differ_may_be_nearly_the_same(tmp_path: Path) -> None:
    write(tmp_path / "d.parquet", {"a": [1.0, 1.0 + 1e-12, 2.0], "b": ["x", "x", "x"]})
    found = both(tmp_path, "d.parquet")
    assert (found.duplicates, found.near_duplicates) == (0, 1)
    write(tmp_path / "t.parquet", {"a": [f"{at} a" for at in range(3)] + ["2A"]})
    found = both(tmp_path, "t.parquet")
    assert (found.duplicates, found.near_duplicates) == (0, 1)


def test_too_many_rows_are_not_searched_for_duplicates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assent.measure.profiles.profile.MAX_DUPLICATE_ROWS", 5)
    write(tmp_path / "d.parquet", {"a": [1] * 6})
    found = both(tmp_path, "d.parquet")
    assert found.duplicates is found.near_duplicates is None


@pytest.mark.parametrize("values", [3, 900, 40_000])
def test_texts_that_were_written_out_are_left_to_duckdb_which_reads_them_in_parts(
    tmp_path: Path, values: int
) -> None:
    rows = 40_000
    texts = [f"{at % values:08}" * 20 if at % 7 else None for at in range(rows)]
    write(tmp_path / "d.parquet", {"t": texts}, use_dictionary=False, row_group_size=rows)
    with open_table(tmp_path, "d.parquet") as table:
        assert table.direct is not None
        assert table.direct.texts(table.columns[0], rows) is None
    found = both(tmp_path, "d.parquet").columns[0]
    assert found.nulls == texts.count(None)
    assert (found.kind == "category") is (values < 1_000)
    if found.categories is not None:
        assert found.categories.top[0][1] == max(Counter(filter(None, texts)).values())
        assert len(found.categories.top) == values


def test_progress_is_in_columns(tmp_path: Path) -> None:
    write(tmp_path / "d.parquet", {"a": [1, 2], "b": ["x", "y"], "c": [[1], []]})
    done: list[int] = []
    profile(tmp_path, "d.parquet", progress=done.append)
    assert sum(done) == 4  # and the norm


VALUES = st.fixed_dictionaries(
    {
        "x": st.floats() | st.none(),
        "i": st.integers(-(2**63), 2**63 - 1) | st.none(),
        "k": st.sampled_from(["a", "b", "é", ""]) | st.none(),
        "t": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
        "d": st.dates() | st.none(),
        "b": st.booleans() | st.none(),
    }
)
TYPES = pa.schema(
    [
        ("x", pa.float64()),
        ("i", pa.int64()),
        ("k", pa.string()),
        ("t", pa.string()),
        ("d", pa.date32()),
        ("b", pa.bool_()),
    ]
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(VALUES, min_size=1, max_size=30), data=st.data())
def test_the_order_of_rows_and_files_does_not_matter(
    tmp_path: Path, rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    whole = tmp_path / "whole"
    split = tmp_path / "split"
    whole.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, TYPES), whole / "a.parquet")
    mixed = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    split.mkdir(exist_ok=True)
    for name, part in (("b", mixed[:cut]), ("a", mixed[cut:])):
        table = pa.Table.from_pylist(part, TYPES)
        pq.write_table(table, split / f"{name}.parquet", row_group_size=7)
    found = both(tmp_path, "whole")
    assert encode_profile(both(tmp_path, "split")) == encode_profile(found)
    against = both(tmp_path, "split", against=found)
    for one in against.columns:
        if one.numbers is not None:
            assert one.in_bins == one.numbers.counts
            assert one.outside == (0, 0)


def test_batches_count_like_the_whole(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    columns = {
        "x": pa.array(random.normal(size=30_000), mask=random.random(30_000) < 0.1),
        "i": random.integers(0, 50, 30_000),
        "w": random.integers(-(10**15), 10**15, 30_000),
        "s": [dt.datetime(2026, 1, 1) + dt.timedelta(seconds=i % 9_000) for i in range(30_000)],
        "k": [f"k{i % 9}" for i in range(30_000)],
    }
    write(tmp_path / "d.parquet", columns, row_group_size=4_000)
    whole = both(tmp_path, "d.parquet")
    parts = both(tmp_path, "d.parquet", whole_rows=0)
    assert parts == whole or all(
        _nearly(one, other) for one, other in zip(parts.columns, whole.columns, strict=True)
    )
    counted = both(tmp_path, "d.parquet", whole_rows=0, against=whole)
    for one, other in zip(counted.columns, whole.columns, strict=True):
        if other.numbers is not None:
            assert one.in_bins == other.numbers.counts
            assert one.outside == (0, 0)
            assert one.numbers is not None
            assert one.numbers.edges == other.numbers.edges


def _nearly(one: ColumnProfile, other: ColumnProfile) -> bool:
    assert (one.nulls, one.nans, one.kind) == (other.nulls, other.nans, other.kind)
    assert one.distinct == pytest.approx(other.distinct, rel=0.05)
    if one.numbers is None or other.numbers is None:
        return one == other
    for name in ("minimum", "maximum", "zeros", "negatives", "edges", "counts"):
        assert getattr(one.numbers, name) == getattr(other.numbers, name)
    for name in ("mean", "deviation", "skewness", "kurtosis"):
        assert getattr(one.numbers, name) == pytest.approx(
            getattr(other.numbers, name), rel=1e-9, abs=1e-9
        )
    return True


def test_a_sample_chooses_the_edges_of_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assent.measure.profiles.profile._SAMPLE", 2_000)
    values = np.random.default_rng(5).normal(size=30_000)
    write(tmp_path / "d.parquet", {"x": values}, row_group_size=4_000)
    found = both(tmp_path, "d.parquet", whole_rows=0).columns[0].numbers
    assert found is not None
    at = np.searchsorted(found.edges, values, "left")
    assert found.counts == tuple(np.bincount(at, minlength=len(found.edges) + 1).tolist())
    assert max(found.counts) < 30_000 / 255 * 3


def test_the_means_of_bins_are_kept(tmp_path: Path) -> None:
    random = np.random.default_rng(8)
    values = np.r_[-random.lognormal(9, 2, 2_000), random.normal(size=40_000), 1e9]
    write(tmp_path / "d.parquet", {"x": values})
    found = both(tmp_path, "d.parquet")
    batches = both(tmp_path, "d.parquet", against=found, whole_rows=1_000)
    for one in (found, batches):
        numbers = one.columns[0].numbers
        assert numbers is not None
        ends = [float(values.min()), *numbers.edges, float(values.max())]
        at = np.searchsorted(numbers.edges, values, "left")
        for place, (start, end) in enumerate(itertools.pairwise(ends)):
            mean = values[at == place].mean()
            share = numbers.within[place]
            said = start + (end - start) * share
            nearer = min(mean - start, end - mean)
            assert said == pytest.approx(mean, abs=0.006 * nearer + 1e-9 * abs(end) + 1e-12)


def test_no_means_are_kept_where_each_edge_is_a_value(tmp_path: Path) -> None:
    write(tmp_path / "d.parquet", {"x": [1, 2, 2, 3], "y": [None, 0.5, 0.5, 0.5]})
    assert [one.numbers.within for one in both(tmp_path, "d.parquet").columns if one.numbers] == [
        (),
        (),
    ]


def test_a_thousand_columns_stay_small(tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    columns: dict[str, Any] = {}
    for i in range(1_000):
        values: Any = random.lognormal(0, 1, 2_000)
        if i % 4 == 1:
            values = random.integers(0, 10**9, 2_000)
        elif i % 4 == 2:
            values = np.array([f"category {j}" for j in range(300)])[random.integers(0, 300, 2_000)]
        columns[f"feature_{i:04}"] = values
    write(tmp_path / "wide.parquet", columns)
    old = both(tmp_path, "wide.parquet")
    assert len(encode_profile(old)) <= 200_000
    found = profile(tmp_path, "wide.parquet", against=old)
    assert len(encode_profile(found)) <= 200_000


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    write(tmp_path / "d.parquet", {"x": random.normal(size=5_000), "y": random.random(5_000) / 3})
    first, second = (encode_profile(profile(tmp_path, "d.parquet")) for _ in range(2))
    assert first == second
    for one in profile(tmp_path, "d.parquet").columns:
        assert one.numbers is not None
        for value in (*one.numbers.edges, one.numbers.mean, one.numbers.kurtosis):
            assert value == float(f"{value:.12g}")


WITHOUT_PANDAS = """
import sys
sys.modules["pandas"] = None
from pathlib import Path
from assent.measure.profiles.encoding import encode_profile
from assent.measure.profiles.profile import profile_data
from assent.measure.profiles.reading import open_table
with open_table(Path(sys.argv[1]), "d.parquet", use_pyarrow=sys.argv[2] == "True") as table:
    sys.stdout.buffer.write(encode_profile(profile_data(table)))
"""


def test_both_readers_give_the_same_bytes_and_pandas_is_never_imported(tmp_path: Path) -> None:
    random = np.random.default_rng(8)
    write(
        tmp_path / "d.parquet",
        {
            "x": pa.array(random.normal(size=5_000), mask=random.random(5_000) < 0.1),
            "t": [dt.datetime(2026, 1, 1) + dt.timedelta(hours=i) for i in range(5_000)],
            "k": [f"k{i % 5}" for i in range(5_000)],
            "s": [f"s{i}" for i in range(5_000)],
            "b": [None, True, False, True, False] * 1_000,
            "n": [[1], [], None, [2, 3], []] * 1_000,
        },
    )
    expected = encode_profile(profile(tmp_path, "d.parquet"))
    for use_pyarrow in ("True", "False"):
        command = [sys.executable, "-c", WITHOUT_PANDAS, str(tmp_path), use_pyarrow]
        assert subprocess.run(command, capture_output=True, check=True).stdout == expected


def test_moments_of_a_column(tmp_path: Path) -> None:
    values = np.random.default_rng(9).lognormal(0, 0.5, 4_001)
    found = of(tmp_path, values).numbers
    assert found is not None
    assert found.mean == pytest.approx(values.mean())
    assert found.deviation == pytest.approx(values.std())
    assert found.skewness == pytest.approx(stats.skew(values))
    assert found.kurtosis == pytest.approx(stats.kurtosis(values))


PEAK = """
import resource, sys
from pathlib import Path
from assent.measure.profiles.profile import profile_data
from assent.measure.profiles.reading import open_table
with open_table(Path(sys.argv[1]), sys.argv[2], use_pyarrow=sys.argv[3] == "True") as table:
    profile_data(table)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("use_pyarrow", [True, False])
def test_long_texts_of_one_row_group_are_never_all_in_memory(
    tmp_path: Path, use_pyarrow: bool
) -> None:
    def peak_kib(name: str) -> int:
        command = [sys.executable, "-c", PEAK, str(tmp_path), name, str(use_pyarrow)]
        return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    rows = 20_000
    for name, digits in (("short", 2), ("long", 3_000)):
        texts = [f"{random.getrandbits(8 * digits):0{2 * digits}x}" for _ in range(rows)]
        write(tmp_path / f"{name}.parquet", {"t": texts}, row_group_size=rows, compression="none")
    size_kib = (tmp_path / "long.parquet").stat().st_size // 1024
    assert size_kib > 110_000
    assert peak_kib("long.parquet") - peak_kib("short.parquet") < 0.8 * size_kib
