"""`explain`: the verdict without writing anything."""

from __future__ import annotations

import pytest

from assent.errors import ExitCode, UsageError
from assent.verbs.explain import explain
from tests.verbs.place import MODEL, Place


def test_registering_waits_and_who_would_help_is_supposed(place: Place) -> None:
    bundle = place.bundle()
    result = explain(place.open(), MODEL)
    assert (result.step, result.bundle, result.exit_code) == ("register", bundle, ExitCode.WAITING)
    bob = explain(place.open(), MODEL, suppose=[place.forge.accounts["bob"]])
    assert (bob.exit_code, bob.supposed) == (ExitCode.DONE, ("bob",))
    alice = explain(place.open(), MODEL, suppose=[place.forge.accounts["alice"]])
    assert alice.exit_code is ExitCode.WAITING
    assert place.entries == []
    assert place.forge.given == []


def test_a_gate_that_fails_is_not_talked_away(place: Place) -> None:
    place.bundle(0.6)
    result = explain(place.open(), MODEL, suppose=[place.forge.accounts["bob"]])
    assert result.exit_code is ExitCode.BLOCKED


def test_promoting_is_judged_by_the_rules_of_the_stage(place: Place) -> None:
    place.version(1)
    place.hold("staging", 1)
    before = place.log
    bob, carol = place.forge.accounts["bob"], place.forge.accounts["carol"]

    def judged(*people: object) -> ExitCode:
        result = explain(place.open(), MODEL, name="v1", stage="production", suppose=people)  # type: ignore[arg-type]  # actors
        assert result.step == "promote to production"
        return result.exit_code

    assert judged() is ExitCode.WAITING
    assert judged(bob) is ExitCode.WAITING
    assert judged(bob, carol) is ExitCode.DONE
    assert place.log == before


def test_a_stage_that_there_is_not(place: Place) -> None:
    place.version(1)
    with pytest.raises(UsageError, match="prod"):
        explain(place.open(), MODEL, name="v1", stage="prod")
