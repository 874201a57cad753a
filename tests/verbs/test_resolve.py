"""`resolve`: what serving asks."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from assent.core.entry import Kind
from assent.errors import UsageError
from assent.verbs.resolve import resolve
from tests.verbs.place import MODEL, Place


def test_a_stage_and_a_version(place: Place) -> None:
    bundle = place.version(1)
    place.hold("production", 1)
    held = resolve(place.open(), MODEL, "production")
    assert (held.version, held.bundle, held.stage, held.as_of) == (1, bundle, "production", 1)
    assert held.since == place.entries[-1].at
    named = resolve(place.open(), MODEL, "v1")
    assert (named.bundle, named.stage, named.since) == (bundle, None, None)


def test_the_ledger_answers_whatever_the_pointers_say(place: Place) -> None:
    bundle = place.version(1)
    place.hold("production", 1)
    other = place.version(2)
    pointer = place.store.pointer("churn/stages/production")
    assert pointer is not None
    place.store._pointers["churn/stages/production"] = replace(pointer, bundle=other)
    assert resolve(place.open(), MODEL, "production").bundle == bundle


def test_a_retired_version_says_so(place: Place) -> None:
    bundle = place.version(1)
    assert not resolve(place.open(), MODEL, "v1").retired
    place.write(Kind.RETIRED, 1, bundle)
    assert resolve(place.open(), MODEL, "v1").retired


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("production", "the stage holds nothing"),
        ("prod", "neither a version nor a stage that holds one"),
        ("v7", "v7"),
    ],
)
def test_nothing_is_an_error_and_never_an_answer(place: Place, name: str, problem: str) -> None:
    place.version(1)
    with pytest.raises(UsageError, match=problem):
        resolve(place.open(), MODEL, name)
