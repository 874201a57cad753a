"""`explain`: the verdict without writing anything, and what was decided then."""

from __future__ import annotations

import pytest

from assent.core.entry import FindingRecord, Kind, VerdictRecord
from assent.core.verdict import Decision, Outcome
from assent.errors import ExitCode, UsageError
from assent.verbs.approve import approve
from assent.verbs.explain import explain, recall
from assent.verbs.note import note
from assent.verbs.register import register
from assent.verbs.rollback import rollback
from tests.verbs.place import CONFIG, MODEL, Place


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


def test_what_was_decided_then_and_not_what_would_be_decided_today(place: Place) -> None:
    bundle = place.bundle()
    place.approve(bundle, "bob")
    approve(place.open(), MODEL)
    register(place.open(), MODEL)
    (place.folder / "assent.yaml").write_text(CONFIG.replace("min: 0.7", "min: 0.99"))
    place.commit(0.8)
    result = recall(place.open(), MODEL, 1)
    assert result.exit_code is ExitCode.DONE
    assert result.verdict is not None
    assert result.verdict.decision is Decision.PASSED
    [gate] = [finding for finding in result.verdict.findings if "accuracy" in finding.rule]
    assert gate.rule == "accuracy min 0.7"
    assert "0.8" in gate.evidence
    assert not result.lacks_figures
    assert (result.moment.entry.required, result.moment.unapproved) == (1, False)
    assert [given.recorded for given in result.moment.approvals] == [0]


def test_a_rollback_that_nobody_had_to_approve_says_so(place: Place) -> None:
    for number in (1, 2):
        place.version(number)
        place.hold("staging", number, number - 1 or None)
    rollback(place.open(), MODEL, "staging", reason="worse")
    result = recall(place.open(), MODEL, 4)
    assert result.moment.unapproved
    assert result.verdict is not None
    assert result.moment.entry.required == 0


def test_an_override_is_told_with_what_it_was_for(place: Place) -> None:
    bundle = place.version(1)
    record = VerdictRecord(
        findings=(
            FindingRecord(rule="soak", outcome=Outcome.WAITING, reason="1h", evidence="23h of 24h"),
        ),
        policy=bundle,
    )
    about = {"stage": "staging", "verdict": record, "reason": "a fix"}
    place.write(Kind.OVERRIDDEN, 1, bundle, **about)
    place.write(Kind.PROMOTED, 1, bundle, required=0, **about)
    result = recall(place.open(), MODEL, 2)
    assert result.verdict is not None
    assert result.verdict.decision is Decision.PENDING
    assert result.override is not None
    assert result.override.entry.seq == 1
    assert result.verdict.findings[0].evidence == "23h of 24h"


def test_an_entry_that_judged_nothing_and_one_that_is_not_there(place: Place) -> None:
    bundle = place.version(1)
    place.write(Kind.NOTED, 1, bundle, reason="fine")
    assert recall(place.open(), MODEL, 1).verdict is None
    assert [note.seq for note in recall(place.open(), MODEL, 0).notes] == [1]
    for seq in (2, -1):
        with pytest.raises(UsageError, match="the newest is entry 1"):
            recall(place.open(), MODEL, seq)


def test_figures_that_an_earlier_release_did_not_keep_are_missed(place: Place) -> None:
    bundle = place.bundle()
    record = VerdictRecord(
        findings=(FindingRecord(rule="r", outcome=Outcome.PASSED, reason="enough"),), policy=bundle
    )
    place.write(Kind.REGISTERED, 1, bundle, verdict=record)
    assert recall(place.open(), MODEL, 0).lacks_figures


def test_notes_about_a_version_are_there_where_it_is_explained(place: Place) -> None:
    place.version(1)
    note(place.open(), MODEL, "it won", version="v1", metrics={"uplift": 0.1})
    result = explain(place.open(), MODEL, name="v1", stage="staging")
    assert [entry.metrics for entry in result.notes] == [{"uplift": 0.1}]
