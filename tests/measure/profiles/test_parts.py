from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from assent.core.profile import ColumnProfile, DataProfile
from assent.errors import UsageError
from assent.measure.profiles import parts
from assent.measure.profiles.encoding import decode_profile, encode_profile
from tests.measure.profiles.tables import both, column, write

NAN, INF = float("nan"), float("inf")


def of(root: Path, values: Any, **options: Any) -> DataProfile:
    """The profile of a table whose one column is called `c`."""
    write(root / "d.parquet", {"c": values})
    found = both(root, "d.parquet", **options)
    assert decode_profile(encode_profile(found)) == found
    return found


def names(found: DataProfile) -> list[tuple[str, str]]:
    return [(one.name, one.of) for one in found.columns]


def bounds(found: ColumnProfile) -> tuple[float | None, float | None]:
    assert found.numbers is not None
    return found.numbers.minimum, found.numbers.maximum


def test_fields_of_structs_are_columns(tmp_path: Path) -> None:
    at = dt.datetime(1970, 1, 1, 0, 0, 2)
    type_ = pa.struct(
        [
            ("city", pa.string()),
            ("place", pa.struct([("x", pa.float64()), ("tags", pa.list_(pa.string()))])),
            ("a.b", pa.bool_()),
            ("at", pa.timestamp("ms")),
        ]
    )
    value = {"city": "Rome", "place": {"x": 1.5, "tags": ["a"]}, "a.b": True, "at": at}
    found = of(
        tmp_path,
        pa.array([value, value, None, {**value, "city": "N/A", "place": None}] * 5, type_),
    )
    assert names(found) == [
        ("c", ""),
        ("c.city", "c"),
        ("c.place", "c"),
        ("c.place.x", "c.place"),
        ("c.place.tags", "c.place"),
        ('c."a.b"', "c"),
        ("c.at", "c"),
    ]
    kinds = [(one.kind, one.type, one.nulls) for one in found.columns[1:]]
    assert kinds == [
        ("category", "string", 5),
        ("nested", "struct<x: double, tags: list<string>>", 10),
        ("number", "double", 10),
        ("nested", "list<string>", 10),
        ("boolean", "bool", 5),
        ("time", "timestamp[ms]", 5),
    ]
    assert column(found, "c.city").tokens == 5
    assert bounds(column(found, "c.place.x")) == (1.5, 1.5)
    assert bounds(column(found, "c.at")) == (2.0, 2.0)


def test_a_part_is_not_taken_for_a_column_of_its_name(tmp_path: Path) -> None:
    columns = {
        "a": pa.array([{"x": 1}, {"x": 2}]),
        "a.x": ["k", "k"],
        "v (norm)": [7.0, 8.0],
        "v": [[3.0, 4.0], [0.0, 0.0]],
    }
    write(tmp_path / "d.parquet", columns)
    found = both(tmp_path, "d.parquet")
    assert [name for name in names(found) if name[1]] == [
        ("a.x (part)", "a"),
        ("v (norm) (part)", "v"),
        ("v[0]", "v"),
        ("v[1]", "v"),
    ]
    assert column(found, "a.x").kind == "category"
    assert bounds(column(found, "v (norm) (part)")) == (0.0, 5.0)
    old = both(tmp_path, "d.parquet", leave_out=["a.x"])
    assert column(old, "a.x (part)").of == "a"  # it keeps its name, whatever is left out
    counted = both(tmp_path, "d.parquet", against=found)
    assert column(counted, "a.x (part)").outside == (0, 0)
    assert column(counted, "a.x").outside is None


def test_parts_of_the_baseline_are_of_the_same_column(tmp_path: Path) -> None:
    """A column that is called like a part of the baseline is not counted in its bins."""
    write(tmp_path / "old.parquet", {"a": pa.array([{"x": 1}, {"x": 2}])})
    write(tmp_path / "new.parquet", {"a.x": [5, 6]})
    old = both(tmp_path, "old.parquet")
    assert both(tmp_path, "new.parquet", against=old).columns[0].in_bins == ()


