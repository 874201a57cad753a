"""Several labels in one value."""

from __future__ import annotations

import pytest

from assent.measure.predictions.several import several_labels


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"['cat', 'dog']", "['dog']"}, "['cat', 'dog']"),
        ({'["cat"]', "[]"}, '["cat"]'),
        ({"[cat, dog]", "cat"}, "[cat, dog]"),
        ({"[0 1 1]", "[1 0 1]"}, "[0 1 1]"),
        ({"array([0, 1])"}, "array([0, 1])"),
        ({"{'a', 'b'}"}, "{'a', 'b'}"),
        ({"('a',)"}, "('a',)"),
        ({"cat|dog", "cat", "dog"}, "cat|dog"),
        ({"1;3", "1", "3"}, "1;3"),
        ({"1 5 3", "1", "3", "5"}, "1 5 3"),
        ({"a, b", "a", "b"}, "a, b"),
        ({"1;0;1", "0;1;1"}, "0;1;1"),
        ({"1 0", "0 1"}, "0 1"),
        ({"0,1,1", "1,1,1"}, "0,1,1"),
        ({"0,0", "1,0"}, None),
        ({"1-0", "0-1"}, None),
        ({"[UNK]", "(none)", "{other}", "cat"}, None),
        ({"animal|dog", "animal|cat"}, None),
        ({"new york", "york"}, None),
        ({"a+", "a", "b-"}, None),
        ({"a|a", "a"}, None),
        ({"(0, 10]", "(10, 20]"}, None),
        ({"0", "1"}, None),
        (set(), None),
    ],
)
def test_what_is_several_labels(values: set[str], found: str | None) -> None:
    assert several_labels(values) == found
