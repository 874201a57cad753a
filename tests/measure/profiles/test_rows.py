from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assent.core.profile import RowChanges
from assent.errors import UsageError
from assent.measure.profiles.overlap import overlap
from assent.measure.profiles.profile import profile_data
from assent.measure.profiles.reading import open_table
from assent.measure.profiles.rows import MAX_COLUMNS, row_changes
from tests.effort import examples
from tests.measure.profiles.tables import write


def changes(
    root: Path, old: dict[str, Any], new: dict[str, Any], key: tuple[str, ...] = ("id",)
) -> RowChanges:
    write(root / "old.parquet", old)
    write(root / "new.parquet", new)
    with open_table(root, "old.parquet") as before, open_table(root, "new.parquet") as after:
        return row_changes(before, after, name="d", key=key)


def test_added_removed_changed(tmp_path: Path) -> None:
    found = changes(
        tmp_path,
        {"id": [1, 2, 3, 4, 5], "x": [1.0, 2.0, None, 4.0, 5.0], "y": list("abcde")},
        {"id": [5, 4, 3, 2, 9], "x": [5.0, 4.5, 3.0, 2.0, 0.0], "y": list("exxbz")},
    )
    assert found == RowChanges(
        data="d",
        key=("id",),
        added=1,
        removed=1,
        changed=2,
        same=2,
        columns=(("x", 2), ("y", 2)),
    )


def test_nothing_changed(tmp_path: Path) -> None:
    rows = {"id": ["b", "a"], "x": [float("nan"), None], "n": [[1], None]}
    found = changes(tmp_path, rows, rows)
    assert found == RowChanges(data="d", key=("id",), same=2)


NESTED: dict[str, tuple[pa.DataType, list[Any]]] = {
    "list": (pa.list_(pa.int64()), [None, [], [None], [0], [0, 0], [1], [0, 1], [1, None]]),
    "fixed": (pa.list_(pa.int64(), 2), [None, [None, None], [0, 1], [1, 0], [None, 1]]),
    "text": (pa.list_(pa.string()), [None, [], [None], [""], ["NULL"], ["a", "b"], ["a, b"]]),
    "deep": (
        pa.list_(pa.list_(pa.int64())),
        [None, [], [None], [[]], [[None]], [[1], [2]], [[1, 2]], [[1], []], [[], [1]]],
    ),
    "struct": (
        pa.struct([("a", pa.int64()), ("b", pa.int64())]),
        [None, {"a": None, "b": None}, {"a": 1, "b": None}, {"a": None, "b": 1}, {"a": 0, "b": 1}],
    ),
    "list in struct": (
        pa.struct([("a", pa.list_(pa.int64()))]),
        [None, {"a": None}, {"a": []}, {"a": [None]}, {"a": [1]}, {"a": [0, 1]}],
    ),
    "struct in list": (
        pa.list_(pa.struct([("a", pa.int64())])),
        [None, [], [None], [{"a": None}], [{"a": 1}], [None, {"a": 1}]],
    ),
    "map": (
        pa.map_(pa.string(), pa.int64()),
        [None, [], [("a", None)], [("a", 1)], [("b", 1)], [("a", 1), ("b", 1)]],
    ),
}


@pytest.mark.parametrize("case", NESTED)
def test_any_two_nested_values_are_told_apart(tmp_path: Path, case: str) -> None:
    """DuckDB hashes `[0, 1]` as `[1]`, and `[]` as nothing."""
    kind, values = NESTED[case]
    pairs = [(one, other) for one in values for other in values]
    old, new = (pa.array([pair[side] for pair in pairs], kind) for side in (0, 1))
    ids = range(len(pairs))
    same = len(values)
    for order in ((old, pa.array(ids)), (pa.array(ids), old)):  # hashed first or last of a row
        before = dict(zip("pq", order, strict=True), id=ids)
        after = {name: new if column is old else column for name, column in before.items()}
        found = changes(tmp_path, before, after)
        assert (found.same, found.changed) == (same, len(pairs) - same)
        assert [count for _, count in found.columns] == [found.changed]


@pytest.mark.parametrize("case", NESTED)
def test_nested_rows_that_differ_are_neither_repeated_nor_shared(tmp_path: Path, case: str) -> None:
    kind, values = NESTED[case]
    whole = pa.array(values, kind)
    write(tmp_path / "all.parquet", {"x": whole})
    with open_table(tmp_path, "all.parquet") as table:
        assert profile_data(table).duplicates == 0
    for at in range(1, len(values)):
        write(tmp_path / "one.parquet", {"x": whole.slice(at, 1)})
        write(tmp_path / "others.parquet", {"x": pa.array(values[1:at] + values[at + 1 :], kind)})
        with (
            open_table(tmp_path, "others.parquet") as others,
            open_table(tmp_path, "one.parquet") as one,
        ):
            assert overlap(others, one, names=("a", "b"), key=()).rows == 0


