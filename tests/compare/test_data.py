"""Data sets side by side."""

from __future__ import annotations

import msgspec
import pytest

from assent.compare.data import compare_data
from assent.core.evidence import DataReference
from tests.builders import digest

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