def test_parts_can_be_left_out(tmp_path: Path) -> None:
    values = pa.array([{"x": 1, "y": {"z": 2}}])
    assert names(of(tmp_path, values, leave_out=["c.x"]))[1:] == [("c.y", "c"), ("c.y.z", "c.y")]
    assert names(of(tmp_path, values, leave_out=["c.y"])) == [("c", ""), ("c.x", "c")]
    assert names(of(tmp_path, values, leave_out=["c", "c.y.z"])) == []
    with pytest.raises(UsageError, match=r"no column 'c\.nope'"):
        of(tmp_path, values, leave_out=["c.nope"])


def test_a_level_is_unpacked_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    wide = {f"f{at}": at for at in range(parts.MAX_PARTS)}
    assert len(of(tmp_path, pa.array([wide])).columns) == 1 + parts.MAX_PARTS
    found = of(tmp_path, pa.array([{"inner": wide}]))
    assert names(found) == [("c", ""), ("c.inner", "c")]
    assert names(of(tmp_path, pa.array([wide | {"more": 1}]))) == [("c", "")]
    deep: Any = 1
    for _ in range(parts.MAX_DEPTH + 2):
        deep = {"d": deep}
    found = of(tmp_path, pa.array([deep]))
    assert [one.name for one in found.columns] == ["c", "c.d", "c.d.d", "c.d.d.d", "c.d.d.d.d"]


@pytest.mark.parametrize(
    "type_", [pa.list_(pa.float32()), pa.list_(pa.float64(), 3), pa.list_(pa.decimal128(9, 2))]
)
def test_short_lists_of_numbers_are_columns_by_place(tmp_path: Path, type_: Any) -> None:
    found = of(tmp_path, pa.array([[1, 2, 2], [0, 3, None], None], type_))
    assert [(one.name, one.of, one.nulls) for one in found.columns] == [
        ("c", "", 1),
        ("c (norm)", "c", 1),
        ("c[0]", "c", 1),
        ("c[1]", "c", 1),
        ("c[2]", "c", 2),
    ]
    assert bounds(column(found, "c (norm)")) == (3.0, 3.0)
    assert bounds(column(found, "c[1]")) == (2.0, 3.0)
    again = of(tmp_path, pa.array([[1, 2, 2, 4], [0, 7, 0, 0], [1, 1, 1, 1]]), against=found)
    assert [one.name for one in again.columns][2:] == ["c[0]", "c[1]", "c[2]"]
    assert column(again, "c[1]").outside == (1, 1)


def test_other_lists_of_numbers_have_a_norm(tmp_path: Path) -> None:
    lists = [[3, 4], [], None, [0.0], [NAN, 1], [INF], [1e300, 1e300], [None, 2]]
    found = of(tmp_path, pa.array(lists, pa.list_(pa.float64())))
    assert names(found) == [("c", ""), ("c (norm)", "c")]
    norm = column(found, "c (norm)")
    assert (norm.kind, norm.type, norm.nulls) == ("number", "double", 1)
    assert (norm.nans, norm.infinities, bounds(norm)) == (1, 2, (0.0, 5.0))
    long = np.ones((2, parts.MAX_DIMENSIONS + 1)).tolist()
    assert len(of(tmp_path, long).columns) == 2
    late = [[1.0, 2.0]] * (parts.FIRST + 5) + [[1.0]]
    assert len(of(tmp_path, late).columns) == 2
    assert len(of(tmp_path, pa.array([[], []], pa.list_(pa.int64()))).columns) == 2


@pytest.mark.parametrize(
    "values",
    [
        [["a"], ["b", "c"]],
        [[True], [False]],
        [b"abc", b"d"],
        pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
        [[[1.0]], [[2.0]]],
        pa.array([[dt.time(1)]], pa.list_(pa.time64("us"))),
    ],
)
def test_what_else_is_nested_has_no_parts(tmp_path: Path, values: Any) -> None:
    assert names(of(tmp_path, values)) == [("c", "")]


def test_parts_are_counted_in_batches_too(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    values = [{"x": x, "v": [x, 1.0]} for x in random.normal(size=3_000).round(1).tolist()]
    write(tmp_path / "d.parquet", {"c": values}, row_group_size=700)
    whole = both(tmp_path, "d.parquet")
    counted = both(tmp_path, "d.parquet", whole_rows=0, against=whole)
    assert names(counted) == names(whole)
    for one, other in zip(counted.columns, whole.columns, strict=True):
        assert one.nulls == other.nulls
        assert one.in_bins == (other.numbers.counts if other.numbers else ())