def test_a_nested_key_that_is_null_is_no_match_between_data_sets(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", {"k": pa.array([None, [1]], pa.list_(pa.int64())), "x": [1, 2]})
    write(tmp_path / "b.parquet", {"k": pa.array([None, [0, 1], [1]], pa.list_(pa.int64()))})
    with open_table(tmp_path, "a.parquet") as one, open_table(tmp_path, "b.parquet") as other:
        assert overlap(one, other, names=("a", "b"), key=("k",)).keys == 1


def test_a_null_is_a_key_like_any_other(tmp_path: Path) -> None:
    found = changes(tmp_path, {"id": [None, 1], "x": [1, 1]}, {"id": [1, None], "x": [1, 2]})
    assert (found.changed, found.same, found.columns) == (1, 1, (("x", 1),))


def test_repeated_keys_are_apart(tmp_path: Path) -> None:
    found = changes(
        tmp_path,
        {"id": [1, 1, 2, 3, 7, 7], "x": [1, 2, 3, 4, 0, 0]},
        {"id": [1, 2, 3, 3, 8, 8], "x": [1, 4, 4, 4, 0, 0]},
    )
    # keys 1, 3, 7 and 8
    assert (found.repeated_keys, found.changed, found.same) == (10, 1, 0)
    assert (found.added, found.removed) == (0, 0)


def test_keys_of_several_columns_and_columns_of_one_side(tmp_path: Path) -> None:
    found = changes(
        tmp_path,
        {"a": [1, 1], "b": ["x", None], "v": [1, 2], "gone": [1, 1]},
        {"a": pa.array([1, 1], pa.int16()), "b": [None, "x"], "v": [2, 5], "new": [1, 1]},
        key=("a", "b"),
    )
    assert (found.changed, found.same, found.columns) == (1, 1, (("v", 1),))


@pytest.mark.parametrize("side", ["old", "new"])
def test_an_empty_side(tmp_path: Path, side: str) -> None:
    empty, full = {"id": pa.array([], pa.int64())}, {"id": [1, 2, 2]}
    old, new = (empty, full) if side == "old" else (full, empty)
    found = changes(tmp_path, old, new)
    assert (found.added, found.removed) == ((1, 0) if side == "old" else (0, 1))
    assert found.repeated_keys == 2


def test_no_key(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it has no key"):
        changes(tmp_path, {"id": [1]}, {"id": [1]}, key=())
    with pytest.raises(UsageError, match="no column 'key'"):
        changes(tmp_path, {"id": [1]}, {"id": [1]}, key=("key",))


KEYS = st.lists(st.tuples(st.integers(0, 6) | st.none(), st.integers(0, 1)), max_size=8)


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=KEYS, new=KEYS)
def test_like_the_plain_way(
    tmp_path: Path, old: list[tuple[int | None, int]], new: list[tuple[int | None, int]]
) -> None:
    def columns(rows: list[tuple[int | None, int]]) -> dict[str, Any]:
        keys, values = [key for key, _ in rows], [value for _, value in rows]
        return {"id": pa.array(keys, pa.int64()), "v": pa.array(values, pa.int64())}

    found = changes(tmp_path, columns(old), columns(new))
    counts = Counter(key for key, _ in old), Counter(key for key, _ in new)
    repeated = {key for of in counts for key, count in of.items() if count > 1}
    left = {key: value for key, value in old if key not in repeated}
    right = {key: value for key, value in new if key not in repeated}
    both = left.keys() & right.keys()
    assert found.added == len(right.keys() - both)
    assert found.removed == len(left.keys() - both)
    assert found.changed == sum(left[key] != right[key] for key in both)
    assert found.same == sum(left[key] == right[key] for key in both)
    assert found.repeated_keys == sum(of[key] for of in counts for key in repeated)


CELLS = st.integers(0, 2) | st.none()
ROWS = st.dictionaries(st.integers(0, 9), st.tuples(CELLS, CELLS, CELLS), max_size=10)


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=ROWS, new=ROWS, most=st.integers(1, 3))
def test_the_columns_that_differ_whichever_side_is_larger(
    tmp_path: Path, old: dict[int, tuple[Any, ...]], new: dict[int, tuple[Any, ...]], most: int
) -> None:
    def columns(rows: dict[int, tuple[Any, ...]]) -> dict[str, Any]:
        values = {
            f"v{at}": pa.array([row[at] for row in rows.values()], pa.int64()) for at in range(3)
        }
        return {"id": pa.array(rows, pa.int64()), **values}

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("assent.measure.profiles.rows.MAX_COLUMNS", most)
        found = changes(tmp_path, columns(old), columns(new))
    both = old.keys() & new.keys()
    differ = {f"v{at}": sum(old[key][at] != new[key][at] for key in both) for at in range(3)}
    assert dict(found.columns) == {name: count for name, count in differ.items() if count}
    assert found.changed == sum(old[key] != new[key] for key in both)
    assert found.same == len(both) - found.changed


