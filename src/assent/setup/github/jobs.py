"""The jobs of the team's own workflows."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from assent.parsing import list_of, mapping_of
from assent.setup.blocks import Block, CiJob, constants
from assent.setup.tree import Tree

FILES = re.compile(r"\.github/workflows/[^/]+\.ya?ml")
CHECKOUT = r"\{\{github\.workspace\}\}|\{?GITHUB_WORKSPACE\b\}?"
"""After the dollar: where the repository is, which is where each job starts."""
MAX_STEPS = 200


def jobs(tree: Tree) -> Iterator[CiJob]:
    """All jobs, but those of Assent."""
    for file in tree.files:
        if FILES.fullmatch(file) and not posixpath.basename(file).startswith("assent"):
            yield from _workflow(tree, file)


def blocks_of(tree: Tree, file: str) -> Iterator[tuple[str, Block]]:
    """The scripts of a file as they stand there, each with the name of its job."""
    top = tree.mapping(file)
    for name, job in mapping_of(top.get("jobs")).items():
        steps = list_of(mapping_of(job).get("steps"))
        for block in _blocks([step for step in steps if isinstance(step, dict)], job, top):
            yield name, block


def _workflow(tree: Tree, file: str) -> Iterator[CiJob]:
    top = tree.mapping(file)
    for name, job in mapping_of(top.get("jobs")).items():
        steps = [step for step in list_of(mapping_of(job).get("steps")) if isinstance(step, dict)]
        steps = list(_unfolded(tree, steps[:MAX_STEPS]))
        image = mapping_of(job).get("container")
        image = image.get("image") if isinstance(image, dict) else image
        yield CiJob(
            file=file,
            name=name,
            forge="github",
            blocks=tuple(_blocks(steps, job, top)),
            uses=tuple(step["uses"] for step in steps if isinstance(step.get("uses"), str)),
            python=_python(steps, job),
            image=image if isinstance(image, str) else None,
            conda=_given(steps, "miniconda", "environment-file"),
        )


def _unfolded(tree: Tree, steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Steps with those of the repository's own composite actions in their places."""
    for step in steps:
        uses = step.get("uses")
        if not isinstance(uses, str) or not uses.startswith("./"):
            yield step
            continue
        folder = posixpath.normpath(uses.partition("@")[0])
        for name in ("action.yml", "action.yaml"):
            runs = mapping_of(tree.mapping(posixpath.join(folder, name)).get("runs"))
            yield from [inner for inner in list_of(runs.get("steps")) if isinstance(inner, dict)]


def _blocks(steps: list[dict[str, Any]], job: Any, top: Mapping[str, Any]) -> Iterator[Block]:
    """The scripts of the steps of a job in a workflow."""
    for step in steps:
        text = step.get("run")
        if isinstance(text, str):
            values = {
                **constants(top.get("env")),
                **constants(mapping_of(job).get("env")),
                **constants(step.get("env")),
            }
            yield Block(text=_one_word(text), folder=_working_folder(step, job, top), values=values)


def _working_folder(step: Mapping[str, Any], *levels: Any) -> str:
    """Where a step runs, if it, its job or its workflow says so."""
    told = [step.get("working-directory")]
    for level in levels:
        defaults = mapping_of(mapping_of(mapping_of(level).get("defaults")).get("run"))
        told.append(defaults.get("working-directory"))
    folder = next((name for name in told if isinstance(name, str) and name), "")
    shown = posixpath.normpath(folder)
    return "" if shown == "." else shown


def _one_word(script: str) -> str:
    """A script of a step with each expression of GitHub as one word; a variable of `env` becomes
    one of the shell.
    """
    script = re.sub(r"\$\{\{\s*env\.(\w{1,100})\s*\}\}", r"${\1}", script)
    return re.sub(r"\$\{\{\s*(.{0,200}?)\s*\}\}", _without_blanks, script)


def _without_blanks(match: re.Match[str]) -> str:
    return f"${{{{{re.sub(r'[^A-Za-z0-9_.-]+', '', match[1])}}}}}"


def _python(steps: list[dict[str, Any]], job: Any) -> str | None:
    """The version that a setup of Python is given; of a matrix the newest."""
    stated = _given(steps, "setup-python", "python-version") or _given(
        steps, "setup-uv", "python-version"
    )
    matrix = mapping_of(mapping_of(mapping_of(job).get("strategy")).get("matrix"))
    match = re.fullmatch(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}", stated or "")
    if match is None:
        return stated
    versions = [str(version) for version in list_of(matrix.get(match[1]))]
    numbered = [version for version in versions if re.fullmatch(r"3\.\d{1,2}", version)]
    return max(numbered, key=lambda version: int(version[2:]), default=None)


def _given(steps: list[dict[str, Any]], action: str, key: str) -> str | None:
    """What a step gives an action of this name."""
    for step in steps:
        uses, given = step.get("uses"), mapping_of(step.get("with")).get(key)
        if isinstance(uses, str) and action in uses and isinstance(given, str | int | float):
            return str(given)
    return None
