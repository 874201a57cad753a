"""Who made a merge request beside the authors of its commits, as far as GitLab tells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assent.core.change import Change
from tests.forges.gitlab.conftest import Scene
from tests.gitlab.accounts import User


def change(scene: Scene) -> Change:
    found = scene.forge().change()
    assert found is not None
    return found


def authors(scene: Scene) -> set[str]:
    return {one.name for one in change(scene).authors}


def advance(scene: Scene) -> None:
    """The default branch gets a commit of somebody else."""
    dora = scene.gitlab.user("dora", role="developer")
    scene.project.push(dora, files={"README.md": "# more\n"})


def carol(scene: Scene) -> User:
    return scene.gitlab.user("carol", role="developer")


def agent_request(scene: Scene) -> User:
    agent = scene.gitlab.user("duo-developer-acme", role="developer", is_bot=True)
    scene.request = scene.gitlab.open_merge_request(agent, title="Fix it")
    return agent


@pytest.mark.threat(1)
def test_who_pushes_what_another_one_has_written_is_an_author(free: Scene) -> None:
    free.request.push(by=free.alice, pusher=carol(free))
    assert authors(free) == {"alice", "carol"}
    assert change(free).remarks == ()


def test_a_rebase_on_the_base_makes_nobody_an_author_and_is_said(free: Scene) -> None:
    advance(free)
    free.request.rebase(carol(free))
    assert authors(free) == {"alice"}
    (remark,) = change(free).remarks
    assert "`carol` brought in the base branch and nothing else" in remark


@pytest.mark.threat(1)
def test_a_rebase_hides_nobody_who_pushed_before(free: Scene) -> None:
    """Carol pushes what names alice as its author, and alice rebases it."""
    free.request.push(by=free.alice, pusher=carol(free))
    advance(free)
    free.request.rebase(free.alice)
    assert authors(free) == {"alice", "carol"}


@pytest.mark.threat(1)
def test_a_branch_that_was_deleted_and_restored_hides_nobody_who_pushed(free: Scene) -> None:
    """Of the same commits: who pushed to another branch of the same name has made none of them."""
    project, branch = free.project, free.request.source_branch
    erin = free.gitlab.user("erin", role="developer")
    project.pushed(branch, None, project.commit(erin, branch="other"), erin)
    free.request.push(by=free.alice, pusher=carol(free))
    project.pushed(branch, None, free.request.sha, free.alice)
    assert authors(free) == {"alice", "carol"}


@pytest.mark.threat(1)
def test_that_a_push_is_not_told_is_said_though_it_was_replaced(free: Scene) -> None:
    """Carol pushes four branches at once, of which GitLab keeps no names. What she has brought may
    be in what alice makes of it.
    """
    project, request = free.project, free.request
    own = {"train.py": "print(3)\n"}
    request.push(files=own, pusher=carol(free), refs=4)
    request.push(project.commit(free.alice, parent=project.tip("main"), files=own))
    assert authors(free) == {"alice"}
    assert any("who pushed its commits is not told" in one for one in change(free).remarks)


def test_what_was_on_the_base_branch_before_hides_nobody(free: Scene) -> None:
    """A branch is used again that was merged, and which was made before GitLab kept events."""
    project, request = free.project, free.request
    before = project.tip("main")
    advance(free)
    own = project.commit(free.alice, parent=project.tip("main"), files={"train.py": "print(3)\n"})
    request.push(own)
    project.pushes[:] = [replace(one, before=before) for one in project.pushes if one.after == own]
    assert authors(free) == {"alice"}
    assert change(free).remarks == ()


def test_that_gitlab_does_not_tell_who_pushed_is_said(free: Scene) -> None:
    free.project.tells_pushes = False
    assert any("who pushed its commits is not told" in one for one in change(free).remarks)


@pytest.mark.threat(50)
def test_what_an_agent_opened_is_the_work_of_whom_it_was_opened_for(premium: Scene) -> None:
    agent = agent_request(premium)
    premium.request.assign(premium.bob, agent)
    assert authors(premium) == {agent.username, "bob"}


@pytest.mark.threat(50)
def test_or_of_whom_it_asks_for_the_review(premium: Scene) -> None:
    bot = premium.gitlab.user("fixer", role="developer", is_bot=True)
    premium.request = premium.gitlab.open_merge_request(bot, title="Fix it")
    premium.request.note(bot, "requested review from @bob").is_system = True
    premium.request.note(premium.alice, "requested review from @alice").is_system = True
    assert authors(premium) == {"fixer", "bob"}


def test_that_gitlab_does_not_tell_for_whom_is_said(premium: Scene) -> None:
    agent_request(premium)
    assert any("opened it is not told" in one for one in change(premium).remarks)
