"""Whether values are the same, of profiles that are whole, older, of other schemes, or that lie."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from assent.compare.alike import are_alike, have_other_values, have_same_values
from assent.compare.data import compare_data
from assent.core.diff.data import DataChange
from assent.core.profile import Categories, ColumnProfile, DataProfile, Fingerprint
from tests.compare.profiling import category, number, profile, reference

ROWS = 40
HERE = Fingerprint(scheme="number", values="0" * 16)
THERE = Fingerprint(scheme="number", values="1" * 16)
X = replace(number("x", range(ROWS)), fingerprint=HERE)
TEXT = replace(
    number("body", [9] * ROWS, type="string", kind="text"),
    distinct=ROWS,
    frequent=(),
    fingerprint=Fingerprint(scheme="text 1", values="0" * 16),
)
LIST = replace(number("v", [2] * ROWS, type="list<string>", kind="nested"), fingerprint=HERE)


def same(old: ColumnProfile, new: ColumnProfile, rows: int = ROWS, **more: Any) -> bool:
    return have_same_values(old, new, (ROWS, rows), is_counted=False, **more)


def changed(old: DataProfile, new: DataProfile) -> DataChange:
    (found,) = compare_data(
        [reference("train", "old")],
        [reference("train", "new")],
        old_profiles={"train": old},
        new_profiles={"train": new},
    ).changes
    return found


@pytest.mark.parametrize(
    "new",
    [
        replace(X, fingerprint=THERE),
        replace(X, fingerprint=None),  # of an earlier version
        replace(X, fingerprint=Fingerprint(scheme="instant", values=HERE.values)),
        replace(X, nulls=1),
        replace(X, nans=1),
        replace(X, infinities=1),
        replace(number("x", range(1, ROWS + 1)), fingerprint=HERE),  # which is a lie
        replace(X, kind="time"),
    ],
)
def test_values_are_the_same_only_if_nothing_speaks_against_it(new: ColumnProfile) -> None:
    assert same(X, replace(X, name="y"))
    assert not same(X, new)
    assert not same(new, X)
    assert not same(X, X, ROWS + 1)


def test_bins_that_contradict_the_fingerprint_are_believed() -> None:
    assert X.numbers is not None
    honest = replace(X, in_bins=X.numbers.counts)
    lying = replace(X, in_bins=(ROWS, *[0] * ROWS))
    for new, expected in ((honest, True), (lying, False)):
        assert have_same_values(X, new, (ROWS, ROWS), is_counted=True) is expected


def test_categories_that_are_all_listed_need_no_fingerprint() -> None:
    flag = category("flag", {"yes": 30, "no": 10})
    assert same(flag, flag)
    assert not same(flag, category("flag", {"yes": 29, "no": 11}))
    for categories in (Categories(top=(("yes", 30),), others=10), Categories(top=(("yes", 30),))):
        part = replace(flag, categories=categories)
        assert not same(part, part)


def test_fingerprints_are_no_counts() -> None:
    assert are_alike(X, replace(X, name="y", fingerprint=THERE))
    assert have_other_values(X, replace(X, fingerprint=THERE))
    for other in (X, replace(X, fingerprint=None), replace(X, fingerprint=TEXT.fingerprint)):
        assert not have_other_values(X, other)


def test_other_values_are_told_where_every_count_is_alike() -> None:
    change = changed(profile(ROWS, X), profile(ROWS, replace(X, fingerprint=THERE)))
    (column,) = change.columns
    assert [one.fact for one in column.facts] == ["values"]
    assert (column.drift, column.not_compared) == (None, "")
    change = changed(profile(ROWS, X), profile(ROWS, replace(X, fingerprint=None)))
    assert (change.columns, change.same_columns, change.alike_columns) == ((), 0, 1)


def test_other_values_alone_are_no_finding_beside_other_counts() -> None:
    """A new month has other values in every column."""
    moved = replace(number("x", [*range(ROWS - 1), ROWS - 1.5]), fingerprint=THERE)
    change = changed(profile(ROWS, X), profile(ROWS, moved))
    assert (change.columns, change.close_columns) == ((), 1)


@pytest.mark.parametrize("column", [TEXT, LIST])
def test_a_stand_in_says_whether_the_values_are_the_same(column: ColumnProfile) -> None:
    old = profile(ROWS, column)
    change = changed(old, profile(ROWS, column))
    assert (change.columns, change.same_columns, change.not_compared) == ((), 1, ())
    mark = replace(column.fingerprint, values="1" * 16) if column.fingerprint else None
    change = changed(old, profile(ROWS, replace(column, fingerprint=mark)))
    (left,) = change.not_compared
    assert (change.columns, change.same_columns) == ((), 0)
    assert left.reason.startswith("other values, of which only ")
    (left,) = changed(old, profile(ROWS, replace(column, fingerprint=None))).not_compared
    assert left.reason.startswith("only ")


def test_a_whole_is_told_only_where_no_part_is() -> None:
    whole = ColumnProfile(name="s", type="struct<x: double>", kind="nested", fingerprint=HERE)
    part = replace(X, name="s.x", of="s")
    other = replace(whole, fingerprint=THERE)
    change = changed(profile(ROWS, whole, part), profile(ROWS, other, part))
    assert [one.name for one in change.columns] == ["s"]  # the same values in other rows
    moved = replace(part, fingerprint=THERE)
    change = changed(profile(ROWS, whole, part), profile(ROWS, other, moved))
    assert [one.name for one in change.columns] == ["s.x"]
    assert change.close_columns == 1


def test_parts_of_the_same_values_need_not_be_compared() -> None:
    part = replace(X, name="v (norm)", of="v", fingerprint=None)
    change = changed(profile(ROWS, LIST), profile(ROWS, LIST, part))
    assert (change.columns, change.same_columns, change.not_compared) == ((), 1, ())


def test_few_values_may_be_the_same_by_chance() -> None:
    old = profile(ROWS, category("flag", {"yes": 30, "no": 10}), X)
    new = profile(ROWS, category("flag", {"yes": 30, "no": 10}), replace(X, nulls=0))
    more = replace(number("z", [0.5] * ROWS), fingerprint=HERE)
    less = replace(number("z", [0.25] * ROWS), fingerprint=THERE)
    change = changed(
        replace(old, columns=(*old.columns, more)), replace(new, columns=(*new.columns, less))
    )
    tests = changed_tests(old, new, more, less)
    assert change.same_columns == 2
    assert tests == {"flag": True, "x": False, "z": True}


def changed_tests(
    old: DataProfile, new: DataProfile, more: ColumnProfile, less: ColumnProfile
) -> dict[str, bool]:
    """Whether each column is tested for drift."""
    diff = compare_data(
        [reference("train", "old")],
        [reference("train", "new")],
        old_profiles={"train": replace(old, columns=(*old.columns, more))},
        new_profiles={"train": replace(new, columns=(*new.columns, less))},
    )
    return {one.name: one.test is not None for one in diff.measured[0].columns}


def test_the_same_content_with_an_older_profile_is_the_same() -> None:
    data = [reference("train", "same")]
    for new, same_sets in ((replace(X, fingerprint=None), 1), (replace(X, fingerprint=THERE), 0)):
        diff = compare_data(
            data,
            data,
            old_profiles={"train": profile(ROWS, X)},
            new_profiles={"train": profile(ROWS, new)},
        )
        assert len(diff.same) == same_sets
