"""`init --github` beside workflows that are there, and in a repository of several projects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from assent.errors import UsageError
from assent.forges.github.workflows import GitHubWorkflows, workflows
from assent.setup.github.existing import FOLDER
from assent.verbs.init import init
from tests.e2e.project import Project, new_project
from tests.workflows.harness import parse
from tests.workflows.test_lint import actionlint, schema, zizmor

OTHER = """\
models:
  price:
    train: python train.py
    inputs: [train.py]
    model: model/
    metrics: [metrics.json]
    gates: [{metric: accuracy, min: 0.5}]
    approvals: {count: 1}
    stages: {canary: {}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path / "place")


def told(project: Project, text: str) -> tuple[str, str]:
    """What was seen in a workflow that is there, and what a person is to look at."""
    project.write(f"{FOLDER}/ci.yml", text)
    result = init(project.folder, pipelines=GitHubWorkflows())
    assert (project.folder / FOLDER / "ci.yml").read_text() == text
    return "\n".join(result.seen), "\n".join(result.to_do)


def test_nothing_is_said_where_there_is_nothing(project: Project) -> None:
    result = init(project.folder, pipelines=GitHubWorkflows())
    assert (result.seen, result.to_do) == ((), ())


def test_a_workflow_that_meets_ours_in_nothing_is_only_counted(project: Project) -> None:
    seen, to_do = told(
        project, "on: [push, pull_request]\njobs: {test: {steps: [{run: pytest}]}}\n"
    )
    assert "1 workflow of yours: none is changed" in seen
    assert "require the status assent/churn" in seen
    assert to_do == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: assent\non: push\njobs: {}\n", "ci.yml is called assent, as one of Assent's"),
        (
            "on: push\njobs: {a: {name: 'Train, evaluate, bundle', steps: []}}\n",
            "a required check of that name is either of the two",
        ),
        (
            "on: push\nconcurrency: assent-${{ github.ref }}\njobs: {}\n",
            "in the concurrency group assent-",
        ),
        (
            "on: push\njobs: {a: {concurrency: {group: assent-x}, steps: []}}\n",
            "in the concurrency group assent-x",
        ),
        (
            "on: pull_request\njobs: {fit: {steps: [{run: 'python src/train_model.py'}]}}\n",
            "trains as well (job fit)",
        ),
        ("on: push\njobs: {a: {steps: [{run: dvc repro}]}}\n", "trains as well (job a)"),
        (
            "on: {push: {branches: [develop]}}\njobs: {}\n",
            "runs on push for develop, and not for main",
        ),
    ],
)
def test_what_meets_ours_is_said(project: Project, text: str, said: str) -> None:
    assert said in told(project, text)[1]


@pytest.mark.parametrize(
    "text",
    [
        "on: {push: {branches: [main, develop]}}\njobs: {}\n",
        "on: {push: {branches: ['**']}}\njobs: {}\n",
        "on: {push: {branches: 7}}\njobs: [1]\nconcurrency: [x]\n",
        "on: workflow_dispatch\njobs: {a: {steps: [{run: python train.py}]}}\n",
        "on: push\njobs: {a: {steps: [{run: pytest tests/test_training.py}, 7, {run: 8}]}}\n",
        "[]\n",
        "",
    ],
)
def test_what_does_not_meet_ours_is_not_said(project: Project, text: str) -> None:
    assert told(project, text)[1] == ""


def test_a_filter_of_paths_is_said(project: Project) -> None:
    seen, _ = told(project, "on: {pull_request: {paths: ['models/**']}}\njobs: {}\n")
    assert "runs for pull requests that touch certain paths only" in seen


@pytest.mark.parametrize("text", ["a: [", "a: &a [*a]\n", "a: 1\na: 2\n", "x" * 2_000_000])
def test_what_cannot_be_read_is_named(project: Project, text: str) -> None:
    assert "not read: ci.yml: " in told(project, text)[0]


