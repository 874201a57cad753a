"""Which change a run is about, and who wrote it: what the API says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pytest

from assent.errors import OutsideError
from assent.forges.lag import PAUSES_S
from tests.builders import digest, run_git
from tests.forges.gitlab.conftest import WEB, Scene
from tests.standin.objects import Signature

RUN = "1/promote"


def test_the_merge_request_of_the_hint(scene: Scene) -> None:
    change = scene.forge().change()
    assert change is not None
    assert (change.id, change.title, change.base) == ("!7", "Deeper trees", "main")
    assert (change.head, change.commit) == (scene.request.sha, scene.request.sha)
    assert change.address == f"{WEB}/acme/churn/-/merge_requests/7"
    assert not change.landed
    assert scene.forge().branch() == "main"


@pytest.mark.threat(18)
def test_a_hint_that_names_nothing_is_an_error(premium: Scene) -> None:
    with pytest.raises(OutsideError, match="reading merge request 99: GitLab answered 404"):
        premium.forge(merge_request=99).change()


def test_the_head_is_what_the_api_says(premium: Scene) -> None:
    work = premium.checkout(premium.request.sha)
    new = premium.request.push()
    change = premium.forge(checkout=work, merge_request=7).change()
    assert change is not None
    assert change.head == new


How = Literal["merge", "squash", "ff", "rebase"]


@pytest.mark.parametrize(
    ("how", "method"),
    [("merge", "merge"), ("squash", "merge"), ("squash", "ff"), ("ff", "ff"), ("rebase", "ff")],
)
def test_a_landed_commit_is_of_the_merge_request_that_became_it(
    premium: Scene, how: How, method: Literal["merge", "ff"]
) -> None:
    premium.project.merge_method = method
    tip = premium.request.merge(premium.bob, how)
    change = premium.forge(checkout=premium.checkout(tip), run=RUN).change()
    assert change is not None
    assert (change.id, change.landed, change.commit) == ("!7", True, tip)
    assert change.head == premium.request.sha
    assert premium.forge().change() == change
    assert premium.waits == []


def test_gitlab_may_be_late_to_say_it(premium: Scene) -> None:
    tip = premium.request.merge(premium.bob)
    premium.gitlab.lag_of_merge_requests = 2
    change = premium.forge(checkout=premium.checkout(tip), run=RUN).change()
    assert change is not None
    assert change.id == "!7"
    assert premium.waits == list(PAUSES_S[:2])


def test_a_direct_push_is_a_change_of_its_own(premium: Scene) -> None:
    tip = premium.project.push(premium.alice)
    change = premium.forge(checkout=premium.checkout(tip), run=RUN).change()
    assert change is not None
    assert (change.id, change.landed) == (f"main@{tip[:12]}", True)
    assert [one.name for one in change.authors] == ["alice"]
    assert premium.waits == list(PAUSES_S)


def test_what_was_there_before_the_push_is_not_waited_for(premium: Scene) -> None:
    before = premium.project.push(premium.alice, files={"README.md": "# more\n"})
    tip = premium.request.merge(premium.bob)
    premium.gitlab.lag_of_merge_requests = 2
    forge = premium.forge(checkout=premium.checkout(tip), run=RUN, before=before)
    old = forge.landed(before).change()
    assert old is not None
    assert old.id == f"main@{before[:12]}"
    assert premium.waits == []
    new = forge.landed(tip).change()
    assert new is not None
    assert new.id == "!7"
    assert premium.waits == list(PAUSES_S[: len(premium.waits)]) != []


@pytest.mark.threat(40)
def test_a_fork_s_commit_has_not_landed_although_it_can_be_read_here(premium: Scene) -> None:
    fred = premium.gitlab.user("fred")
    request = premium.gitlab.open_merge_request(fred, fork=premium.gitlab.fork(fred))
    change = premium.forge(checkout=premium.checkout(request.sha)).change()
    assert change is not None
    assert (change.id, change.landed) == (f"main@{request.sha[:12]}", False)


@pytest.mark.threat(40)
def test_a_commit_inside_a_merged_change_is_not_what_it_became(premium: Scene) -> None:
    head = premium.request.sha
    premium.request.merge(premium.bob, "merge")
    change = premium.forge(checkout=premium.checkout(head)).change()
    assert change is not None
    assert change.id == f"main@{head[:12]}"
    assert change.landed  # the default branch contains it


@pytest.mark.threat(1)
def test_a_commit_within_a_fast_forward_is_of_whoever_made_the_change(premium: Scene) -> None:
    """Who pressed the button has put it on the branch, and made nothing of it."""
    carol = premium.gitlab.user("carol", role="developer")
    premium.request.push(by=premium.alice, pusher=carol)
    premium.project.push(premium.alice, files={"README.md": "# more\n"})
    tip = premium.request.merge(premium.bob, "rebase")
    within = premium.project.objects.commit(tip).parents[0]
    change = premium.forge(checkout=premium.checkout(within)).change()
    assert change is not None
    assert change.id == f"main@{within[:12]}"
    assert {one.name for one in change.authors} == {"alice", "carol"}


def merge_by_hand(scene: Scene, topic: str, *, files: Mapping[str, str] | None = None) -> str:
    """Bob merges a branch with Git, and may add something of his own."""
    project, bob = scene.project, scene.bob
    base = project.tip("main")
    person = Signature(bob.name, bob.email, scene.gitlab.now)
    mine = project.commit(bob, parent=base, files=files) if files else base
    tree = project.objects.merged_tree(mine, topic)
    assert tree is not None
    return project.objects.write(
        message="Merge", author=person, committer=person, parents=[base, topic], tree=tree
    )


def makers(scene: Scene, tip: str) -> tuple[str, set[str], tuple[str, ...]]:
    change = scene.forge(checkout=scene.checkout(tip)).change()
    assert change is not None
    assert change.landed
    return change.id, {one.name for one in change.authors}, change.remarks


@pytest.mark.threat(1)
def test_a_merge_by_hand_is_of_whoever_wrote_and_pushed_what_it_brings(premium: Scene) -> None:
    """A branch of dora's that was never a merge request: she may have written none of it."""
    project = premium.project
    dora = premium.gitlab.user("dora", role="developer")
    topic = project.commit(dora, branch="topic", files={"train.py": "print(2)\n"})
    before = project.push(premium.alice, files={"README.md": "# more\n"})
    tip = merge_by_hand(premium, topic)
    project.pushed("main", before, tip, premium.bob)
    assert makers(premium, tip) == (f"main@{tip[:12]}", {"dora", "bob"}, ())
    project.tells_pushes = False
    told = ("who pushed its commits is not told",)
    assert makers(premium, tip) == (f"main@{tip[:12]}", {"dora"}, told)


