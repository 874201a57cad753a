"""Whether a branch is back at the inputs of an older version, because a change was reverted."""

from __future__ import annotations

import msgspec

from assent.core.digest import Digest
from assent.core.registry import VersionLine
from assent.errors import OutsideError
from assent.making.changed_inputs import difference
from assent.making.locks import locked_at
from assent.ports import View
from assent.recording.versions import registered_from
from assent.workspace import Workspace


class Back(msgspec.Struct, frozen=True, kw_only=True):
    """A revision has the inputs of `version`, and those of the `newest` no more."""

    version: int
    newest: int

    def said_of(self, what: str) -> str:
        """That `what` (a branch, a change) has gone back."""
        return (
            f"{what} is back at the inputs of v{self.version}; the newest version, "
            f"v{self.newest}, is of inputs that it no longer has"
        )


def gone_back(
    workspace: Workspace, view: View, model: str, commit: str, *, to: int | None = None
) -> Back | None:
    """The version whose inputs a commit has, where it once had those of the newest; None if those
    are the ones it has, or if it has those of no version. Git says so: data that is not in Git,
    and has no pointer there, is not seen. With `to`, only that version is looked at.

    Raises `AssentError` if Git cannot tell, as in a clone whose history is cut off.
    """
    lines = [line for line in view.state.newest if not line.retired]
    older = lines[1:] if to is None else [line for line in lines[1:] if line.version == to]
    if not older:
        return None
    newest = lines[0]
    _require_once_had(workspace, view, model, commit, newest)
    if _is_of(workspace, view, model, commit, newest.bundle):
        return None
    older_line = next(
        (
            version_line
            for version_line in older
            if _is_of(workspace, view, model, commit, version_line.bundle)
        ),
        None,
    )
    return None if older_line is None else Back(version=older_line.version, newest=newest.version)


def _require_once_had(
    workspace: Workspace, view: View, model: str, commit: str, newest: VersionLine
) -> None:
    """Raise `OutsideError` unless the newest version was registered from history of the commit:
    a commit from before it has gone nowhere.
    """
    source = registered_from(view, newest.bundle)
    if source is None or not workspace.repository.contains(commit, source):
        made = "which nobody knows" if source is None else source[:12]
        raise OutsideError(
            f"comparing {commit[:12]} with the newest version of {model}",
            f"v{newest.version} was registered from {made}, no part of its history here",
            hint="fetch the newest base branch, and all of its history",
        )


def _is_of(workspace: Workspace, view: View, model: str, commit: str, bundle: Digest) -> bool:
    """Whether a version is what the inputs of a commit give: by the lock, where the commit has one
    that is to be believed, else by what it was registered from. A bundle that a lock has named is
    not what the same inputs give without that lock.
    """
    source = registered_from(view, bundle)
    if source is None:
        return False
    locked = locked_at(workspace, view, model, commit)
    if locked is not None:
        return locked.bundle == bundle
    if difference(workspace, model, source, commit):
        return False
    named = locked_at(workspace, view, model, source)
    return named is None or named.bundle != bundle
