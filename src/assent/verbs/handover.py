"""Bundles that another job has made: fetched through the forge, as data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assent.core.digest import Digest
from assent.core.evidence import Run
from assent.files import scratch_folder
from assent.ports import Progress
from assent.verbs.bundle import take
from assent.verbs.workspace import Workspace


def taken(
    workspace: Workspace,
    model: str,
    fetch: Callable[[Path], Run | None],
    *,
    progress: Progress | None = None,
) -> Digest | None:
    """Store the bundle that `fetch` writes to a folder, and return its digest; None if it has
    none. The forge has said which run it is of, and the bundle must say the same.
    """
    with scratch_folder(workspace.work, ".left-") as scratch:
        folder = scratch / "bundle"
        run = fetch(folder)
        if run is None:
            return None
        return take(workspace, model, folder, left_by=run, progress=progress).bundle
