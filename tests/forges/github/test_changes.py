"""Which change a run is about: what the event says is only where to ask."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import msgspec
import pytest

from assent.core.change import Change
from assent.errors import OutsideError, UsageError
from assent.forges.lag import PAUSES_S
from tests.builders import run_git
from tests.forges.github.conftest import Scene
from tests.standin.objects import Signature

How = Literal["merge", "squash", "rebase", "queue"]


def found(scene: Scene, **said: Any) -> Change:
    change = scene.forge(**said).change()
    assert change is not None
    return change


def people(change: Change) -> dict[str, str | None]:
    """The authors by name, with the login they were mapped to."""
    return {one.name: one.person.login if one.person else None for one in change.authors}


# by event


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("pull_request", {"pull_request": {"number": 7}}),
        ("pull_request_review", {"pull_request": {"number": 7}}),
        ("issue_comment", {"issue": {"number": 7, "pull_request": {}}}),
    ],
)
def test_the_event_says_which_pull_request(
    scene: Scene, event: str, payload: dict[str, object]
) -> None:
    change = found(scene, event=event, payload=payload)
    assert change == Change(
        id="#7",
        title="Deeper trees",
        base="main",
        head=scene.pull.head_sha,
        authors=change.authors,
        address="https://github.com/acme/churn/pull/7",
        repository="https://github.com/acme/churn",
    )
    assert people(change) == {"alice": "alice"}


@pytest.mark.threat(16)
def test_only_the_number_of_an_event_is_believed(scene: Scene) -> None:
    lies = {"number": 7, "head": {"sha": "0" * 40}, "user": {"id": 1, "login": "x"}, "merged": True}
    change = found(scene, payload={"pull_request": lies})
    assert (change.head, change.landed) == (scene.pull.head_sha, False)


def test_the_head_is_the_one_it_has_now(scene: Scene) -> None:
    scene.pull.push()
    assert found(scene).head == scene.pull.head_sha


def test_the_change_stays_the_same_during_a_run(scene: Scene) -> None:
    forge = scene.forge()
    before = forge.change()
    scene.pull.push()
    assert forge.change() is before


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("pull_request", {}),
        ("pull_request", {"pull_request": {"number": "7"}}),
        ("pull_request", {"pull_request": {"number": True}}),
        ("pull_request", {"pull_request": []}),
        ("workflow_run", {"workflow_run": {"id": None}}),
        ("issue_comment", {"issue": {"number": 7}}),
        ("merge_group", {"merge_group": {"head_ref": "refs/heads/main"}}),
    ],
)
def test_an_event_that_names_nothing_is_an_error(
    scene: Scene, event: str, payload: dict[str, object]
) -> None:
    with pytest.raises(UsageError, match="reading the event of this run"):
        found(scene, event=event, payload=payload)


def test_a_pull_request_that_does_not_exist_is_an_error(scene: Scene) -> None:
    with pytest.raises(OutsideError, match="reading pull request 8: GitHub answered 404"):
        found(scene, payload={"pull_request": {"number": 8}})


# the trusted run that waits for an untrusted one


def after_run(scene: Scene, **made: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"event": "pull_request", "actor": scene.alice, "pull": scene.pull}
    run = scene.github.start_run(**{**values, **made})
    run.complete()
    return {"event": "workflow_run", "payload": {"workflow_run": {"id": run.id}}}


@pytest.mark.threat(17)
@pytest.mark.threat(18)
def test_the_pull_request_of_a_run_is_found_by_its_head(scene: Scene) -> None:
    fork = scene.github.fork(scene.github.user("fred"))
    pull = scene.github.open_pull(fork.owner, fork=fork, branch="change-7")
    scene.github.open_pull(scene.alice, branch="other")
    change = found(scene, **after_run(scene, pull=pull, actor=fork.owner))
    assert change.id == f"#{pull.number}"
    assert change.head == pull.head_sha
    assert found(scene, **after_run(scene)).id == "#7"


@pytest.mark.threat(18)
def test_a_fork_with_the_same_commit_on_a_branch_of_the_same_name_is_not_mistaken(
    scene: Scene,
) -> None:
    fork = scene.github.fork(scene.github.user("fred"))
    pull = scene.github.open_pull(
        fork.owner, fork=fork, branch=scene.pull.head_ref, sha=scene.pull.head_sha
    )
    assert found(scene, **after_run(scene)).id == "#7"
    assert found(scene, **after_run(scene, pull=pull)).id == f"#{pull.number}"


@pytest.mark.threat(18)
def test_a_run_whose_head_moved_on_belongs_to_no_pull_request(scene: Scene) -> None:
    said = after_run(scene)
    scene.pull.push()
    with pytest.raises(OutsideError, match="no open pull request has the head") as caught:
        found(scene, **said)
    assert "a newer run" in str(caught.value.hint)


@pytest.mark.threat(18)
def test_a_closed_pull_request_is_none(scene: Scene) -> None:
    said = after_run(scene)
    scene.pull.close()
    with pytest.raises(OutsideError, match="no open pull request"):
        found(scene, **said)


@pytest.mark.threat(18)
@pytest.mark.parametrize(
    ("made", "problem"),
    [
        ({"event": "push"}, "it was started by 'push'"),
        ({"event": "workflow_dispatch"}, "it was started by 'workflow_dispatch'"),
        ({"path": ".github/workflows/evil.yml"}, "it is a run of '.github/workflows/evil.yml'"),
    ],
)
def test_a_run_of_anything_else_is_refused(
    scene: Scene, made: dict[str, Any], problem: str
) -> None:
    with pytest.raises(UsageError, match=problem):
        found(scene, **after_run(scene, **made))


def test_a_run_that_a_review_started_wakes_us_too(scene: Scene) -> None:
    assert found(scene, **after_run(scene, event="pull_request_review")).id == "#7"


def test_the_workflow_can_be_called_otherwise(scene: Scene) -> None:
    said = after_run(scene, path=".github/workflows/ml.yml@refs/heads/main")
    assert found(scene, workflow=".github/workflows/ml.yml", **said).id == "#7"


@pytest.mark.threat(18)
def test_a_fork_that_is_gone_is_an_error(scene: Scene) -> None:
    fork = scene.github.fork(scene.github.user("fred"))
    pull = scene.github.open_pull(fork.owner, fork=fork)
    said = after_run(scene, pull=pull)
    scene.github.delete_fork(fork)
    with pytest.raises(OutsideError):
        found(scene, **said)


@pytest.mark.threat(18)
def test_a_fork_that_was_made_anew_is_another_one(scene: Scene) -> None:
    fork = scene.github.fork(scene.github.user("fred"))
    pull = scene.github.open_pull(fork.owner, fork=fork)
    said = after_run(scene, pull=pull)
    pull.head_repository = scene.github.fork(fork.owner)
    with pytest.raises(OutsideError, match="no open pull request"):
        found(scene, **said)


# the merge queue


def test_the_merge_queue_names_the_pull_request(scene: Scene) -> None:
    ref, sha = scene.pull.enqueue(scene.bob)
    change = found(scene, event="merge_group", payload={"merge_group": {"head_ref": ref}}, sha=sha)
    assert (change.id, change.head, change.landed) == ("#7", scene.pull.head_sha, False)


def test_a_queue_of_another_branch_is_refused(scene: Scene) -> None:
    ref = f"refs/heads/gh-readonly-queue/release/1/pr-7-{'0' * 40}"
    with pytest.raises(OutsideError, match="the queue's branch to 'release/1'"):
        found(scene, event="merge_group", payload={"merge_group": {"head_ref": ref}})


# what landed


@pytest.mark.parametrize("how", ["merge", "squash", "rebase", "queue"])
def test_what_landed_is_known_by_the_commit_it_became(scene: Scene, how: How) -> None:
    head = scene.pull.head_sha
    tip = scene.pull.merge(scene.bob, how)
    change = found(scene, checkout=scene.checkout(tip), event="push", run="1")
    assert (change.id, change.head, change.landed) == ("#7", head, True)
    assert (change.landed_as, change.commit) == (tip, tip)
    assert scene.waits == []


@pytest.mark.threat(40)
def test_a_commit_within_a_merged_change_is_not_what_it_became(scene: Scene) -> None:
    scene.pull.push()
    tip = scene.pull.merge(scene.bob, "rebase")
    within = scene.github.repository.objects.commit(tip).parents[0]
    change = found(scene, checkout=scene.checkout(within), event="workflow_dispatch")
    assert (change.id, change.landed) == (f"main@{within[:12]}", True)


@pytest.mark.threat(1)
def test_a_commit_within_a_merged_change_is_of_whoever_made_that(scene: Scene) -> None:
    """Who pressed the button has put it on the branch, and made nothing of it."""
    scene.pull.push(by=scene.alice, pusher=scene.github.user("carol", role="write"))
    tip = scene.pull.merge(scene.bob, "rebase")
    within = scene.github.repository.objects.commit(tip).parents[0]
    change = found(scene, checkout=scene.checkout(within), event="workflow_dispatch")
    assert set(people(change)) == {"alice", "carol"}


def hand_merged(scene: Scene, *, tree: str | None = None) -> str:
    """Bob merges with Git a branch of dora's that was never a pull request, and pushes it."""
    repository = scene.github.repository
    dora = scene.github.user("dora", role="write")
    topic = repository.commit(dora, branch="topic", files={"train.py": "print(2)\n"})
    repository.push(scene.alice, files={"README.md": "# more\n"})
    return merge_by(scene, repository.tip("main"), topic, tree)


