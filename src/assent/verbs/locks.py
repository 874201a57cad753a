"""What `assent.lock` says: which bundle the inputs of a model have given already."""

from __future__ import annotations

import re
from collections.abc import Iterable

from assent.config.lock import FILE, Locked, read_lock
from assent.config.read import read_config
from assent.config.settings import ModelSettings
from assent.core.change import Change
from assent.core.entry import Entry, Kind, decode_entry
from assent.errors import AssentError, OutsideError
from assent.ports import View
from assent.verbs.inputs import Inputs
from assent.verbs.workspace import FILE as CONFIG
from assent.verbs.workspace import Workspace

_LITERAL = re.compile(r"[^*?\[]*")


def lock_here(workspace: Workspace, model: str) -> Locked | None:
    """What the lock of the working tree says of a model, whether its inputs are these or not."""
    path = workspace.root / FILE
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OutsideError(f"reading {path}", error.strerror or str(error)) from None
    return read_lock(text, str(path)).get(model)


def current_lock(workspace: Workspace, model: str, inputs: Inputs) -> Locked | None:
    """What the lock of the working tree says of a model, if it says it of these inputs."""
    locked = lock_here(workspace, model)
    return locked if locked is not None and locked.inputs == inputs.evaluate else None


def lock_at(workspace: Workspace, commit: str, model: str) -> Locked | None:
    """What the lock of a revision says, read as data: nothing is checked out."""
    repository = workspace.repository
    repository.bring("origin", commit)
    path = repository.relative(workspace.root / FILE)
    text = repository.show(commit, path)
    return None if text is None else read_lock(text, f"{path} of {commit[:12]}").get(model)


def retraining(view: View, locked: Locked) -> Entry | None:
    """The entry of the ledger in which the locked bundle was noted as retrained; None if what the
    lock names is no such entry. Anybody can write a lock: the ledger only default-branch code.
    """
    if locked.entry > view.state.seq:
        return None
    entry = decode_entry(view.entry(locked.entry))
    subject = entry.subject
    # `note` is about the model or about a version: a bundle without one only `retrain` notes.
    is_one = entry.kind is Kind.NOTED and subject.version is None
    return entry if is_one and subject.bundle == locked.bundle else None


def mistrust(workspace: Workspace, view: View, model: str, change: Change, locked: Locked) -> str:
    """Why the bundle that the lock of a change names is not of that change; empty if it is.

    It must have been made by a retraining, from a revision whose inputs are those of the change.
    """
    entry = retraining(view, locked)
    if entry is None or entry.commit is None:
        return f"named by {FILE}, but the ledger knows of no retraining that made it"
    repository = workspace.repository
    repository.bring(workspace.branch.remote or "origin", entry.commit)
    repository.bring("origin", change.commit)
    old, new = (_settings(workspace, commit, model) for commit in (entry.commit, change.commit))
    if old is None or old != new:
        return f"named by {FILE}, but how the model is made has changed since"
    root = repository.relative(workspace.root)
    prefix = "" if root == "." else f"{root}/"
    changed = repository.run(
        *("diff", "--name-only", "--no-renames", "-z", entry.commit, change.commit),
        doing=f"looking for changed inputs of {model}",
    )
    for path in filter(None, changed.split("\0")):
        if path.startswith(prefix) and is_input(old, path.removeprefix(prefix)):
            return f"named by {FILE}, but {path} has changed since it was made"
    return ""


def locked_of(workspace: Workspace, view: View, model: str, change: Change) -> Locked | None:
    """What the lock of a change's revision says, if it is to be believed."""
    locked = lock_at(workspace, change.commit, model)
    if locked is None or mistrust(workspace, view, model, change, locked):
        return None
    return locked


def _settings(workspace: Workspace, commit: str, model: str) -> ModelSettings | None:
    path = workspace.repository.relative(workspace.root / CONFIG)
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
    if path == FILE:
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
