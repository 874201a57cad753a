"""The actions in the harness: what the team's own code prints and writes speaks for nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from docs.actions import OWNER, REVISION

from tests.e2e.project import Project, new_project
from tests.workflows.harness import Harness
from tests.workflows.results import Run

ROOT = Path(__file__).parents[2]
WORKFLOW = ".github/workflows/test.yml"
REPOSITORY = {"id": 7, "full_name": "acme/churn", "default_branch": "main", "owner": {"id": 70}}
STEPS = """\
on: push
permissions: {contents: read}
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - uses: actions/setup-python@v7
        with: {python-version: "3.12"}
"""


class Place:
    """A repository on the harness's GitHub."""

    def __init__(self, project: Project, github: Harness) -> None:
        self.project = project
        self.github = github

    def run(self, steps: str) -> Run:
        self.project.write(WORKFLOW, STEPS + steps.replace("assent:", f"{OWNER}/"))
        sha = self.project.commit("workflow", push=True)
        payload = {"ref": "refs/heads/main", "after": sha, "repository": REPOSITORY}
        run = self.github.run(WORKFLOW, "push", payload)
        assert run.errors == []
        return run


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    project = new_project(tmp_path / "place")
    own = {OWNER.removesuffix("/actions"): ROOT}
    with Harness(tmp_path / "github", {"acme/churn": project.remote}, actions=own) as github:
        yield Place(project, github)


def test_setup_makes_a_command_and_leaves_python_alone(place: Place) -> None:
    run = place.run(
        f"""\
      - {{id: before, run: 'command -v python'}}
      - uses: assent:setup@{REVISION}
      - {{id: after, run: 'command -v python; assent --version'}}
"""
    )
    assert run.conclusion == "success", run.log
    before, after = run.job("one").step("before"), run.job("one").step("after")
    python, version = after.log.splitlines()
    assert python == before.log.strip()
    assert version.startswith("assent, version ")


@pytest.mark.threat(37)
def test_the_teams_code_cannot_speak_for_the_step(place: Place) -> None:
    place.project.write(
        "train.sh",
        "echo '::error::forged'; echo '::add-mask::a' >&2; echo '##[error]forged'\n"
        "for file in $GITHUB_OUTPUT $GITHUB_ENV $GITHUB_PATH $GITHUB_STEP_SUMMARY\n"
        'do echo verdict=passed >>"$file"; done\n'
        'echo "token: ${GITHUB_TOKEN-none}"\n'
        "mkdir -p model; echo 1 >model/weights.txt\n",
    )
    run = place.run(f"      - {{id: train, uses: assent:train@{REVISION}}}\n")
    assert run.conclusion == "success", run.log
    [inner] = run.job("one").step("train").steps
    assert "::error::forged" in inner.log
    assert "token: none" in inner.log
    assert inner.annotations == []
    assert inner.exported == inner.outputs == {}
    assert inner.path == []
    assert "verdict" not in inner.summary
    assert "trained model" in inner.summary


def test_an_error_is_an_annotation_and_the_exit_code_is_the_verbs(place: Place) -> None:
    run = place.run(
        f"""\
      - id: train
        uses: assent:train@{REVISION}
        with: {{model: "churn\\n::add-mask::x"}}
"""
    )
    assert run.conclusion == "failure"
    [inner] = run.job("one").step("train").steps
    assert inner.exit_code == 2
    assert [one.level for one in inner.annotations][:1] == ["error"]
    assert "there is none of this name" in inner.annotations[0].message


def test_an_input_is_data_and_never_a_part_of_a_script(place: Place) -> None:
    run = place.run(
        f"""\
      - id: train
        uses: assent:train@{REVISION}
        with: {{model: '"; touch "$GITHUB_WORKSPACE/hacked"; echo "$(touch hacked)'}}
"""
    )
    assert run.conclusion == "failure"
    workspace = run.job("one").workspace
    assert workspace is not None
    assert (Path(workspace) / "assent.yaml").exists()
    assert not (Path(workspace) / "hacked").exists()


def test_an_empty_input_gives_nothing(place: Place) -> None:
    run = place.run(
        f"      - {{uses: 'assent:train@{REVISION}', with: {{model: '', force: '', config: ''}}}}\n"
    )
    assert run.conclusion == "success", run.log
