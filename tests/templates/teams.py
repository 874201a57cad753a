"""Pipelines that a team has before Assent comes, and which of its jobs run in which pipeline.

gitlab-ci-local includes the files and judges the rules. What it does not do is done here as
GitLab's documents have it: `workflow: rules` are the rules of a job, `only` and `except` are
written as rules, a job with neither runs in every pipeline but a merge request's (with a workflow,
in every one), and jobs of `.pre` and `.post` make no pipeline by themselves.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.templates.harness import HOST, Pipeline

_KEYS = {
    *("default", "include", "stages", "variables", "workflow", "image", "services", "cache"),
    *("before_script", "after_script"),
}
_SOURCES = {
    "pushes": "push",
    "schedules": "schedule",
    "triggers": "trigger",
    "web": "web",
    "pipelines": "pipeline",
    "merge_requests": "merge_request_event",
}
_WORKFLOW = "is-let-in"
MAIN = {"CI_COMMIT_BRANCH": "main", "CI_COMMIT_REF_NAME": "main"}
TOPIC = {"CI_COMMIT_BRANCH": "topic", "CI_COMMIT_REF_NAME": "topic"}
EVENTS: dict[str, dict[str, str]] = {
    "merge request": {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_ID": "1",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_PROJECT_PATH": "acme/churn",
        "CI_COMMIT_REF_NAME": "topic",
        "CI_OPEN_MERGE_REQUESTS": "acme/churn!7",
    },
    "push to a branch": {"CI_PIPELINE_SOURCE": "push", **TOPIC},
    "push to a branch with a merge request": {
        "CI_PIPELINE_SOURCE": "push",
        **TOPIC,
        "CI_OPEN_MERGE_REQUESTS": "acme/churn!7",
    },
    "push to the default branch": {"CI_PIPELINE_SOURCE": "push", **MAIN},
    "tag": {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_TAG": "v1", "CI_COMMIT_REF_NAME": "v1"},
    "schedule": {"CI_PIPELINE_SOURCE": "schedule", **MAIN},
    "by hand": {"CI_PIPELINE_SOURCE": "web", **MAIN},
    "woken": {"CI_PIPELINE_SOURCE": "pipeline", **MAIN},
    "schedule of Assent": {"CI_PIPELINE_SOURCE": "schedule", "ASSENT_SCHEDULE": "review", **MAIN},
    "webhook of Assent": {"CI_PIPELINE_SOURCE": "trigger", "ASSENT_SCHEDULE": "hook", **MAIN},
}
ALONE = {"woken", "schedule of Assent", "webhook of Assent"}
"""Pipelines that nobody starts but for Assent."""


@dataclass(frozen=True)
class Ran:
    """The jobs of one pipeline with their stages, in the order of the stages."""

    stages: dict[str, str]
    order: tuple[str, ...]

    @property
    def ours(self) -> set[str]:
        return {name.partition(":")[0] for name in self.stages if name.startswith("assent-")}

    @property
    def theirs(self) -> set[str]:
        return {name for name in self.stages if not name.startswith("assent-")}


def repository(folder: Path, files: Mapping[str, str]) -> Path:
    """A repository with these files, known to Git."""
    folder.mkdir(parents=True, exist_ok=True)
    git = ("git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run([*git, "init", "--quiet", "--initial-branch=main"], check=True)
    subprocess.run([*git, "remote", "add", "origin", HOST], check=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git = ("git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message=x"], check=True)


def whole(folder: Path, event: str, *, is_checked: bool = True) -> dict[str, Any]:
    """The configuration of a pipeline of `event`, with what it includes. `is_checked`: and it fits
    GitLab's schema.
    """
    return _pipeline(folder, event).whole(is_checked=is_checked)


def let_in(wholes: Mapping[str, dict[str, Any]], event: str, scratch: Path) -> dict[str, Ran]:
    """The jobs of the pipelines of `event` in several configurations, none where GitLab makes
    none. The tool is asked once: its start costs more than its answer.
    """
    jobs = {}
    for name, one in wholes.items():
        has_workflow = "rules" in (one.get("workflow") or {})
        for job, body in _jobs(one).items():
            jobs[f"{name}/{job}"] = _ruled(body, has_workflow)
        rules = one["workflow"]["rules"] if has_workflow else [{"when": "always"}]
        jobs[f"{name}/{_WORKFLOW}"] = {"script": ["true"], "rules": rules}
    if not (scratch / ".git").exists():
        repository(scratch, {"README.md": "x\n", ".gitlab-ci.yml": "a: {script: [x]}\n"})
    listed = _pipeline(scratch, event).listing(jobs)
    return {name: _ran(name, one, set(listed)) for name, one in wholes.items()}


def ran(folder: Path, event: str) -> Ran:
    """The jobs of the pipeline of `event` in one configuration."""
    scratch = folder.parent / "scratch"
    return let_in({"one": whole(folder, event)}, event, scratch)["one"]


def _ran(name: str, one: dict[str, Any], listed: set[str]) -> Ran:
    order = tuple(one["stages"])
    if f"{name}/{_WORKFLOW}" not in listed:
        return Ran({}, order)
    within = {job.partition(":")[0] for job in listed}
    stages = {
        job: body.get("stage", "test")
        for job, body in _jobs(one).items()
        if f"{name}/{job}" in within
    }
    assert set(stages.values()) <= set(order)
    return Ran(stages if set(stages.values()) - {".pre", ".post"} else {}, order)


def _jobs(one: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        job: body
        for job, body in one.items()
        if isinstance(body, dict) and job not in _KEYS and not job.startswith(".")
    }


def _pipeline(folder: Path, event: str) -> Pipeline:
    known = {"CI_DEFAULT_BRANCH": "main", "CI_PROJECT_PATH": "acme/churn", **EVENTS[event]}
    unset = ("CI_COMMIT_BRANCH", "CI_COMMIT_TAG", "CI_OPEN_MERGE_REQUESTS", "ASSENT_SCHEDULE")
    return Pipeline(folder, known, unset=unset)


def _ruled(body: dict[str, Any], has_workflow: bool) -> dict[str, Any]:
    """A job that only says when it is in: by rules."""
    kept: dict[str, Any] = {"script": ["true"]}
    if "rules" in body:
        return kept | {"rules": body["rules"]}
    if "only" not in body and "except" not in body:
        default = {"if": f"{_of('merge_requests')}", "when": "never"}
        rules = [] if has_workflow else [default]
        return kept | {"rules": [*rules, {"when": "on_success"}]}
    out = " || ".join(_of(one) for one in _refs(body.get("except", [])))
    within = " || ".join(_of(one) for one in _refs(body.get("only", ["branches", "tags"])))
    rules = [{"if": out, "when": "never"}] if out else []
    return kept | {"rules": [*rules, {"if": within}]}


def _refs(value: Any) -> list[str]:
    found = value["refs"] if isinstance(value, dict) else value
    return [found] if isinstance(found, str) else found


def _of(ref: str) -> str:
    """A name of `only` as a condition. A name of a branch is none of a merge request's."""
    if ref in _SOURCES:
        return f'$CI_PIPELINE_SOURCE == "{_SOURCES[ref]}"'
    if ref in ("branches", "tags"):
        return {"branches": "$CI_COMMIT_BRANCH", "tags": "$CI_COMMIT_TAG"}[ref]
    if ref.startswith("/"):
        return f"$CI_COMMIT_BRANCH =~ {ref} || $CI_COMMIT_TAG =~ {ref}"
    return f'$CI_COMMIT_BRANCH == "{ref}" || $CI_COMMIT_TAG == "{ref}"'
