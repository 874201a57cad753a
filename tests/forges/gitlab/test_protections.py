"""What GitLab enforces, and what `doctor --forge` says of it."""

from __future__ import annotations

import pytest

from assent.ports import ProtectionState
from tests.forges.gitlab.conftest import Scene
from tests.gitlab.project import Machine

ENFORCED, MISSING, UNKNOWN = (
    ProtectionState.ENFORCED,
    ProtectionState.MISSING,
    ProtectionState.UNKNOWN,
)


def states(scene: Scene, **said: object) -> dict[str, ProtectionState]:
    found = scene.forge(**said).guards.protections(models=["churn"], environments=["production"])
    assert all(one.reason for one in found)
    assert all(one.remedy for one in found if one.state is MISSING)
    return {one.name.replace("main: ", ""): one.state for one in found}


def one(scene: Scene, name: str, **said: object) -> ProtectionState:
    return next(state for key, state in states(scene, **said).items() if name in key)


def test_asking_changes_nothing(scene: Scene) -> None:
    assert states(scene) == states(scene)
    assert scene.server.writes == []


def test_on_the_tier_free_approvals_and_environments_are_not_enforced(free: Scene) -> None:
    found = free.forge().guards.protections(models=[], environments=["production"])
    tiered = [one for one in found if "approv" in one.name or "commits take" in one.name]
    assert len(tiered) == 4
    assert {one.state for one in tiered} == {MISSING}
    assert all("tier" in one.reason for one in tiered)


def test_what_a_paid_tier_enforces(premium: Scene) -> None:
    settings = premium.project.approval_settings
    settings["merge_requests_author_approval"] = True
    settings["reset_approvals_on_push"] = False
    premium.project.approval_rules.clear()
    names = ("approvals are required", "approves their own", "take approvals away", "production")
    assert [one(premium, name) for name in names] == [MISSING] * 4
    settings["merge_requests_author_approval"] = False
    settings["reset_approvals_on_push"] = True
    premium.project.require_approval("security", premium.bob)
    premium.project.protect_environment("production", premium.bob)
    assert [one(premium, name) for name in names] == [ENFORCED] * 4


def test_who_may_push_to_the_default_branch(scene: Scene) -> None:
    name = "changes come by merge requests"
    assert one(scene, name) is MISSING  # maintainers may push
    scene.project.unprotect("main")
    assert one(scene, name) is MISSING
    scene.project.protect("main", push="none")
    assert one(scene, name) is ENFORCED
    scene.project.protect("ma*", push="developer")
    assert one(scene, name) is MISSING  # the widest of all that fit


@pytest.mark.threat(26)
def test_who_may_write_the_ledger(scene: Scene) -> None:
    name = "assent/churn"
    assert one(scene, name) is MISSING
    scene.project.protect("assent/*", push="developer")
    assert one(scene, name) is MISSING
    scene.project.unprotect("assent/*")
    scene.project.protect("assent/*")
    assert one(scene, name) is ENFORCED
    scene.project.protected_branches[-1].allows_force_push = True
    assert one(scene, name) is MISSING


def test_a_lesser_token_does_not_know(premium: Scene) -> None:
    token = premium.gitlab.project_token("api", role="developer")
    found = states(premium, token=token)
    assert found["changes come by merge requests"] is UNKNOWN
    assert found["assent/churn: cannot be rewritten or deleted"] is UNKNOWN


def test_what_the_token_is(premium: Scene) -> None:
    assert one(premium, "token") is ENFORCED
    assert one(premium, "token", token=premium.gitlab.project_token("read_api")) is MISSING


@pytest.mark.threat(20)
def test_who_may_set_variables(premium: Scene) -> None:
    answers = {
        b'"ci_pipeline_variables_minimum_override_role": "developer"': MISSING,
        b'"ci_pipeline_variables_minimum_override_role": "no_one_allowed"': ENFORCED,
        b'"restrict_user_defined_variables": true': ENFORCED,
        b'"restrict_user_defined_variables": false': MISSING,
        b'"x": 1': UNKNOWN,
    }
    for said, state in answers.items():
        body = (
            b'{"id": %d, "path_with_namespace": "acme/churn", "default_branch": "main", '
            b'"web_url": "https://gitlab.example.com/acme/churn", %s}' % (premium.project.id, said)
        )
        premium.faults.answer("GET", "/projects/acme%2Fchurn", body)
        assert one(premium, "variables") is state


