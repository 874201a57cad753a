"""What holds for every pair of data sets."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from assent.compare.data import compare_data
from assent.core.diff.data import ColumnChange, DataChange, DataDiff
from assent.core.profile import Categories, ColumnKind, ColumnProfile, DataProfile, Numbers
from assent.report.sections.data import data_section
from assent.report.text import to_text
from tests.compare.profiling import reference

NAMES = ["a", "b", "c", "ü|x", "\ud800", "<b>"]
rows_of = st.integers(0, 10**7)


@st.composite
def numbers(draw: st.DrawFn) -> ColumnProfile:
    edges = draw(
        st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=12, unique=True)
    )
    counts = draw(st.lists(rows_of, min_size=len(edges) + 1, max_size=len(edges) + 1))
    found = Numbers(
        minimum=min(edges, default=None),
        maximum=max(edges, default=None),
        mean=draw(st.none() | st.floats(-1e300, 1e300)),
        deviation=draw(st.none() | st.floats(0, allow_infinity=False)),
        edges=tuple(sorted(edges)),
        counts=tuple(counts),
    )
    kinds: list[ColumnKind] = ["number", "time", "text"]
    kind = draw(st.sampled_from(kinds))
    return ColumnProfile(name="", type="double", kind=kind, numbers=found, nulls=draw(rows_of))


@st.composite
def categories(draw: st.DrawFn) -> ColumnProfile:
    top = draw(st.dictionaries(st.sampled_from(["x", "y", "z", "(others)", ""]), rows_of))
    ranked = sorted(top.items(), key=lambda one: (-one[1], one[0]))
    found = Categories(top=tuple(ranked), others=draw(st.just(0) | rows_of))
    return ColumnProfile(
        name="", type="string", kind="category", categories=found, nulls=draw(rows_of)
    )


@st.composite
def profiles(draw: st.DrawFn) -> DataProfile:
    """Profiles whose rows add up, and some that lie."""
    names = draw(st.lists(st.sampled_from(NAMES), max_size=5, unique=True))
    columns = [replace(draw(numbers() | categories()), name=name) for name in names]
    rows = max((_rows(column) for column in columns), default=0)
    if draw(st.booleans()):
        columns = [replace(one, nulls=one.nulls + rows - _rows(one)) for one in columns]
    return DataProfile(rows=rows, columns=tuple(columns))


def _rows(column: ColumnProfile) -> int:
    counted = column.nulls
    if column.numbers is not None:
        counted += sum(column.numbers.counts)
    if column.categories is not None:
        counted += sum(rows for _, rows in column.categories.top) + column.categories.others
    return counted


def compared(old: DataProfile, new: DataProfile) -> DataDiff:
    return compare_data(
        [reference("train", "old", label="a")],
        [reference("train", "new", label="a")],
        old_profiles={"train": old},
        new_profiles={"train": new},
    )


def only(diff: DataDiff) -> DataChange:
    (change,) = diff.changes
    return change


@given(profiles())
def test_data_compared_with_itself_does_not_differ(one: DataProfile) -> None:
    same = [reference("train", "same")]
    diff = compare_data(same, same, old_profiles={"train": one}, new_profiles={"train": one})
    assert (diff.changes, len(diff.same)) == ((), 1)
    change = only(compared(one, one))
    assert (change.columns, change.close_columns) == ((), 0)
    known = change.same_columns + change.alike_columns
    assert known + len(change.not_compared) == len(one.columns)


@given(profiles(), profiles())
def test_columns_that_come_there_go_back_again(old: DataProfile, new: DataProfile) -> None:
    there, back = only(compared(old, new)), only(compared(new, old))
    assert _named(there.columns, is_new=True) == _named(back.columns, is_new=False)
    assert _named(there.columns, is_new=False) == _named(back.columns, is_new=True)
    assert {(one.name, one.old_name) for one in there.columns if one.old_name} == {
        (one.old_name, one.name) for one in back.columns if one.old_name
    }
    assert _retyped(there.columns) == {
        (name, new, old) for name, old, new in _retyped(back.columns)
    }


@given(profiles(), profiles())
def test_categories_are_as_far_there_as_back(old: DataProfile, new: DataProfile) -> None:
    kinds = {one.name: one.kind for one in old.columns}
    there = {one.name: one for one in only(compared(old, new)).columns}
    back = {one.name: one for one in only(compared(new, old)).columns}
    for name in there.keys() & back.keys():
        left, right = there[name].drift, back[name].drift
        if kinds.get(name) != "category" or left is None or right is None:
            continue
        if not (left.is_approximate or right.is_approximate):
            assert left == right


@given(profiles(), profiles(), st.randoms(use_true_random=False))
def test_the_order_of_columns_does_not_matter(
    old: DataProfile, new: DataProfile, random: object
) -> None:
    assert hasattr(random, "sample")
    mixed = [
        replace(one, columns=tuple(random.sample(one.columns, len(one.columns))))
        for one in (old, new)
    ]
    expected, found = compared(old, new), compared(mixed[0], mixed[1])
    assert found.changes == expected.changes
    assert sorted(found.measured[0].columns, key=str) == sorted(
        expected.measured[0].columns, key=str
    )


@given(profiles(), profiles())
def test_every_column_is_accounted_for(old: DataProfile, new: DataProfile) -> None:
    diff = compared(old, new)
    change = only(diff)
    there = [one for one in change.columns if one.new is not None]
    left = len(change.not_compared)
    known = change.same_columns + change.alike_columns
    assert len(there) + known + change.close_columns + left == len(new.columns)
    before, after = ({of.name: of for of in one.columns} for one in (old, new))
    told = {one.name for one in there} | {one.name for one in change.not_compared}
    equal = {name for name in after.keys() - told if before[name] == after[name]}
    assert known == len(equal)
    assert not any(after[one.name].kind == "text" and one.name in equal for one in there)
    said = to_text([data_section(diff)])
    assert ("alike in every count" in said) is (change.alike_columns > 0)
    assert ("the same values" in said) is (change.same_columns > 0)
    assert "the same" not in said.replace("the same values", "")
    assert "unchanged" not in said.lower()
    assert [one.name for one in diff.measured[0].columns] == [one.name for one in new.columns]
    for column in change.columns:
        assert len(column.shares) <= 20
        if column.drift is not None:
            assert 0 <= column.drift.p <= 1
            assert 0 <= column.drift.distance <= 1
            assert 0 <= column.drift.variation <= 1
            assert column.drift.psi >= 0


def _named(columns: Sequence[ColumnChange], *, is_new: bool) -> set[str]:
    return {one.name for one in columns if (one.old if is_new else one.new) is None}


def _retyped(columns: Sequence[ColumnChange]) -> set[tuple[str, str, str]]:
    return {
        (one.name, one.old.type, one.new.type)
        for one in columns
        if one.old is not None and one.new is not None and one.old.type != one.new.type
    }
