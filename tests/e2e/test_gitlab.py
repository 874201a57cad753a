"""The whole story on GitLab: the pipeline that `init` writes, the adapter, people and buttons."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import starting
from tests.e2e.gitlab import World
from tests.e2e.spying import spy
from tests.gitlab.merge_requests import MergeRequest
from tests.gitlab.records import Note
from tests.stores.proxies import proxied, unknown_to_gitlab
from tests.stores.registries import NAME, PASSWORD, registry, with_password
from tests.templates.harness import Ended
from tests.templates.site import Running

TRAINING = ["assent-train", "assent-evaluate", "assent-bundle"]
BUTTONS = [
    f"assent-{verb}: [{stage}]"
    for verb in ("promote", "rollback")
    for stage in ("staging", "production")
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[World]:
    """Where no runner is the team's own: the store is in the project's registry, which every job
    has a login to, and which takes no manifest of our types; and no folder is shared.
    """
    with (
        registry(tmp_path / "registry", with_password(tmp_path)) as server,
        proxied(server.host, refuses=unknown_to_gitlab) as line,
        World(tmp_path, store=f"oci://{line.host}/acme/churn/assent") as world,
    ):
        world.site.plain |= {
            "CI_REGISTRY": line.host,
            "CI_REGISTRY_USER": NAME,
            "CI_REGISTRY_PASSWORD": PASSWORD,
        }
        yield world


def codes(running: Running) -> dict[str, int]:
    return {name: ended.code for name, ended in running.ended.items()}


def notes(change: MergeRequest) -> list[Note]:
    """What people and Assent have said."""
    return [one for one in change.notes if not one.is_system]


def variables(ended: Ended) -> dict[str, str]:
    """What the job says to later jobs, as the runner takes it from the report."""
    text = (ended.artifacts / ".assent/ci/assent.env").read_text()
    return dict(line.split("=", 1) for line in text.splitlines())


def decisions(world: World) -> list[str]:
    """The ledger, oldest first."""
    log = world.git("log", "--reverse", "--format=%s", "refs/heads/assent/churn")
    return log.splitlines()


@pytest.mark.threat(22)
@pytest.mark.threat(38)
def test_a_model_goes_from_a_merge_request_to_production_and_back(
    hosted: World, for_real: ExitStack
) -> None:
    world = hosted
    change = world.propose(0.9)
    first = world.train(change)
    assert list(first.listed) == [*TRAINING, "assent-wake"]
    assert codes(first) == dict.fromkeys(TRAINING, 0)
    assert "tokens: none none" in first.ended["assent-train"].log
    woken = first.woken["assent-wake"]
    assert woken is not None
    assert codes(woken) == {"assent-review": 0}
    review = woken.ended["assent-review"]
    assert "WAITING FOR APPROVAL" in review.log
    [note] = notes(change)
    assert variables(first.ended["assent-bundle"])["ASSENT_BUNDLE"] in note.body
    files = review.artifacts / ".assent/ci"
    assert "<testsuite " in (files / f"junit-{change.iid}.xml").read_text()
    [report, place] = json.loads((files / "annotations.json").read_text())["Assent"]
    job = woken.jobs["assent-review"]
    assert report["external_link"]["url"].endswith(
        f"/-/jobs/{job.id}/artifacts/file/.assent/ci/report-{change.iid}.html"
    )
    assert (files / f"report-{change.iid}.html").is_file()
    assert place["external_link"]["url"].endswith(f"#note_{note.id}")
    for_real.close()  # so much for how jobs start it

    world.approve(change, world.grace)
    world.approve(change, world.rosa)
    merged = world.merge(change)
    assert list(merged.listed) == ["assent-approve", "assent-register", *BUTTONS]
    assert codes(merged) == {"assent-approve": 0, "assent-register": 0}
    assert variables(merged.ended["assent-register"])["ASSENT_VERSION"] == "v1"
    for stage in ("staging", "production"):
        assert merged.press(f"assent-promote: [{stage}]", world.sam).code == 0
        assert merged.jobs[f"assent-promote: [{stage}]"].deployment is not None

    better = world.propose(0.95)
    shown = variables(world.train(better).ended["assent-bundle"])["ASSENT_BUNDLE"]
    world.approve(better, world.bob)
    second = world.merge(better)
    assert second.press("assent-promote: [staging]", world.sam).code == 0
    assert second.press("assent-promote: [production]", world.sam).code == 11
    world.gitlab.tick()
    better.note(world.rosa, f"/assent approve churn {shown[:19]}")
    world.gitlab.tick()
    second = world.site.start("web", world.sam).play()  # records it
    assert second.press("assent-promote: [production]", world.sam).code == 0
    # Where nobody may type a variable, the reason is who pressed which button.
    back = second.press("assent-rollback: [production]", world.sam)
    assert back.code == 0, back.log
    assert decisions(world)[-3:] == [
        "approve v2",
        "promote v2 to production",
        "roll back production to v1",
    ]
    entry = world.entry(-1)
    assert entry["actor"]["login"] == "sam"
    job = second.jobs["assent-rollback: [production]"]
    assert entry["reason"].startswith("no reason was given; sam pressed the button of http")
    assert entry["reason"].endswith(f"/jobs/{job.id}")
    deployed = [(one.environment.name, one.status) for one in world.gitlab.project.deployments]
    assert deployed.count(("production", "success")) == 3

    # An old button pressed again is the same promotion, which was done already.
    before = decisions(world)
    again = merged.press("assent-promote: [staging]", world.sam)
    assert decisions(world) == before, again.log
    daily = world.site.start("schedule", world.sam).play()
    assert codes(daily) == {
        "assent-review": 0,
        "assent-approve": 0,
        "assent-register": 0,
        "assent-verify": 0,
    }
    assert "no change waits for a review" in daily.ended["assent-review"].log
    protect_from_trainings(world)
    weekly = world.site.start("schedule", world.sam, variables={"ASSENT_SCHEDULE": "retrain"})
    trained = weekly.play().ended["assent-retrain-bundle"]
    assert trained.code == 0, trained.log
    assert "tokens: none none" in trained.log
    assert weekly.ended["assent-retrain"].code == 0, weekly.ended["assent-retrain"].log


def protect_from_trainings(world: World) -> None:
    """Limit the tokens to the environments of the jobs that judge and move."""
    for name in ("ASSENT_GITLAB_TOKEN", "ASSENT_LEDGER_TOKEN"):
        world.site.scopes[name] = ("assent", "staging", "production")


@pytest.mark.threat(47)
def test_a_training_on_the_default_branch_gets_no_token_of_ours(world: World) -> None:
    change = world.propose(0.8)
    world.review(change)
    world.approve(change, world.grace)
    assert variables(world.merge(change).ended["assent-register"])["ASSENT_VERSION"] == "v1"
    spying, loot = spy(world.root)
    files = {"train.py": world.files["train.py"] + spying, "params.json": '{"accuracy": 0.9}'}
    world.gitlab.project.push(world.sam, message="Look around", files=files)
    tokens = [token.encode() for token in world.site.protected.values()]

    def retrain() -> Running:
        asked = {"ASSENT_SCHEDULE": "retrain"}
        with starting.for_real():  # who looks around sees the processes
            return world.site.start("schedule", world.sam, variables=asked).play()

    # The variables are for every job: a training could read them, so there is none.
    ran = retrain()
    assert ran.ended["assent-retrain-bundle"].code == 10
    assert "limit the variable ASSENT_GITLAB_TOKEN" in ran.ended["assent-retrain-bundle"].log
    assert "assent-retrain" not in ran.ended
    assert loot.read_bytes() == b""

    protect_from_trainings(world)
    ran = retrain()
    assert codes(ran) == {"assent-retrain-bundle": 0, "assent-retrain": 0}
    assert b"CI_JOB_TOKEN" in loot.read_bytes(), "it has seen what is around it"
    assert not any(token in loot.read_bytes() for token in tokens)
    [proposed] = [one for one in world.gitlab.project.merge_requests if one.iid != change.iid]
    assert proposed.source_branch == "retrain/churn"
    assert world.entry(-1)["kind"] == "noted"


@pytest.mark.threat(16)
def test_a_merge_request_that_rewrites_the_pipeline_cannot_decide(world: World) -> None:
    own = "mine: {script: [assent register churn, assent approve churn]}\n"
    change = world.propose(0.9, files={".gitlab-ci.yml": own})
    ended = world.train(change).ended["mine"]
    assert ended.code == 10
    assert "a merge-request pipeline runs what the change itself brings" in ended.log
    assert "refs/heads/assent/churn" not in world.git("for-each-ref", "--format=%(refname)")


@pytest.mark.threat(17)
def test_a_forks_pipeline_trains_and_has_nothing_else(world: World) -> None:
    """Nor does it wake anybody: the schedule does. Where the fork is open, it is reviewed."""
    fork = world.gitlab.fork(world.ada)
    change = world.propose(0.9, fork=fork)
    running = world.train(change)
    assert list(running.listed) == TRAINING
    assert codes(running) == dict.fromkeys(TRAINING, 0)
    assert "tokens: none none" in running.ended["assent-train"].log
    assert not world.store.exists()
    assert "no change waits" in world.look().log  # what Assent's own account cannot see
    assert notes(change) == []
    fork.visibility = world.gitlab.project.visibility = "public"
    assert "WAITING FOR APPROVAL" in world.look().log
    [note] = notes(change)
    assert variables(running.ended["assent-bundle"])["ASSENT_BUNDLE"] in note.body
    world.approve(change, world.grace)
    merged = world.merge(change)
    assert variables(merged.ended["assent-register"])["ASSENT_VERSION"] == "v1"


@pytest.mark.threat(20)
def test_variables_that_a_person_types_are_judged_like_any_other_request(world: World) -> None:
    change = world.propose(0.9)
    world.review(change)
    world.approve(change, world.grace)
    merged = world.merge(change)
    button = "assent-promote: [staging]"
    elsewhere = merged.press(button, world.bob, ASSENT_PROMOTE_STAGE="production")
    assert elsewhere.code in (10, 11)
    wrong = merged.press(button, world.bob, ASSENT_PROMOTE_VERSION="v9; touch hacked")
    assert wrong.code == 2
    assert not list(merged.runner.folder.rglob("hacked"))
    typed = {"GITLAB_USER_LOGIN": "rosa", "GITLAB_USER_ID": str(world.rosa.id)}
    assert merged.press(button, world.bob, **typed).code == 0
    assert world.entry(-1)["actor"]["login"] == "bob"


def test_a_schedule_records_and_verifies_or_trains_again(world: World) -> None:
    daily = world.site.start("schedule", world.sam)
    assert list(daily.listed) == [
        *("assent-review", "assent-approve", "assent-register", "assent-verify")
    ]
    retraining = world.site.start("schedule", world.sam, variables={"ASSENT_SCHEDULE": "retrain"})
    assert list(retraining.listed) == ["assent-retrain-bundle", "assent-retrain"]
    protect_from_trainings(world)
    retraining = world.site.start("schedule", world.sam, variables={"ASSENT_SCHEDULE": "retrain"})
    assert "there is nothing yet" in retraining.play().ended["assent-retrain"].log


def test_a_webhook_wakes_approve_review_and_reply(world: World) -> None:
    change = world.propose(0.9)
    world.review(change)
    world.approve(change, world.grace)
    asking = change.note(world.rosa, "/assent explain churn")
    about = {"id": asking.id, "action": "create", "noteable_type": "MergeRequest"}
    woken = world.wake(
        object_kind="note", object_attributes=about, merge_request={"iid": change.iid}
    )
    assert codes(woken) == {"assent-review": 0, "assent-reply": 0, "assent-approve": 0}
    assert decisions(world)[-1].startswith("approve sha256:")
    note, answer = [one for one in notes(change) if one is not asking]
    assert "passed" in note.body.splitlines()[3]
    assert "explain churn" in answer.body


@pytest.mark.parametrize(
    ("branch", "has_request", "is_run"),
    [("topic", False, True), ("topic", True, False), ("assent/churn", False, False)],
)
def test_a_branch_has_one_pipeline_and_the_ledger_has_none(
    world: World, branch: str, has_request: bool, is_run: bool
) -> None:
    tip = world.git("rev-parse", "refs/heads/main").strip()
    world.git("branch", branch, tip)
    world.gitlab.follow_pushes()
    more = {"CI_OPEN_MERGE_REQUESTS": "acme/churn!7"} if has_request else {}
    assert world.site.is_let_in("push", world.ada, ref=branch, variables=more) is is_run


@pytest.mark.threat(49)
def test_an_approval_that_was_taken_back_does_not_let_a_model_be_promoted(world: World) -> None:
    change = world.propose(0.9)
    world.review(change)
    world.approve(change, world.bob)
    merged = world.merge(change)
    change.unapprove(world.bob)
    refused = merged.press("assent-promote: [staging]", world.sam)
    assert refused.code == 11
    assert "`bob` no longer approves" in refused.log
    assert "taken back" in refused.log
    change.approve(world.bob)
    assert merged.press("assent-promote: [staging]", world.sam).code == 11
