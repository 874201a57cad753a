"""Reviewing what waits: one change after the other, whatever one of them brings."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assent.ci.environment import read_context
from assent.core.change import Change
from assent.core.evidence import Run
from assent.core.verdict import Decision
from assent.errors import ExitCode, OutsideError, PolicyError
from assent.judging.review import ReviewResult
from assent.ports import PendingReason, Waiting
from assent.testing.forge import MemoryForge, MemoryWaiting
from assent.verbs import review_waiting as waiting
from assent.verbs.review_waiting import Failure, Reviewed, WaitingResult, plain, review_waiting
from assent.wiring import open_workspace
from assent.workspace import Workspace
from tests.e2e.project import Project, new_project

Left = Callable[[str, int], Path]
JOB = "assent-bundle"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path / "place")


@pytest.fixture
def left(project: Project, tmp_path: Path) -> Left:
    """What the pipeline of a change leaves that sets this accuracy."""

    def leave(accuracy: str, pipeline: int) -> Path:
        folder = tmp_path / f"left-{pipeline}-{accuracy}"
        job = {
            "GITLAB_CI": "true",
            "CI_PIPELINE_ID": str(pipeline),
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_PROJECT_PATH": "acme/churn",
        }
        project.write("params.yaml", f"accuracy: {accuracy}\n")
        for verb in ("train", "evaluate"):
            project.run(verb, env={**job, "CI_JOB_NAME": f"assent-{verb}"})
        words = ("bundle", "--output", str(folder))
        project.run(*words, env={**job, "CI_JOB_NAME": JOB})
        shutil.rmtree(project.folder / ".assent")
        shutil.rmtree(project.folder / "model")
        project.git("checkout", "--quiet", ".")
        return folder

    return leave


def change(name: str, folder: Path | None, pipeline: int) -> MemoryWaiting:
    forge = MemoryForge("grace")
    forge.open_change = Change(id=name, title="Try", base="main", head="a" * 40, authors=())
    return MemoryWaiting(forge, Run(system="gitlab", id=f"{pipeline}/{JOB}"), folder)


def workspace(project: Project, *queue: Waiting) -> tuple[Workspace, list[str]]:
    said: list[str] = []
    opened = open_workspace(
        project.folder, environ={}, now=datetime(2026, 1, 2, tzinfo=UTC), say=said.append
    )
    forge = MemoryForge()
    forge.queue = list(queue)
    return replace(opened, forge=forge), said


def shown(one: MemoryWaiting) -> list[str]:
    assert isinstance(one.forge, MemoryForge)
    return [notice.bundle for notice in one.forge.notices]


def test_each_is_reviewed_with_what_its_own_pipeline_has_left(project: Project, left: Left) -> None:
    first, second = change("!7", left("0.9", 7), 7), change("!8", left("0.95", 8), 8)
    own, said = workspace(project, first, second)
    runs = len(project.runs())
    result = review_waiting(own, "churn", JOB)
    assert [one.change for one in result.reviews] == ["!7", "!8"]
    assert result.exit_code == ExitCode.WAITING
    digests = [one.result.report.diff.candidate.bundle for one in result.reviews]
    assert [shown(first), shown(second)] == [[one] for one in digests]
    assert len({one.result.html for one in result.reviews}) == 2
    assert all(one.result.html.is_file() for one in result.reviews)
    assert said[0] == "!7: its CI has left a bundle that was not reviewed yet"
    assert len(project.runs()) == runs  # nothing was trained here
    assert not list((project.folder / ".assent").glob(".left-*"))
    again = review_waiting(own, "churn", JOB)
    assert (again.reviews, again.exit_code) == ((), ExitCode.DONE)


def test_where_no_change_ever_waits_it_is_said_why(project: Project) -> None:
    said: list[str] = []
    now = datetime(2026, 1, 2, tzinfo=UTC)
    local = open_workspace(project.folder, environ={}, now=now, say=said.append)
    assert review_waiting(local, "churn", JOB).reviews == ()
    why = "without a forge each branch is reviewed where it is checked out"
    assert said == [f"no change of churn waits here: {why}"]


class Broken:
    """A change of which something cannot be read, or that is a bug."""

    def __init__(self, name: str, error: Exception) -> None:
        self.id = name
        self.forge = MemoryForge()
        self._error = error

    def pending_reason(self) -> PendingReason | None:
        raise self._error

    def fetch(self, folder: Path, *, size_bytes: int | None = None) -> Run:
        raise AssertionError(folder)


def link_in(folder: Path) -> None:
    (folder / "leads-away").symlink_to("/etc")


def other_model(folder: Path) -> None:
    for hint in folder.rglob("bundle"):
        hint.rename(hint.parent / "moved")


def damaged(folder: Path) -> None:
    largest = max(folder.glob("blobs/sha256/*"), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1] + b"?")


@pytest.mark.threat(17)
@pytest.mark.threat(18)
@pytest.mark.parametrize(
    ("attack", "pipeline", "what", "code"),
    [
        (link_in, 7, "neither a file nor a folder", ExitCode.INTEGRITY),
        (other_model, 7, "holds no bundle of this model", ExitCode.USAGE),
        (damaged, 7, "", ExitCode.INTEGRITY),
        (
            lambda _: None,
            99,
            "its evidence names attempt 1 of run 7, it comes from attempt 1 of run 99",
            ExitCode.INTEGRITY,
        ),
    ],
    ids=["link", "other model", "damaged", "in the name of another run"],
)
def test_what_is_wrong_with_one_keeps_no_other_from_its_review(
    project: Project,
    left: Left,
    attack: Callable[[Path], None],
    pipeline: int,
    what: str,
    code: ExitCode,
) -> None:
    folder = left("0.9", 7)
    attack(folder)
    bad, good = change("!7", folder, pipeline), change("!8", left("0.95", 8), 8)
    own, _ = workspace(project, bad, good)
    result = review_waiting(own, "churn", JOB)
    assert [one.change for one in result.reviews] == ["!8"]
    [failure] = result.failures
    assert (failure.change, failure.code, result.exit_code) == ("!7", code, code)
    assert what in failure.problem
    assert shown(bad) == []
    assert len(shown(good)) == 1


def test_an_error_of_the_forge_and_a_bug_keep_no_other_from_its_review(
    project: Project, left: Left
) -> None:
    gone = Broken("!5", OutsideError("reading its pipelines", "GitLab answered 500"))
    bug = Broken("!6", RecursionError("deep"))
    good = change("!8", left("0.95", 8), 8)
    result = review_waiting(workspace(project, gone, bug, good)[0], "churn", JOB)
    assert [(one.change, one.code) for one in result.failures] == [
        ("!5", ExitCode.OUTSIDE),
        ("!6", ExitCode.BUG),
    ]
    assert "RecursionError: deep" in result.failures[1].problem
    assert result.exit_code == ExitCode.BUG
    assert len(shown(good)) == 1


@pytest.mark.threat(16)
def test_nothing_of_a_change_is_made_here(project: Project) -> None:
    """A word on a change of which no bundle is known is no reason to train it."""
    one = change("!7", None, 7)
    own, said = workspace(project, one)
    assert review_waiting(own, "churn", JOB).reviews == ()
    assert "none of !7 at aaaaaaaaaaaa was shown yet" in said[-1]
    assert project.runs() == []


@pytest.mark.threat(16)
def test_it_runs_on_the_default_branch_alone(project: Project) -> None:
    own, _ = workspace(project, Broken("!7", AssertionError("looked at")))
    for event, branch in (("merge_request_event", "main"), ("pipeline", "x")):
        said = {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": event, "CI_COMMIT_BRANCH": branch}
        there = replace(own, context=read_context(said))
        with pytest.raises(PolicyError, match="reviewing the changes of churn that wait"):
            review_waiting(there, "churn", JOB)


def test_too_many_are_left_for_the_next_run(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST", 2)
    queue = [Broken(f"!{number}", OutsideError("x", "y")) for number in range(4)]
    result = review_waiting(workspace(project, *queue)[0], "churn", JOB)
    assert ([one.change for one in result.failures], result.left) == (["!0", "!1"], ("!2", "!3"))


def reviewed(*decisions: Decision) -> tuple[Reviewed, ...]:
    """Reviews of which only the decision matters."""
    rest: dict[str, Any] = dict.fromkeys(("report", "comment", "html", "json", "junit"))
    return tuple(
        Reviewed(change="!7", result=ReviewResult(decision=one, **rest)) for one in decisions
    )


@pytest.mark.parametrize(
    ("decisions", "codes", "expected"),
    [
        ((), (), 0),
        ((Decision.PASSED,), (), 0),
        ((Decision.PASSED, Decision.PENDING), (), 11),
        ((Decision.BLOCKED, Decision.PENDING), (), 10),
        ((Decision.BLOCKED,), (3,), 3),
        ((), (10,), 10),
        ((), (10, 2, 3, 4), 4),
        ((), (3, 1, 4), 1),
    ],
)
def test_the_exit_code_is_that_of_the_worst(
    decisions: tuple[Decision, ...], codes: tuple[int, ...], expected: int
) -> None:
    failures = tuple(
        Failure(change="!8", doing="x", problem="y", hint=None, code=ExitCode(code))
        for code in codes
    )
    result = WaitingResult(model="churn", reviews=reviewed(*decisions), failures=failures)
    assert result.exit_code == expected


@pytest.mark.parametrize(
    ("change", "expected"), [("!7", "7"), ("a/b", "a-b"), ("../..", "change"), ("", "change")]
)
def test_an_id_is_a_part_of_a_name(change: str, expected: str) -> None:
    assert plain(change) == expected


# On the command line


def test_nothing_waits_where_the_forge_says_so(project: Project) -> None:
    ran = project.run("review", "--waiting", JOB)
    assert ran.stdout == "churn: no change waits for a review\n"
    assert project.run("review", "--waiting", JOB, "--json").json == {
        "model": "churn",
        "reviews": [],
        "failures": [],
        "left": [],
    }


@pytest.mark.threat(20)
def test_a_bundle_cannot_be_chosen_for_what_waits(project: Project) -> None:
    given = {"ASSENT_REVIEW_WAITING": JOB, "ASSENT_REVIEW_BUNDLE": "v1"}
    assert "exclude each other" in project.run("review", code=2, env=given).stderr
