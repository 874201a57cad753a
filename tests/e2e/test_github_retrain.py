"""Scheduled retraining on GitHub, through the workflows that `assent init --github` writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from assent.config.lock import lock_text, read_lock
from tests.e2e.github import World, outputs, results
from tests.e2e.spying import spy
from tests.effort import more_in_soak
from tests.github.pulls import Pull
from tests.github.runs import Run as Started
from tests.workflows.results import Run

BRANCH = "retrain/churn"
EMPTIES = 'find "$GITHUB_WORKSPACE" -mindepth 1 -delete'
PATH = ".github/workflows/assent-retrain.yml"
# What training learns comes from outside of the repository, as from a table that grows.
TRAIN = """\
import json, os, pathlib

learnt = json.loads(pathlib.Path({outside!r}).read_text())
pathlib.Path("model").mkdir(exist_ok=True)
pathlib.Path("model/weights.json").write_text(json.dumps(learnt))
print("trained; a token:", os.environ.get("GITHUB_TOKEN", "none"))
"""


def outside(world: World, accuracy: float) -> None:
    (world.root / "outside.json").write_text(f'{{"accuracy": {accuracy}}}')


def on_schedule(world: World) -> Run:
    """`assent-retrain.yml` on a Monday morning. GitHub names whoever wrote the schedule."""
    world.github.tick()
    started = world.github.start_run(
        event="schedule", actor=world.sam, path=PATH, name="assent-retrain"
    )
    dispatched = world.events.workflow_dispatch(world.sam, {}, path=PATH)
    payload = {key: value for key, value in dispatched.items() if key not in ("inputs", "ref")}
    return world.play(started, {**payload, "schedule": "23 3 * * 1"})


def train(world: World, pull: Pull) -> tuple[Started, Run]:
    """The untrusted job, on a machine that does not reach the store."""
    world.store.rename(world.root / "locked away")
    started, made = world.train(pull)
    assert made.conclusion == "success", made.log
    assert not world.store.exists(), "it leaves no trace where a store would be"
    (world.root / "locked away").rename(world.store)
    return started, made


def pulls(world: World) -> list[Pull]:
    return [one for one in world.github.repository.pulls if one.head_ref == BRANCH]


def locked(world: World, revision: str = BRANCH) -> Any:
    return read_lock(world.git("show", f"{revision}:assent.lock").encode(), "assent.lock")["churn"]


def forged(world: World, run: Started) -> str:
    """A bundle of main's inputs and commit which says that `run` has made it; it is stored."""
    folder, made = world.clone("forger"), world.root / "forged"
    env = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REPOSITORY": "acme/churn",
        "GITHUB_RUN_ID": str(run.id),
    }
    world.run(folder, "train", "--force", env=env)
    world.run(folder, "evaluate", "--force", env=env)
    world.run(folder, "bundle", "--output", str(made), env=env)
    bundle: str = world.run(folder, "bundle", "--from", str(made), "--json").json["bundle"]
    return bundle


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """v1 is registered; workflows may open pull requests."""
    with World(tmp_path) as world:
        world.github.repository.workflows_may_approve = True
        # A server of one's own has such addresses of its own host.
        bot = world.github.actions_bot
        host = urlsplit(world.server.where.web).hostname
        bot.emails.add(f"{bot.id}+{bot.login}@users.noreply.{host}")
        outside(world, 0.8)
        train = TRAIN.format(outside=str(tmp_path / "outside.json"))
        pull = world.propose(0.8, files={"train.py": train})
        world.review(pull)
        world.approve(pull, world.bob)  # which the merge records
        assert outputs(world.merge(pull), "register")["version"] == "v1"
        yield world


