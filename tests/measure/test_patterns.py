"""Patterns by their text alone."""

from __future__ import annotations

import pytest

from assent.measure.patterns import base_of


@pytest.mark.parametrize(
    ("pattern", "base"),
    [
        ("out/*.json", "out"),
        ("./a//b/**/c", "a/b"),
        ("a/b.json", "a/b.json"),
        ("a/", "a"),
        ("a[0]/b", ""),
        ("*", ""),
        (".", ""),
        ("/a/*", "/a"),
    ],
)
def test_where_a_pattern_begins(pattern: str, base: str) -> None:
    assert base_of(pattern) == base
