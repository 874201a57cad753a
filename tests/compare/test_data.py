"""Data sets side by side."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from assent.compare.data import compare_data
from assent.core.diff.data import DataChange
from assent.core.digest import Digest
from assent.core.evidence import DataReference
from assent.core.profile import (
    Categories,
    ColumnProfile,
    DataProfile,
    Numbers,
    Overlap,
    RowChanges,
)
from tests.builders import digest
from tests.compare.profiling import category, number, profile, reference

FILE = DataReference(name="train", source="train.csv", kind="file", digest=digest("rows"))
QUERY = DataReference(name="train", source="select *", kind="opaque", snapshot="s1")


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        (FILE, FILE, True),
        (FILE, msgspec.structs.replace(FILE, source="moved.csv"), True),
        (FILE, msgspec.structs.replace(FILE, digest=digest("other rows")), False),
        (FILE, msgspec.structs.replace(FILE, digest=None), False),
        (FILE, QUERY, False),
        (QUERY, QUERY, True),
        (QUERY, msgspec.structs.replace(QUERY, snapshot="s2"), False),
        (QUERY, msgspec.structs.replace(QUERY, source="select a"), False),
    ],
)
def test_data_is_the_same_if_its_content_is(
    old: DataReference, new: DataReference, is_same: bool
) -> None:
    for left, right in ((old, new), (new, old)):
        diff = compare_data([left], [right])
        assert (diff.same == (right,), not diff.changes) == (is_same, is_same)


def test_a_query_without_a_snapshot_is_never_the_same() -> None:
    query = msgspec.structs.replace(QUERY, snapshot=None)
    (change,) = compare_data([query], [query]).changes
    assert (change.old, change.new) == (query, query)


def test_data_that_came_or_went_differs() -> None:
    other = msgspec.structs.replace(FILE, name="test")
    came, went = compare_data([FILE], [other]).changes
    assert (came.name, came.old, came.new) == ("test", None, other)
    assert (went.name, went.old, went.new) == ("train", FILE, None)


RANDOM = np.random.default_rng(1)
ROWS = 4_000
AGE = number("age", RANDOM.normal(40, 10, ROWS))
CITY = category("city", {"berlin": 2_000, "hamburg": 1_500, "köln": 480, "bonn": 20})
LABEL = category("y", {"0": 3_600, "1": 400})
SCORE = number("score", RANDOM.beta(2, 5, ROWS))
OLD = profile(ROWS, AGE, CITY, LABEL, SCORE)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(2)


def compared(
    old: DataProfile,
    new: DataProfile,
    label: str | None = None,
    profiled: Digest | None = None,
) -> DataChange:
    """What changed in the one data set `train`."""
    (change,) = compare_data(
        [reference("train", "old", label=label, profile=profiled)],
        [reference("train", "new", label=label)],
        old_profiles={"train": old},
        new_profiles={"train": new},
    ).changes
    assert change.is_profiled
    return change


def with_columns(*columns: ColumnProfile, rows: int = ROWS, **more: Any) -> DataProfile:
    """The baseline with other columns of these names."""
    found = {column.name: column for column in OLD.columns} | {one.name: one for one in columns}
    return profile(rows, *found.values(), **more)


def test_the_same_profile_has_no_column_that_differs() -> None:
    change = compared(OLD, OLD)
    assert (change.columns, change.same_columns, change.alike_columns) == ((), 2, 2)
    assert change.inconclusive == 0


def test_columns_come_and_go_and_change_their_type() -> None:
    retyped = msgspec.structs.replace(AGE, type="float")
    new = profile(ROWS, retyped, CITY, LABEL, category("plan", {"a": 3_000, "b": 1_000}))
    gone, type_of, came = compared(OLD, new).columns
    assert (gone.name, gone.new, gone.old and gone.old.type) == ("score", None, "double")
    assert (came.name, came.old, came.new and came.new.kind) == ("plan", None, "category")
    assert type_of.old is not None
    assert type_of.new is not None
    assert (type_of.name, type_of.old.type, type_of.new.type) == ("age", "double", "float")


def test_a_drifted_column_says_how_far_with_its_shares(random: np.random.Generator) -> None:
    moved = number("age", random.normal(47, 10, ROWS), against=AGE)
    change = compared(OLD, with_columns(moved, against=OLD))
    (column,) = change.columns
    assert (change.same_columns, change.alike_columns) == (2, 1)
    assert column.drift is not None
    assert (column.drift.outcome, column.drift.level) == ("shown", "severe")
    assert not column.drift.is_approximate
    assert column.drift.shift == pytest.approx(0.7, abs=0.1)
    assert column.old is not None
    assert column.new is not None
    assert (round(column.old.mean or 0), round(column.new.mean or 0)) == (40, 47)
    assert 4 <= len(column.shares) <= 20
    assert sum(share.old for share in column.shares) == pytest.approx(1, abs=1e-4)
    assert sum(share.new for share in column.shares) == pytest.approx(1, abs=1e-4)
    assert column.shares[0].label.startswith("≤ ")
    assert column.shares[0].old > column.shares[0].new


@pytest.mark.parametrize("is_by_file", [True, False])
def test_bins_are_the_baselines_only_if_they_are_of_this_very_profile(
    is_by_file: bool, random: np.random.Generator
) -> None:
    moved = number("age", random.normal(47, 10, ROWS), against=AGE)
    of_this = with_columns(moved, against=OLD)
    if is_by_file:
        of_this = msgspec.structs.replace(of_this, against=digest("profiles/train.json.gz"))
    of_another = msgspec.structs.replace(of_this, against=digest("another profile"))
    of_none = msgspec.structs.replace(of_this, against=None)
    found = []
    for new in (of_this, of_another, of_none):
        (column,) = compared(OLD, new, profiled=digest("profiles/train.json.gz")).columns
        assert column.drift is not None
        found.append(column.drift.is_approximate)
    assert found == [False, True, True]


def test_bins_that_do_not_add_up_are_not_believed(random: np.random.Generator) -> None:
    honest = number("age", random.normal(47, 10, ROWS), against=AGE)
    for lie in (AGE.numbers.counts[:-1] if AGE.numbers else (), (ROWS + 1, *honest.in_bins[1:])):
        new = with_columns(msgspec.structs.replace(honest, in_bins=lie), against=OLD)
        (column,) = compared(OLD, new).columns
        assert column.drift is not None
        assert (column.drift.level, column.drift.is_approximate) == ("severe", True)


def test_the_label_is_judged_apart_and_comes_first(random: np.random.Generator) -> None:
    drifted = category("y", {"0": 3_000, "1": 1_000})
    moved = number("age", random.normal(47, 10, ROWS))
    label, column = compared(OLD, with_columns(moved, drifted), label="y").columns
    assert (label.name, label.is_label, column.name, column.is_label) == ("y", True, "age", False)
    noise = [number(f"n{at}", random.normal(size=ROWS)) for at in range(60)]
    fresh = [number(f"n{at}", random.normal(size=ROWS)) for at in range(60)]
    old, new = profile(ROWS, LABEL, *noise), profile(ROWS, drifted, *fresh)
    (alone,) = compared(profile(ROWS, LABEL), profile(ROWS, drifted)).columns
    (among,) = compared(old, new, label="y").columns
    assert alone.drift is not None
    assert among.drift is not None
    assert among.drift.p == alone.drift.p


def test_new_categories_are_named_and_rare_ones_do_not_vanish() -> None:
    counts = {"berlin": 2_000, "hamburg": 1_500, "köln": 490, "leipzig": 10}
    (column,) = compared(OLD, with_columns(category("city", counts))).columns
    assert column.added == (("leipzig", 10),)
    assert column.vanished == (("bonn", 20),)
    rare = msgspec.structs.replace(
        CITY, categories=Categories(top=(("berlin", 3_997), ("bonn", 3)))
    )
    new = category("city", {"berlin": 4_000})
    assert compared(with_columns(rare), with_columns(new)).columns == ()


def test_what_is_not_listed_is_neither_new_nor_gone() -> None:
    many = {f"v{at}": 100 - at for at in range(60)}
    cut = category("city", many, most=20)
    rows = sum(many.values())
    old, new = profile(rows, cut), profile(rows, category("city", many))
    assert compared(old, new).columns == ()
    assert compared(new, old).columns == ()


def test_hashes_with_another_salt_are_not_called_new() -> None:
    def hashed(salt: str) -> ColumnProfile:
        top = tuple((digest(salt + value), rows) for value, rows in CITY.categories.top)  # type: ignore[union-attr]
        return msgspec.structs.replace(CITY, categories=Categories(top=top, is_hashed=True))

    change = compared(
        with_columns(hashed("a")), with_columns(msgspec.structs.replace(hashed("b"), nulls=0))
    )
    assert change.columns == ()
    (left,) = change.not_compared
    assert (left.name, left.reason) == ("city", "its values were hashed in another way")


def test_nulls_that_appear_are_a_difference(random: np.random.Generator) -> None:
    values = np.array(random.normal(40, 10, ROWS))
    values[:40] = np.nan
    (column,) = compared(OLD, with_columns(number("age", values))).columns
    assert column.old is not None
    assert column.new is not None
    assert (column.old.nulls, column.new.nulls) == (0.0, 0.01)
    assert column.drift is not None
    assert column.drift.outcome == "stable"


def test_rows_far_outside_of_the_range_are_a_difference(random: np.random.Generator) -> None:
    values = np.array(random.normal(40, 10, ROWS))
    assert compared(OLD, with_columns(number("age", values))).columns == ()
    values[:80] = 1e6 + np.arange(80)
    (column,) = compared(OLD, with_columns(number("age", values))).columns
    (fact, *_) = column.facts
    assert fact.fact == "maximum"
    assert fact.rows is not None
    assert 30 <= fact.rows <= 80


def test_what_is_counted_in_another_way_says_so() -> None:
    (column,) = compared(OLD, with_columns(category("age", {"old": 2_000, "young": 2_000}))).columns
    assert column.drift is None
    assert column.not_compared == "it is counted as number in the baseline and as category now"


def test_a_column_that_was_empty_is_compared_by_its_nulls() -> None:
    empty = ColumnProfile(name="age", type="double", kind="number", nulls=ROWS)
    for old, new in ((OLD, with_columns(empty)), (with_columns(empty), OLD)):
        (column,) = compared(old, new).columns
        assert column.drift is not None
        assert column.drift.level == "severe"
    assert compared(with_columns(empty), with_columns(empty)).columns == ()


def test_a_column_that_agrees_by_chance_is_not_stable(random: np.random.Generator) -> None:
    flag = category("flag", {"yes": 3, "no": 3})
    old, new = (profile(6, flag, number("a", random.normal(size=6))) for _ in range(2))
    assert compared(old, new).inconclusive == 2
    assert compared(old, old).inconclusive == 0


def test_where_one_side_has_no_rows_nothing_was_compared() -> None:
    empty = profile(0, category("flag", {}))
    for old, new in ((empty, empty), (empty, profile(6, category("flag", {"yes": 6})))):
        change = compared(old, new)
        assert (change.alike_columns, change.close_columns, change.inconclusive) == (0, 0, 0)
        assert [one.reason for one in change.not_compared] == ["one side has no rows"]


def test_text_that_has_few_values_now_is_told_by_how_many() -> None:
    text = number("city", [3] * ROWS, type="string", kind="text")
    few = msgspec.structs.replace(CITY, distinct=100)
    (column,) = compared(
        with_columns(msgspec.structs.replace(text, distinct=200)), with_columns(few)
    ).columns
    assert [(one.fact, one.old, one.new) for one in column.facts] == [("distinct", 200, 100)]
    change = compared(with_columns(msgspec.structs.replace(text, distinct=199)), with_columns(few))
    assert (change.columns, [one.name for one in change.not_compared]) == ((), ["city"])


def test_few_rows_are_counted_as_inconclusive(random: np.random.Generator) -> None:
    old = profile(30, number("a", random.normal(size=30)), number("b", random.normal(size=30)))
    new = profile(30, number("a", random.normal(size=30)), number("b", random.normal(size=30)))
    change = compared(old, new)
    assert (change.columns, change.alike_columns, change.close_columns) == ((), 0, 2)
    assert change.inconclusive == 2


@pytest.mark.parametrize("is_same_rows", [True, False])
def test_a_column_is_renamed_by_what_it_holds(
    is_same_rows: bool, random: np.random.Generator
) -> None:
    values = random.beta(2, 5, ROWS)
    again = msgspec.structs.replace(SCORE, name="points")
    after = again if is_same_rows else number("points", values)
    (column,) = compared(OLD, profile(ROWS, AGE, CITY, LABEL, after)).columns
    assert (column.name, column.old_name) == ("points", "score")
    (back,) = compared(profile(ROWS, AGE, CITY, LABEL, after), OLD).columns
    assert (back.name, back.old_name) == ("score", "points")


def test_a_column_that_resembles_others_is_not_renamed(random: np.random.Generator) -> None:
    normal = [number(f"f{at}", random.normal(size=ROWS)) for at in range(3)]
    other = number("g", random.normal(size=ROWS))
    twins = [msgspec.structs.replace(SCORE, name=name) for name in ("p", "q")]
    flags = [category(name, {"yes": 2_000, "no": 2_000}) for name in ("a", "b")]
    for old, new in (
        (profile(ROWS, *normal), profile(ROWS, *normal[:2], other)),
        (profile(ROWS, SCORE), profile(ROWS, *twins)),
        (profile(ROWS, *twins), profile(ROWS, SCORE)),
        (profile(ROWS, flags[0]), profile(ROWS, category("b", {"yes": 1_990, "no": 2_010}))),
        (profile(50, number("a", range(50))), profile(50, number("b", range(50)))),
    ):
        assert {change.old_name for change in compared(old, new).columns} == {None}


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "lie",
    [
        {"nulls": -1},
        {"nulls": 10**6},
        {"nulls": 10**400},
        {"numbers": Numbers(edges=(2.0, 1.0), counts=(1, 1, 1))},
        {"numbers": Numbers(edges=(1.0,), counts=(1, 1, 1))},
        {"numbers": Numbers(edges=(float("nan"),), counts=(1, 1))},
        {"numbers": Numbers(edges=(1.0,), counts=(-5, 5))},
        {"numbers": Numbers(edges=(1.0,), counts=(10**400, 5))},
        {"numbers": Numbers(edges=(1.0, 2.0), counts=(0, 0, 0))},
        {"numbers": Numbers(counts=(4_000,))},
        {"numbers": None},
        {"categories": Categories(top=(("a", -1),))},
    ],
)
def test_a_profile_that_contradicts_itself_is_a_problem(lie: dict[str, Any]) -> None:
    broken = with_columns(msgspec.structs.replace(AGE, **lie))
    for old, new in ((OLD, broken), (broken, OLD)):
        (column,) = compared(old, new).columns
        assert column.drift is None
        assert column.problem


@pytest.mark.threat(39)
def test_two_columns_of_one_name_are_no_profile() -> None:
    for rows, columns in ((ROWS, (AGE, AGE)), (-1, (AGE,)), (10**400, (AGE,))):
        (change,) = compare_data(
            [reference("train", "old")],
            [reference("train", "new")],
            old_profiles={"train": OLD},
            new_profiles={"train": profile(rows, *columns)},
        ).changes
        assert not change.is_profiled


def test_without_a_profile_on_both_sides_no_column_is_compared() -> None:
    pair = [reference("train", "old")], [reference("train", "new")]
    for old, new in (({"train": OLD}, {}), ({}, {"train": OLD})):
        (change,) = compare_data(*pair, old_profiles=old, new_profiles=new).changes
        assert (change.is_profiled, change.columns, change.alike_columns) == (False, (), 0)


def test_what_gates_judge_covers_all_columns_and_data_sets(random: np.random.Generator) -> None:
    new = with_columns(number("age", random.normal(47, 10, ROWS)), number("z", [1.0] * ROWS))
    diff = compare_data(
        [reference("train", "old"), reference("test", "t", 7)],
        [reference("train", "new"), reference("test", "t", 7)],
        old_profiles={"train": OLD},
        new_profiles={"train": new},
    )
    test, train = diff.measured
    assert (test.name, test.rows, test.old_rows, test.is_profiled) == ("test", 7, 7, False)
    assert (train.rows, train.old_rows, train.is_profiled) == (ROWS, ROWS, True)
    tests = {one.name: (one.test is not None, one.old_name) for one in train.columns}
    assert tests == {
        "age": (True, "age"),
        "city": (True, "city"),
        "y": (True, "y"),
        "score": (True, "score"),
        "z": (False, None),
    }


def test_what_was_counted_elsewhere_is_passed_on() -> None:
    overlap = Overlap(first="train", second="test", of=10, rows=1)
    rows = RowChanges(data="train", key=("id",), added=3)
    diff = compare_data(
        [FILE],
        [msgspec.structs.replace(FILE, digest=digest("other"))],
        overlaps=[overlap],
        row_changes=[rows],
    )
    assert diff.overlaps == (overlap,)
    assert diff.changes[0].rows == rows


def test_times_are_labelled_as_such() -> None:
    day = 86_400.0
    old = number("at", day * np.arange(2_000), type="timestamp[s]", kind="time")
    new = number("at", day * np.arange(1_000, 3_000), type="timestamp[s]", kind="time")
    (column,) = compared(profile(2_000, old), profile(2_000, new)).columns
    labels = [share.label for share in column.shares]
    assert labels[0].startswith("≤ 1970-")
    assert labels[-1].startswith("> 197")


def test_labels_tell_what_a_bin_holds() -> None:
    long = "x" * 500
    values = {long: 2_000, "": 1_000, "b": 1_000}
    old, new = (
        category("c", {**values, long: values[long] + more, "b": values["b"] - more}, nulls=nulls)
        for more, nulls in ((0, 0), (900, 2_000))
    )
    (column,) = compared(profile(4_000, old), profile(6_000, new)).columns
    labels = [share.label for share in column.shares]
    assert labels == ["x" * 79 + "…", '""', "b", "(null)"]
    whole = number("n", [1.0] * 300 + [2.0] * 300 + [3.0] * 300)
    moved = number("n", [1.0] * 100 + [2.0] * 300 + [3.0] * 400 + [9.0] * 100, against=whole)
    (column,) = compared(
        profile(900, whole), profile(900, moved, against=profile(900, whole))
    ).columns
    assert [share.label for share in column.shares] == ["≤ 1", "2", "3", "> 3"]


def test_data_that_is_said_to_be_the_same_is_counted_all_the_same() -> None:
    said = reference("train", "same")
    rng = np.random.default_rng(0)
    one, other = (profile(500, number("x", rng.normal(size=500) + shift)) for shift in (0.0, 2.0))
    same = compare_data([said], [said], old_profiles={"train": one}, new_profiles={"train": one})
    assert (same.changes, same.same) == ((), (said,))
    found = compare_data([said], [said], old_profiles={"train": one}, new_profiles={"train": other})
    assert [change.name for change in found.changes] == ["train"]


def test_text_that_is_written_as_numbers_is_compared_with_numbers() -> None:
    written = ColumnProfile(
        name="age", type="string", kind="text", numbers=Numbers(counts=(ROWS,)), fits=AGE
    )
    for old, new in ((OLD, with_columns(written)), (with_columns(written), OLD)):
        change = compared(old, new)
        (column,) = change.columns
        assert (column.not_compared, column.problem, column.facts) == ("", "", ())
        assert column.old is not None
        assert column.new is not None
        assert {column.old.type, column.new.type} == {"double", "string"}
        assert column.drift is not None
        assert column.drift.outcome == "stable"


@pytest.mark.parametrize(
    ("part", "said"),
    [("e (norm)", "only its lengths and its norm were compared"), ("e[0]", ""), ("e.x", "")],
)
def test_a_norm_is_not_the_values_of_a_list(part: str, said: str) -> None:
    lengths = number("e", [3] * ROWS, type="list<double>", kind="nested")
    of = msgspec.structs.replace(number(part, np.ones(ROWS)), of="e")
    change = compared(profile(ROWS, lengths, of), profile(ROWS, lengths, of))
    assert change.alike_columns == (1 if said else 2)
    assert [(one.name, one.reason) for one in change.not_compared] == (
        [("e", said)] if said else []
    )


def test_parts_of_a_column_that_one_side_has_not_counted_are_not_compared() -> None:
    whole = ColumnProfile(name="place", type="struct<x: double>", kind="nested")
    part = msgspec.structs.replace(AGE, name="place.x", of="place")
    plain = msgspec.structs.replace(AGE, name="place.x")
    change = compared(profile(ROWS, whole), profile(ROWS, whole, part))
    assert change.columns == ()
    assert {one.name for one in change.not_compared} == {"place", "place.x"}
    # A column of that name is another thing than a part.
    change = compared(profile(ROWS, whole, plain), profile(ROWS, whole, part))
    assert [one.name for one in change.columns] == ["place.x"]
    assert change.columns[0].new is None


def test_a_column_whose_parts_differ_is_not_the_same() -> None:
    whole = ColumnProfile(name="place", type="struct<x: double>", kind="nested")
    part = msgspec.structs.replace(AGE, name="place.x", of="place")
    other = number("place.x", np.random.default_rng(9).normal(40, 10, ROWS), of="place")
    change = compared(profile(ROWS, whole, part), profile(ROWS, whole, other))
    assert (change.columns, change.alike_columns, change.close_columns) == ((), 0, 2)
    change = compared(profile(ROWS, whole, part), profile(ROWS, whole, part))
    assert (change.alike_columns, change.close_columns) == (2, 0)


def test_parts_that_are_gone_are_not_compared_either() -> None:
    whole = ColumnProfile(name="place", type="struct<x: double>", kind="nested")
    part = msgspec.structs.replace(AGE, name="place.x", of="place")
    other = msgspec.structs.replace(SCORE, name="place.y", of="place")
    change = compared(profile(ROWS, whole, part, other), profile(ROWS, whole, part))
    assert (change.columns, change.alike_columns) == ((), 1)
    assert {one.name for one in change.not_compared} == {"place", "place.y"}


def test_a_column_without_a_name_is_no_whole() -> None:
    nameless = msgspec.structs.replace(AGE, name="")
    text = ColumnProfile(name="body", type="string", kind="text", numbers=Numbers(counts=(ROWS,)))
    change = compared(profile(ROWS, nameless, text), profile(ROWS, nameless, text))
    assert (change.alike_columns, [one.name for one in change.not_compared]) == (1, ["body"])
