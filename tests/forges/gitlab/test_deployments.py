"""What a stage holds, as GitLab shows it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from assent.errors import OutsideError
from assent.ports import Deployment
from tests.builders import digest
from tests.forges.gitlab.conftest import WEB, Scene


def deployment(scene: Scene, **changed: Any) -> Deployment:
    made = Deployment(
        model="churn",
        stage="production",
        environment="production",
        version=12,
        bundle=digest("b"),
        seq=3,
        entry=digest("entry"),
        commit=scene.project.tip("main"),
    )
    return msgspec.structs.replace(made, **changed)


def shown(scene: Scene) -> list[tuple[str, str, str, str]]:
    return [
        (one.environment.name, one.ref, one.sha, one.status) for one in scene.project.deployments
    ]


def test_a_deployment_is_made_once(scene: Scene) -> None:
    address = scene.forge().deployed(deployment(scene))
    (environment,) = scene.project.environments
    assert address == f"{WEB}/acme/churn/-/environments/{environment.id}"
    tip = scene.project.tip("main")
    assert shown(scene) == [("production", "assent/churn", tip, "success")]
    assert scene.forge().deployed(deployment(scene)) == address
    assert len(shown(scene)) == 1


def test_another_version_is_another_deployment_and_so_is_going_back(scene: Scene) -> None:
    old = scene.project.tip("main")
    new = scene.project.push(scene.alice)
    for commit in (old, new, new, old):
        scene.forge().deployed(deployment(scene, commit=commit))
        scene.gitlab.tick()
    assert [one[2] for one in shown(scene)] == [old, new, old]


def test_two_models_share_an_environment(premium: Scene) -> None:
    old = premium.project.tip("main")
    new = premium.project.push(premium.alice)
    for model, commit in (("churn", old), ("fraud", new), ("churn", old), ("fraud", new)):
        premium.forge().deployed(deployment(premium, model=model, commit=commit))
    assert [one[1] for one in shown(premium)] == ["assent/churn", "assent/fraud"]


def test_without_a_commit_it_is_the_newest_one(premium: Scene) -> None:
    premium.forge().deployed(deployment(premium, commit=None))
    assert shown(premium)[0][2] == premium.project.tip("main")


def test_a_job_s_own_deployment_is_not_made_again(scene: Scene) -> None:
    job = scene.gitlab.run_pipeline("push", scene.alice).job("promote", environment="production")
    writes = len(scene.server.writes)
    address = scene.job(job).deployed(deployment(scene))
    assert address is not None
    assert address.startswith(f"{WEB}/acme/churn/-/environments/")
    assert len(scene.server.writes) == writes
    assert len(shown(scene)) == 1


def test_a_job_without_an_environment_makes_one(premium: Scene) -> None:
    job = premium.gitlab.run_pipeline("push", premium.alice).job("promote")
    premium.job(job).deployed(deployment(premium))
    assert len(shown(premium)) == 1


def test_somebody_else_s_deployment_is_not_ours(premium: Scene) -> None:
    token = premium.gitlab.personal_token(premium.bob)
    premium.project.add(premium.bob, "maintainer")
    premium.forge(token=token).deployed(deployment(premium))
    premium.forge().deployed(deployment(premium))
    assert len(shown(premium)) == 2


@pytest.mark.threat(32)
@pytest.mark.parametrize("after", [True, False])
def test_a_post_without_an_answer_is_looked_for(premium: Scene, after: bool) -> None:
    premium.faults.gateway("POST", "*/deployments", after=after)
    premium.forge().deployed(deployment(premium))
    assert premium.faults.is_done
    assert len(shown(premium)) == 1


def test_a_refusal_names_the_role(premium: Scene) -> None:
    token = premium.gitlab.project_token(role="reporter")
    with pytest.raises(OutsideError, match="showing churn v12 in production") as caught:
        premium.forge(token=token).deployed(deployment(premium))
    assert "role Developer" in str(caught.value.hint)
