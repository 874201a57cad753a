"""Models of one name in one repository. Ledger and pointers are named after the model, so two that
share a name would share both: each would be compared with, and promoted in place of, the other.
"""

from __future__ import annotations

from assent.config.read import MAX_BYTES
from assent.config.settings import FILE
from assent.core.change import Change
from assent.core.ledgers import GIT, place_of
from assent.errors import AssentError, UsageError
from assent.parsing import ParseError, parse_yaml
from assent.workspace import Workspace

_ANYWHERE = f":(top,glob)**/{FILE}"
_GLOBS = {"GIT_LITERAL_PATHSPECS": "0"}


def require_own_name(workspace: Workspace, model: str, doing: str) -> None:
    """Raise `UsageError` if another `assent.yaml` that Git tracks declares a model of this name for
    the same ledger.
    """
    other = namesake(workspace, model)
    if other is not None:
        raise UsageError(
            doing,
            f"{other} declares a model of this name as well, and both would share one ledger",
            hint="give one of them another name: a model's name is unique in a repository",
        )


def namesake(workspace: Workspace, model: str) -> str | None:
    """Another file that Git tracks and that declares a model of this name for the same ledger."""
    doing = f"looking for other models called {model}"
    listed = ("ls-files", "-z", "--", _ANYWHERE)
    return _first(workspace, model, "HEAD", _names(workspace, *listed, doing=doing))


def namesake_of_change(workspace: Workspace, model: str, change: Change) -> tuple[str, ...]:
    """What a reviewer has to know where there is such a model, or a change would bring one."""
    other = namesake(workspace, model) or _brought(workspace, model, change)
    if other is None:
        return ()
    return (
        f"{other} declares a model called {model} as well: the two share one ledger, so that one "
        "is compared with the other, and nothing is written for either until one has another name",
    )


def _brought(workspace: Workspace, model: str, change: Change) -> str | None:
    """A file that a change adds or alters, and that declares a model of this name."""
    if workspace.base is None or change.landed:
        return None
    doing = f"looking for other models called {model} in {change.id}"
    differ = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--diff-filter=AMT")
    try:
        workspace.repository.bring("origin", change.head)
        both = (workspace.base, change.head)
        names = _names(workspace, *differ, *both, "--", _ANYWHERE, doing=doing)
    except AssentError:
        return None  # that its files cannot be read is said elsewhere
    return _first(workspace, model, change.head, names)


def _names(workspace: Workspace, *arguments: str, doing: str) -> list[str]:
    shown = workspace.repository.git(*arguments, doing=doing, env=_GLOBS)
    return [name.decode(errors="surrogateescape") for name in shown.split(b"\0") if name]


def _first(workspace: Workspace, model: str, commit: str, names: list[str]) -> str | None:
    own = workspace.repository.relative(workspace.root / FILE)
    for name in names:
        text = None if name == own else workspace.repository.show(commit, name)
        if text is not None and _declares(text, model, workspace.config.ledger):
            return name
    return None


def _declares(text: bytes, model: str, ledger: str) -> bool:
    """Whether a file declares a model. What cannot be read, no verb can work with either."""
    if len(text) > MAX_BYTES:
        return False
    try:
        document = parse_yaml(text)
    except ParseError:
        return False
    models = document.get("models") if isinstance(document, dict) else None
    is_there = isinstance(models, dict) and model in models
    return is_there and place_of(str(document.get("ledger", GIT))) == place_of(ledger)
