"""Which types can stand for which."""

from __future__ import annotations

import pytest

from assent.compare.types import is_compatible


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
    ],
)
def test_a_type_can_stand_for_another_if_it_has_all_its_values(
    old: str, new: str, there: bool, back: bool
) -> None:
    assert (is_compatible(old, new), is_compatible(new, old)) == (there, back)
