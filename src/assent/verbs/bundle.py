"""`bundle`: model files and evidence under one digest, in the store."""

from __future__ import annotations

from pathlib import Path

from assent.making.handover import take
from assent.making.packing import BundleResult, make_bundle
from assent.ports import Progress
from assent.workspace import Workspace


def bundle(
    workspace: Workspace,
    model: str,
    *,
    output: Path | None = None,
    made_in: Path | None = None,
    progress: Progress | None = None,
    force: bool = False,
) -> BundleResult:
    """Store what was evaluated as one bundle. With `output` it is written to that folder instead,
    for another job; with `made_in` it is the one that another job has written to that folder,
    which is verified and never executed.

    The same evidence and the same files give the same digest, and write nothing twice. A store
    elsewhere that has the manifest is taken to have the rest; with `force` it is asked for all of
    it, and what it has lost is sent again. Raises `UsageError` if nothing was evaluated, or if
    files have changed since.
    """
    if made_in is not None:
        return take(workspace, model, made_in, progress=progress, force=force)
    return make_bundle(workspace, model, output=output, progress=progress, force=force)
