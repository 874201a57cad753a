"""DESIGN section 1 on GitHub, through the workflows that `assent init --github` writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.github import World, outputs, results
from tests.github.accounts import Account
from tests.stores.registries import registry, repositories_in


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def is_person(actor: dict[str, Any], account: Account) -> bool:
    """Whether an entry names this account, by its number and as the forge has proven it."""
    known = {"kind": "person", "forge": "github", "id": str(account.id), "proof": "forge"}
    return known.items() <= actor.items()


def plain(markdown: str) -> str:
    """A comment as it is read: some of its spaces must not be broken."""
    return markdown.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[World]:
    """Where no machine is the team's own: the store is in a registry, and no folder is shared."""
    with (
        registry(tmp_path / "registry") as server,
        World(tmp_path, store=f"oci://{server.host}/acme/churn") as world,
    ):
        yield world


@pytest.mark.threat(2)
@pytest.mark.threat(22)
def test_the_whole_story(hosted: World, for_real: ExitStack) -> None:
    world = hosted
    github, repository = world.github, world.github.repository

    # A pull request from a fork is trained without any right, and then judged.
    pull = world.propose(0.8)
    first = pull.head_sha
    started, made = world.train(pull)
    assert results(made) == {"bundle": "success", "wake": "skipped"}
    assert made.job("bundle").permissions == {"contents": "read", "metadata": "read"}
    assert "trained; a token: none" in made.log
    assert repositories_in(world.address) == []
    assert world.server.requests == []
    judged = world.follow(started)
    assert results(judged) == {"approve": "skipped", "review": "success"}
    bundle = outputs(judged, "review")["bundle"]
    assert outputs(made, "bundle")["bundle"] == bundle
    assert outputs(judged, "review")["verdict"] == "pending"
    [comment] = world.comments(pull)
    assert outputs(judged, "review")["comment"].endswith(f"#issuecomment-{comment.id}")
    shown = comment.body.splitlines()
    assert shown[0] == "<!-- assent:model=churn -->"
    assert (
        shown[3]
        == "## ⏳ `churn` waits for 1 approval; every gate passed; no baseline to compare with."
    )
    assert "- 1 more approval is needed from `bob` or `grace`." in shown
    assert "There is no baseline: nothing of this model is registered yet." in comment.body
    assert "| `accuracy` | 0.8 |" in shown
    assert "shallow" not in comment.body
    assert f"[full report]({world.server.where.web}/acme/churn/actions/runs/" in comment.body
    assert [one.name for one in repository.runs[-1].artifacts] == ["assent-report"]
    [status] = world.statuses(first)
    assert status[:2] == ("assent/churn", "pending")
    assert status[2].startswith(f"pending · {bundle} · #7")
    assert world.log() == []

    for_real.close()  # so much for how jobs install and start it

    # Bob approves what he sees while ada pushes: his approval is of the older head.
    github.tick()
    pull.push(files={"params.json": '{"accuracy": 0.85}\n'})
    early = world.wake(world.approve(pull, world.bob, commit_id=first))
    assert results(early) == {"approve": "success", "review": "success"}
    assert early.log.count("nothing to judge") == 2
    assert world.statuses(pull.head_sha) == []
    judged = world.review(pull, "synchronize")
    newer = outputs(judged, "review")["bundle"]
    assert newer != bundle
    assert world.comments(pull) == [comment]
    assert f"<!-- assent:bundle={newer} -->" in comment.body
    [row] = [line for line in comment.body.splitlines() if line.startswith("| `bob` ")]
    stale = f"given at {first[:12]}, the change is now at {pull.head_sha[:12]}"
    assert f"no <br> {stale}" in row.replace("`", "")
    assert outputs(judged, "review")["verdict"] == "pending"
    assert world.log() == []

    # A fresh approval counts; it is recorded, and the comment and the status say so.
    judged = world.wake(world.approve(pull, world.bob, body="fine"))
    assert outputs(judged, "approve")["verdict"] == "passed"
    assert world.comments(pull) == [comment]
    assert "## ✅ `churn` passed" in comment.body
    assert [state for _, state, _ in world.statuses(pull.head_sha)] == ["pending", "success"]
    [approved] = world.entries()
    assert approved["kind"] == "approved"
    assert is_person(approved["actor"], world.bob)
    assert [one["id"] for one in approved["authors"]] == [str(world.ada.id)]
    [approval] = approved["approvals"]
    assert is_person(approval["person"], world.bob)
    assert approval["bundle"] == approved["subject"]["bundle"] == newer
    assert (approval["change"], approval["head"]) == ("#7", pull.head_sha)
    assert approved["run"]["system"] == "github"

    # The squash merge has another commit, and the approval carries over.
    merged = world.merge(pull, "squash")
    assert outputs(merged, "approve")["verdict"] == "passed"
    assert outputs(merged, "register") == {"verdict": "passed", "bundle": newer, "version": "v1"}
    _, registered = world.entries()
    assert is_person(registered["actor"], world.sam)
    assert registered["commit"] == repository.tip("main") != pull.head_sha
    assert is_person(registered["approvals"][0]["person"], world.bob)

    # Staging asks nobody; production waits for rosa, and her yes is recorded.
    staged, payload = world.press("promote", {"stage": "staging"})
    assert outputs(world.play(staged, payload), "promote")["version"] == "v1"
    old, old_payload = world.press("promote", {"stage": "production", "version": "v1"})
    old.approve("production", world.rosa, "go")
    shipped = world.play(old, old_payload)
    assert outputs(shipped, "promote") == {
        "verdict": "passed",
        "bundle": newer,
        "version": "v1",
        "stage": "production",
    }
    promoted = world.entries()[-1]
    assert is_person(promoted["actor"], world.sam)
    assert [one["person"]["id"] for one in promoted["approvals"]] == [str(world.rosa.id)]
    assert is_person(promoted["approvals"][0]["person"], world.rosa)
    assert promoted["run"]["id"] == str(old.id)
    assert world.deployments() == [("staging", 1, "success"), ("production", 1, "success")]
    assert {one.sha for one in repository.deployments} == {repository.tip("main")}

    # Run again, the same promotion changes nothing.
    old.rerun(world.grace)
    again = world.play(old, old_payload)
    assert again.conclusion == "success"
    assert outputs(again, "promote")["verdict"] == "passed"
    assert "production holds v1 already" in again.log
    assert len(world.log()) == 4
    assert len(world.deployments()) == 2

    # A second change; nothing is woken, so its approval is recorded when it is registered.
    second = world.propose(0.9, fork=False)
    judged = world.review(second)
    [comment] = world.comments(second)
    assert "| Version | `v1` | " in comment.body
    assert "| `accuracy` | 0.85 → 0.90 | ▲ +0.05 (+5.9%) better |" in plain(comment.body)
    world.approve(second, world.grace)
    merged = world.merge(second, "merge")
    assert outputs(merged, "register")["version"] == "v2"
    for stage in ("staging", "production"):
        pressed, payload = world.press("promote", {"stage": stage, "version": "v2"})
        pressed.approve(stage, world.rosa)
        assert outputs(world.play(pressed, payload), "promote")["version"] == "v2"

    # Now the old run would move production back; that it is refused, and rollback does it.
    old.rerun(world.sam)
    refused = world.play(old, old_payload)
    assert refused.conclusion == "failure"
    assert outputs(refused, "promote")["verdict"] == "blocked"
    assert refused.job("promote").step("assent").exit_code == 10
    assert "production holds v2, which is newer than v1" in refused.log
    inputs = {"stage": "production", "reason": "complaints"}
    pressed, payload = world.press("rollback", inputs, by=world.grace)
    pressed.approve("production", world.rosa)
    back = world.play(pressed, payload)
    assert outputs(back, "rollback")["version"] == "v1"
    rolled = world.entries()[-1]
    assert (rolled["kind"], rolled["replaces"], rolled["reason"]) == (
        "rolled_back",
        2,
        "complaints",
    )
    assert is_person(rolled["actor"], world.grace)
    assert world.deployments() == [
        ("staging", 1, "inactive"),
        ("production", 1, "inactive"),
        ("staging", 2, "success"),
        ("production", 2, "inactive"),
        ("production", 1, "success"),
    ]
    assert repository.deployments[-1].task == "assent:rollback"

    # Anybody with a clone reads the same story, and that it verifies.
    assert world.log() == [
        f"approve {newer[:19]}",
        "register v1",
        "promote v1 to staging",
        "promote v1 to production",
        f"approve {outputs(judged, 'review')['bundle'][:19]}",
        "register v2",
        "promote v2 to staging",
        "promote v2 to production",
        "roll back production to v1",
    ]
    clone = world.clone("later")
    told = world.run(clone, "timeline").stdout.splitlines()
    assert "roll back production to v1  by grace" in told[0]
    assert told[1].strip().startswith("nobody had to approve this; approved with this run by rosa")
    assert told[2].strip() == "because: complaints"
    world.run(clone, "verify", "--blobs")
    assert world.site.harness.git.refusals == []
    assert world.server.leaks == []


