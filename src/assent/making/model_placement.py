"""The files of a model where they are served or trained: told apart, put there, never lost."""

from __future__ import annotations

import os
import posixpath
import shutil
import stat
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec

from assent.core.bundle import Bundle, ModelFile, model_digest
from assent.core.digest import Digest, short
from assent.errors import AssentError, OutsideError, UsageError
from assent.files import remove_left, scratch_folder
from assent.git import Repository
from assent.making.scratch import keep
from assent.making.worktree import documents_of, some_of, written
from assent.measure.files import PLACEHOLDERS, relative_name, require_inside
from assent.measure.hashes import Hashes
from assent.measure.model_files import is_executable, model_files
from assent.ports import Blobs, Wanted
from assent.workspace import Workspace

_NEW, _OLD = "new", "old"


def model_digest_at(
    root: Path, declared: str, hashes: Hashes | None = None, without: Collection[str] = ()
) -> Digest:
    """The model digest of the files at `declared` below `root`, by `hashes` of that root where
    there are some, and `without` some, by their names. Raises `UsageError` if there are none.
    """
    files = model_files(root, declared, without)
    known = (hashes or Hashes(root)).digests([path for _, path in files])
    return model_digest(
        ModelFile(path=name, digest=digest, size_bytes=path.stat().st_size)
        for (name, path), digest in zip(files, known.values(), strict=True)
    )


def digest_here(
    workspace: Workspace, model: str, known: Mapping[str, Digest] | None = None
) -> Digest:
    """The digest of the model in the working tree, where runs have written `known`. Raises
    `UsageError` if there is none.
    """
    without = documents_of(workspace, model, known)
    declared = workspace.settings(model).model
    return model_digest_at(workspace.root, declared, workspace.hashes, without)


def put_model(workspace: Workspace, bundle: Bundle) -> None:
    """Put the model's files where `assent.yaml` has the model. Raises `UsageError` naming what is
    there and would be lost: only what a run or a bundle wrote, or Git holds, is replaced.
    """
    model = bundle.model
    declared = workspace.settings(model).model
    target = workspace.root / declared
    kept = _documents_beside(workspace, bundle)
    if stands_at(target, bundle, workspace.hashes, kept):
        set_executable(bundle, target)
        return
    known = written(workspace, model)
    lost = [name for name in _would_be_lost(workspace, declared, known.outputs) if name not in kept]
    if lost:
        raise UsageError(
            f"putting the model of bundle {short(bundle.digest)} at {declared}",
            f"{some_of(lost)} would be lost: no run of Assent wrote it as it is, and Git does not "
            "hold it",
            hint="move it away, or train anew with `assent train --force`",
        )
    # Noted first: what is cut off is then known to be ours.
    files = placed(workspace, bundle)
    noted = msgspec.structs.replace(known, outputs={**known.outputs, **files})
    keep(workspace.work, model, "written", noted)
    place = _landing(workspace.root, target, bundle)
    write_model(workspace.store, bundle, place, [workspace.root / name for name in kept])


def is_here(workspace: Workspace, bundle: Bundle) -> bool:
    """Whether the model of a bundle stands in the working tree."""
    place = workspace.root / workspace.settings(bundle.model).model
    return stands_at(place, bundle, workspace.hashes, _documents_beside(workspace, bundle))


def stands_at(
    target: Path, bundle: Bundle, hashes: Hashes | None = None, without: Collection[str] = ()
) -> bool:
    """Whether the files at `target`, `without` some of the root of `hashes`, are those of the
    bundle already.
    """
    try:
        if hashes is None:
            digest = model_digest_at(target.parent, target.name)
        else:
            declared = target.relative_to(hashes.root).as_posix()
            digest = model_digest_at(hashes.root, declared, hashes, without)
    except (AssentError, OSError):
        return False
    return digest == bundle.model_digest


def placed(workspace: Workspace, bundle: Bundle) -> dict[str, Digest]:
    """The files of a bundle by their names where `assent.yaml` has the model."""
    folder = posixpath.normpath(workspace.settings(bundle.model).model)
    if _is_one_file(bundle, workspace.root / folder):
        return {folder: bundle.files[0].digest}
    return {f"{folder}/{file.path}": file.digest for file in bundle.files}


def write_model(store: Blobs, bundle: Bundle, target: Path, kept: Sequence[Path] = ()) -> bool:
    """Put the model's files at `target`, verified, and say whether anything was written.

    A model of one file named as `target` is becomes that file; any other becomes a folder, which
    is built beside the target and swapped in whole. What may be run is executable again. The files
    `kept` stay in it. A target that an earlier run was killed at, between the two halves of a swap,
    is brought back first.
    """
    doing = f"writing the model to {target}"
    prefix = f".{target.name}.assent-"
    try:
        remove_left(target.parent, prefix, partial(_bring_back, target))
        if stands_at(target, bundle):
            return set_executable(bundle, target)
        is_file = _is_one_file(bundle, target)
        with scratch_folder(target.parent, prefix) as scratch:
            draft = scratch / _NEW
            store.fetch(
                [
                    Wanted(
                        digest=file.digest,
                        size_bytes=file.size_bytes,
                        path=draft if is_file else draft / file.path,
                    )
                    for file in bundle.files
                ]
            )
            set_executable(bundle, draft)
            _keep_placeholders(target, draft, kept)
            _swap(draft, target)
    except OSError as error:
        raise OutsideError(doing, error.strerror or str(error)) from None
    return True


