"""Ordinary orders of merging on GitLab, and merge requests whose target somebody changes: through
the pipeline that `init` writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.gitlab import World
from tests.gitlab.merge_requests import MergeRequest


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def entries(world: World, kind: str) -> list[Any]:
    return [one for one in world.entries() if one["kind"] == kind]


def merge(world: World, *changes: MergeRequest) -> None:
    for change in changes:
        world.gitlab.tick()
        change.merge(world.sam)
    world.gitlab.tick()


@pytest.mark.threat(43)
def test_what_lands_in_one_push_gets_each_its_version(world: World) -> None:
    """Nothing was recorded before: GitLab starts no pipeline when somebody approves."""
    docs = world.gitlab.open_merge_request(
        world.ada, title="Docs", files={"README.md": "# Churn\n"}
    )
    world.train(docs)
    beside = world.propose(0.8, files={"data/train.csv": "x,y\n1,0\n2,1\n3,1\n"})
    first = world.propose(0.9)
    for change in (beside, first):
        world.review(change)
        world.approve(change, world.grace)
    merge(world, first, docs)
    assert entries(world, "registered") == []
    # Merged by a token that starts no pipeline: the schedule catches up.
    caught = world.site.start("schedule", world.sam).play()
    assert caught.ended["assent-register"].code == 0, caught.ended["assent-register"].log
    [registered] = entries(world, "registered")
    assert registered["commit"] == first.merge_commit_sha
    assert [one["person"]["login"] for one in registered["approvals"]] == ["grace"]
    # What was reviewed beside it is another model now.
    merge(world, beside)
    refused = world.site.start("push", world.sam).play().ended["assent-register"]
    assert refused.code == 10
    assert "it was made from other inputs than those of" in refused.log
    assert "open a change from the newest base branch" in refused.log
    assert len(entries(world, "registered")) == 1


@pytest.mark.threat(41)
def test_a_merge_request_that_was_approved_elsewhere_and_is_retargeted(world: World) -> None:
    """Bob writes the change on a side branch, and approves a merge request into that branch."""
    project = world.gitlab.project
    project.commit(world.bob, branch="side", files={"params.json": '{"accuracy": 0.9}\n'})
    change = world.gitlab.open_merge_request(
        world.ada, title="Nothing much", files={"README.md": "# Churn\n"}, target="side"
    )
    world.train(change)
    assert "no change waits" in world.look().log
    world.approve(change, world.bob)
    about = {"iid": change.iid, "action": "approved"}
    woken = world.wake(object_kind="merge_request", object_attributes=about)
    assert woken.ended["assent-approve"].code == 0
    assert "goes to 'side', not to 'main'" in woken.ended["assent-approve"].log
    assert entries(world, "approved") == []

    world.gitlab.tick()
    change.retarget(world.ada, "main")
    assert "WAITING FOR APPROVAL" in world.look().log
    [note] = [one for one in change.notes if not one.is_system]
    assert "bob" in note.body
    merge(world, change)
    pushed = world.site.start("push", world.sam).play().ended["assent-register"]
    assert pushed.code == 11, pushed.log
    assert entries(world, "registered") == entries(world, "approved") == []


@pytest.mark.threat(1)
def test_who_made_what_landed_does_not_approve_it_through_an_empty_merge_request(
    world: World,
) -> None:
    """It was merged although nobody had approved it; then the remedy is followed."""
    own = world.gitlab.open_merge_request(
        world.grace, title="Mine", files={"params.json": '{"accuracy": 0.9}\n'}
    )
    world.review(own)
    merge(world, own)
    empty = world.gitlab.open_merge_request(world.ada, title="Again", files={"NOTES.md": "again\n"})
    world.review(empty)
    world.approve(empty, world.grace)
    merge(world, empty)
    ended = world.site.start("push", world.sam).play().ended["assent-register"]
    assert "was not registered" in ended.log
    assert entries(world, "registered") == entries(world, "approved") == []