def test_a_change_that_leaves_the_model_alone(world: World) -> None:
    first = world.propose(0.8)
    world.review(first)
    world.approve(first, world.bob)
    assert outputs(world.merge(first), "register")["version"] == "v1"
    before = world.log()
    docs = world.github.open_pull(world.sam, title="Docs", files={"README.md": "# Churn\n"})
    judged = world.review(docs)
    assert outputs(judged, "review")["verdict"] == "passed"
    [comment] = world.comments(docs)
    assert "the inputs are those of v1" in comment.body
    assert "merging it registers nothing new" in plain(comment.body)
    merged = world.merge(docs)
    assert merged.conclusion == "success"
    assert "the inputs are those of v1" in merged.log
    before_push = world.github.repository.tip("main")
    world.github.repository.push(world.sam, files={"README.md": "# Churn, again\n"})
    pushed = world.pushed(world.sam, before_push)
    assert pushed.conclusion == "success", pushed.log
    assert outputs(pushed, "register")["version"] == "v1"
    assert world.log() == before


def test_the_merge_queue_gets_the_status_that_it_waits_for(world: World) -> None:
    first = world.propose(0.8)
    world.review(first)
    world.wake(world.approve(first, world.bob))
    ref, group = first.enqueue(world.sam)
    judged = world.queue(ref)
    assert results(judged) == {"approve": "skipped", "review": "success"}
    [(name, state, _)] = world.statuses(group)
    assert (name, state) == ("assent/churn", "success")
    assert outputs(world.merge(first, "queue"), "register")["version"] == "v1"
    # Without an approval the queue is not let through.
    second = world.propose(0.9, fork=False)
    world.review(second)
    ref, group = second.enqueue(world.sam)
    world.queue(ref)
    assert [state for _, state, _ in world.statuses(group)] == ["pending"]


def test_the_first_push_has_no_model_and_is_no_failure(world: World) -> None:
    before = world.github.repository.tip("main")
    world.github.repository.push(world.sam, files={"README.md": "# Churn\n"})
    pushed = world.pushed(world.sam, before)
    assert pushed.conclusion == "success", pushed.log
    assert "nothing of churn has been reviewed yet; nothing was registered" in pushed.log
    assert world.log() == []
