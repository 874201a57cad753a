"""Who made a pull request beside the authors of its commits, as far as GitHub tells."""

from __future__ import annotations

import pytest

from assent.core.change import Change
from assent.errors import OutsideError
from assent.forges.github.api import PATIENCE_S
from assent.policy.approvals import unmapped
from assent.policy.rules import ApprovalRule
from tests.forges.github.conftest import Scene
from tests.github.accounts import Account
from tests.standin.objects import Signature

COPILOT = "Copilot"
CLAUDE = "Claude <noreply@anthropic.com>"


def change(scene: Scene) -> Change:
    found = scene.forge().change()
    assert found is not None
    return found


def authors(scene: Scene) -> set[str]:
    return {one.name for one in change(scene).authors}


def advance(scene: Scene) -> None:
    """The default branch gets a commit of somebody else."""
    dora = scene.github.login("dora") or scene.github.user("dora", role="write")
    scene.github.repository.push(dora, files={"README.md": "# more\n"})


def carol(scene: Scene) -> Account:
    return scene.github.user("carol", role="write")


@pytest.mark.threat(1)
def test_who_pushes_what_another_one_has_written_is_an_author(scene: Scene) -> None:
    scene.pull.push(by=scene.alice, pusher=carol(scene))
    assert authors(scene) == {"alice", "carol"}
    assert change(scene).remarks == ()


def test_a_merge_of_the_base_makes_nobody_an_author_and_is_said(scene: Scene) -> None:
    advance(scene)
    scene.pull.update_branch(carol(scene))
    assert authors(scene) == {"alice"}
    (remark,) = change(scene).remarks
    assert "`carol` brought in the base branch and nothing else" in remark


def test_so_does_a_rebase_on_the_base(scene: Scene) -> None:
    advance(scene)
    scene.pull.update_branch(carol(scene), "rebase")
    assert authors(scene) == {"alice"}
    (remark,) = change(scene).remarks
    assert "`carol`" in remark


def test_a_merge_that_changes_something_as_well_makes_an_author(scene: Scene) -> None:
    advance(scene)
    repository = scene.github.repository
    tree = repository.objects.merged_tree(scene.pull.head_sha, repository.tip("main"))
    assert tree is not None
    person = carol(scene)
    clean = scene.pull.update_branch(person)
    evil = repository.objects.commit(clean)
    sha = repository.objects.write(
        message=evil.message,
        author=evil.author,
        committer=evil.committer,
        parents=list(evil.parents),
        files={"train.py": "print('mine')\n"},
    )
    scene.pull.push(sha, pusher=person)
    assert "carol" in authors(scene)


@pytest.mark.threat(1)
def test_a_rebase_hides_nobody_who_pushed_before(scene: Scene) -> None:
    """Carol pushes what names alice as its author, and alice rebases it."""
    scene.pull.push(by=scene.alice, pusher=carol(scene))
    advance(scene)
    scene.pull.update_branch(scene.alice, "rebase")
    assert authors(scene) == {"alice", "carol"}


@pytest.mark.threat(1)
def test_a_squash_hides_nobody_who_merged_something_of_their_own(scene: Scene) -> None:
    """Carol merges a branch of hers into the change; alice makes one commit of all that."""
    repository, objects = scene.github.repository, scene.github.repository.objects
    person = carol(scene)
    head, base = scene.pull.head_sha, repository.tip("main")
    tune = repository.commit(person, parent=base, files={"train.py": "print(3)\n"})
    by = Signature(person.name, person.email, scene.github.now)
    tree = objects.merged_tree(head, tune)
    assert tree is not None
    merged = objects.write(
        message="Merge tune", author=by, committer=by, parents=[head, tune], tree=tree
    )
    scene.pull.push(merged, by=person, pusher=person)
    alice = Signature(scene.alice.name, scene.alice.email, scene.github.now)
    squashed = objects.write(
        message="All of it", author=alice, committer=alice, parents=[base], tree=tree
    )
    scene.pull.push(squashed, by=scene.alice, pusher=scene.alice)
    assert authors(scene) == {"alice", "carol"}


