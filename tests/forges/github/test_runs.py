"""Runs: who started them, who let them go on, and whether they are of a change."""

from __future__ import annotations

from typing import Any

import pytest

from assent.core import evidence
from assent.core.change import ReviewState
from assent.core.identity import Actor
from assent.errors import OutsideError, PolicyError
from assent.ports import DeploymentRequest
from tests.forges.github.conftest import Scene
from tests.github.runs import Run


def run(scene: Scene, environment: str | None = None) -> Run:
    return scene.github.start_run(
        event="workflow_dispatch", actor=scene.alice, environment=environment
    )


def pressed(
    scene: Scene, started: Run | None, environment: str = "production"
) -> DeploymentRequest:
    number = None if started is None else str(started.id)
    return scene.forge(event="workflow_dispatch", run=number).deployment_request(environment)


def test_whoever_started_the_run_acts(scene: Scene) -> None:
    started = run(scene)
    assert scene.forge(event="workflow_dispatch", run=str(started.id)).whoami().login == "alice"
    started.rerun(scene.bob)
    assert scene.forge(event="workflow_dispatch", run=str(started.id)).whoami().login == "bob"


def test_outside_ci_it_is_the_account_of_the_token(scene: Scene) -> None:
    token = scene.github.personal_token(scene.bob, contents="read")
    assert scene.forge(token=token).whoami().key == f"github:github.com:{scene.bob.id}"


def test_a_run_without_an_environment_has_no_approvals(scene: Scene) -> None:
    request = pressed(scene, run(scene))
    assert request.by is not None
    assert request.by.login == "alice"
    assert (request.approvals, request.is_guarded, request.is_bypassed) == ((), False, False)


def test_those_who_let_the_run_go_on_are_its_approvals(scene: Scene) -> None:
    scene.github.protect_environment("production", scene.bob)
    started = run(scene, "production")
    scene.github.tick()
    started.approve("production", scene.bob, "Go.")
    request = pressed(scene, started)
    (approval,) = request.approvals
    assert approval.person.login == "bob"
    assert (approval.state, approval.reason) == (ReviewState.APPROVED, "Go.")
    assert (approval.bundle, approval.head) == (None, started.head_sha)
    assert request.is_guarded
    assert not request.is_bypassed


def test_a_rejection_and_an_approval_of_another_environment_are_none(scene: Scene) -> None:
    for name in ("production", "staging"):
        scene.github.protect_environment(name, scene.bob)
    started = run(scene, "staging")
    started.approve("staging", scene.bob)
    started.wait("production")
    started.reject("production", scene.bob)
    assert pressed(scene, started).approvals == ()
    assert len(pressed(scene, started, "Staging").approvals) == 1


def test_an_administrator_who_went_past_it_is_seen(scene: Scene) -> None:
    scene.github.protect_environment("production", scene.bob)
    started = run(scene, "production")
    started.bypass("production")
    request = pressed(scene, started)
    assert request.is_guarded
    assert request.is_bypassed


def test_a_guarded_environment_is_gone_past_on_a_laptop(scene: Scene) -> None:
    scene.github.protect_environment("production", scene.bob)
    scene.token = scene.github.personal_token(scene.alice, actions="read", contents="read")
    assert pressed(scene, None).is_bypassed
    assert not pressed(scene, None, "staging").is_bypassed


def test_an_environment_that_only_waits_is_not_guarded(scene: Scene) -> None:
    scene.github.protect_environment("production", wait_minutes=30)
    assert not pressed(scene, run(scene)).is_guarded


def test_an_environment_that_cannot_be_read_is_an_error(scene: Scene) -> None:
    scene.faults.fail("GET", "*/environments/production", 403)
    with pytest.raises(OutsideError, match="reading the environment 'production'"):
        pressed(scene, run(scene))


def test_a_plan_without_guards_has_none(scene: Scene) -> None:
    said = b'{"message": "Upgrade to GitHub Pro or make this repository public"}'
    scene.faults.answer("GET", "*/environments/production", said, status=403)
    assert not pressed(scene, run(scene)).is_guarded


@pytest.mark.threat(9)
def test_an_approval_of_a_deleted_account_is_nobodys(scene: Scene) -> None:
    started = run(scene, "production")
    started.approve("production", scene.bob)
    scene.bob.delete()
    (approval,) = pressed(scene, started).approvals
    assert approval.person.id in ("0", str(scene.github.ghost.id))
    assert approval.person.kind == "automation" or approval.person.login == "ghost"


# the run that a bundle says it was made in


def made_in(started: Run, **fields: Any) -> evidence.Run:
    return evidence.Run(system="github", id=str(started.id), **fields)


def logins(actors: tuple[Actor, ...]) -> list[str]:
    return [actor.login for actor in actors]


@pytest.mark.threat(1)
def test_whoever_started_the_training_is_known(scene: Scene) -> None:
    carol = scene.github.user("carol")
    started = scene.github.start_run(event="pull_request", actor=carol, pull=scene.pull)
    assert logins(scene.forge().started(made_in(started))) == ["carol"]
    started.rerun(scene.bob)
    for attempt, starter in ((1, "carol"), (2, "bob")):
        found = scene.forge().started(made_in(started, attempt=attempt))
        assert logins(found) == [starter]
    with pytest.raises(PolicyError, match="it has no attempt 3"):
        scene.forge().started(made_in(started, attempt=3))
    # Whoever pushes in another's name must not be hidden by somebody who runs it again.
    scene.github.repository.tells_pushes = False
    assert logins(scene.forge().started(made_in(started, attempt=2))) == ["bob", "carol"]


@pytest.mark.threat(18)
def test_a_run_of_another_change_is_refused(scene: Scene) -> None:
    fork = scene.github.fork(scene.github.user("fred"))
    other = scene.github.open_pull(fork.owner, fork=fork, branch=scene.pull.head_ref)
    started = scene.github.start_run(event="pull_request", actor=scene.bob, pull=other)
    with pytest.raises(PolicyError, match="which is not of #7"):
        scene.forge().started(made_in(started))
    found = scene.forge(payload=scene.payload(other)).started(made_in(started))
    assert logins(found) == ["bob"]


@pytest.mark.threat(18)
@pytest.mark.parametrize("name", ["999999", "../../../user", "", "\u0663"])
def test_a_run_that_does_not_exist_is_refused(scene: Scene, name: str) -> None:
    with pytest.raises(PolicyError, match="this repository has no such run"):
        scene.forge().started(evidence.Run(system="github", id=name))


def test_an_earlier_run_of_the_branch_and_one_of_the_default_branch_are_of_the_change(
    scene: Scene,
) -> None:
    early = scene.github.start_run(event="pull_request", actor=scene.bob, pull=scene.pull)
    retrained = scene.github.start_run(event="workflow_dispatch", actor=scene.bob)
    scene.pull.push()
    for started in (early, retrained):
        assert logins(scene.forge().started(made_in(started))) == ["bob"]


def test_what_runs_on_a_schedule_nobody_has_started_but_who_runs_it_again(scene: Scene) -> None:
    nightly = scene.github.start_run(event="schedule", actor=scene.alice)
    assert scene.forge().started(made_in(nightly)) == ()
    nightly.rerun(scene.bob)
    assert logins(scene.forge().started(made_in(nightly, attempt=2))) == ["bob"]


def test_of_another_system_nothing_is_known(scene: Scene) -> None:
    assert scene.forge().started(evidence.Run(system="ci", id="1")) == ()
