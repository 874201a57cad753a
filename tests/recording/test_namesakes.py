"""Two projects of one repository whose models have the same name."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assent.core.change import Change
from assent.errors import UsageError
from assent.recording.namesakes import namesake, namesake_of_change, require_own_name
from assent.verbs.doctor import doctor
from assent.verbs.note import note
from assent.wiring import open_workspace
from assent.workspace import Workspace
from tests.builders import new_repository, run_git

CONFIG = """\
models:
  churn:
    model: model.bin
    metrics: [metrics.json]
    gates: [{metric: accuracy, min: 0}]
    approvals: {count: 0}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = new_repository(tmp_path / "work")
    commit(folder, "assent.yaml", CONFIG)
    return folder


def commit(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    run_git(folder, "add", name)
    run_git(folder, "commit", "-qm", f"add {name}")


def opened(folder: Path) -> Workspace:
    return open_workspace(
        folder, environ={}, now=datetime(2026, 2, 1, tzinfo=UTC), say=lambda words: None
    )


def test_nothing_is_written_for_a_model_whose_name_another_file_has(folder: Path) -> None:
    commit(folder, "other/[x]/assent.yaml", CONFIG)
    refs = run_git(folder, "for-each-ref")
    for place, other in ((folder, "other/[x]/assent.yaml"), (folder / "other/[x]", "assent.yaml")):
        assert namesake(opened(place), "churn") == other
        with pytest.raises(UsageError, match=f"{re.escape(other)} declares a model of this name"):
            note(opened(place), "churn", "an event")
    assert run_git(folder, "for-each-ref") == refs
    assert not (folder / ".assent/store").exists()
    [check] = [one for one in doctor(opened(folder), ["churn"]).checks if one.name.startswith("na")]
    assert (check.name, check.is_fine) == ("name of churn", False)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("other/assent.yaml", CONFIG.replace("churn", "fraud")),
        ("other/assent.yaml", "ledger: git:elsewhere\n" + CONFIG),
        ("other/assent.yaml", "models: ["),
        ("other/assent.yaml", "- churn\n"),
        ("other/assent.yaml", "models: [churn]\n"),
        ("other/my-assent.yaml", CONFIG),
        ("other/assent.yaml/x", CONFIG),
    ],
)
def test_another_model_or_another_ledger_is_none(folder: Path, name: str, text: str) -> None:
    commit(folder, name, text)
    require_own_name(opened(folder), "churn", "testing")


def test_what_git_does_not_track_is_none(folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other/assent.yaml").write_text(CONFIG)
    require_own_name(opened(folder), "churn", "testing")


def test_the_ledger_of_origin_need_not_be_named(folder: Path) -> None:
    commit(folder, "other/assent.yaml", "ledger: git:origin\n" + CONFIG)
    assert namesake(opened(folder), "churn") == "other/assent.yaml"


def test_a_change_that_brings_one_is_said_in_its_review(folder: Path) -> None:
    base = run_git(folder, "rev-parse", "HEAD")
    run_git(folder, "checkout", "-qb", "topic")
    commit(folder, "other/assent.yaml", CONFIG)
    head = run_git(folder, "rev-parse", "HEAD")
    run_git(folder, "checkout", "-q", "--detach", base)
    change = Change(id="#7", title="", base="main", head=head, authors=())
    workspace = opened(folder)
    [said] = namesake_of_change(workspace, "churn", change)
    assert said.startswith("other/assent.yaml declares a model called churn as well")
    assert namesake_of_change(workspace, "fraud", change) == ()
    assert namesake(workspace, "churn") is None, "it is not there yet"
    run_git(folder, "checkout", "-q", "topic")
    there = Change(id="main", title="", base="main", head=head, authors=(), landed=True)
    assert namesake_of_change(opened(folder), "churn", there) == (said,)
