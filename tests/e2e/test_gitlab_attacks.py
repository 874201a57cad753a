"""Whoever may push a branch of the project, or open a merge request from a fork, tries to have
another bundle approved. The jobs really run; GitLab is the stand-in.
"""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.gitlab import World
from tests.gitlab.merge_requests import MergeRequest

# What a hostile merge request has its own pipeline do: look for tokens, and post a status.
FORGERY = """\
import json, os, urllib.error, urllib.request

print("tokens:", sorted(name for name in os.environ if "TOKEN" in name))
record = "assent/churn/!7/sha256:" + "a" * 64
for header in ("JOB-TOKEN", "PRIVATE-TOKEN"):
    request = urllib.request.Request(
        f"{os.environ['CI_API_V4_URL']}/projects/{os.environ['CI_PROJECT_ID']}"
        f"/statuses/{os.environ['CI_COMMIT_SHA']}",
        json.dumps({"name": record, "state": "success", "description": "passed"}).encode(),
        {header: os.environ["CI_JOB_TOKEN"], "Content-Type": "application/json"},
    )
    try:
        urllib.request.urlopen(request)
        print("posted with", header)
    except urllib.error.HTTPError as error:
        print(header, error.code)
        error.close()
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def bodies(change: MergeRequest) -> list[str]:
    return [one.body for one in change.notes if not one.is_system]


def records(world: World) -> list[str]:
    return [one.name for one in world.gitlab.project.statuses if "sha256:" in one.name]


@pytest.mark.threat(3)
@pytest.mark.threat(16)
def test_the_pipeline_of_a_merge_request_cannot_forge_what_was_shown(world: World) -> None:
    """It holds no token of ours, and GitLab takes no status with that of a job. A job that has the
    name of a record is none either.
    """
    record = f"assent/churn/!7/sha256:{'a' * 64}"
    own = {
        "mine": {"script": ["python3 forge.py"]},
        record: {"script": ["true"]},
    }
    files = {".gitlab-ci.yml": yaml.safe_dump(own), "forge.py": FORGERY}
    change = world.propose(0.9, files=files)
    assert change.iid == 7
    ended = world.train(change).ended
    log = ended["mine"].log
    assert "tokens: ['CI_JOB_TOKEN']" in log
    assert "JOB-TOKEN 401" in log
    assert "PRIVATE-TOKEN 401" in log
    assert "posted" not in log
    assert ended[record].code == 0
    assert records(world) == []
    world.approve(change, world.grace)
    looked = world.look()
    assert (looked.code, bodies(change)) == (0, [])
    assert "no change waits for a review" in looked.log
    assert "refs/heads/assent/churn" not in world.git("for-each-ref", "--format=%(refname)")


@pytest.mark.threat(17)
@pytest.mark.threat(18)
@pytest.mark.threat(39)
def test_bad_artifacts_are_refused_and_the_others_are_reviewed(world: World) -> None:
    """Nobody here may run pipelines of the default branch: the wake-up fails, and the schedule
    reviews.
    """
    world.gitlab.project.protect("main")
    changes = [world.propose(accuracy) for accuracy in (0.9, 0.91, 0.92, 0.93)]
    pipelines = [world.train(change) for change in changes]
    assert [one.woken for one in pipelines] == [{"assent-wake": None}] * 4
    jobs = [one.jobs["assent-bundle"] for one in pipelines]
    linked, climbing, borrowed, _ = jobs
    sound = [job.archive or b"" for job in jobs]
    entry = zipfile.ZipInfo("assent-bundle/blobs/sha256/passwd")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    linked.archive = with_entry(sound[0], entry, b"/etc/passwd")
    climbing.archive = with_entry(sound[1], zipfile.ZipInfo("../../hacked"), b"x")
    borrowed.archive = sound[3]  # what another person's pipeline has made
    looked = world.look()
    assert looked.code == 4
    assert "'assent-bundle/blobs/sha256/passwd' in it is neither a file nor a folder" in looked.log
    assert "'../../hacked' in it is no path below its folder" in looked.log
    made, said = pipelines[3].started.id, pipelines[2].started.id
    assert f"names attempt 1 of run {made}, it comes from attempt 1 of run {said}" in looked.log
    assert [len(bodies(change)) for change in changes] == [0, 0, 0, 1]
    assert not list(world.root.rglob("hacked"))
    assert len(records(world)) == 1

    # The next good pipeline of one of them is reviewed, and those that stay bad stay red.
    world.gitlab.project.protect("main", merge="developer")
    woken = world.train(changes[0]).woken["assent-wake"]
    assert woken is not None
    assert woken.ended["assent-review"].code == 4
    assert [len(bodies(change)) for change in changes] == [1, 0, 0, 1]


@pytest.mark.threat(1)
@pytest.mark.threat(20)
def test_whoever_ran_the_training_must_not_approve_it_and_hands_over_no_variables(
    world: World,
) -> None:
    first = world.propose(0.85)
    world.review(first)
    change = world.propose(0.9)
    typed = {"ASSENT_REVIEW_BUNDLE": "v1", "ASSENT_MERGE_REQUEST": "7", "ASSENT_REVIEW_WAITING": ""}
    running = world.train(change, world.grace, **typed)
    woken = running.woken["assent-wake"]
    assert woken is not None
    assert woken.started.variables == {}
    assert woken.ended["assent-review"].code == 0
    [body] = bodies(change)
    assert "sha256:" in body
    assert len(bodies(first)) == 1
    world.approve(change, world.grace)
    looked = world.look()
    assert "WAITING FOR APPROVAL" in looked.log
    assert "grace" in looked.log
    assert "does not count" in looked.log
    world.approve(change, world.bob)
    assert "PASSED" in world.look().log


def with_entry(archive: bytes, entry: zipfile.ZipInfo, content: bytes) -> bytes:
    buffer = io.BytesIO(archive)
    with zipfile.ZipFile(buffer, "a") as opened:
        opened.writestr(entry, content)
    return buffer.getvalue()
