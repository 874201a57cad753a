"""`pull`: the served files of a version, verified, in a folder."""

from __future__ import annotations

from pathlib import Path

import msgspec

from assent.core.digest import Digest
from assent.errors import UsageError
from assent.making.bundle_lookup import find
from assent.making.model_placement import stands_at, write_model
from assent.recording.reading import read_ledger
from assent.workspace import Workspace


class PullResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was pulled and where it is. `is_new` is False if it stood there already."""

    model: str
    version: int | None
    bundle: Digest
    model_digest: Digest
    path: Path
    files: int
    size_bytes: int
    is_new: bool


def pull(
    workspace: Workspace, model: str, name: str, target: Path, *, force: bool = False
) -> PullResult:
    """Write the model's files of `name` (a stage, a version, a digest, a revision) to `target`.

    Every byte is verified, and the folder appears whole or not at all. Raises `UsageError` if
    something else stands at `target`, unless `force`.
    """
    known = find(workspace, read_ledger(workspace, model), model, name)
    place = target.absolute()
    _require_no_repository(workspace, place, f"pulling {name} of {model}")
    if not force and _is_taken(place) and not stands_at(place, known.bundle):
        raise UsageError(
            f"pulling {name} of {model}",
            f"{target} exists and holds something else",
            hint="name a new folder, or replace it with --force",
        )
    is_new = write_model(workspace.store, known.bundle, place)
    return PullResult(
        model=model,
        version=known.version,
        bundle=known.bundle.digest,
        model_digest=known.bundle.model_digest,
        path=place,
        files=len(known.bundle.files),
        size_bytes=known.bundle.size_bytes,
        is_new=is_new,
    )


def _require_no_repository(workspace: Workspace, place: Path, doing: str) -> None:
    """Raise `UsageError` for a folder whose replacement would take a repository with it."""
    real = place.resolve()
    common = workspace.repository.common.resolve()
    own = (workspace.root, workspace.repository.top, workspace.work)
    kept = (*(folder.resolve() for folder in own), common, Path.home(), Path.cwd())
    is_kept = any(folder.is_relative_to(real) for folder in kept) or real.is_relative_to(common)
    if is_kept or (real / ".git").exists():
        raise UsageError(
            doing,
            f"{place} is or holds a repository, or the folder that you are in",
            hint="name a folder of the model's own",
        )


def _is_taken(place: Path) -> bool:
    if place.is_dir():
        return any(place.iterdir())
    return place.exists()
