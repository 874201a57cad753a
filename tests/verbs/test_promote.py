"""`promote`: what may enter a stage, and that the pointer follows the ledger."""

from __future__ import annotations

import pytest

from assent.core.change import Review, ReviewState
from assent.core.entry import Kind
from assent.errors import ExitCode, IntegrityError, UsageError
from assent.ports import DeploymentRequest
from assent.verbs.approve import approve
from assent.verbs.promote import promote
from tests.verbs.place import MODEL, Place


def rules(place: Place, stage: str, version: str) -> dict[str, str]:
    """What each rule says, nothing being written."""
    before = place.log
    decided = promote(place.open(), MODEL, stage, version=version)
    assert decided.entries == ()
    assert place.log == before
    return {one.rule: str(one.outcome) for one in decided.verdict.findings}


def test_the_newest_version_enters_a_stage_without_rules(place: Place) -> None:
    place.version(1)
    bundle = place.version(2)
    decided = promote(place.open(), MODEL, "staging")
    assert decided.sentence == "promoted v2 to staging"
    assert place.log[-1] == "promote v2 to staging"
    pointer = place.store.pointer("churn/stages/staging")
    assert pointer is not None
    assert (pointer.version, pointer.bundle, pointer.seq) == (2, bundle, 2)
    again = promote(place.open(), MODEL, "staging")
    assert (again.was_so, again.entries) == (True, ())
    assert again.sentence == "staging holds v2 already"


def test_the_version_it_replaces_is_named(place: Place) -> None:
    place.version(1)
    place.hold("staging", 1)
    place.version(2)
    decided = promote(place.open(), MODEL, "staging", version="v2")
    assert decided.sentence == "promoted v2 to staging, which held v1"
    assert decided.entries[-1].replaces == 1


def test_a_stage_never_moves_back(place: Place) -> None:
    place.version(1)
    place.version(2)
    place.hold("staging", 2)
    assert rules(place, "staging", "v1")["staging moves forward"] == "failed"


def test_it_enters_after_the_stage_before_and_with_the_approval_of_whom_the_stage_names(
    place: Place,
) -> None:
    bundle = place.version(1)
    place.approve(bundle, "bob")
    approvals = "approvals for production: 1 of carol"
    said = rules(place, "production", "v1")
    assert (said["after staging"], said[approvals]) == ("failed", "waiting")
    place.hold("staging", 1)
    assert rules(place, "production", "v1") == {
        "production moves forward": "passed",
        "after staging": "passed",
        approvals: "waiting",
    }
    place.approve(bundle, "carol")
    approve(place.open(), MODEL, name=bundle)
    decided = promote(place.open(), MODEL, "production")
    assert decided.exit_code is ExitCode.DONE
    assert [one.person.login for one in decided.entries[-1].approvals] == ["carol"]


def test_who_presses_the_button_of_the_named_version_has_approved_it(place: Place) -> None:
    place.version(1)
    place.hold("staging", 1)
    yes = Review(
        person=place.forge.accounts["carol"],
        state=ReviewState.APPROVED,
        at="2026-01-02T03:00:00Z",
        head=None,
        bundle=None,
    )
    press = DeploymentRequest(by=place.forge.me, approvals=(yes,), is_guarded=True)
    place.forge.presses["prod"] = press
    unnamed = promote(place.open(), MODEL, "production", environment="prod")
    assert unnamed.exit_code is ExitCode.WAITING
    named = promote(place.open(), MODEL, "production", version="v1", environment="prod")
    assert named.exit_code is ExitCode.DONE
    assert place.forge.deployments[-1].environment == "prod"


def test_a_retired_version_enters_no_stage(place: Place) -> None:
    bundle = place.version(1)
    place.write(Kind.RETIRED, 1, bundle)
    decided = promote(place.open(), MODEL, "staging", version="v1")
    assert decided.exit_code is ExitCode.BLOCKED
    assert decided.entries == ()


def test_bytes_that_are_damaged_go_nowhere(place: Place) -> None:
    place.version(1)
    [blob] = [digest for digest, content in place.store.blobs.items() if content == b"v1"]
    place.store.blobs[blob] = b"x1"
    with pytest.raises(IntegrityError, match="corrupt"):
        promote(place.open(), MODEL, "staging")
    assert place.log == ["register v1"]


def test_a_stage_and_a_version_that_there_are_not(place: Place) -> None:
    place.version(1)
    with pytest.raises(UsageError) as caught:
        promote(place.open(), MODEL, "prod")
    assert "production" in f"{caught.value.problem} {caught.value.hint}"
    with pytest.raises(UsageError, match="v9"):
        promote(place.open(), MODEL, "staging", version="v9")


def test_on_a_ledger_that_moved_meanwhile_it_is_judged_again(place: Place) -> None:
    place.version(1)
    place.version(2)
    ledger = place.racing(lambda: place.hold("staging", 2))
    decided = promote(place.open(ledger=ledger), MODEL, "staging", version="v1")
    assert decided.exit_code is ExitCode.BLOCKED
    assert place.log[-1] == "promote v2 to staging"


def test_a_stage_that_was_mistyped(place: Place) -> None:
    place.version(1)
    with pytest.raises(UsageError) as caught:
        promote(place.open(), MODEL, "prodution")
    assert "did you mean 'production'?" in (caught.value.hint or "")


def test_how_many_had_to_approve_is_kept(place: Place) -> None:
    place.version(1)
    promote(place.open(), MODEL, "staging")
    assert place.entries[-1].required == 0
