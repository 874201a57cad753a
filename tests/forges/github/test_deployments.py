"""What the stages hold, as GitHub shows it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from assent.core.digest import short
from assent.errors import OutsideError
from assent.ports import Deployment
from tests.builders import digest
from tests.forges.github.conftest import Scene

ADDRESS = "https://github.com/acme/churn/blob/assent/churn/entries/000/000005.json"


def deployment(seq: int = 5, **fields: Any) -> Deployment:
    values: dict[str, Any] = {
        "model": "churn",
        "stage": "production",
        "environment": "production",
        "version": seq,
        "bundle": digest("b"),
        "entry": digest("entry"),
        "address": ADDRESS,
        **fields,
    }
    return Deployment(seq=seq, **values)


def shown(scene: Scene) -> list[tuple[str, str | None, list[str]]]:
    return [
        (one.task, one.description, [status.state for status in one.statuses])
        for one in scene.github.repository.deployments
    ]


def test_what_a_stage_holds_is_a_deployment(scene: Scene) -> None:
    address = scene.forge().deployed(deployment(commit=scene.github.repository.tip("main")))
    assert address == "https://github.com/acme/churn/deployments/production"
    (made,) = scene.github.repository.deployments
    assert (made.environment, made.task) == ("production", "assent:promote")
    assert made.description == f"churn v5 ({short(digest('b'))})"
    assert made.payload == {
        "model": "churn",
        "stage": "production",
        "version": 5,
        "bundle": digest("b"),
        "seq": 5,
        "entry": digest("entry"),
    }
    (status,) = made.statuses
    assert (status.state, status.environment_url, status.log_url) == ("success", ADDRESS, ADDRESS)


def test_it_is_shown_once(scene: Scene) -> None:
    scene.forge().deployed(deployment())
    writes = len(scene.server.writes)
    scene.forge().deployed(deployment())
    assert len(scene.server.writes) == writes


@pytest.mark.threat(32)
@pytest.mark.parametrize("path", ["*/deployments", "*/deployments/*/statuses"])
def test_a_deployment_whose_answer_was_lost_is_shown_once(scene: Scene, path: str) -> None:
    scene.faults.fail_after("POST", path, 502)
    scene.forge().deployed(deployment())
    assert scene.faults.is_done
    assert [states for _, _, states in shown(scene)] == [["success"]]


@pytest.mark.threat(25)
def test_a_deployment_without_its_status_gets_it_the_next_time(scene: Scene) -> None:
    scene.faults.fail("POST", "*/deployments/*/statuses", 502, times=9)
    with pytest.raises(OutsideError):
        scene.forge().deployed(deployment())
    scene.faults._orders.clear()
    scene.forge().deployed(deployment())
    assert [states for _, _, states in shown(scene)] == [["success"]]


def test_the_next_one_ends_the_one_before(scene: Scene) -> None:
    scene.forge().deployed(deployment(5))
    scene.forge().deployed(deployment(6, version=4, is_rollback=True))
    assert [(task, states) for task, _, states in shown(scene)] == [
        ("assent:promote", ["success", "inactive"]),
        ("assent:rollback", ["success"]),
    ]


@pytest.mark.threat(22)
def test_an_older_one_does_not_follow_a_later_one(scene: Scene) -> None:
    scene.forge().deployed(deployment(6))
    scene.forge().deployed(deployment(5))
    assert [states for _, _, states in shown(scene)] == [["success"]]


def test_models_in_one_environment_do_not_end_each_other(scene: Scene) -> None:
    scene.forge().deployed(deployment(5, environment="staging"))
    scene.forge().deployed(deployment(2, environment="staging", model="fraud"))
    assert [states for _, _, states in shown(scene)] == [["success"], ["success"]]


def test_deployments_of_others_are_not_ours(scene: Scene) -> None:
    scene.forge().deployed(deployment(5))
    (made,) = scene.github.repository.deployments
    made.creator = scene.bob
    made.payload = msgspec.json.encode({"model": "churn", "seq": 99}).decode()
    scene.forge().deployed(deployment(5))
    assert len(shown(scene)) == 2
    made.creator = scene.github.actions_bot
    scene.forge().deployed(deployment(6))
    assert len(shown(scene)) == 3


@pytest.mark.parametrize("payload", ["", "{", "[]", "null", {"model": "churn"}, {"seq": 5}])
def test_a_deployment_of_another_kind_is_passed_over(
    scene: Scene, payload: str | dict[str, object]
) -> None:
    scene.forge().deployed(deployment(5))
    scene.github.repository.deployments[0].payload = payload
    scene.forge().deployed(deployment(5))
    assert len(shown(scene)) == 2


def test_without_an_address_it_links_to_the_ledger(scene: Scene) -> None:
    scene.forge().deployed(deployment(address=None))
    (status,) = scene.github.repository.deployments[0].statuses
    assert status.log_url == "https://github.com/acme/churn/commits/assent/churn"