def merge_by(scene: Scene, base: str, topic: str, tree: str | None = None) -> str:
    repository, bob = scene.github.repository, scene.bob
    person = Signature(bob.name, bob.email, scene.github.now)
    tree = tree or repository.objects.merged_tree(base, topic)
    assert tree is not None
    return repository.objects.write(
        message="Merge", author=person, committer=person, parents=[base, topic], tree=tree
    )


def landed(scene: Scene, tip: str) -> Change:
    return found(scene, checkout=scene.checkout(tip), event="push", run="1")


@pytest.mark.threat(1)
def test_a_merge_by_hand_is_of_whoever_wrote_and_pushed_what_it_brings(scene: Scene) -> None:
    """Dora may have written none of it: anybody can write a name into a commit."""
    repository = scene.github.repository
    tip = hand_merged(scene)
    repository.pushed("main", repository.tip("main"), tip, scene.bob)
    change = landed(scene, tip)
    assert (change.id, set(people(change))) == (f"main@{tip[:12]}", {"bob", "dora"})
    repository.tells_pushes = False
    change = landed(scene, tip)
    assert (set(people(change)), change.remarks) == (
        {"dora"},
        ("who pushed its commits is not told",),
    )


@pytest.mark.threat(1)
def test_who_pushes_to_the_default_branch_has_made_it_whatever_it_says(scene: Scene) -> None:
    repository = scene.github.repository
    before = repository.tip("main")
    first = repository.commit(scene.alice, parent=before)
    second = repository.commit(scene.alice, parent=first)
    repository.pushed("main", before, second, scene.bob)
    for commit in (first, second):
        assert set(people(landed(scene, commit))) == {"alice", "bob"}


