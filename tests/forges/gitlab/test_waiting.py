"""Merge requests that wait for a review, and what their pipelines have left."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from assent.errors import AssentError, IdleError, IntegrityError, OutsideError
from assent.forges.archives import Limits
from assent.forges.gitlab import waiting
from assent.ports import PendingReason, Waiting
from tests.builders import digest
from tests.forges.gitlab.conftest import Scene, notice
from tests.gitlab.merge_requests import MergeRequest
from tests.gitlab.pipelines import Job, Source

JOB = "assent-bundle"


def archive(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in files.items():
            made.writestr(f"assent-bundle/{name}", content)
    return buffer.getvalue()


def train(
    scene: Scene,
    request: MergeRequest | None = None,
    content: bytes | None = None,
    *,
    name: str = JOB,
    source: Source = "merge_request_event",
) -> Job:
    """The pipeline of a merge request, whose job has left a bundle."""
    request = request or scene.request
    pipeline = scene.gitlab.run_pipeline(source, request.author, merge_request=request)
    job = pipeline.job(name)
    job.leave(archive(a=b"1") if content is None else content)
    scene.gitlab.tick()
    job.finish()
    scene.gitlab.tick()
    return job


def queue(scene: Scene, **said: object) -> Sequence[Waiting]:
    """What a run of the default branch sees."""
    return scene.forge(**{"merge_request": None, **said}).review_queue.waiting("churn", JOB)


def reasons(scene: Scene, **said: object) -> dict[str, PendingReason]:
    found = {one.id: one.pending_reason() for one in queue(scene, **said)}
    return {name: why for name, why in found.items() if why is not None}


def show(scene: Scene, request: MergeRequest | None = None, bundle: str = "b") -> None:
    request = request or scene.request
    scene.forge(merge_request=request.iid).comment(notice("churn", bundle))
    scene.gitlab.tick()


def test_a_merge_request_waits_with_a_bundle_that_nobody_was_shown(scene: Scene) -> None:
    assert reasons(scene) == {}
    train(scene)
    assert reasons(scene) == {"!7": PendingReason.BUNDLE}
    show(scene)
    assert reasons(scene) == {}
    train(scene)
    assert reasons(scene) == {"!7": PendingReason.BUNDLE}
    assert (
        scene.forge(merge_request=None).review_queue.waiting("fraud", JOB)[0].pending_reason()
        is PendingReason.BUNDLE
    )


def test_a_merge_request_waits_with_a_word_of_somebody(scene: Scene) -> None:
    train(scene)
    show(scene)
    scene.approve(scene.bob)
    assert reasons(scene) == {"!7": PendingReason.WORD}
    scene.forge().comment(notice("churn", "b", text="With bob."))
    scene.gitlab.tick()
    assert reasons(scene) == {}
    scene.note(scene.alice, "Thank you.")
    assert reasons(scene) == {"!7": PendingReason.WORD}
    assert (
        scene.forge(merge_request=None).review_queue.waiting("fraud", JOB)[0].pending_reason()
        is PendingReason.BUNDLE
    )


def test_our_own_notes_are_no_news(scene: Scene) -> None:
    """A webhook wakes a run for them, too: it would never end."""
    train(scene)
    show(scene)
    scene.note(scene.bot, "An answer of ours.")
    scene.forge().comment(notice("fraud"))
    scene.gitlab.tick()
    assert reasons(scene) == {}


def test_before_anything_was_shown_words_are_no_news(scene: Scene) -> None:
    scene.approve(scene.bob)
    assert reasons(scene) == {}


@pytest.mark.parametrize("state", ["pending", "running", "failed", "canceled"])
def test_only_a_job_that_has_ended_well_counts(scene: Scene, state: str) -> None:
    train(scene).status = state
    assert reasons(scene) == {}


def test_only_a_job_that_has_left_something_counts(scene: Scene) -> None:
    train(scene).archive = None
    assert reasons(scene) == {}


@pytest.mark.threat(18)
def test_only_the_pipeline_of_this_merge_request_and_its_head_counts(scene: Scene) -> None:
    train(scene, name="another-job")
    train(scene, source="push").pipeline.ref = scene.request.source_branch
    # Of merged results: what it has trained is no revision that anybody has pushed.
    train(scene).pipeline.ref = f"refs/merge-requests/{scene.request.iid}/merge"
    assert reasons(scene) == {}
    # Anybody's project can have a pipeline of such a ref and commit.
    train(scene).pipeline.project = scene.gitlab.fork(scene.bob)
    assert reasons(scene) == {}
    other = scene.gitlab.open_merge_request(scene.bob, sha=scene.request.sha, branch="same-head")
    train(scene, other)
    assert reasons(scene) == {"!8": PendingReason.BUNDLE}
    train(scene)
    scene.request.push(files={"params.yaml": "depth: 3\n"})
    assert reasons(scene) == {"!8": PendingReason.BUNDLE}


def test_only_open_ones_into_the_default_branch_wait(scene: Scene) -> None:
    scene.project.set_branch("release", scene.project.tip("main"))
    elsewhere = scene.gitlab.open_merge_request(scene.bob, target="release", files={"a": "1"})
    closed = scene.gitlab.open_merge_request(scene.bob, files={"b": "1"})
    for request in (elsewhere, closed):
        train(scene, request)
    closed.close()
    assert reasons(scene) == {}


def test_the_newest_come_first_and_not_all_of_them(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST", 2)
    for number in range(3):
        scene.gitlab.tick()
        train(scene, scene.gitlab.open_merge_request(scene.alice, files={f"{number}": "1"}))
    assert list(reasons(scene)) == ["!10", "!9"]
    scene.gitlab.tick()
    scene.note(scene.bob, "And this one?")
    assert [one.id for one in queue(scene)] == ["!7", "!10"]


@pytest.mark.threat(20)
def test_no_variable_says_what_waits(scene: Scene) -> None:
    """The number of a merge request is what whoever starts the pipeline has set."""
    train(scene)
    assert reasons(scene, merge_request=99) == {"!7": PendingReason.BUNDLE}
    [one] = queue(scene, merge_request=99)
    change = one.forge.change()
    assert change is not None
    assert (change.id, change.head) == ("!7", scene.request.sha)


def test_the_forge_of_a_change_is_that_of_no_other(scene: Scene) -> None:
    second = scene.gitlab.open_merge_request(scene.bob, files={"b": "1"})
    first, other = sorted(queue(scene), key=lambda one: one.id)
    other.forge.comment(notice("churn", "other"))
    assert first.forge.shown("churn") is None
    assert other.forge.shown("churn") == digest("other")
    assert [len(one.notes) for one in (scene.request, second)] == [0, 1]


# what was left


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_what_was_left_is_fetched_with_its_run(
    scene: Scene, tmp_path: Path, is_elsewhere: bool
) -> None:
    """Where GitLab keeps files on another host, the token does not go there: `scene` looks."""
    scene.gitlab.keeps_files_elsewhere = is_elsewhere
    train(scene)
    job = train(scene, content=archive(a=b"2", b=b"3"))
    [one] = queue(scene)
    run = one.fetch(tmp_path / "bundle")
    assert (run.system, run.id) == ("gitlab", f"{job.pipeline.id}/{JOB}")
    assert {path.name: path.read_bytes() for path in (tmp_path / "bundle").iterdir()} == {
        "a": b"2",
        "b": b"3",
    }
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    elsewhere = [one for one in scene.server.requests if one.host != scene.server.host]
    assert bool(elsewhere) is is_elsewhere


def test_a_retried_job_is_the_newer_one(scene: Scene, tmp_path: Path) -> None:
    job = train(scene)
    show(scene)
    again = job.retry(scene.bob)
    again.leave(archive(a=b"again"))
    scene.gitlab.tick()
    again.finish()
    [one] = queue(scene)
    assert one.pending_reason() is PendingReason.BUNDLE
    one.fetch(tmp_path / "bundle")
    assert (tmp_path / "bundle/a").read_bytes() == b"again"


def test_a_job_that_ends_while_another_one_is_reviewed_is_not_lost(
    scene: Scene, tmp_path: Path
) -> None:
    """The record of the earlier one is newer than it."""
    train(scene)
    [one] = queue(scene)
    one.fetch(tmp_path / "first")
    train(scene, content=archive(a=b"second"))
    one.forge.comment(notice("churn", "first"))
    assert one.pending_reason() is PendingReason.BUNDLE
    one.fetch(tmp_path / "second")
    one.forge.comment(notice("churn", "second"))
    assert one.pending_reason() is None


@pytest.mark.threat(18)
def test_a_bundle_of_an_earlier_head_is_not_fetched(scene: Scene, tmp_path: Path) -> None:
    train(scene)
    [one] = queue(scene)
    scene.request.push(files={"params.yaml": "depth: 3\n"})
    with pytest.raises(IdleError, match="moved on meanwhile"):
        one.fetch(tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


@pytest.mark.threat(17)
def test_what_a_fork_has_left_is_fetched_there(premium: Scene, tmp_path: Path) -> None:
    fred = premium.gitlab.user("fred")
    fork = premium.gitlab.fork(fred)
    request = premium.gitlab.open_merge_request(fred, fork=fork, files={"a": "1"})
    job = train(premium, request)
    assert job.pipeline.project is fork
    assert reasons(premium) == {}  # a private fork is nobody's business
    fork.visibility = premium.project.visibility = "public"
    assert reasons(premium) == {"!8": PendingReason.BUNDLE}
    one = next(one for one in queue(premium) if one.id == "!8")
    assert one.fetch(tmp_path / "bundle").id == f"{job.pipeline.id}/{JOB}"


@pytest.mark.threat(39)
def test_an_artifact_that_is_too_large_is_not_kept(scene: Scene, tmp_path: Path) -> None:
    train(scene, content=archive(a=b"x" * 5_000))
    for limits, what in (
        (Limits(size_bytes=1_000), "larger than 1,000 bytes"),
        (Limits(files=0), "more than 0 files"),
    ):
        [one] = queue(scene, limits=limits)
        with pytest.raises(IntegrityError, match=what):
            one.fetch(tmp_path / "bundle")
    assert list(tmp_path.glob("**/artifacts.zip")) == []


# what can go wrong


@pytest.mark.threat(23)
def test_a_redirect_that_anybody_could_read_is_not_followed(scene: Scene, tmp_path: Path) -> None:
    train(scene)
    scene.faults.redirect("GET", "*/artifacts", "http://files.example.com/a.zip")
    [one] = queue(scene)
    with pytest.raises(OutsideError, match="leads to another one"):
        one.fetch(tmp_path / "bundle")


def test_a_broken_download_is_tried_again(scene: Scene, tmp_path: Path) -> None:
    train(scene)
    scene.faults.fail("GET", "*/artifacts", 503)
    scene.faults.hang_up("GET", "*/artifacts")
    scene.faults.too_many("GET", "*/artifacts", retry_after_s=3)
    [one] = queue(scene)
    one.fetch(tmp_path / "bundle")
    assert (tmp_path / "bundle/a").read_bytes() == b"1"
    assert 3 in scene.waits
    assert scene.faults.is_done


def test_a_download_that_stays_broken_is_an_error(scene: Scene, tmp_path: Path) -> None:
    train(scene)
    [one] = queue(scene)
    scene.faults.fail("GET", "*/artifacts", 503, times=9)
    with pytest.raises(OutsideError, match="fetching the bundle of merge request 7"):
        one.fetch(tmp_path / "bundle")


def test_an_artifact_that_is_gone_is_said(scene: Scene, tmp_path: Path) -> None:
    job = train(scene)
    [one] = queue(scene)
    assert one.pending_reason() is PendingReason.BUNDLE
    scene.faults.fail("GET", "*/artifacts", 404)
    with pytest.raises(OutsideError, match="GitLab answered 404"):
        one.fetch(tmp_path / "bundle")
    job.archive = None
    with pytest.raises(IdleError, match="moved on"):
        one.fetch(tmp_path / "bundle")


def test_what_cannot_be_read_of_one_is_an_error_of_that_one(scene: Scene) -> None:
    second = scene.gitlab.open_merge_request(scene.bob, files={"b": "1"})
    for request in (scene.request, second):
        train(scene, request)
    scene.faults.fail("GET", "*/merge_requests/7/pipelines", 500, times=9)
    first, other = sorted(queue(scene), key=lambda one: one.id)
    with pytest.raises(AssentError, match="reading the pipelines of merge request 7"):
        first.pending_reason()
    assert other.pending_reason() is PendingReason.BUNDLE
