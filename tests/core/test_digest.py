"""Digests, and the canonical bytes that are hashed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.digest import (
    canonical_json,
    digest_of,
    digest_of_value,
    hex_of,
    is_digest,
    short,
)

leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [reordered(item) for item in value]
    return value


@given(values)
def test_a_value_reads_back_from_its_bytes(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value


@given(values)
def test_the_order_of_keys_changes_neither_bytes_nor_digest(value: Any) -> None:
    assert canonical_json(reordered(value)) == canonical_json(value)
    assert digest_of_value(reordered(value)) == digest_of_value(value)


@given(values, values)
def test_different_values_have_different_bytes(one: Any, other: Any) -> None:
    if canonical_json(one) == canonical_json(other):
        assert one == other


def test_canonical_bytes_have_no_white_space_and_plain_utf8() -> None:
    assert canonical_json({"b": [1, 2.5], "a": "ü"}) == '{"a":"ü","b":[1,2.5]}'.encode()


@given(st.binary())
def test_a_digest_is_sha256_with_its_name(content: bytes) -> None:
    found = digest_of(content)
    assert hex_of(found) == hashlib.sha256(content).hexdigest()
    assert is_digest(found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256:",
        "sha256:" + "0" * 63,
        "sha256:" + "0" * 65,
        "sha256:" + "A" * 64,
        "sha256:" + "g" * 64,
        "sha512:" + "0" * 64,
        "0" * 64,
        "sha256:" + "0" * 64 + "\n",
        "sha256:../" + "0" * 61,
    ],
)
def test_what_is_almost_a_digest_is_none(text: str) -> None:
    assert not is_digest(text)


def test_short_is_the_name_and_twelve_digits() -> None:
    assert short(digest_of(b"")) == "sha256:e3b0c44298fc"