def test_what_the_default_branch_was_is_asked_of_the_pushes(scene: Scene) -> None:
    repository = scene.github.repository
    before = repository.tip("main")
    tip = scene.pull.merge(scene.bob, "squash")
    assert set(scene.forge().tips()) >= {before, tip}
    assert scene.pull.head_sha not in scene.forge().tips()
    repository.tells_pushes = False
    assert set(scene.forge().tips()) == set()


def test_who_pushed_later_has_not_pushed_what_was_there(scene: Scene) -> None:
    """GitHub does not tell of the older push any more."""
    repository = scene.github.repository
    old = repository.push(scene.alice)
    repository.pushes.clear()
    new = repository.push(scene.bob)
    assert set(people(landed(scene, new))) == {"bob"}
    change = landed(scene, old)
    assert (set(people(change)), len(change.remarks)) == ({"alice"}, 1)


@pytest.mark.threat(1)
def test_who_merges_a_pull_request_by_hand_has_made_what_that_adds(scene: Scene) -> None:
    tip = merge_by(scene, scene.github.repository.tip("main"), scene.pull.head_sha)
    scene.pull.merged_as(tip, scene.bob)
    change = landed(scene, tip)
    assert (change.id, set(people(change))) == ("#7", {"alice"})


@pytest.mark.threat(1)
@pytest.mark.parametrize("how", ["in the merge", "on top", "beside"])
def test_and_that_is_seen_wherever_it_is(scene: Scene, how: str) -> None:
    repository, head = scene.github.repository, scene.pull.head_sha
    base = repository.tip("main")
    if how == "in the merge":
        mine = repository.commit(scene.bob, parent=base, files={"params.json": "{}"})
        tip = merge_by(scene, base, head, repository.objects.merged_tree(mine, head))
    else:
        tip = repository.commit(scene.alice, parent=head)
        if how == "beside":
            tip = merge_by(scene, base, tip)
    scene.pull.merged_as(tip, scene.bob)
    change = landed(scene, tip)
    assert (change.id, set(people(change))) == ("#7", {"alice", "bob"})