@pytest.mark.threat(1)
def test_who_pushes_to_the_default_branch_has_made_it_whatever_it_says(premium: Scene) -> None:
    project = premium.project
    before = project.tip("main")
    first = project.commit(premium.alice, parent=before)
    second = project.commit(premium.alice, parent=first)
    project.pushed("main", before, second, premium.bob)
    for commit in (first, second):
        assert makers(premium, commit) == (f"main@{commit[:12]}", {"alice", "bob"}, ())


def test_what_the_default_branch_was_is_asked_of_the_pushes(premium: Scene) -> None:
    before = premium.project.tip("main")
    tip = premium.request.merge(premium.bob, "merge")
    assert set(premium.forge().tips()) >= {before, tip}
    assert premium.request.sha not in premium.forge().tips()
    premium.project.tells_pushes = False
    assert set(premium.forge().tips()) == set()


@pytest.mark.threat(1)
def test_who_merges_a_request_by_hand_has_made_what_that_adds(premium: Scene) -> None:
    tip = merge_by_hand(premium, premium.request.sha)
    premium.request.merged_as(tip, premium.bob)
    assert makers(premium, tip)[:2] == ("!7", {"alice"})


@pytest.mark.threat(1)
@pytest.mark.parametrize("how", ["in the merge", "on top", "beside"])
def test_and_that_is_seen_wherever_it_is(premium: Scene, how: str) -> None:
    project, head = premium.project, premium.request.sha
    if how == "in the merge":
        tip = merge_by_hand(premium, head, files={"params.json": "{}"})
    else:
        tip = project.commit(premium.alice, parent=head)
        if how == "beside":
            tip = merge_by_hand(premium, tip)
    premium.request.merged_as(tip, premium.bob)
    assert makers(premium, tip)[:2] == ("!7", {"alice", "bob"})


