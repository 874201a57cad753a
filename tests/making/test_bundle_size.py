"""How large a bundle may be, as the base branch says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from assent.core import bundle as of_bundles
from assent.core.context import Context
from assent.errors import PolicyError, UsageError
from assent.making import bundle_size
from assent.making.bundle_size import (
    BESIDE_BYTES,
    limit_of_made,
    limit_of_taken,
    require_size,
)
from assent.making.handover import taken
from assent.verbs.review import review
from tests.e2e.project import Project, new_project
from tests.making.test_handover import NAME, forge_with, leave, workspace


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path / "project")


def limit(project: Project, size: str) -> None:
    line = "    model: model/\n"
    project.edit("assent.yaml", line, f"{line}    max_bundle_size: {size}\n")


def test_a_bundle_that_is_too_large_is_not_made_and_names_its_largest_files(
    project: Project,
) -> None:
    limit(project, "20B")
    project.commit("small bundles", push=True)
    said = project.run("review", code=10).stderr
    assert re.search(r"it has \d+ bytes, where 20 are admitted", said)
    assert re.search(r"the largest files: .+ \(\d{3}\), .+, 'weights.txt' \(\d+\)", said)
    assert "max_bundle_size" in said
    assert not list(project.store.glob("blobs/sha256/*"))


@pytest.mark.threat(12)
def test_a_change_gives_itself_no_more_room(project: Project, tmp_path: Path) -> None:
    limit(project, "20B")
    project.commit("small bundles", push=True)
    project.git("checkout", "--quiet", "-b", "larger")
    project.edit("assent.yaml", "max_bundle_size: 20B", "max_bundle_size: 1kB")
    project.commit("more room")
    project.run("review", code=10)
    project.merge("larger")
    project.run("review", code=11)


def test_what_no_other_job_takes_has_no_limit_of_its_own(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_size, "HANDED_OVER_BYTES", 20)
    project.run("train")
    project.run("evaluate")
    opened = workspace(project, forge_with(tmp_path))
    assert limit_of_made(opened, "churn", for_others=True) == 20
    assert limit_of_made(opened, "churn", for_others=False) is None
    with pytest.raises(PolicyError, match="where 20 are admitted"):
        require_size(20, [("a", 10), ("b", 11)], "x")
    require_size(20, [("a", 10), ("b", 10)], "x")
    require_size(None, [("a", 21)], "x")


def test_the_job_of_a_change_asks_its_forge_nothing(project: Project, tmp_path: Path) -> None:
    limit(project, "20B")
    opened = workspace(project, forge_with(tmp_path))
    job = replace(opened, context=Context(system="github"), branch=_Nobody())  # type: ignore[arg-type]  # asks nobody
    assert limit_of_made(job, "churn", for_others=True) == 20


class _Nobody:
    """A base branch that nobody may ask for."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(name)


@pytest.mark.threat(48)
def test_a_bundle_of_another_job_that_is_too_large_is_not_taken(
    project: Project, tmp_path: Path
) -> None:
    """The job of a change may leave whatever it likes: it has made it without a limit."""
    project.commit("as it was", push=True)
    leave(project, tmp_path / "left")
    limit(project, "20B")
    project.commit("small bundles", push=True)
    with pytest.raises(PolicyError, match="where 20 are admitted"):
        review(workspace(project, forge_with(tmp_path / "left")), "churn", artifact=NAME)
    assert "where 20 are admitted" in project.run(
        "bundle", "--from", str(tmp_path / "left"), code=10
    ).stderr  # fmt: skip
    assert not list(project.store.glob("blobs/sha256/*"))


@pytest.mark.threat(48)
def test_no_more_is_fetched_than_may_be_taken(project: Project, tmp_path: Path) -> None:
    asked: list[int] = []

    def fetch(folder: Path, size_bytes: int) -> None:
        asked.append(size_bytes)

    opened = workspace(project, forge_with(tmp_path))
    assert taken(opened, "churn", fetch) is None
    limit(project, "5GB")
    project.commit("small bundles", push=True)
    assert taken(workspace(project, forge_with(tmp_path)), "churn", fetch) is None
    assert asked == [of_bundles.HANDED_OVER_BYTES + BESIDE_BYTES, 5 * 10**9 + BESIDE_BYTES]


def test_rules_that_cannot_be_read_leave_the_limit_of_everybody(
    project: Project, tmp_path: Path
) -> None:
    opened = workspace(project, forge_with(tmp_path))
    project.write("assent.yaml", "models: {")
    project.commit("broken", push=True)
    with pytest.raises(UsageError):
        opened.base_config()
    assert limit_of_taken(opened, "churn") == of_bundles.HANDED_OVER_BYTES
    assert limit_of_taken(opened, "another") > 0


@pytest.mark.parametrize("size", ["0", "much", "-1", "0B"])
def test_a_size_that_is_none_is_refused(project: Project, size: str) -> None:
    limit(project, size)
    said = project.run("status", code=2).stderr
    assert "max_bundle_size" in said or "size" in said
