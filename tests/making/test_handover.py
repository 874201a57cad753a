"""Bundles that another job has left: reviewed and proposed as data."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assent.ci.environment import read_context
from assent.core.change import Change
from assent.core.evidence import Run
from assent.errors import IdleError, IntegrityError, PolicyError, UsageError
from assent.testing.forge import MemoryForge
from assent.verbs.retrain import retrain
from assent.verbs.review import review
from assent.verbs.train import train
from assent.wiring import open_workspace
from assent.workspace import Workspace
from tests.e2e.project import Project, new_project
from tests.e2e.test_retrain import OUTSIDE, world

NAME = "assent-bundle"
JOB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_RUN_ID": "5",
    "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_REPOSITORY": "acme/churn",
}
RUN = Run(system="github", id="5", attempt=1)


def workspace(project: Project, forge: MemoryForge) -> Workspace:
    opened = open_workspace(
        project.folder, environ={}, now=datetime(2026, 1, 2, tzinfo=UTC), say=lambda text: None
    )
    return replace(opened, forge=forge)


def leave(project: Project, folder: Path) -> None:
    """What a job of run 5 has made in a checkout of its own."""
    for verb in ("train", "evaluate"):
        project.run(verb, "--force", env=JOB)
    project.run("bundle", "--output", str(folder), env=JOB)
    shutil.rmtree(project.folder / ".assent/work")
    shutil.rmtree(project.folder / "model")
    project.git("checkout", "--quiet", ".")


def forge_with(folder: Path, run: Run = RUN) -> MemoryForge:
    forge = MemoryForge("grace")
    forge.left[NAME] = folder
    forge.left_in = run
    forge.open_change = Change(id="#7", title="Try", base="main", head="a" * 40, authors=())
    return forge


@pytest.fixture
def living(tmp_path: Path) -> Project:
    """v1 is in production, and the world that it was trained on has changed."""
    place = tmp_path / "place"
    place.mkdir()
    (place / "world").write_text("0.8\n")
    project = new_project(place, OUTSIDE)
    project.register()
    project.ship("v1")
    world(project, 0.9)
    return project


def test_a_review_takes_what_the_run_has_left(tmp_path: Path) -> None:
    project = new_project(tmp_path / "place")
    leave(project, tmp_path / "left")
    forge = forge_with(tmp_path / "left")
    runs = len(project.runs())
    result = review(workspace(project, forge), "churn", artifact=NAME)
    [notice] = forge.notices
    assert notice.bundle == result.report.diff.candidate.bundle
    assert len(project.runs()) == runs, "nothing was trained here"
    assert not list((project.folder / ".assent").glob(".left-*"))


def test_a_review_that_finds_nothing_makes_nothing(tmp_path: Path) -> None:
    project = new_project(tmp_path / "place")
    forge = forge_with(tmp_path)
    forge.left.clear()
    runs = len(project.runs())
    with pytest.raises(IdleError, match="was shown yet"):
        review(workspace(project, forge), "churn", artifact=NAME)
    assert len(project.runs()) == runs


@pytest.mark.threat(48)
def test_what_names_another_run_is_refused(tmp_path: Path) -> None:
    project = new_project(tmp_path / "place")
    leave(project, tmp_path / "left")
    forge = forge_with(tmp_path / "left", Run(system="github", id="6", attempt=1))
    with pytest.raises(
        IntegrityError, match="attempt 1 of run 5, it comes from attempt 1 of run 6"
    ):
        review(workspace(project, forge), "churn", artifact=NAME)
    assert forge.notices == []


def test_a_retraining_proposes_what_another_job_has_left(living: Project, tmp_path: Path) -> None:
    leave(living, tmp_path / "left")
    forge = forge_with(tmp_path / "left")
    runs, before = living.runs(), living.entries()
    result = retrain(workspace(living, forge), "churn", artifact=NAME)
    assert result.is_better
    assert result.branch == "retrain/churn"
    assert [one.branch for one in forge.proposals.values()] == ["retrain/churn"]
    assert living.runs() == runs, "nothing was trained here"
    assert len(living.entries()) == len(before) + 1


@pytest.mark.threat(47)
def test_a_retraining_of_another_commit_is_not_proposed(living: Project, tmp_path: Path) -> None:
    leave(living, tmp_path / "left")
    living.write("note.txt", "somebody has merged something\n")
    living.commit("Note")
    living.git("push", "--quiet", "origin", "HEAD:main")
    living.git("fetch", "--quiet", "origin")
    forge = forge_with(tmp_path / "left")
    before = living.entries()
    with pytest.raises(UsageError, match=r"it was made from [0-9a-f]{40}, not from"):
        retrain(workspace(living, forge), "churn", artifact=NAME)
    assert (forge.proposals, living.entries()) == ({}, before)


@pytest.mark.threat(47)
@pytest.mark.parametrize(
    "environ",
    [
        {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "schedule", "GITHUB_TOKEN": "t"},
        {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "workflow_run", "GH_TOKEN": "t"},
        {
            "GITLAB_CI": "true",
            "CI_PIPELINE_SOURCE": "schedule",
            "CI_JOB_NAME": "train",
            "CI_PIPELINE_ID": "1",
            "ASSENT_LEDGER_TOKEN": "t",
        },
    ],
)
def test_nothing_of_the_team_runs_beside_a_token(tmp_path: Path, environ: dict[str, str]) -> None:
    project = new_project(tmp_path / "place")
    runs = len(project.runs())
    own = replace(workspace(project, MemoryForge()), context=read_context(environ))
    with pytest.raises(PolicyError, match="which the command could read"):
        train(own, "churn", force=True)
    assert len(project.runs()) == runs
    without = {name: text for name, text in environ.items() if not name.endswith("TOKEN")}
    train(replace(own, context=read_context(without)), "churn", force=True)
    assert len(project.runs()) == runs + 1


@pytest.mark.threat(27)
def test_in_ci_nothing_is_taken_over_that_nobody_has_decided_on(tmp_path: Path) -> None:
    """Whoever may write to the store can leave a bundle there, and a hint that it is of somebody
    else's change.
    """
    project = new_project(tmp_path)
    for verb in ("train", "evaluate", "bundle"):
        project.run(verb)
    shutil.rmtree(project.folder / ".assent/work")
    shutil.rmtree(project.folder / "model")
    assert "nobody has decided on it" in project.run("train", env=JOB).stderr
    assert "nobody has decided on it" in project.run("evaluate", env=JOB).stderr
    assert project.runs() == ["train", "evaluate"] * 2


@pytest.mark.threat(27)
def test_in_ci_a_version_is_taken_over(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    project.register()
    shutil.rmtree(project.folder / ".assent/work")
    shutil.rmtree(project.folder / "model")
    runs = project.runs()
    assert "training skipped" in project.run("train", env=JOB).stderr
    assert "evaluation skipped" in project.run("evaluate", env=JOB).stderr
    assert project.runs() == runs
