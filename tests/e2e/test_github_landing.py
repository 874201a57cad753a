"""Ordinary orders of merging on GitHub, and pull requests whose base somebody changes: through the
workflows that `init` writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.github import World, outputs, results
from tests.github.pulls import Pull
from tests.workflows.results import Run


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def approved(world: World, pull: Pull) -> str:
    """Reviewed, and approved by bob; nothing of it is recorded. The bundle."""
    bundle = outputs(world.review(pull), "review")["bundle"]
    world.approve(pull, world.bob)
    return bundle


def registered(world: World) -> list[tuple[int, str]]:
    """The versions by their bundles, in the order of the ledger."""
    found = [one for one in world.entries() if one["kind"] == "registered"]
    return [(one["subject"]["version"], one["subject"]["bundle"]) for one in found]


def pressed(world: World, event: str = "workflow_dispatch") -> Run:
    """`assent-register.yml`, started by a person or by the schedule."""
    path = ".github/workflows/assent-register.yml"
    started = world.github.start_run(event=event, actor=world.sam, path=path)
    return world.play(started, world.events.workflow_dispatch(world.sam, {}, path=path))


@pytest.mark.threat(43)
def test_what_lands_in_one_push_gets_each_its_version(world: World) -> None:
    """A stacked change, and one of the docs that was branched before both. One more change of the
    model was reviewed beside them: with theirs it is another model, which nobody has seen.
    """
    docs = world.github.open_pull(world.sam, title="Docs", files={"README.md": "# Churn\n"})
    world.review(docs)
    beside = world.propose(0.8, fork=False, files={"data/train.csv": "x,y\n1,0\n2,1\n3,1\n"})
    approved(world, beside)
    first = world.propose(0.85, fork=False)
    bundles = [approved(world, first)]
    repository = world.github.repository
    stacked = repository.commit(
        world.sam, parent=first.head_sha, files={"params.json": '{"accuracy": 0.9}\n'}
    )
    second = world.github.open_pull(world.sam, title="Try 0.9", sha=stacked)
    bundles.append(approved(world, second))
    before = repository.tip("main")
    for pull in (first, docs, second):
        world.github.tick()
        pull.merge(world.sam, "merge")
    pushed = world.pushed(world.sam, before)
    assert pushed.conclusion == "success", pushed.log
    assert registered(world) == [(1, bundles[0]), (2, bundles[1])]
    assert outputs(pushed, "register")["version"] == "v2"

    world.github.tick()
    refused = world.merge(beside, "merge")
    assert refused.conclusion == "failure"
    assert "it was made from other inputs than those of" in refused.log
    assert "open a change from the newest base branch" in refused.log
    assert len(registered(world)) == 2

    # Nobody's push: what the token of a job merges starts no run. It is caught up.
    again = world.github.open_pull(world.sam, title="Both", files={"NOTES.md": "both\n"})
    both = approved(world, again)
    world.github.tick()
    again.merge(world.sam, "squash")
    caught = pressed(world)
    assert caught.conclusion == "success", caught.log
    assert registered(world)[2:] == [(3, both)]
    assert pressed(world).conclusion == "success"
    assert len(registered(world)) == 3


@pytest.mark.threat(41)
def test_a_pull_request_that_was_approved_elsewhere_and_is_retargeted(world: World) -> None:
    """Bob writes the change on a side branch, and approves a pull request into that branch."""
    repository = world.github.repository
    repository.commit(world.bob, branch="side", files={"params.json": '{"accuracy": 0.9}\n'})
    pull = world.github.open_pull(
        world.sam,
        title="Nothing much",
        files={"README.md": "# Churn\n"},
        base="side",
    )
    judged = world.review(pull)
    assert results(judged)["review"] == "success"
    assert "goes to 'side', not to 'main'" in judged.log
    assert world.comments(pull) == []
    assert world.statuses(pull.head_sha) == []
    woken = world.wake(world.approve(pull, world.bob))
    assert "goes to 'side', not to 'main'" in woken.log
    assert world.log() == []

    # Now it goes to main. Whoever merges at once has nothing registered.
    moved = pull.retarget("main")
    started = world.github.start_run(event="pull_request", actor=world.sam, pull=pull)
    trained = world.play(started, world.events.pull_request(pull, "edited", base=moved))
    assert results(trained)["bundle"] == "success"
    judged = world.follow(started)
    assert outputs(judged, "review")["verdict"] == "pending"
    [comment] = world.comments(pull)
    [row] = [one for one in comment.body.splitlines() if one.startswith("| `bob` ")]
    assert "no <br>" in row
    merged = world.merge(pull, "squash")
    assert outputs(merged, "register")["verdict"] == "pending"
    assert "register v1" not in world.log()


@pytest.mark.threat(41)
def test_no_green_status_stays_on_what_goes_elsewhere(world: World) -> None:
    repository = world.github.repository
    repository.commit(world.bob, branch="side", files={"work.txt": "side\n"})
    pull = world.propose(0.9, fork=False)
    world.review(pull)
    world.wake(world.approve(pull, world.grace))
    assert world.statuses(pull.head_sha)[-1][1] == "success"
    moved = pull.retarget("side")
    started = world.github.start_run(event="pull_request", actor=world.sam, pull=pull)
    world.play(started, world.events.pull_request(pull, "edited", base=moved))
    judged = world.follow(started)
    assert judged.conclusion == "success", judged.log
    newest = [one for one in repository.statuses if one.sha == pull.head_sha][-1]
    assert (newest.state, newest.context) == ("pending", "assent/churn")
    assert "goes to 'side', not to 'main'" in (newest.description or "")
    # An edited title trains nothing and stops nothing.
    started = world.github.start_run(event="pull_request", actor=world.sam, pull=pull)
    edited = world.play(started, world.events.pull_request(pull, "edited"))
    assert results(edited) == {"bundle": "skipped", "wake": "skipped"}


@pytest.mark.threat(1)
def test_who_made_what_landed_does_not_approve_it_through_an_empty_pull_request(
    world: World,
) -> None:
    """It was merged although only its author had approved it; then the remedy is followed."""
    own = world.github.open_pull(
        world.bob, title="Mine", files={"params.json": '{"accuracy": 0.9}\n'}
    )
    approved(world, own)
    world.merge(own, "squash")
    assert world.log() == []

    world.github.tick()
    empty = world.github.open_pull(world.sam, title="Again", files={"NOTES.md": "again\n"})
    bundle = outputs(world.review(empty), "review")["bundle"]
    woken = world.wake(world.approve(empty, world.bob))
    assert "bob: approved, does not count: made what has landed before this change" in woken.log
    assert world.statuses(empty.head_sha)[-1][1] == "pending"
    refused = world.merge(empty, "squash")
    assert "1 more of `bob` or `grace` must approve" in refused.log
    assert world.log() == []

    world.approve(empty, world.grace)
    assert pressed(world).conclusion == "success"
    assert registered(world) == [(1, bundle)]
    (entry,) = [one for one in world.entries() if one["kind"] == "registered"]
    assert {one["login"] for one in entry["authors"]} == {"bob", "sam"}
    assert [one["person"]["login"] for one in entry["approvals"]] == ["grace"]