def set_executable(bundle: Bundle, place: Path) -> bool:
    """Make the files at `place` executable that the bundle says are; say whether one was not. What
    is more executable than that is left: an older bundle says nothing of it.
    """
    changed = False
    for file in bundle.files:
        path = place / file.path if place.is_dir() else place
        if file.is_executable and not is_executable(path):
            mode = stat.S_IMODE(path.stat().st_mode)
            with suppress(PermissionError):  # a file system that knows no such thing
                path.chmod(mode | (mode & 0o444) >> 2)  # whoever may read it, as Git has it
                changed = True
    return changed


def _documents_beside(workspace: Workspace, bundle: Bundle) -> frozenset[str]:
    """The documents in the folder of the model that a bundle does not bring itself."""
    folder = posixpath.normpath(workspace.settings(bundle.model).model)
    brought = {f"{folder}/{file.path}" for file in bundle.files}
    return documents_of(workspace, bundle.model) - brought


def _landing(root: Path, target: Path, bundle: Bundle) -> Path:
    """Where the files go: of a link to a folder, to that folder. A link to a file is replaced, as
    by a run, which sets it aside; what it leads to stays.
    """
    if not target.is_symlink():
        return target
    require_inside(root, target)
    if target.is_dir() or not (target.exists() or _is_one_file(bundle, target)):
        return Path(os.path.realpath(target))
    return target


def _everything(root: Path, declared: str) -> list[str]:
    """All that lies at the model's place, links and what is hidden included, but for what keeps
    the folder in Git and what Python compiles.
    """
    place = root / declared
    if not place.is_dir():
        return [declared] if place.exists() and not place.is_symlink() else []
    names: list[str] = []
    for parent, folders, files in os.walk(place):
        folders[:] = [folder for folder in folders if folder != "__pycache__"]
        links = [folder for folder in folders if Path(parent, folder).is_symlink()]
        for name in (*files, *links):
            if name not in PLACEHOLDERS:
                names.append(relative_name(root, Path(parent, name)))
    return names


def _would_be_lost(workspace: Workspace, declared: str, known: Mapping[str, Digest]) -> list[str]:
    """The files at the model's place whose bytes nobody else has."""
    names = _everything(workspace.root, posixpath.normpath(declared))
    strange = [
        name
        for name in names
        if (path := workspace.root / name).is_symlink()
        or not path.is_file()
        or known.get(name) != workspace.hashes.digest(path)
    ]
    if not strange:
        return []
    repository = workspace.repository
    changed = set(repository.changed_files()) if repository.resolve("HEAD") else set()
    # Not where a link leads to: the link itself is what would be lost.
    tracked = {name: _as_git(repository, workspace.root / name) for name in strange}
    return [
        name
        for name, path in tracked.items()
        if path in changed or repository.id_of("HEAD", path) is None
    ]


def _as_git(repository: Repository, path: Path) -> str:
    """A file as Git names it: by its folder's real place, and its own name."""
    folder = repository.relative(path.parent)
    return path.name if folder == "." else f"{folder}/{path.name}"


def _is_one_file(bundle: Bundle, target: Path) -> bool:
    return [file.path for file in bundle.files] == [target.name] and not target.is_dir()


def _keep_placeholders(target: Path, draft: Path, kept: Sequence[Path]) -> None:
    """What keeps a folder in Git, and what is `kept`, stays in it, whichever model it holds."""
    if not target.is_dir() or target.is_symlink() or not draft.is_dir():
        return
    for path in target.rglob("*"):
        if (path.name in PLACEHOLDERS or path in kept) and path.is_file() and not path.is_symlink():
            place = draft / path.relative_to(target)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place)


def _swap(draft: Path, target: Path) -> None:
    """Put `draft` in the place of `target`; what stood there is left beside it."""
    if os.path.lexists(target):
        _let_move(target)
        target.rename(draft.with_name(_OLD))
    draft.rename(target)


def _let_move(folder: Path) -> None:
    """Whoever may not write to a folder may not move it below another one."""
    if folder.is_dir() and not folder.is_symlink():
        with suppress(OSError):
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IRWXU)


def _bring_back(target: Path, left: Path) -> None:
    """Put what stood at `target` back there, if a swap was cut off and nothing stands there."""
    if os.path.lexists(left / _OLD) and not os.path.lexists(target):
        (left / _OLD).rename(target)