@pytest.mark.threat(1)
def test_what_github_merged_otherwise_than_git_would_is_nobody_s_work(scene: Scene) -> None:
    """The button was pressed, GitHub says: whoever did has added nothing."""
    repository, head = scene.github.repository, scene.pull.head_sha
    base = repository.tip("main")
    tip = merge_by(
        scene, base, head, repository.objects.run("rev-parse", f"{base}^{{tree}}").strip()
    )
    scene.pull.merged_as(tip, scene.bob)
    repository.pushes[-1] = replace(repository.pushes[-1], kind="pr_merge")
    assert set(people(landed(scene, tip))) == {"alice"}


@pytest.mark.threat(1)
def test_and_of_who_merged_it_if_that_changed_something(scene: Scene) -> None:
    objects = scene.github.repository.objects
    tree = objects.run("rev-parse", f"{scene.pull.head_sha}^{{tree}}").strip()
    tip = hand_merged(scene, tree=tree)
    scene.github.repository.set_branch("main", tip)
    assert set(people(landed(scene, tip))) == {"bob", "dora"}


@pytest.mark.threat(43)
def test_a_commit_that_merged_several_is_the_one_of_its_head_and_of_all_their_makers(
    scene: Scene,
) -> None:
    """Stacked: the other one came with it, and GitHub calls both merged."""
    dora = scene.github.user("dora", role="write")
    sha = scene.github.repository.commit(dora, parent=scene.pull.head_sha, branch="more")
    stacked = scene.github.open_pull(dora, title="More", sha=sha)
    tip = stacked.merge(scene.bob, "merge")
    scene.pull.landed = (tip,)
    scene.pull.frozen_base, scene.pull.merged_at = stacked.frozen_base, stacked.merged_at
    scene.pull.closed_at, scene.pull.merged_by = stacked.closed_at, scene.bob
    change = found(scene, checkout=scene.checkout(tip), event="push", run="1")
    assert (change.id, change.landed_as) == (f"#{stacked.number}", tip)
    assert set(people(change)) == {"alice", "dora"}


@pytest.mark.threat(40)
def test_an_open_pull_request_has_become_nothing(scene: Scene) -> None:
    """Until it is merged, the field names the merge that GitHub tries."""
    merge = scene.github.repository.test_merge(scene.pull)
    assert merge is not None
    forge = scene.forge(checkout=scene.checkout(merge), event="workflow_dispatch")
    end = {"ref": "main", "sha": merge, "repo": {"id": scene.github.repository.id}}
    pull = {"number": 7, "title": "", "state": "open", "html_url": "", "user": None}
    pull |= {"head": end, "base": end, "merged_at": None, "merge_commit_sha": merge}
    scene.faults.answer("GET", "*/commits/*/pulls", msgspec.json.encode([pull]))
    change = forge.change()
    assert change is not None
    assert (change.id, change.landed) == (f"main@{merge[:12]}", False)


