"""The team's own workflows, and what of them meets Assent's.

GitHub runs every workflow file by itself, so Assent's change nothing of what the others do. What
they share are names (of workflows, checks and concurrency groups), the money of a training that
happens twice, and the branch that changes are merged into. The files are read as data, bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from assent.parsing import ParseError, parse_yaml

FOLDER = ".github/workflows"
MAX_BYTES = 1024 * 1024
MAX_FILES = 200
MAX_SHOWN = 5
_TRAINS = re.compile(
    r"\b(?:dvc\s+(?:repro|exp\s+run)|mlflow\s+run|kedro\s+run|make\s+train\w*|accelerate\s+launch"
    r"|torchrun|cml\s+runner)\b|\btrain\w*\.(?:py|sh|R|ipynb)\b"
)


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """One workflow file: its name, what starts it, and its jobs as the checks that they are."""

    file: str
    name: str
    events: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)
    checks: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    trains: tuple[str, ...] = ()
    """The jobs whose steps seem to train."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in the workflows that are there, and what a person has to look at."""

    found: tuple[str, ...] = ()
    to_check: tuple[str, ...] = ()


def read_existing(folder: Path, *, ours: Iterable[str]) -> tuple[list[Workflow], list[str]]:
    """The workflows below `folder` whose file names are none of `ours`, and what was not read."""
    known = set(ours)
    paths = [*(folder / FOLDER).glob("*.yml"), *(folder / FOLDER).glob("*.yaml")]
    workflows: list[Workflow] = []
    unread: list[str] = []
    for path in sorted(path for path in paths if path.name not in known)[:MAX_FILES]:
        try:
            workflows.append(_workflow(path.name, _values(path)))
        except ParseError as error:
            unread.append(f"{path.name}: {error}")
    return workflows, unread


def judge(
    theirs: Sequence[Workflow],
    unread: Sequence[str],
    *,
    ours: Sequence[Workflow],
    branch: str | None,
    models: Sequence[str],
) -> Seen:
    """What of the team's workflows meets those of Assent."""
    notes = [f"not read: {name}" for name in unread[:MAX_SHOWN]]
    to_check = [*_clashes(theirs, ours)]
    for workflow in theirs:
        notes += _paths(workflow)
        to_check += _branches(workflow, branch)
    to_check += _trainings(theirs)
    if theirs:
        names = ", ".join(f"assent/{model}" for model in models[:MAX_SHOWN])
        notes.append(
            f"{_count(len(theirs))} of yours: none is changed. Beside your own required checks, "
            f"require the status {names}, and none of the jobs of Assent's workflows"
        )
    return Seen(found=tuple(notes), to_check=tuple(to_check))


def _clashes(theirs: Sequence[Workflow], ours: Sequence[Workflow]) -> Iterator[str]:
    names = {workflow.name for workflow in ours}
    checks = {check for workflow in ours for check in workflow.checks}
    for workflow in theirs:
        if workflow.name in names:
            yield (
                f"{workflow.file} is called {workflow.name}, as one of Assent's is: GitHub starts "
                "assent-review.yml by that name; give yours another one"
            )
        for check in sorted(checks & set(workflow.checks)):
            yield (
                f"{workflow.file} has a job {check!r}, as Assent has: a required check of that "
                "name is either of the two; give yours another name"
            )
        for group in workflow.groups:
            if group.startswith("assent-"):
                yield (
                    f"{workflow.file} is in the concurrency group {group}: one that is Assent's as "
                    "well would cancel or hold up the other; give it another prefix than assent-"
                )


def _trainings(theirs: Sequence[Workflow]) -> Iterator[str]:
    for workflow in theirs:
        if workflow.trains and {"pull_request", "pull_request_target", "push"} & set(
            workflow.events
        ):
            yield (
                f"{workflow.file} trains as well (job {', '.join(workflow.trains[:MAX_SHOWN])}): "
                "with assent.yml each change is trained twice. Let that job hand over what it has "
                "made with `assent bundle`, or remove it: docs/recipes/existing-ci.md"
            )


def _paths(workflow: Workflow) -> Iterator[str]:
    filters = {
        key for about in workflow.events.values() for key in about if key.startswith("paths")
    }
    if filters and "pull_request" in workflow.events:
        yield (
            f"{workflow.file} runs for pull requests that touch certain paths only; assent.yml "
            "runs for every one, and reuses what unchanged inputs gave: docs/recipes/paths.md"
        )


def _branches(workflow: Workflow, branch: str | None) -> Iterator[str]:
    for event in ("push", "pull_request"):
        wanted = workflow.events.get(event, {}).get("branches")
        named = [str(name) for name in wanted] if isinstance(wanted, list) else []
        if branch is None or not named or any(_covers(name, branch) for name in named):
            continue
        shown = ", ".join(named[:MAX_SHOWN])
        yield (
            f"{workflow.file} runs on {event} for {shown}, and not for {branch}: where changes are "
            f"merged into another branch than {branch}, make that the default branch, since "
            "Assent registers what is merged there alone"
        )


def _covers(pattern: str, branch: str) -> bool:
    """Whether a filter of GitHub may be about a branch: whatever has a wildcard may be."""
    return pattern == branch or bool(set(pattern) & set("*?+[!"))


def _values(path: Path) -> Any:
    try:
        if path.is_symlink() or path.stat().st_size > MAX_BYTES:
            raise ParseError(f"a link, or larger than {MAX_BYTES // 1024} KiB")
        return parse_yaml(path.read_bytes())
    except OSError as error:
        raise ParseError(error.strerror or "cannot be read") from None


def read_workflow(file: str, text: str) -> Workflow:
    """A workflow of which the text is known."""
    return _workflow(file, parse_yaml(text.encode()))


def _workflow(file: str, values: Any) -> Workflow:
    whole = values if isinstance(values, dict) else {}
    name = whole.get("name")
    jobs = _mapping(whole.get("jobs"))
    groups = [
        whole.get("concurrency"),
        *(_mapping(job).get("concurrency") for job in jobs.values()),
    ]
    return Workflow(
        file=file,
        name=name if isinstance(name, str) else f"{FOLDER}/{file}",
        events=_events(whole.get("on", whole.get(True))),  # YAML 1.1 reads `on` as true
        checks=tuple(_check(key, job) for key, job in jobs.items()),
        groups=tuple(group for value in groups if (group := _group(value)) is not None),
        trains=tuple(str(key) for key, job in jobs.items() if _trains(job)),
    )


def _events(value: Any) -> dict[str, Mapping[str, Any]]:
    if isinstance(value, dict):
        return {str(name): _mapping(about) for name, about in value.items()}
    names = value if isinstance(value, list) else [value]
    return {name: {} for name in names if isinstance(name, str)}


def _check(key: object, job: Any) -> str:
    name = _mapping(job).get("name")
    return name if isinstance(name, str) else str(key)


def _group(value: Any) -> str | None:
    group = value.get("group") if isinstance(value, dict) else value
    return group if isinstance(group, str) else None


def _trains(job: Any) -> bool:
    steps = _mapping(job).get("steps")
    scripts = [_mapping(step).get("run") for step in steps] if isinstance(steps, list) else []
    return any(isinstance(script, str) and _TRAINS.search(script) is not None for script in scripts)


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _count(number: int) -> str:
    return "1 workflow" if number == 1 else f"{number} workflows"
