"""Whether a file of the model may be run is served with its bytes, and counts like them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assent.making.changed_inputs import difference
from assent.wiring import open_workspace
from tests.e2e.project import GRACE, Project, new_project

CONFIG = """\
store: ../store
models:
  churn:
    model: model/
    metrics: [metrics.json]
    gates: [{metric: accuracy, min: 0.5}]
    stages: {production: {}}
"""


@pytest.fixture
def bare(tmp_path: Path) -> Project:
    """A model that no command makes: v1 is in production."""
    files = {
        ".gitignore": ".assent/\n",
        "assent.yaml": CONFIG,
        "metrics.json": '{"accuracy": 0.9}',
        "model/serve.sh": "#!/bin/sh\n",
        "model/weights": "w",
    }
    project = new_project(tmp_path / "place", files)
    project.register()
    project.run("promote", "production")
    return project


def make_executable(project: Project, name: str) -> str:
    (project.folder / name).chmod(0o755)
    return project.commit("may be run", push=True)


def test_the_bit_alone_is_another_candidate_shown_and_shipped(bare: Project) -> None:
    make_executable(bare, "model/serve.sh")
    review = bare.run("review", "--json", code=11).json
    [change] = review["report"]["diff"]["model_files"]["changes"]
    assert (change["path"], change["became"]) == ("serve.sh", "executable")
    comment = bare.comment()
    assert "which of them may be run differs" in comment
    assert "now executable" in comment
    bare.run("approve", "--as", GRACE)
    assert bare.run("register", "--json").json["version"] == 2
    bare.run("promote", "production")
    bare.run("pull", "production", "--to", "served")
    served = bare.folder / "served"
    modes = {path.name: path.stat().st_mode & 0o100 for path in served.iterdir()}
    assert modes == {"serve.sh": 0o100, "weights": 0}


def differing(project: Project, name: str) -> str:
    before = project.git("rev-parse", "HEAD")
    after = make_executable(project, name)
    workspace = open_workspace(
        project.folder, environ=project.environment, now=datetime.now(UTC), say=print
    )
    return difference(workspace, "churn", before, after)


def test_git_tells_the_bit_of_such_a_model(bare: Project) -> None:
    assert differing(bare, "model/serve.sh") == "model/serve.sh has changed"
    assert differing(bare, "metrics.json") == ""


def test_the_bit_of_any_other_input_changes_no_result(fresh: Project) -> None:
    assert differing(fresh, "train.sh") == ""


def test_a_model_that_is_not_there_and_that_no_command_makes(bare: Project) -> None:
    bare.edit("assent.yaml", "model: model/", "model: elsewhere/")
    refused = bare.run("review", code=2).stderr
    assert "no such file or folder" in refused
    assert "assent train" not in refused
