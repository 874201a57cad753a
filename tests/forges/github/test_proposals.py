"""The pull request that a better model is proposed by."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from assent.errors import OutsideError
from assent.ports import Proposal
from tests.forges.github.conftest import Scene
from tests.github.pulls import Pull

BRANCH = "retrain/churn"
PROPOSAL = Proposal(
    model="churn",
    branch=BRANCH,
    base="main",
    title="Retrain churn: roc_auc 0.912 → 0.921",
    body="The bundle is `sha256:…`.\n",
)


@pytest.fixture(autouse=True)
def _pushed(scene: Scene) -> None:
    """The branch is there, and the repository lets workflows open pull requests."""
    repository = scene.github.repository
    repository.workflows_may_approve = True
    repository.commit(
        scene.github.actions_bot,
        message="Retrain churn",
        files={"assent.lock": "format: assent/lock/1\n"},
        parent=repository.tip("main"),
        branch=BRANCH,
    )


def proposed(scene: Scene, **fields: Any) -> str:
    forge = scene.forge(event="schedule")
    return forge.propose(msgspec.structs.replace(PROPOSAL, **fields))


def pulls(scene: Scene) -> list[Pull]:
    return [one for one in scene.github.repository.pulls if one.head_ref == BRANCH]


def test_it_is_opened(scene: Scene) -> None:
    address = proposed(scene)
    (pull,) = pulls(scene)
    assert address == f"https://github.com/acme/churn/pull/{pull.number}"
    assert (pull.title, pull.body) == (PROPOSAL.title, PROPOSAL.body)
    assert (pull.base_ref, pull.author) == ("main", scene.github.actions_bot)
    assert not pull.is_draft


def test_it_is_opened_once(scene: Scene) -> None:
    address = proposed(scene)
    writes = len(scene.server.writes)
    assert proposed(scene) == address
    assert len(scene.server.writes) == writes


def test_it_says_what_is_proposed_now(scene: Scene) -> None:
    proposed(scene)
    proposed(scene, title="Retrain churn: roc_auc 0.912 → 0.93", body="Another one.\r\n")
    (pull,) = pulls(scene)
    assert pull.title == "Retrain churn: roc_auc 0.912 → 0.93"
    assert pull.body == "Another one.\r\n"
    writes = len(scene.server.writes)
    proposed(scene, title="Retrain churn: roc_auc 0.912 → 0.93", body="Another one.\n")
    assert len(scene.server.writes) == writes, "line ends are no difference"


def test_what_a_person_has_written_stays(scene: Scene) -> None:
    """Where workflows may not open pull requests, people do."""
    sha = scene.github.repository.tip(BRANCH)
    mine = scene.github.open_pull(scene.alice, title="Mine", body="Please.", branch=BRANCH, sha=sha)
    assert proposed(scene).endswith(f"/pull/{mine.number}")
    assert (mine.title, mine.body) == ("Mine", "Please.")


def test_after_it_was_closed_there_is_another_one(scene: Scene) -> None:
    proposed(scene)
    pulls(scene)[0].close()
    proposed(scene)
    assert [one.is_open for one in pulls(scene)] == [False, True]


def test_a_branch_of_that_name_in_a_fork_is_another_one(scene: Scene) -> None:
    fork = scene.github.fork(scene.bob)
    theirs = scene.github.open_pull(
        scene.bob, title="Retrain churn", files={"a": "b\n"}, branch=BRANCH, fork=fork
    )
    proposed(scene)
    ours = [one for one in pulls(scene) if one is not theirs]
    assert len(ours) == 1
    assert theirs.title == "Retrain churn"


@pytest.mark.threat(32)
def test_a_proposal_whose_answer_was_lost_is_opened_once(scene: Scene) -> None:
    scene.faults.fail_after("POST", "*/pulls", 502)
    proposed(scene)
    assert scene.faults.is_done
    assert len(pulls(scene)) == 1
    scene.faults.fail_after("PATCH", "*/pulls/*", 502)
    proposed(scene, title="Another")
    assert scene.faults.is_done
    assert pulls(scene)[0].title == "Another"
    assert len([one for one in scene.server.writes if one.method == "PATCH"]) == 1


def test_where_workflows_may_open_none_it_says_so(scene: Scene) -> None:
    scene.github.repository.workflows_may_approve = False
    with pytest.raises(OutsideError, match="not permitted to create") as caught:
        proposed(scene)
    assert "settings of the repository" in str(caught.value.hint)
    assert pulls(scene) == []


def test_an_app_signs_and_opens_as_itself(scene: Scene) -> None:
    app = scene.github.bot("assent-acme[bot]")
    token = scene.github.app_token(app, contents="write", pull_requests="write")
    forge = scene.forge(event="schedule", token=token, account="assent-acme[bot]")
    assert forge.commit_author().name == "assent-acme[bot]"
    assert forge.commit_author().email == app.email
    forge.propose(PROPOSAL)
    assert pulls(scene)[0].author is app


def test_a_commit_that_is_signed_so_has_an_account(scene: Scene) -> None:
    signature = scene.forge(event="schedule").commit_author()
    assert signature.email == scene.github.actions_bot.email
    proposed(scene)
    (pull,) = pulls(scene)
    change = scene.forge(payload=scene.payload(pull)).change()
    assert change is not None
    assert [author.name for author in change.authors] == ["github-actions[bot]"]
    assert all(author.person is not None for author in change.authors)


def test_a_title_is_one_line_and_not_too_long(scene: Scene) -> None:
    proposed(scene, title="Retrain\nchurn: " + "x" * 300)
    title = pulls(scene)[0].title
    assert title.startswith("Retrain churn: xxx")
    assert len(title) == 256