def test_github_is_given_time_after_a_merge(scene: Scene) -> None:
    tip = scene.pull.merge(scene.bob, "squash")
    scene.github.lag_of_pulls = 2
    change = found(scene, checkout=scene.checkout(tip), event="push", run="1")
    assert change.id == "#7"
    assert scene.waits == list(PAUSES_S[:2])


def test_a_push_without_a_pull_request_has_landed_with_its_author(scene: Scene) -> None:
    tip = scene.github.repository.push(scene.bob)
    said: dict[str, Any] = {"sha": tip, "ref": "refs/heads/main"}
    change = found(scene, checkout=scene.checkout(tip), event="push", run="1", **said)
    assert (change.id, change.landed, change.commit) == (f"main@{tip[:12]}", True, tip)
    assert people(change) == {"bob": "bob"}
    assert scene.waits == list(PAUSES_S)


def test_what_was_there_before_the_push_is_not_waited_for(scene: Scene) -> None:
    before = scene.github.repository.push(scene.bob, files={"README.md": "# more\n"})
    tip = scene.pull.merge(scene.bob, "squash")
    scene.github.lag_of_pulls = 2
    forge = scene.forge(checkout=scene.checkout(tip), event="push", run="1", before=before)
    old = forge.landed(before).change()
    assert old is not None
    assert old.id == f"main@{before[:12]}"
    assert scene.waits == []
    new = forge.landed(tip).change()
    assert new is not None
    assert new.id == "#7"
    assert scene.waits == [PAUSES_S[0]], "the first question was of the other commit"


@pytest.mark.threat(40)
def test_a_commit_of_a_fork_that_can_be_read_here_has_not_landed(scene: Scene) -> None:
    fork = scene.github.fork(scene.github.user("fred"))
    pull = scene.github.open_pull(fork.owner, fork=fork)
    change = found(scene, checkout=scene.checkout(pull.head_sha), event="workflow_dispatch")
    assert not change.landed
    loose = fork.commit(fork.owner, branch="loose")
    work = scene.checkout()
    run_git(work.top, "fetch", "-q", "origin", f"refs/forks/{fork.id}/heads/loose")
    run_git(work.top, "checkout", "-q", "--detach", loose)
    assert not found(scene, checkout=work, event="workflow_dispatch").landed


@pytest.mark.threat(40)
def test_a_test_merge_of_an_open_pull_request_has_not_landed(scene: Scene) -> None:
    merge = scene.github.repository.test_merge(scene.pull)
    assert merge is not None
    change = found(scene, checkout=scene.checkout(merge), event="workflow_dispatch")
    assert not change.landed
    assert not found(scene).landed


@pytest.mark.threat(40)
def test_a_pull_request_merged_elsewhere_has_not_landed(scene: Scene) -> None:
    repository = scene.github.repository
    repository.set_branch("release", repository.tip("main"))
    pull = scene.github.open_pull(scene.alice, base="release")
    tip = pull.merge(scene.bob, "squash")
    change = found(scene, checkout=scene.checkout(tip), event="workflow_dispatch")
    assert not change.landed
    assert not found(scene, payload=scene.payload(pull)).landed


@pytest.mark.threat(40)
def test_a_commit_that_github_does_not_have_has_not_landed(scene: Scene) -> None:
    work = scene.checkout()
    run_git(
        work.top,
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@x",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "mine",
    )
    change = found(scene, checkout=work)
    assert not change.landed
    assert list(people(change).values()) == [None]


def test_a_branch_is_the_open_pull_request_that_it_was_pushed_for(scene: Scene) -> None:
    pull = scene.pull
    work = scene.checkout(pull.head_sha, branch=pull.head_ref)
    assert found(scene, checkout=work).id == "#7"
    pull.push()
    change = found(scene, checkout=work)
    assert (change.id, change.landed) == (f"{pull.head_ref}@{change.head[:12]}", False)


