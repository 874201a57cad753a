"""What a change does to rules, in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.policy.rule_words import differences
from assent.report.escape import pieces

VALUES = st.recursive(
    st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            {"data": {"train": {"engine": "duckdb"}}},
            {"data": {"train": {"engine": "spark"}}},
            ["`data.train` is counted by Spark instead of DuckDB"],
        ),
        ({"train": "a"}, {"train": "b"}, ["`train` is `b` instead of `a`"]),
        ({"inputs": ["a", "b"]}, {"inputs": ["b", "a"]}, ["`inputs` is in another order"]),
        ({"people": {}}, {"people": {"eve": {"email": "e@x"}}},
         ['`people.eve` is set to `{"email":"e@x"}`']),
        ({"train": "`rm`"}, {}, ["`train` is not set any more; it was `\\u0060rm\\u0060`"]),
    ],
)  # fmt: skip
def test_what_differs_is_a_sentence(old: object, new: object, said: list[str]) -> None:
    assert list(differences(old, new)) == said


@given(old=VALUES, new=VALUES)
def test_whatever_differs_is_said_and_nothing_else(old: object, new: object) -> None:
    told = list(differences({"x": old}, {"x": new}))
    assert bool(told) is (old != new)


@given(name=st.text(max_size=12))
def test_a_name_from_outside_is_code(name: str) -> None:
    (line,) = differences({}, {"train": name})
    outside = "".join(text for is_code, text in pieces(line) if not is_code)
    assert outside == " is set to "