def test_a_link_is_not_followed(project: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yml"
    outside.write_text("name: assent\n")
    (project.folder / FOLDER).mkdir(parents=True)
    (project.folder / FOLDER / "ci.yml").symlink_to(outside)
    result = init(project.folder, pipelines=GitHubWorkflows())
    assert result.to_do == ()
    assert "not read: ci.yml" in result.seen[0]


# Several models


def written(project: Project) -> list[Path]:
    return sorted((project.folder / FOLDER).glob("assent*.yml"))


def loaded(project: Project, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((project.folder / FOLDER / name).read_text())
    return found


def several(project: Project) -> None:
    project.write("teams/price/assent.yaml", OTHER)
    init(project.folder, pipelines=GitHubWorkflows())


def test_every_action_names_its_model_and_its_file(project: Project) -> None:
    several(project)
    for name in ("assent.yml", "assent-review.yml", "assent-register.yml"):
        for job in loaded(project, name)["jobs"].values():
            ours = [step for step in job["steps"] if "/actions/" in step.get("uses", "")]
            ours = [step for step in ours if step["uses"].startswith("OWNER/")]
            if ours:
                assert job["strategy"]["matrix"]["include"] == [
                    {"model": "churn", "config": "assent.yaml"},
                    {"model": "price", "config": "teams/price/assent.yaml"},
                ]
            for step in ours:
                assert step["with"]["model"] == "${{ matrix.model }}"
                assert step["with"]["config"] == "${{ matrix.config }}"
    names = {
        step["with"]["name"]
        for name in ("assent.yml", "assent-review.yml")
        for job in loaded(project, name)["jobs"].values()
        for step in job["steps"]
        if "artifact" in step.get("uses", "")
    }
    assert names == {"assent-bundle-${{ matrix.model }}", "assent-report-${{ matrix.model }}"}


@pytest.mark.parametrize("verb", ["promote", "rollback"])
def test_a_button_asks_which_model(project: Project, verb: str) -> None:
    several(project)
    whole = loaded(project, f"assent-{verb}.yml")
    asked = whole[True]["workflow_dispatch"]["inputs"]  # type: ignore[index]  # `on` is true
    assert asked["model"] == {
        "description": "The model",
        "type": "choice",
        "options": ["churn", "price"],
        "required": True,
    }
    assert asked["stage"]["options"] == ["shadow", "staging", "production", "canary"]
    step = whole["jobs"][verb]["steps"][-1]
    assert step["with"]["config"] == (
        "${{ inputs.model == 'churn' && 'assent.yaml' || 'teams/price/assent.yaml' }}"
    )


def test_the_file_whose_model_a_comment_names_answers(project: Project) -> None:
    several(project)
    *_, first, second = loaded(project, "assent-reply.yml")["jobs"]["reply"]["steps"]
    assert first["with"] == {"config": "assent.yaml"}
    assert second["with"] == {"config": "teams/price/assent.yaml"}
    assert second["if"] == "contains(github.event.comment.body, ' price')"


def test_one_model_below_the_top_is_named_by_its_file() -> None:
    for text in workflows(
        origin=None, stages=(), branch=None, models={"price": "teams/price/assent.yaml"}
    ).values():
        for job in yaml.safe_load(text)["jobs"].values():
            for step in job["steps"]:
                if step.get("uses", "").startswith("OWNER/"):
                    assert step["with"]["config"] == "teams/price/assent.yaml"
                    assert step["with"].get("model") in (None, "${{ inputs.model }}")


def test_what_is_made_for_several_models_is_clean_for_every_linter(project: Project) -> None:
    several(project)
    files = written(project)
    assert parse(*files) == {str(path): [] for path in files}
    assert actionlint(*files) == ""
    assert zizmor(*files) == ""
    assert schema("vendor.github-workflows", *files) == ""


def test_two_files_cannot_declare_one_model(project: Project) -> None:
    project.write("teams/price/assent.yaml", OTHER.replace("price", "churn"))
    with pytest.raises(UsageError, match=r"declared in assent\.yaml as well"):
        init(project.folder, pipelines=GitHubWorkflows())


def test_a_path_that_an_expression_cannot_hold_is_refused(project: Project) -> None:
    project.write("it's/assent.yaml", OTHER)
    with pytest.raises(UsageError, match="cannot hold"):
        init(project.folder, pipelines=GitHubWorkflows())