@pytest.mark.threat(18)
def test_a_better_model_becomes_a_pull_request_and_a_version(world: World) -> None:
    repository = world.github.repository
    outside(world, 0.9)
    main = repository.tip("main")
    ran = on_schedule(world)
    assert results(ran) == {"train": "success", "retrain": "success"}, ran.log
    assert "trained; a token: none" in ran.log
    bundle = outputs(ran, "retrain")["bundle"]
    [pull] = pulls(world)
    assert outputs(ran, "retrain")["change"].endswith(f"/pull/{pull.number}")
    assert pull.title == "Retrain churn: accuracy 0.8 → 0.9"
    assert bundle in (pull.body or "")
    assert "| `accuracy` |" in (pull.body or "")
    assert pull.author is world.github.actions_bot
    assert locked(world).bundle == bundle
    assert repository.tip("main") == main
    assert world.git("diff", "--name-only", main, BRANCH) == "assent.lock"

    # The untrusted job has nothing to make, and no store to take it from.
    started, made = train(world, pull)
    assert results(made) == {"bundle": "success", "wake": "skipped"}, made.log
    assert "so nothing is trained" in made.log
    assert "trained; a token" not in made.log
    judged = world.follow(started)
    assert results(judged) == {"approve": "skipped", "review": "success"}, judged.log
    assert outputs(judged, "review")["bundle"] == bundle
    assert outputs(judged, "review")["verdict"] == "pending", judged.log
    [comment] = world.comments(pull)
    assert "named by `assent.lock` of its revision" in comment.body

    # It is reviewed, merged and registered like any other; sam wrote the schedule, and may.
    judged = world.wake(world.approve(pull, world.grace))
    assert outputs(judged, "approve")["verdict"] == "passed", judged.log
    merged = world.merge(pull)
    assert outputs(merged, "register") == {"verdict": "passed", "bundle": bundle, "version": "v2"}
    kinds = [(entry["kind"], entry["subject"]["bundle"] == bundle) for entry in world.entries()]
    assert kinds[-3:] == [("noted", True), ("approved", True), ("registered", True)]

    # Now it is what is in production, and the same again is no news.
    again = on_schedule(world)
    assert "v2 again, byte for byte" in again.log
    assert outputs(again, "retrain") == {}
    assert len(pulls(world)) == 1

    # A change of the inputs makes the lock stale: it is trained as ever.
    outside(world, 0.95)
    other = world.propose(0.95)
    started, made = train(world, other)
    assert "assent.lock is stale" in made.log
    judged = world.follow(started)
    newer = outputs(judged, "review")["bundle"]
    assert newer != bundle
    world.wake(world.approve(other, world.bob))
    assert outputs(world.merge(other), "register")["bundle"] == newer


def test_a_review_alone_wakes_it_up(world: World) -> None:
    """With the job's own token the workflows of the pull request wait for a person. A review of it
    starts one of that person's.
    """
    outside(world, 0.9)
    bundle = outputs(on_schedule(world), "retrain")["bundle"]
    [pull] = pulls(world)
    judged = world.wake(world.approve(pull, world.grace))
    assert outputs(judged, "review")["bundle"] == bundle, judged.log
    assert outputs(judged, "review")["verdict"] == "pending", "grace has seen no bundle yet"
    judged = world.wake(world.approve(pull, world.grace))
    assert outputs(judged, "review")["verdict"] == "passed"
    assert outputs(world.merge(pull), "register")["bundle"] == bundle


@pytest.mark.threat(18)
def test_a_lock_cannot_bring_a_bundle_that_no_retraining_has_made(world: World) -> None:
    """Somebody lets a bundle be stored that says of itself what a retraining's would, and names it
    in the lock of a pull request.
    """
    outside(world, 0.9)
    on_schedule(world)
    real = locked(world)
    outside(world, 0.99)
    foreign = forged(world, world.github.repository.runs[-1])
    lock = type(real)(bundle=foreign, inputs=real.inputs, entry=real.entry)
    text = lock_text({"churn": lock}).decode()
    pull = world.github.open_pull(
        world.ada,
        title="Retrain churn",
        files={"assent.lock": text},
        fork=world.fork,
        branch="retrained",
    )
    judged = world.follow(train(world, pull)[0])
    assert results(judged)["review"] == "success", judged.log
    assert outputs(judged, "review")["bundle"] == foreign
    assert outputs(judged, "review")["verdict"] == "blocked"
    assert "the ledger knows of no retraining that made it" in judged.log
    before = world.log()
    judged = world.wake(world.approve(pull, world.bob))
    assert judged.job("approve").result == "failure"
    assert "the ledger knows of no retraining that made it" in judged.log
    assert world.log() == before


