"""Which types can stand for which."""

from __future__ import annotations

import pytest

from assent.compare.types import is_compatible, is_reordered


@pytest.mark.parametrize(
    ("old", "new", "there", "back"),
    [
        ("int32", "int32", True, True),
        ("int32", "int64", True, False),
        ("uint8", "uint64", True, False),
        ("uint8", "int16", True, False),
        ("uint8", "int8", False, False),
        ("int8", "uint8", False, False),
        ("float", "double", True, False),
        ("float", "float32", True, True),
        ("halffloat", "float16", True, True),
        ("int32", "double", True, False),
        ("int64", "double", False, False),
        ("int16", "float", True, False),
        ("int32", "float", False, False),
        ("string", "large_string", True, True),
        ("dictionary<values=string, indices=int32, ordered=0>", "string", True, True),
        ("dictionary<values=string, indices=int32, ordered=0>", "int32", False, False),
        ("bool", "boolean", True, True),
        ("bool", "int8", False, False),
        ("date32[day]", "timestamp[s]", False, False),
        ("timestamp[s]", "timestamp[s, tz=UTC]", False, False),
        ("decimal128(10, 2)", "decimal128(12, 2)", False, False),
        ("null", "string", True, False),
        ("int64", "string", False, False),
        ("list<item: string>", "string", False, False),
        ("", "string", False, False),
        ("struct<a: int64, b: string>", "struct<b: string, a: int64>", True, True),
    ],
)
def test_a_type_can_stand_for_another_if_it_has_all_its_values(
    old: str, new: str, there: bool, back: bool
) -> None:
    assert (is_compatible(old, new), is_compatible(new, old)) == (there, back)


@pytest.mark.parametrize(
    ("old", "new", "is_so"),
    [
        ("struct<a: int64, b: string>", "struct<b: string, a: int64>", True),
        ("struct<a: int64, b: string>", "struct<a: int64, b: string>", False),
        ("struct<a: int64, b: string>", "struct<a: string, b: int64>", False),
        ("struct<a: int64, b: string>", "struct<b: string>", False),
        ("list<struct<a: int64, b: string>>", "list<struct<b: string, a: int64>>", True),
        (
            "struct<x: struct<a: decimal128(10, 2), b: list<int64>>, y: bool>",
            "struct<y: bool, x: struct<b: list<int64>, a: decimal128(10, 2)>>",
            True,
        ),
        ("map<string, struct<a: int64, b: bool>>", "map<string, struct<b: bool, a: int64>>", True),
        ("map<string, int64>", "map<int64, string>", False),
        ("struct<a: int64, b: str… 0123456789ab", "struct<b: str… 0123456789ab", False),
        ("int64", "string", False),
    ],
)
def test_the_order_of_fields_is_told_from_other_changes(old: str, new: str, is_so: bool) -> None:
    assert is_reordered(old, new) is is_reordered(new, old) is is_so