@pytest.mark.threat(16)
@pytest.mark.parametrize("variable", ["ASSENT_GITLAB_TOKEN", "ASSENT_LEDGER_TOKEN"])
def test_whether_pipelines_of_merge_requests_get_a_token(scene: Scene, variable: str) -> None:
    name = f"{variable}: pipelines of merge requests"
    assert one(scene, name) is UNKNOWN  # it is no variable of the project, perhaps of a group
    scene.project.variables[variable] = False
    assert one(scene, name) is MISSING
    scene.project.variables[variable] = True
    assert one(scene, name) is ENFORCED
    developer = scene.gitlab.project_token(role="developer")
    assert one(scene, name, token=developer) is UNKNOWN


@pytest.mark.threat(47)
@pytest.mark.parametrize("variable", ["ASSENT_GITLAB_TOKEN", "ASSENT_LEDGER_TOKEN"])
def test_whether_a_training_gets_a_token(scene: Scene, variable: str) -> None:
    name = f"{variable}: trainings on the default branch"
    assert one(scene, name) is UNKNOWN
    scene.project.variables[variable] = True
    assert one(scene, name) is MISSING
    scene.project.scopes[variable] = ["assent", "production"]
    assert one(scene, name) is ENFORCED
    assert one(scene, f"{variable}: pipelines of merge requests") is ENFORCED
    scene.project.scopes[variable].append("*")
    assert one(scene, name) is MISSING


@pytest.mark.threat(47)
def test_whether_jobs_may_push(scene: Scene) -> None:
    name = "job tokens: no job can push"
    assert one(scene, name) is ENFORCED
    scene.project.jobs_may_push = True
    assert one(scene, name) is MISSING
    body = (
        b'{"id": %d, "path_with_namespace": "acme/churn", "default_branch": "main", '
        b'"web_url": "https://gitlab.example.com/acme/churn"}' % scene.project.id
    )
    scene.faults.answer("GET", "/projects/acme%2Fchurn", body)
    assert one(scene, name) is UNKNOWN


@pytest.mark.threat(47)
def test_whether_a_merge_request_can_have_a_protected_pipeline(scene: Scene) -> None:
    name = "pipelines of merge requests: none counts as protected"
    assert one(scene, name) is ENFORCED
    scene.project.protects_merge_requests = True
    scene.project.protect("assent/*")
    assert one(scene, name) is ENFORCED, "nobody proposes what is there"
    scene.project.protect("release/*", push="developer")
    assert one(scene, name) is MISSING
    developer = scene.gitlab.project_token("api", role="developer")
    assert one(scene, name, token=developer) is UNKNOWN


@pytest.mark.threat(47)
def test_which_runners_are_protected(scene: Scene) -> None:
    name = "runners:"
    assert one(scene, name) is UNKNOWN, "it has none of its own"
    shared, models = Machine(1, "shared", "instance_type"), Machine(2, "models", is_protected=True)
    scene.project.runners += [shared]
    assert one(scene, name) is UNKNOWN, "the server's may reach the store"
    scene.project.runners += [models]
    assert one(scene, name) is ENFORCED
    scene.project.runners += [Machine(3, "docker", "group_type")]
    assert one(scene, name) is UNKNOWN, "GitLab does not know which of them reaches the store"
    models.is_protected = False
    assert one(scene, name) is MISSING
    developer = scene.gitlab.project_token("api", role="developer")
    assert one(scene, name, token=developer) is UNKNOWN


def test_runners_that_were_not_looked_at_are_none_that_are_protected(scene: Scene) -> None:
    scene.project.runners += [Machine(one, "models", is_protected=True) for one in range(1, 51)]
    assert one(scene, "runners:") is ENFORCED
    scene.project.runners += [Machine(51, "docker")]
    assert one(scene, "runners:") is UNKNOWN, "some are not protected"
    scene.project.runners[50:] = [Machine(51, "models", is_protected=True), Machine(52, "docker")]
    assert one(scene, "runners:") is UNKNOWN, "there are more than are looked at"