@pytest.mark.threat(1)
def test_a_branch_that_was_deleted_and_restored_hides_nobody_who_pushed(scene: Scene) -> None:
    """Of the same commits: who pushed to another branch of the same name has made none of them."""
    repository, branch = scene.github.repository, scene.pull.head_ref
    erin = scene.github.user("erin", role="write")
    other = repository.commit(erin, branch="other")
    repository.pushed(branch, None, other, erin)
    scene.pull.push(by=scene.alice, pusher=carol(scene))
    repository.pushed(branch, None, scene.pull.head_sha, scene.alice)
    assert authors(scene) == {"alice", "carol"}


def test_that_github_answers_no_more_is_no_answer(scene: Scene) -> None:
    """GitHub says it with the status that it has for what nobody may see."""
    scene.pull.push(by=scene.alice, pusher=carol(scene))
    patience = int(PATIENCE_S) + 1
    scene.faults.secondary_limit("GET", "*/activity", retry_after_s=patience)
    with pytest.raises(OutsideError, match="asking who pushed"):
        change(scene)


def test_that_github_does_not_tell_who_pushed_is_said(scene: Scene) -> None:
    scene.github.repository.tells_pushes = False
    advance(scene)
    scene.pull.update_branch(carol(scene))
    assert authors(scene) == {"alice"}
    assert any("who pushed its commits is not told" in one for one in change(scene).remarks)


def agent_pull(scene: Scene) -> Account:
    agent = scene.github.bot(COPILOT)
    scene.pull = scene.github.open_pull(agent, title="Fix it")
    return agent


@pytest.mark.threat(50)
def test_what_an_agent_opened_is_the_work_of_whom_it_was_opened_for(scene: Scene) -> None:
    agent = agent_pull(scene)
    scene.pull.assign(scene.bob, agent)
    assert authors(scene) == {COPILOT, "bob"}


@pytest.mark.threat(50)
def test_or_of_whom_it_asks_for_the_review(scene: Scene) -> None:
    agent = agent_pull(scene)
    scene.pull.request_review(scene.bob, agent)
    scene.pull.request_review(carol(scene), scene.bob)  # the reviewer that a person asks for
    assert authors(scene) == {COPILOT, "bob"}


@pytest.mark.threat(50)
def test_or_of_its_co_author(scene: Scene) -> None:
    agent = agent_pull(scene)
    scene.pull.push(by=agent, message=f"Fix\n\nCo-authored-by: bob <{scene.bob.email}>")
    assert authors(scene) == {COPILOT, "bob"}


def test_that_github_does_not_tell_for_whom_is_said(scene: Scene) -> None:
    agent_pull(scene)
    assert any("for whom `Copilot` opened it is not told" in one for one in change(scene).remarks)


def blocking(scene: Scene, *listed: str) -> tuple[str, ...]:
    return unmapped(change(scene).authors, ApprovalRule(unmapped=listed))


def test_the_trailer_of_a_tool_blocks_nobody(scene: Scene) -> None:
    scene.pull.push(message=f"Deeper\n\nCo-Authored-By: {CLAUDE}")
    assert blocking(scene) == ()
    scene.pull.push(message="Deeper\n\nCo-Authored-By: Kim <kim@example.com>")
    assert blocking(scene) == ("Kim <kim@example.com>",)
    assert blocking(scene, "kim@example.com") == ()


@pytest.mark.threat(1)
def test_a_tool_is_believed_as_an_author_where_it_is_told_who_pushed(scene: Scene) -> None:
    scene.pull.push(email="noreply@anthropic.com", pusher=scene.bob)
    assert "bob" in authors(scene)
    assert blocking(scene) == ()
    scene.github.repository.tells_pushes = False
    assert len(blocking(scene)) == 1
