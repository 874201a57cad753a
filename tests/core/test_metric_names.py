"""The table of directions against what its sources say."""

from __future__ import annotations

import re

import pytest
import sklearn.metrics

from assent.core.direction import direction
from assent.core.metric_names import SOURCES

KINDS = ("higher", "lower", "negative")
MINIMISED_SCORES = {"davies_bouldin_score"}
"""scikit-learn documents that functions which end in `_score` are to be maximised; but for this."""


def listed(kind: str) -> list[str]:
    return [name for source in SOURCES for name in getattr(source, kind).split()]


def test_each_name_has_a_source_and_one_direction() -> None:
    assert all(re.fullmatch(r"https://[a-z][^\s]+", source.url) for source in SOURCES)
    assert len({source.url for source in SOURCES}) == len(SOURCES)
    ways: dict[str, set[str]] = {}
    for kind in KINDS:
        for name in listed(kind):
            ways.setdefault(name, set()).add(kind)
    assert {name: kinds for name, kinds in ways.items() if len(kinds) > 1} == {}
    assert all(re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name) for name in ways)
    assert set(listed("signed")) <= set(listed("lower"))


@pytest.mark.parametrize("kind", KINDS)
def test_each_name_of_the_table_is_found_as_it_stands(kind: str) -> None:
    wanted = "lower" if kind == "lower" else "higher"
    assert [name for name in listed(kind) if direction(name) != wanted] == []


def test_of_every_scorer_of_scikit_learn_more_is_better() -> None:
    names = sklearn.metrics.get_scorer_names()
    assert len(names) > 50
    assert [name for name in names if direction(name) != "higher"] == []


def test_functions_of_scikit_learn_end_in_what_is_better() -> None:
    names = [name for name in sklearn.metrics.__all__ if re.search("_(score|loss|error)$", name)]
    wanted = {
        name: "higher" if name.endswith("_score") and name not in MINIMISED_SCORES else "lower"
        for name in names
    }
    assert len(names) > 40
    assert {name: direction(name) for name in names} == wanted