@pytest.mark.threat(18)
def test_a_locked_bundle_is_not_of_a_change_of_its_inputs(world: World) -> None:
    """The lock of a retraining, in a pull request that changes the training as well."""
    outside(world, 0.9)
    on_schedule(world)
    text = world.git("show", f"{BRANCH}:assent.lock")
    pull = world.propose(0.5, files={"assent.lock": text + "\n"})
    judged = world.wake(world.approve(pull, world.bob))
    assert judged.log.count("nothing to judge") == 2, judged.log
    assert world.comments(pull) == []


def stolen(world: World, loot: Path) -> list[str]:
    """The tokens that can write anything, of those that somebody has found."""
    text = loot.read_bytes()
    return [
        value
        for value, token in world.github.tokens.items()
        if value.encode() in text and "write" in token.permissions.values()
    ]


@pytest.mark.threat(47)
def test_a_training_gets_no_token_and_leaves_nothing_for_the_job_that_proposes(
    world: World, for_real: ExitStack
) -> None:
    spying, loot = spy(world.root)
    train = TRAIN.format(outside=str(world.root / "outside.json")) + spying
    world.github.repository.push(world.sam, message="Look around", files={"train.py": train})
    outside(world, 0.9)
    ran = on_schedule(world)
    assert results(ran) == {"train": "success", "retrain": "success"}, ran.log
    assert b"GITHUB_RUN_ID" in loot.read_bytes(), "it has seen what is around it"
    assert stolen(world, loot) == []
    rights = {job.id: job.permissions for job in ran.jobs}
    assert rights["train"] == {"contents": "read", "metadata": "read"}
    assert rights["retrain"]["contents"] == "write"
    assert locked(world).bundle == outputs(ran, "retrain")["bundle"]

    # Where the same job could write, it would have: so the verb refuses to train there.
    folder = world.clone("laptop")
    started = world.github.start_run(event="schedule", actor=world.sam, path=PATH)
    payload = world.events.workflow_dispatch(world.sam, {}, path=PATH)
    for verb in ("train", "retrain"):
        before = loot.read_bytes()
        refused = world.job(started, payload, verb, folder=folder, code=10)
        assert "token" in refused.stderr.lower()
        assert loot.read_bytes() == before, "nothing of the team was run"


@pytest.mark.threat(47)
@pytest.mark.parametrize("empties", [True, *more_in_soak(False)])
def test_what_a_pull_request_leaves_on_a_machine_that_is_kept(
    world: World, for_real: ExitStack, empties: bool
) -> None:
    """It writes `runs-on` itself, so it can run where the trusted jobs do. What lies in the folder
    of their checkout is not there any more when they begin. Whatever else such a machine keeps is
    lost: docs/github.md says how to keep pull requests away from it.
    """
    world.site.harness.keeps = True
    spying, loot = spy(world.root)
    train = TRAIN.format(outside=str(world.root / "outside.json")) + spying
    workflow = world.git("show", "main:.github/workflows/assent.yml")
    files = {
        "train.py": train,
        ".github/workflows/assent.yml": workflow.replace("ubuntu-24.04", "[self-hosted, linux]"),
    }
    if not empties:  # somebody has taken that step out
        path = ".github/workflows/assent-review.yml"
        text = world.git("show", f"main:{path}")
        assert EMPTIES in text
        changed = {path: text.replace(EMPTIES, "true")}
        world.github.repository.push(world.sam, message="Be quick", files=changed)
    outside(world, 0.9)
    pull = world.propose(0.9, files=files)
    started, made = world.train(pull)
    assert made.conclusion == "success", made.log
    assert (world.site.harness.root / "kept/work/churn/churn/.git/trap").exists()
    loot.write_bytes(b"")
    judged = world.follow(started)
    if empties:
        assert results(judged)["review"] == "success", judged.log
        assert loot.read_bytes() == b"", "no trap was sprung"
        assert len(world.comments(pull)) == 1
    else:
        assert loot.read_bytes() != b"", "the checkout has run what it found"
        assert results(judged)["review"] == "failure"
        assert "the settings of this clone make Git run programs" in judged.log
        assert world.comments(pull) == []
