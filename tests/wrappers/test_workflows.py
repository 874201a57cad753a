"""The example workflows: what `init` writes, least permissions, nothing unpinned, nothing lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from docs.actions import ACTIONS, OWNER, REVISION
from docs.wrappers import inputs

from assent.errors import UsageError
from assent.forges.github.workflows import GitHubWorkflows, texts, workflows
from assent.setup.github.existing import FOLDER
from assent.verbs.init import init
from tests.e2e.project import Project, new_project
from tests.workflows.test_lint import actionlint, zizmor

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples/github").glob("*.yml"))
PINNED = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+(?:/[a-z/-]+)?@[0-9a-f]{40}")
SHA = "ab" * 20
EMPTIED = {"run": 'find "$GITHUB_WORKSPACE" -mindepth 1 -delete'}

Job = dict[str, Any]


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded


def events(path: Path) -> dict[str, Any]:
    loaded: dict[object, dict[str, Any]] = yaml.safe_load(path.read_text())
    return loaded[True]  # YAML 1.1 reads `on` so


def jobs() -> list[tuple[Path, str, Job]]:
    return [(path, name, job) for path in EXAMPLES for name, job in load(path)["jobs"].items()]


def own(job: Job) -> Iterator[tuple[str, dict[str, str]]]:
    """The actions of Assent that a job uses, and what it gives them."""
    for step in job["steps"]:
        found = re.fullmatch(rf"{OWNER}/([a-z]+)@{REVISION}", step.get("uses", ""))
        if found:
            yield found[1], step.get("with", {})


def label(value: object) -> str:
    return value.name if isinstance(value, Path) else str(value) if isinstance(value, str) else ""


every_job = pytest.mark.parametrize(("path", "name", "job"), jobs(), ids=label)
every_example = pytest.mark.parametrize("path", EXAMPLES, ids=label)


def test_the_examples_are_what_init_writes_and_the_simple_one() -> None:
    shown = {path.name: path.read_text() for path in EXAMPLES}
    assert shown.pop("simple.yml")
    assert shown == texts()


@every_job
@pytest.mark.threat(16)
def test_a_job_may_do_what_its_actions_need_and_nothing_else(
    path: Path, name: str, job: Job
) -> None:
    needed: dict[str, str] = {}
    used = [step.get("uses", "").partition("@")[0] for step in job["steps"]]
    scopes = [ACTIONS[verb].permissions for verb, _ in own(job)]
    scopes += [{"contents": "read"}] if "actions/checkout" in used else []
    for permissions in scopes:
        for scope, level in permissions.items():
            needed[scope] = "write" if "write" in (level, needed.get(scope)) else level
    assert job["permissions"] == needed
    assert load(path)["permissions"] == {}


@every_job
@pytest.mark.threat(16)
def test_what_a_change_can_rewrite_holds_nothing(path: Path, name: str, job: Job) -> None:
    """`pull_request` and `pull_request_review` run the file of the pull request."""
    if path.name == "simple.yml" or not events(path).keys() & {
        "pull_request",
        "pull_request_review",
    }:
        return
    assert set(job["permissions"].values()) <= {"read"}
    assert job["runs-on"] == "ubuntu-24.04"
    assert "environment" not in job
    assert "secrets." not in path.read_text()
    assert "github.token" not in path.read_text()
    assert {verb for verb, _ in own(job)} <= {"train", "evaluate", "bundle"}


@every_job
@pytest.mark.threat(17)
def test_a_trusted_job_never_checks_a_change_out(path: Path, name: str, job: Job) -> None:
    trusted = not events(path).keys() & {"pull_request", "pull_request_review"}
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            given = step["with"]
            assert given["persist-credentials"] is False
            assert not trusted or set(given) <= {"persist-credentials", "fetch-depth"}
        assert not (trusted and "run" in step) or step == EMPTIED, "and runs nothing but actions"


@every_job
@pytest.mark.threat(47)
def test_who_may_write_runs_nothing_of_the_team_in_a_folder_that_is_empty(
    path: Path, name: str, job: Job
) -> None:
    """A machine that is kept has what the last job has left there, settings of Git included."""
    if path.name == "simple.yml":
        return  # what it gives up is written at its top
    verbs = {verb for verb, _ in own(job)}
    uses = [step.get("uses", "").partition("@")[0] for step in job["steps"]]
    if verbs <= {"train", "evaluate", "bundle"}:
        assert set(job["permissions"].values()) <= {"read"}
        assert set(job["permissions"]) <= {"contents"}
        assert job["runs-on"] == "ubuntu-24.04"
    else:
        assert not verbs & {"train", "evaluate"}
        assert job["steps"][0] == EMPTIED
        # Whatever brings files that a training could have filled.
        assert not [one for one in uses if "cache" in one or "download" in one]
        assert not [step for step in job["steps"] if "cache" in step.get("with", {})]


def test_machines_of_github_run_all_of_it_where_they_reach_the_store() -> None:
    made = workflows(origin=None, stages=(), branch="main", is_reachable=True)
    assert made.keys() == texts().keys()
    for text in made.values():
        assert "self-hosted" not in text
        assert "machine of your own" not in text
        for job in yaml.safe_load(text)["jobs"].values():
            assert job["runs-on"] == "ubuntu-24.04"


@pytest.mark.threat(16)
def test_the_jobs_that_need_the_store_and_no_others_may_write_packages(tmp_path: Path) -> None:
    made = workflows(origin=None, stages=(), branch="main", is_reachable=True, is_in_registry=True)
    for name, text in texts().items():
        jobs = yaml.safe_load(text)["jobs"]
        needing = {key for key, job in jobs.items() if job["runs-on"] == ["self-hosted", "linux"]}
        for key, job in yaml.safe_load(made[name])["jobs"].items():
            right = "read" if key == "reply" else "write"  # it only answers
            packages = {"packages": right} if key in needing else {}
            assert job["permissions"] == {**jobs[key]["permissions"], **packages}, (name, key)
        (tmp_path / name).write_text(made[name])
    assert "packages" not in made["assent.yml"]
    files = sorted(tmp_path.iterdir())
    assert actionlint(*files) == ""
    assert zizmor(*files) == ""


@pytest.mark.threat(16)
def test_only_trusted_events_come_with_a_token_that_writes() -> None:
    for path in EXAMPLES:
        writes = any("write" in job["permissions"].values() for job in load(path)["jobs"].values())
        if writes and path.name != "simple.yml":
            trusted = {"push", "schedule", "workflow_dispatch", "workflow_run"}
            # A comment runs the file of the default branch, too; what it may do is answer.
            answering = {"issue_comment"} if path.name == "assent-reply.yml" else set()
            assert set(events(path)) <= trusted | answering, path.name


def test_the_simple_one_says_what_it_gives_up() -> None:
    text = (ROOT / "examples/github/simple.yml").read_text()
    assert "What it gives up" in text.partition("\non:")[0]
    assert "train" in load(ROOT / "examples/github/simple.yml")["jobs"]


@every_example
def test_everything_is_pinned_and_says_which_version_it_is(path: Path) -> None:
    for line in path.read_text().splitlines():
        if re.match(r"\s*(- )?uses:", line):
            address, _, comment = line.partition("uses:")[2].strip().partition(" # ")
            assert PINNED.fullmatch(address), line
            if not address.startswith(OWNER):
                assert re.fullmatch(r"v\d+\.\d+\.\d+", comment), line


def test_an_action_has_the_same_revision_everywhere() -> None:
    found: dict[str, set[str]] = {}
    for path in EXAMPLES:
        for name, revision in re.findall(r"uses: (actions/[a-z-]+)@(.*)", path.read_text()):
            found.setdefault(name, set()).add(revision)
    assert set(found) >= {"actions/checkout", "actions/upload-artifact"}
    assert {name: seen for name, seen in found.items() if len(seen) > 1} == {}


@every_job
def test_inputs_are_those_that_the_action_has(path: Path, name: str, job: Job) -> None:
    for verb, given in own(job):
        known = {one.name: one for one in inputs(verb)}
        assert set(given) <= set(known)
        assert {one.name for one in known.values() if one.is_required} <= set(given)


@every_job
def test_a_write_in_progress_is_never_cancelled(path: Path, name: str, job: Job) -> None:
    concurrency = load(path)["concurrency"]
    assert concurrency["group"]
    if "write" in job["permissions"].values():
        assert concurrency["cancel-in-progress"] is False


def test_two_moves_of_one_stage_wait_for_each_other() -> None:
    groups = [
        load(ROOT / f"examples/github/assent-{verb}.yml")["concurrency"]["group"]
        for verb in ("promote", "rollback")
    ]
    assert groups[0] == groups[1]
    assert "inputs.model" in groups[0]
    assert "inputs.stage" in groups[0]


def test_the_trusted_workflow_waits_for_the_untrusted_one_by_its_name() -> None:
    name = load(ROOT / "examples/github/assent.yml")["name"]
    waits = events(ROOT / "examples/github/assent-review.yml")["workflow_run"]
    assert waits == {"workflows": [name], "types": ["completed"]}


# What `init` makes of them


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path / "place")


def written(project: Project) -> dict[str, str]:
    return {path.name: path.read_text() for path in (project.folder / FOLDER).iterdir()}


def test_init_writes_them_beside_a_configuration_that_is_there(project: Project) -> None:
    before = (project.folder / "assent.yaml").read_text()
    result = init(project.folder, pipelines=GitHubWorkflows())
    assert result.is_kept
    assert not result.is_pinned
    assert (project.folder / "assent.yaml").read_text() == before
    assert {path.name for path in result.workflows} == set(texts())
    expected = {
        name: text.replace("[staging, production]", "[shadow, staging, production]")
        for name, text in texts().items()
    }
    assert written(project) == expected
    assert init(project.folder, pipelines=GitHubWorkflows()).workflows == ()


def test_init_writes_both_where_there_is_neither(project: Project) -> None:
    (project.folder / "assent.yaml").unlink()
    result = init(project.folder, name="churn", pipelines=GitHubWorkflows())
    assert not result.is_kept
    assert (project.folder / "assent.yaml").is_file()
    assert written(project) == texts()


def test_init_pins_the_actions(project: Project) -> None:
    assert init(project.folder, pipelines=GitHubWorkflows(f"acme/assent@{SHA}")).is_pinned
    for text in written(project).values():
        assert "OWNER" not in text
        assert REVISION not in text
        for line in text.splitlines():
            if "assent/actions" in line:
                assert re.search(rf"uses: acme/assent/actions/[a-z]+@{SHA}$", line)


@pytest.mark.parametrize(
    "origin",
    ["acme/assent@v1", "acme/assent", f"acme/assent@{SHA[:39]}", f"a b/c@{SHA}", f"acme@{SHA}"],
)
def test_actions_that_could_move_are_refused(project: Project, origin: str) -> None:
    with pytest.raises(UsageError, match="not OWNER/NAME@COMMIT"):
        init(project.folder, pipelines=GitHubWorkflows(origin))
    assert not (project.folder / FOLDER).exists()


def test_init_replaces_nothing_that_somebody_has_edited(project: Project) -> None:
    project.write(f"{FOLDER}/assent.yml", "name: mine\n")
    with pytest.raises(UsageError, match="says something else"):
        init(project.folder, pipelines=GitHubWorkflows())
    assert written(project) == {"assent.yml": "name: mine\n"}
    init(project.folder, pipelines=GitHubWorkflows(), force=True)
    assert written(project)["assent.yml"] == texts()["assent.yml"]


def test_init_knows_the_default_branch(project: Project) -> None:
    project.git("checkout", "--quiet", "-b", "trunk")
    project.git("push", "--quiet", "origin", "trunk")
    project.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    init(project.folder, pipelines=GitHubWorkflows())
    assert "    branches: [trunk] #" in written(project)["assent-register.yml"]


def test_a_branch_that_yaml_would_misread_is_left_to_a_person() -> None:
    made = workflows(origin=None, stages=(), branch="a]: {b")
    assert made == texts()


def test_init_writes_where_github_looks(project: Project) -> None:
    inside = project.folder / "data"
    with pytest.raises(UsageError, match="not the top folder"):
        init(inside, pipelines=GitHubWorkflows())
