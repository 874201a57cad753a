"""`review`: compare the candidate with what is in production, and say what a reviewer needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO

from assent.core.digest import Digest
from assent.judging.review import ReviewResult, require_own_base, review_bundle
from assent.making.bundle_lookup import nothing_shown
from assent.making.handover import taken
from assent.making.locks import locked_of
from assent.making.missing import bundle_of_here
from assent.recording.reading import read_ledger
from assent.workspace import Workspace


def review(
    workspace: Workspace,
    model: str,
    *,
    name: str | None = None,
    artifact: str | None = None,
    folder: Path | None = None,
    force: bool = False,
    output: int | IO[bytes] | None = None,
    progress: Callable[[int], None] | None = None,
) -> ReviewResult:
    """Review the bundle called `name`, or the one of the working tree; then what is missing of
    it (training, evaluation, bundle) is made first, and all of it with `force`. With `artifact` it
    is the one that the run of a change which woke this one up has left under that name, or where it
    leaves none the one that was shown last; nothing is run then. Its forms are written to `folder`,
    or where the model has its own.

    Raises `PolicyError` for an artifact unless the code of the default branch runs.
    """
    is_reused = False
    require_own_base(workspace, model)
    if artifact is not None:
        name = _left(workspace, model, artifact, progress)
    if name is None:
        name = _shown(workspace, model)
    if name is None:
        name, is_reused = bundle_of_here(workspace, model, force, output, progress)
    return review_bundle(workspace, model, name, is_reused=is_reused, folder=folder)


def _left(
    workspace: Workspace, model: str, artifact: str, progress: Callable[[int], None] | None
) -> Digest:
    """The bundle that waits for this review. Nothing of a change is ever made here, because making
    it would run its code.
    """
    workspace.require_trusted(f"reviewing what another run has left of {model}")
    digest = taken(
        workspace,
        model,
        lambda place, most: workspace.forge.fetch(artifact, place, size_bytes=most),
        progress=progress,
    )
    digest = digest or _shown(workspace, model) or workspace.forge.shown(model)
    if digest is None:
        raise nothing_shown(model, workspace.change())
    return digest


def _shown(workspace: Workspace, model: str) -> Digest | None:
    """The bundle of a change that is not checked out: a trusted job never does that."""
    if not workspace.is_in_ci:
        return None
    change = workspace.forge.change()
    head = workspace.repository.resolve("HEAD")
    if change is None or head in (change.head, change.commit):
        return None
    shown = workspace.forge.shown(model)
    locked = None
    if shown is None:
        locked = locked_of(workspace, read_ledger(workspace, model), model, change)
    if shown is None and locked is None:
        raise nothing_shown(model, change)
    return shown if locked is None else locked.bundle