def test_in_ci_the_branch_is_that_of_the_event(scene: Scene) -> None:
    pull = scene.pull
    work = scene.checkout(pull.head_sha)
    said: dict[str, Any] = {"sha": pull.head_sha, "ref": f"refs/heads/{pull.head_ref}"}
    assert found(scene, checkout=work, event="push", **said).id == "#7"


def test_no_commit_is_no_change(scene: Scene) -> None:
    work = scene.checkout()
    run_git(work.top, "checkout", "-q", "--orphan", "empty")
    assert scene.forge(checkout=work).change() is None


def test_the_default_branch_is_what_github_says(scene: Scene) -> None:
    assert scene.forge().branch() == "main"


# who wrote it


@pytest.mark.threat(1)
def test_everybody_who_wrote_or_committed_is_an_author(scene: Scene) -> None:
    github = scene.github
    carol, dora, erik = (github.user(name) for name in ("carol", "dora", "erik"))
    sha = github.repository.commit(
        carol,
        parent=scene.pull.head_sha,
        committer=dora,
        message=f"x\n\nCo-authored-by: Erik <{erik.email}>\nCO-AUTHORED-BY: Bob <bob@example.com>",
    )
    scene.pull.push(sha)
    scene.pull.push(by=scene.bob, email="bob@example.com")
    assert set(people(found(scene)).values()) == {"alice", "bob", "carol", "dora", "erik"}


@pytest.mark.threat(1)
@pytest.mark.parametrize(
    "message",
    [
        "x\n\nCo-authored-by: Somebody <somebody@example.com>",
        "x\n\nco-authored-by: Somebody",
        "x\n\nCo-authored-by: <>",
        "x\r\n\r\nCo-authored-by: S <s@example.com>\r\n\r\nmore",
        "x\n\nCo-authored-by: Old <old@users.noreply.github.com>",
        "x\n\nCo-authored-by: X <1+bob@users.noreply.ghe.example.com>",
    ],
)
def test_a_co_author_whom_github_does_not_map_is_nobody(scene: Scene, message: str) -> None:
    scene.pull.push(message=message)
    assert None in people(found(scene)).values()


@pytest.mark.threat(1)
def test_a_commit_whose_author_is_not_mapped_is_nobodys(scene: Scene) -> None:
    sha = scene.github.repository.commit(None, parent=scene.pull.head_sha)
    scene.pull.push(sha)
    assert people(found(scene)) == {"alice": "alice", "Somebody <somebody@example.com>": None}


@pytest.mark.threat(1)
def test_what_github_commits_itself_has_no_committer(scene: Scene) -> None:
    flow = next(one for one in scene.github.accounts if one.login == "web-flow")
    flow.emails.add("noreply@github.com")
    sha = scene.github.repository.commit(
        scene.alice, parent=scene.pull.head_sha, committer=flow, message="edited in the browser"
    )
    scene.pull.push(sha)
    assert people(found(scene)) == {"alice": "alice"}


@pytest.mark.threat(9)
def test_an_author_whose_account_is_gone_is_nobody(scene: Scene) -> None:
    scene.alice.delete()
    assert None in people(found(scene)).values()


@pytest.mark.threat(5)
def test_a_bot_that_wrote_it_is_an_author(scene: Scene) -> None:
    scene.pull.push(by=scene.github.actions_bot)
    (bot,) = (one.person for one in found(scene).authors if one.name == "github-actions[bot]")
    assert bot is not None
    assert bot.kind == "automation"


@pytest.mark.threat(1)
@pytest.mark.threat(11)
def test_commits_that_github_does_not_list_have_unknown_authors(scene: Scene) -> None:
    pull = scene.pull
    for _ in range(120):
        pull.push()
    assert None not in people(found(scene)).values()
    for _ in range(140):
        pull.push()
    assert people(found(scene))["the commits beyond the 250 that GitHub lists"] is None


@pytest.mark.threat(11)
def test_a_commit_that_came_while_reading_has_an_unknown_author(scene: Scene) -> None:
    forge = scene.forge()
    scene.faults.answer("GET", "*/pulls/7/commits", msgspec.json.encode([]))
    change = forge.change()
    assert change is not None
    assert None in people(change).values()
