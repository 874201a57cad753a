"""The pipeline for GitLab: its text is package data, and a few lines include it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from assent.config.settings import Config
from assent.errors import UsageError
from assent.git import Repository
from assent.verbs.work import write_atomically

SOURCE = Path(__file__).parent / "gitlab/pipeline.yml"
FILE = ".gitlab-ci.yml"
COPY = ".gitlab/assent.yml"
TEMPLATE = "gitlab-templates/pipeline.yml"
PLACEHOLDER = f"git+https://gitlab.example.com/OWNER/assent@{'0' * 40}"
_ORIGIN = re.compile(
    r"(?P<project>[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)+)"
    r"@(?P<commit>[0-9a-f]{40})"
)


class Pipelines(msgspec.Struct, frozen=True, kw_only=True):
    """Files to write, by path, and the lines of `.gitlab-ci.yml` that include them."""

    files: dict[str, str]
    lines: str


def pipelines(config: Config, *, origin: str | None, install: str | None) -> Pipelines:
    """The pipeline of every model of `config`.

    With `origin` (`group/project@commit`) it is included from that project of the same GitLab,
    and Assent is installed from there; without it the repository keeps a copy. Raises
    `UsageError` for an origin that is not pinned to a commit.
    """
    found = None if origin is None else _ORIGIN.fullmatch(origin)
    if origin is not None and found is None:
        raise UsageError(
            "writing the pipeline",
            f"{origin!r} is not GROUP/PROJECT@COMMIT with all 40 digits of the commit",
            hint="a tag or a branch can be moved, and would then run other code with your token",
        )
    if found is not None:
        where = [f"project: {found['project']}", f"ref: {found['commit']}", f"file: {TEMPLATE}"]
        made = f"git+$CI_SERVER_URL/{found['project']}@{found['commit']}"
    else:
        where, made = [f"local: {COPY}"], PLACEHOLDER
    lines = ["include:"]
    for model in config.models:
        lines.append(f"  - {where[0]}")
        lines += [f"    {one}" for one in where[1:]]
        lines.append("    inputs:")
        lines += [
            f"      {line}" for line in _inputs(config, model, made if install is None else install)
        ]
    files = {} if found is not None else {COPY: SOURCE.read_text("utf-8")}
    return Pipelines(files=files, lines="\n".join(lines) + "\n")


def _inputs(config: Config, model: str, install: str) -> list[str]:
    settings = config.models[model]
    artifacts = dict.fromkeys([".assent/work/", settings.model, *settings.metrics])
    lines = [f"install: {json.dumps(install)}", f"artifacts: {_list(list(artifacts))}"]
    stages = list(config.policies[model].stages)
    lines += [f"stages: {_list(stages)}"] if stages else []
    if len(config.models) > 1:
        lines += [f"model: {json.dumps(model)}", f"job-prefix: {json.dumps(f'assent-{model}')}"]
        lines.append(f"environment-prefix: {json.dumps(f'{model}/')}")
    return lines


def _list(values: Sequence[str]) -> str:
    return json.dumps(values, ensure_ascii=False)


def write_pipelines(
    folder: Path, wanted: Pipelines, *, force: bool
) -> tuple[tuple[Path, ...], str | None]:
    """Write the pipeline below `folder`. Returns the files that are new or changed, and the lines
    to add by hand where there is a `.gitlab-ci.yml` already: it is never changed.

    Raises `UsageError`, and writes nothing, if another text stands where the copy belongs, unless
    `force`, and unless `folder` is the top folder of a Git repository.
    """
    top = Repository(folder).top
    if top.resolve() != folder.resolve():
        raise UsageError(
            "writing the pipeline",
            f"{folder} is not the top folder of its repository, where GitLab looks for it",
            hint=f"run it in {top}; the input `config` names the assent.yaml",
        )
    changed: dict[Path, str] = {}
    for name, text in wanted.files.items():
        path = folder / name
        standing = path.read_text("utf-8", errors="replace") if path.exists() else None
        if standing == text:
            continue
        if standing is not None and not force:
            raise UsageError(
                f"writing {path}",
                "it exists already and says something else",
                hint="edit it, or replace it with --force",
            )
        changed[path] = text
    own = folder / FILE
    to_add = wanted.lines if own.exists() and own.read_text("utf-8") != wanted.lines else None
    if not own.exists():
        changed[own] = wanted.lines
    for path, text in changed.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    return tuple(changed), to_add