@pytest.mark.parametrize("sides", [(1, 2), (2, 1), (2, 2)])
def test_a_repeated_row_that_is_the_same_is_no_pair(tmp_path: Path, sides: tuple[int, int]) -> None:
    old, new = ({"id": [1] + [2] * times, "x": [0] * (times + 1)} for times in sides)
    found = changes(tmp_path, old, new)
    assert (found.repeated_keys, found.same, found.changed) == (sum(sides), 1, 0)


def test_more_columns_than_are_kept(tmp_path: Path) -> None:
    names = [f"c{at}" for at in range(2 * MAX_COLUMNS + 1)]
    old = {"id": [1, 2], **{name: [0.0, float("nan")] for name in names}}
    new = old | {names[0]: [0.0, 1.0], names[-1]: [0.5, float("nan")]}
    found = changes(tmp_path, old, new)
    assert (found.changed, found.columns) == (2, ((names[0], 1), (names[-1], 1)))


def test_another_unit_is_no_change_of_rows(tmp_path: Path) -> None:
    at = [1_700_000_000, 1_700_000_001, None]
    old = pa.array([None if one is None else one * 10**9 for one in at], pa.timestamp("ns"))
    new = pa.array([None if one is None else one * 10**3 for one in at], pa.timestamp("ms"))
    found = changes(tmp_path, {"id": [1, 2, 3], "t": old}, {"id": [1, 2, 3], "t": new})
    assert (found.same, found.changed) == (3, 0)
    found = changes(tmp_path, {"t": old, "x": [1, 2, 3]}, {"t": new, "x": [1, 2, 4]}, ("t",))
    assert (found.same, found.changed, found.columns) == (2, 1, (("x", 1),))


PLAIN = pa.struct([("a", pa.int64()), ("b", pa.string())])
TURNED = pa.struct([("b", pa.string()), ("a", pa.int64())])
WIDER = pa.struct([("b", pa.string()), ("a", pa.int32())])
RENAMED = pa.struct([("b", pa.string()), ("c", pa.int64())])


@pytest.mark.parametrize("wrapped", ["plain", "list", "within", "map"])
def test_the_order_of_the_fields_of_a_struct_is_no_value(tmp_path: Path, wrapped: str) -> None:
    def side(struct: Any, last: int = 2) -> dict[str, Any]:
        name = struct.field(1).name if struct.field(0).name == "b" else "a"
        rows: list[Any] = [{name: at, "b": "x"} for at in (1, last)] + [None]
        type_ = struct
        if wrapped == "list":
            rows, type_ = [[row] for row in rows], pa.list_(struct)
        elif wrapped == "within":
            rows, type_ = (
                [{"s": row, "n": 1} for row in rows],
                pa.struct([("n", pa.int64()), ("s", struct)]),
            )
        elif wrapped == "map":
            rows, type_ = [[("k", row)] for row in rows], pa.map_(pa.string(), struct)
        return {"id": [1, 2, 3], "v": pa.array(rows, type_)}

    assert changes(tmp_path, side(PLAIN), side(TURNED)).changed == 0
    assert changes(tmp_path, side(PLAIN), side(TURNED, 3)).changed == 1
    assert changes(tmp_path, side(PLAIN), side(WIDER)).changed == 0
    assert changes(tmp_path, side(PLAIN), side(RENAMED)).changed >= 2
    with (
        open_table(tmp_path, "old.parquet") as old,
        open_table(tmp_path, "new.parquet") as new,
    ):
        assert overlap(old, new, names=("old", "new"), without={"id"}).rows <= 1
    changes(tmp_path, side(PLAIN), side(TURNED))
    with (
        open_table(tmp_path, "old.parquet") as old,
        open_table(tmp_path, "new.parquet") as new,
    ):
        found = overlap(old, new, names=("old", "new"), without={"id"})
        assert (found.rows, found.near) == (3, 3)
