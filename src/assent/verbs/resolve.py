"""`resolve`: what is in a stage, or what a version is."""

from __future__ import annotations

import msgspec

from assent.core.digest import Digest
from assent.errors import UsageError
from assent.ports import View
from assent.recording.reading import read_ledger
from assent.recording.versions import record_of, version_number
from assent.workspace import Workspace


class ResolveResult(msgspec.Struct, frozen=True, kw_only=True):
    """A version with its digests, and since when it stands where it was asked for. That is what
    the ledger's entry `as_of`, its newest, states; `assent verify` reads those before it.
    """

    model: str
    version: int
    bundle: Digest
    model_digest: Digest
    as_of: int
    stage: str | None = None
    since: str | None = None
    by: str | None = None
    retired: bool = False
    purged: bool = False


def resolve(workspace: Workspace, model: str, name: str) -> ResolveResult:
    """The version that the stage `name` holds, or the version called `name` (`v12`).

    The answer is the ledger's. Raises `UsageError` if the stage holds nothing.
    """
    view = read_ledger(workspace, model, alone=True)
    held = view.state.stages.get(name)
    if held is not None:
        return ResolveResult(
            model=model,
            version=held.version,
            bundle=held.bundle,
            model_digest=held.model_digest,
            as_of=view.state.seq,
            stage=name,
            since=held.since,
            by=held.by,
        )
    number = version_number(name)
    if number is None:
        raise UsageError(f"resolving {name!r} of {model}", _nothing(workspace, view, model, name))
    known = record_of(view, model, number)
    if known.purged is not None:
        workspace.say(f"v{number} of {model} was purged: its bytes were taken away on purpose")
    return ResolveResult(
        model=model,
        version=number,
        bundle=known.bundle,
        model_digest=known.model_digest,
        as_of=view.state.seq,
        retired=known.retired,
        purged=known.purged is not None,
    )


def _nothing(workspace: Workspace, view: View, model: str, name: str) -> str:
    if name in workspace.config.policies[model].stages:
        return "the stage holds nothing"
    stages = ", ".join(view.state.stages) or "none"
    return f"it is neither a version nor a stage that holds one (those are: {stages})"
