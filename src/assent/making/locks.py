"""What `assent.lock` says: which bundle the inputs of a model have given already."""

from __future__ import annotations

from assent.config.lock import FILE, Locked, read_lock
from assent.core.change import Change
from assent.core.entry import Entry, Kind, decode_entry
from assent.errors import OutsideError
from assent.making.changed_inputs import difference
from assent.making.inputs import Inputs
from assent.ports import View
from assent.workspace import Workspace


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


def mistrust(workspace: Workspace, view: View, model: str, commit: str, locked: Locked) -> str:
    """Why the bundle that the lock of a commit names is not of that commit; empty if it is.

    It must have been made by a retraining, from a revision whose inputs are those of the commit.
    """
    entry = retraining(view, locked)
    if entry is None or entry.commit is None:
        return f"named by {FILE}, but the ledger knows of no retraining that made it"
    why = difference(workspace, model, entry.commit, commit)
    return f"named by {FILE}, but {why} since it was made" if why else ""


def locked_of(workspace: Workspace, view: View, model: str, change: Change) -> Locked | None:
    """What the lock of a change's revision says, if it is to be believed."""
    return locked_at(workspace, view, model, change.commit)


def locked_at(workspace: Workspace, view: View, model: str, commit: str) -> Locked | None:
    """What the lock of a commit says, if it is to be believed."""
    locked = lock_at(workspace, commit, model)
    if locked is None or mistrust(workspace, view, model, commit, locked):
        return None
    return locked
