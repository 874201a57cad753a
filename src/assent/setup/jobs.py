"""The jobs of the team's own CI as what each runs: the lines of its scripts, one after the other,
where they run, and what it sets before them.

The files are data that anybody may have written. What they refer to and is not here (an action of
somebody else, a pipeline of another project) is not read.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from assent.setup.gitlab.team import FILE, bodies
from assent.setup.tree import Tree

MAX_JOBS = 200
MAX_STEPS = 200
MAX_VALUE = 1000
_WORKFLOW = re.compile(r"\.github/workflows/[^/]+\.ya?ml")


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """A script of a job, the folder that it starts in, and the variables that are set for it."""

    text: str
    folder: str = ""
    values: Mapping[str, str] = {}


class CiJob(msgspec.Struct, frozen=True, kw_only=True):
    """One job. `uses` are the actions that it uses, `python` is the version that it asks for, as it
    says it, and `image` the container that it runs in.
    """

    file: str
    name: str
    forge: str
    blocks: tuple[Block, ...] = ()
    uses: tuple[str, ...] = ()
    python: str | None = None
    image: str | None = None
    conda: str | None = None
    """The file of an environment that an action makes."""

    @property
    def place(self) -> str:
        """How a person finds it."""
        return f"{posixpath.basename(self.file)}, job {self.name}"


def ci_jobs(tree: Tree) -> list[CiJob]:
    """The jobs of all pipelines below the top folder of a repository."""
    found: list[CiJob] = []
    for file in tree.files:
        if _WORKFLOW.fullmatch(file) and not posixpath.basename(file).startswith("assent"):
            found += _workflow(tree, file)
    if tree.is_file(FILE):
        found += _pipeline(tree)
    return found[:MAX_JOBS]


def _workflow(tree: Tree, file: str) -> Iterator[CiJob]:
    top = tree.mapping(file)
    for name, job in _mapping(top.get("jobs")).items():
        steps = [one for one in _list(_mapping(job).get("steps")) if isinstance(one, dict)]
        steps = list(_unfolded(tree, steps[:MAX_STEPS]))
        image = _mapping(job).get("container")
        image = image.get("image") if isinstance(image, dict) else image
        yield CiJob(
            file=file,
            name=name,
            forge="github",
            blocks=tuple(blocks(steps, job, top)),
            uses=tuple(one["uses"] for one in steps if isinstance(one.get("uses"), str)),
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
            runs = _mapping(tree.mapping(posixpath.join(folder, name)).get("runs"))
            yield from [one for one in _list(runs.get("steps")) if isinstance(one, dict)]


def blocks(steps: list[dict[str, Any]], job: Any, top: Mapping[str, Any]) -> Iterator[Block]:
    """The scripts of the steps of a job in a workflow."""
    for step in steps:
        text = step.get("run")
        if isinstance(text, str):
            values = {
                **constants(top.get("env")),
                **constants(_mapping(job).get("env")),
                **constants(step.get("env")),
            }
            yield Block(text=one_word(text), folder=working_folder(step, job, top), values=values)


def working_folder(step: Mapping[str, Any], *levels: Any) -> str:
    """Where a step runs, if it, its job or its workflow says so."""
    told = [step.get("working-directory")]
    for level in levels:
        defaults = _mapping(_mapping(_mapping(level).get("defaults")).get("run"))
        told.append(defaults.get("working-directory"))
    folder = next((one for one in told if isinstance(one, str) and one), "")
    shown = posixpath.normpath(folder)
    return "" if shown == "." else shown


def one_word(script: str) -> str:
    """A script of a step with each expression of GitHub as one word; a variable of `env` becomes
    one of the shell.
    """
    script = re.sub(r"\$\{\{\s*env\.(\w{1,100})\s*\}\}", r"${\1}", script)
    return re.sub(r"\$\{\{\s*(.{0,200}?)\s*\}\}", _without_blanks, script)


def _without_blanks(match: re.Match[str]) -> str:
    return f"${{{{{re.sub(r'[^A-Za-z0-9_.-]+', '', match[1])}}}}}"


def constants(value: Any) -> dict[str, str]:
    """The variables of an `env` that say the same everywhere."""
    return {
        name: str(its)
        for name, its in _mapping(value).items()
        if isinstance(its, str | int | float)
        and not isinstance(its, bool)
        and "$" not in str(its)
        and "\n" not in str(its)
        and len(str(its)) <= MAX_VALUE
    }


def _python(steps: list[dict[str, Any]], job: Any) -> str | None:
    """The version that a setup of Python is given; of a matrix the newest."""
    found = _given(steps, "setup-python", "python-version") or _given(
        steps, "setup-uv", "python-version"
    )
    matrix = _mapping(_mapping(_mapping(job).get("strategy")).get("matrix"))
    match = re.fullmatch(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}", found or "")
    if match is None:
        return found
    versions = [str(one) for one in _list(matrix.get(match[1]))]
    numbered = [one for one in versions if re.fullmatch(r"3\.\d{1,2}", one)]
    return max(numbered, key=lambda one: int(one[2:]), default=None)


def _given(steps: list[dict[str, Any]], action: str, key: str) -> str | None:
    """What a step gives an action of this name."""
    for step in steps:
        uses, given = step.get("uses"), _mapping(step.get("with")).get(key)
        if isinstance(uses, str) and action in uses and isinstance(given, str | int | float):
            return str(given)
    return None


def _pipeline(tree: Tree) -> Iterator[CiJob]:
    for name, body in bodies(tree.root, FILE).items():
        lines = [
            line
            for key in ("before_script", "script")
            for line in (body[key] if isinstance(body.get(key), list) else [body.get(key)])
            if isinstance(line, str)
        ]
        image = body.get("image")
        image = image.get("name") if isinstance(image, dict) else image
        values = constants(body.get("variables"))
        block = Block(text="\n".join(lines), values=values)
        yield CiJob(
            file=FILE,
            name=name,
            forge="gitlab",
            blocks=(block,) if lines else (),
            image=image if isinstance(image, str) else None,
        )


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        return {}
    return {key: its for key, its in value.items() if isinstance(key, str)}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