@pytest.mark.threat(43)
def test_a_commit_that_merged_several_is_the_one_of_its_head_and_of_all_their_makers(
    premium: Scene,
) -> None:
    """Stacked: the other one came with it, and GitLab calls both merged."""
    dora = premium.gitlab.user("dora", role="developer")
    sha = premium.project.commit(dora, parent=premium.request.sha, branch="more")
    stacked = premium.gitlab.open_merge_request(dora, sha=sha)
    tip = stacked.merge(premium.bob, "merge")
    other = premium.request
    other.state, other.merge_commit_sha, other.landed = "merged", tip, (tip,)
    other.merged_at, other.merged_by = stacked.merged_at, premium.bob
    change = premium.forge(checkout=premium.checkout(tip)).change()
    assert change is not None
    assert (change.id, change.landed_as) == (f"!{stacked.iid}", tip)
    assert {one.name for one in change.authors} == {"alice", "dora"}


@pytest.mark.threat(40)
def test_a_merge_into_another_branch_is_no_landing(premium: Scene) -> None:
    premium.project.set_branch("release", premium.project.tip("main"))
    request = premium.gitlab.open_merge_request(premium.alice, target="release")
    tip = request.merge(premium.bob)
    change = premium.forge(merge_request=request.iid).change()
    assert change is not None
    assert (change.landed, change.landed_as) == (False, None)
    here = premium.forge(checkout=premium.checkout(tip)).change()
    assert here is not None
    assert not here.landed


@pytest.mark.threat(40)
def test_a_commit_that_gitlab_does_not_have_has_not_landed(premium: Scene) -> None:
    work = premium.checkout()
    run_git(work.top, "config", "user.email", "alice@example.com")
    run_git(work.top, "config", "user.name", "Alice")
    run_git(work.top, "commit", "-q", "--allow-empty", "-m", "mine")
    change = premium.forge(checkout=work).change()
    assert change is not None
    assert not change.landed
    assert [one.person for one in change.authors] == [None]


def test_an_open_merge_request_is_found_by_its_branch(premium: Scene) -> None:
    request = premium.request
    work = premium.checkout(request.sha, branch=request.source_branch)
    change = premium.forge(checkout=work).change()
    assert change is not None
    assert change.id == "!7"
    ref = f"refs/heads/{request.source_branch}"
    detached = premium.checkout(request.sha)
    change = premium.forge(checkout=detached, ref=ref, sha=request.sha, run=RUN).change()
    assert change is not None
    assert change.id == "!7"


def test_a_branch_without_a_merge_request_is_alone(premium: Scene) -> None:
    sha = premium.project.commit(premium.alice, branch="alone")
    change = premium.forge(checkout=premium.checkout(sha, branch="alone")).change()
    assert change is not None
    assert (change.id, change.landed) == (f"alone@{sha[:12]}", False)


def test_a_fork_s_branch_of_the_same_name_is_another_one(premium: Scene) -> None:
    fred = premium.gitlab.user("fred")
    fork = premium.gitlab.fork(fred)
    request = premium.gitlab.open_merge_request(fred, fork=fork, branch="topic")
    change = premium.forge(checkout=premium.checkout(request.sha, branch="topic")).change()
    assert change is not None
    assert change.id == f"topic@{request.sha[:12]}"


def test_two_merge_requests_of_one_branch(premium: Scene) -> None:
    request = premium.request
    premium.project.set_branch("release", premium.project.tip("main"))
    premium.gitlab.open_merge_request(premium.alice, branch=request.source_branch, target="release")
    work = premium.checkout(request.sha, branch=request.source_branch)
    change = premium.forge(checkout=work).change()
    assert change is not None
    assert change.id == "!7"
    request.target_branch = "release"
    with pytest.raises(OutsideError, match="several merge requests have the head"):
        premium.forge(checkout=work).change()


def test_a_change_of_another_name_has_no_merge_request(premium: Scene) -> None:
    for name in ("main@0123456789ab", "#7", "!7x", "7"):
        assert list(premium.forge().reviews("churn", digest("b"), change=name)) == []
