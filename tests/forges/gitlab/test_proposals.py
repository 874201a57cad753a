"""The merge request that a better model is proposed by."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from assent.errors import OutsideError
from assent.ports import Proposal
from tests.forges.gitlab.conftest import WEB, Scene
from tests.gitlab.accounts import User
from tests.gitlab.merge_requests import MergeRequest

BRANCH = "retrain/churn"
PROPOSAL = Proposal(
    model="churn",
    branch=BRANCH,
    base="main",
    title="Retrain churn: roc_auc 0.912 → 0.921",
    body="The bundle is `sha256:…`.\n",
)


def pushed(scene: Scene, by: User) -> None:
    files = {"assent.lock": "format: assent/lock/1\n"}
    tip = scene.project.tip("main")
    scene.project.commit(by, message="Retrain churn", files=files, parent=tip, branch=BRANCH)


def proposed(scene: Scene, **fields: Any) -> str:
    return scene.forge().propose(msgspec.structs.replace(PROPOSAL, **fields))


def requests(scene: Scene) -> list[MergeRequest]:
    return [one for one in scene.project.merge_requests if one.source_branch == BRANCH]


def test_it_is_opened_once_and_brought_up_to_date(scene: Scene) -> None:
    pushed(scene, scene.bot)
    address = proposed(scene)
    (request,) = requests(scene)
    assert address == f"{WEB}/acme/churn/-/merge_requests/{request.iid}"
    assert (request.title, request.description) == (PROPOSAL.title, PROPOSAL.body)
    assert (request.target_branch, request.author) == ("main", scene.bot)
    writes = len(scene.server.writes)
    assert proposed(scene) == address
    assert len(scene.server.writes) == writes
    assert proposed(scene, title="Retrain churn\nagain", body="Better.") == address
    assert (request.title, request.description) == ("Retrain churn again", "Better.")
    assert len(requests(scene)) == 1


def test_what_a_person_has_written_stays(premium: Scene) -> None:
    pushed(premium, premium.alice)
    premium.gitlab.open_merge_request(premium.alice, branch=BRANCH, title="Mine")
    proposed(premium)
    assert [one.title for one in requests(premium)] == ["Mine"]


def test_one_into_another_branch_is_another_one(premium: Scene) -> None:
    pushed(premium, premium.bot)
    premium.project.set_branch("release", premium.project.tip("main"))
    premium.gitlab.open_merge_request(premium.bob, branch=BRANCH, target="release")
    proposed(premium)
    assert len(requests(premium)) == 2


def test_one_of_a_fork_is_not_ours(premium: Scene) -> None:
    pushed(premium, premium.bot)
    proposed(premium)
    ours = requests(premium)[0]
    fred = premium.gitlab.user("fred")
    premium.gitlab.open_merge_request(fred, branch=BRANCH, fork=premium.gitlab.fork(fred))
    assert proposed(premium).endswith(f"/{ours.iid}")


@pytest.mark.threat(32)
@pytest.mark.parametrize(("method", "path"), [("POST", "*/merge_requests"), ("PUT", "*/7")])
def test_a_write_without_an_answer_is_looked_for(premium: Scene, method: str, path: str) -> None:
    pushed(premium, premium.bot)
    proposed(premium)
    if method == "POST":
        requests(premium)[0].close()
    iid = requests(premium)[0].iid
    premium.faults.gateway(method, path.replace("7", str(iid)), after=True)
    proposed(premium, title="Another")
    assert premium.faults.is_done
    (open_one,) = [one for one in requests(premium) if one.state == "opened"]
    assert open_one.title == "Another"


def test_one_that_another_run_has_just_opened_is_found(premium: Scene) -> None:
    pushed(premium, premium.bot)
    proposed(premium)
    premium.faults.answer("GET", "*/merge_requests", b"[]")
    assert proposed(premium).endswith(str(requests(premium)[0].iid))
    assert premium.faults.is_done
    assert len(requests(premium)) == 1


def test_a_branch_that_is_not_there_is_an_error(premium: Scene) -> None:
    with pytest.raises(OutsideError, match="opening the merge request of retrain/churn"):
        proposed(premium)


def test_gitlab_knows_our_commits_again(scene: Scene) -> None:
    signature = scene.forge().commit_author()
    assert signature.email == scene.bot.private_email
    scene.request.push(by=scene.alice, message=f"x\n\nCo-authored-by: A <{signature.email}>")
    change = scene.forge().change()
    assert change is not None
    assert change.authors[-1].person is not None
    assert change.authors[-1].person.kind == "automation"
