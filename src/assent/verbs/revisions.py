"""What two revisions have in common, read from Git as data: nothing of them is checked out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from assent.config.lock import FILE as LOCK
from assent.config.read import read_config
from assent.config.settings import ModelSettings
from assent.errors import AssentError
from assent.verbs.workspace import FILE, Workspace

_LITERAL = re.compile(r"[^*?\[]*")


def difference(workspace: Workspace, model: str, old: str, new: str) -> str:
    """What differs between two commits of all that a model is made from, as `train.py has
    changed`; empty if nothing does. Data that is not in Git is not seen here.

    Raises `OutsideError` if one of them cannot be fetched.
    """
    repository = workspace.repository
    remote = workspace.branch.remote or "origin"
    for commit in (old, new):
        repository.bring(remote, commit)
    before, after = (_settings(workspace, commit, model) for commit in (old, new))
    if before is None or before != after:
        return "how the model is made has changed"
    root = repository.relative(workspace.root)
    prefix = "" if root == "." else f"{root}/"
    changed = repository.names(
        *("diff", "--name-only", "--no-renames", "-z", old, new),
        doing=f"looking for changed inputs of {model}",
    )
    for path in changed:
        if path.startswith(prefix) and is_input(before, path.removeprefix(prefix)):
            shown = os.fsencode(path).decode(errors="replace")
            return f"{shown} has changed"
    return ""


def _settings(workspace: Workspace, commit: str, model: str) -> ModelSettings | None:
    path = workspace.repository.relative(workspace.root / FILE)
    text = workspace.repository.show(commit, path)
    try:
        config = None if text is None else read_config(text, f"{path} of {commit[:12]}")
    except AssentError:
        return None
    return None if config is None else config.models.get(model)


def is_input(settings: ModelSettings, path: str) -> bool:
    """Whether a path can be an input. A pattern counts for all that begins as it does, and a word
    of a command for the file it may name: too much is trained again, too little never.
    """
    if path == LOCK:
        return False
    commands = f"{settings.train or ''} {settings.evaluate or ''}"
    if path in commands:
        return True
    return any(path.startswith(_literal(pattern)) for pattern in _patterns(settings))


def _patterns(settings: ModelSettings) -> Iterable[str]:
    yield from (*settings.inputs, *settings.params)
    yield from (data.path for data in settings.data_sets.values())


def _literal(pattern: str) -> str:
    found = _LITERAL.match(pattern)
    return "" if found is None else found[0].removeprefix("./")
