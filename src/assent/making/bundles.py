"""Bundles in the store: read, compared, and written back to a folder."""

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

from assent.compare.bundles import LoadedBundle
from assent.core.bundle import Bundle, ModelFile, model_digest, read_manifest
from assent.core.change import Change
from assent.core.digest import Digest, hex_of, is_digest, short
from assent.core.evidence import FORMAT, Evidence
from assent.core.formats import require_format
from assent.errors import AssentError, IdleError, IntegrityError, OutsideError, UsageError
from assent.files import remove_left, scratch_folder
from assent.git import Repository, is_commit
from assent.making.locks import current_lock, locked_of
from assent.making.scratch import keep
from assent.making.worktree import documents_of, inputs_of, some_of, written
from assent.measure.files import PLACEHOLDERS, relative_name, require_inside
from assent.measure.hashes import Hashes
from assent.measure.model_files import is_executable, model_files
from assent.ports import BUNDLE_AGAIN, BlobState, NotInStoreError, Store, View, Wanted
from assent.recording.versions import version_number
from assent.workspace import Workspace

_NEW, _OLD = "new", "old"


def load(workspace: Workspace, model: str, digest: Digest) -> Bundle | None:
    """The bundle of this digest if the store holds it sound and it is one of `model`; else None.

    For hints only: what they name may be gone, and then the work is done again.
    """
    try:
        bundle = read_manifest(workspace.store.read(digest))
        workspace.store.read(bundle.evidence.digest)
    except (NotInStoreError, IntegrityError):
        return None
    held = [file.digest for file in bundle.files] + [one.digest for one in bundle.attachments]
    missing = workspace.store.check(held)
    sound = all(state is BlobState.SOUND for state in missing.values())
    return bundle if bundle.model == model and sound else None


def remember(
    store: Store, model: str, evidence: Evidence, digest: Digest, commit: str | None
) -> None:
    """Leave the hints by which this bundle is found again: by inputs, and by its commit."""
    store.remember(f"{model}/inputs/{hex_of(evidence.inputs_digest)}", digest)
    if evidence.train is not None:
        store.remember(f"{model}/trained/{hex_of(evidence.train.inputs_digest)}", digest)
    if commit is not None:
        store.remember(f"{model}/commits/{commit}", digest)


def read_bundle(workspace: Workspace, model: str, digest: Digest) -> Bundle:
    """The bundle of this digest. Raises `NotInStoreError` if the store does not hold it, and
    `IntegrityError` if it is damaged or belongs to another model.
    """
    try:
        bundle = read_manifest(workspace.store.read(digest))
    except NotInStoreError as error:
        hint = f"is `store` in assent.yaml the right one? {BUNDLE_AGAIN}"
        raise NotInStoreError(error.doing, error.problem, hint=hint) from None
    if bundle.model != model:
        raise IntegrityError(
            f"reading bundle {short(digest)}", f"it is of {bundle.model!r}, not of {model!r}"
        )
    return bundle


def open_bundle(workspace: Workspace, bundle: Bundle, version: int | None = None) -> LoadedBundle:
    """The bundle with its evidence."""
    evidence = decode_evidence(bundle, workspace.store.read(bundle.evidence.digest))
    return LoadedBundle(bundle=bundle, evidence=evidence, version=version)


def decode_evidence(bundle: Bundle, content: bytes) -> Evidence:
    """The evidence of a bundle from its bytes. Raises `IntegrityError` if it is not its own."""
    doing = f"reading the evidence of bundle {short(bundle.digest)}"
    try:
        evidence = msgspec.json.decode(content, type=Evidence)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        require_format(content, FORMAT, doing)
        raise IntegrityError(doing, f"it is damaged ({error})") from None
    if evidence.format != FORMAT:
        require_format(content, FORMAT, doing)
    stated = sorted((one.digest, one.size_bytes) for one in evidence.attachments)
    if stated != sorted((one.digest, one.size) for one in bundle.attachments):
        raise IntegrityError(doing, "it names other attachments than the bundle holds")
    if evidence.model != bundle.model:
        raise IntegrityError(doing, f"it is about {evidence.model!r}, not {bundle.model!r}")
    return evidence


def require_sound(workspace: Workspace, bundle: Bundle, doing: str) -> None:
    """Read every blob of the bundle whole, once in a run. Raises `IntegrityError` naming what is
    wrong.
    """
    states = workspace.store.check([one for one in bundle.blobs if one not in workspace.sound])
    workspace.sound.update(one for one, state in states.items() if state is BlobState.SOUND)
    paths = {file.digest: file.path for file in bundle.files}
    for digest, state in states.items():
        if state is not BlobState.SOUND:
            raise IntegrityError(
                doing,
                f"{paths.get(digest, digest)} of bundle {short(bundle.digest)} is {state.value} "
                "in the store",
                hint=BUNDLE_AGAIN,
            )


def require_durable(workspace: Workspace, bundle: Bundle, doing: str) -> None:
    """`require_sound`, and have every blob of the bundle where a loss of power does not take it:
    what was read may have come from memory. Before a decision names the bundle.
    """
    require_sound(workspace, bundle, doing)
    workspace.store.flush(bundle.blobs)


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
    lost = [one for one in _would_be_lost(workspace, declared, known.outputs) if one not in kept]
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
    write_model(workspace.store, bundle, place, [workspace.root / one for one in kept])


def _documents_beside(workspace: Workspace, bundle: Bundle) -> frozenset[str]:
    """The documents in the folder of the model that a bundle does not bring itself."""
    folder = posixpath.normpath(workspace.settings(bundle.model).model)
    brought = {f"{folder}/{file.path}" for file in bundle.files}
    return documents_of(workspace, bundle.model) - brought


def is_here(workspace: Workspace, bundle: Bundle) -> bool:
    """Whether the model of a bundle stands in the working tree."""
    place = workspace.root / workspace.settings(bundle.model).model
    return stands_at(place, bundle, workspace.hashes, _documents_beside(workspace, bundle))


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


def placed(workspace: Workspace, bundle: Bundle) -> dict[str, Digest]:
    """The files of a bundle by their names where `assent.yaml` has the model."""
    folder = posixpath.normpath(workspace.settings(bundle.model).model)
    if _is_one_file(bundle, workspace.root / folder):
        return {folder: bundle.files[0].digest}
    return {f"{folder}/{file.path}": file.digest for file in bundle.files}


def _everything(root: Path, declared: str) -> list[str]:
    """All that lies at the model's place, links and what is hidden included, but for what keeps
    the folder in Git and what Python compiles.
    """
    place = root / declared
    if not place.is_dir():
        return [declared] if place.exists() and not place.is_symlink() else []
    found: list[str] = []
    for parent, folders, files in os.walk(place):
        folders[:] = [one for one in folders if one != "__pycache__"]
        links = [one for one in folders if Path(parent, one).is_symlink()]
        for name in (*files, *links):
            if name not in PLACEHOLDERS:
                found.append(relative_name(root, Path(parent, name)))
    return found


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


def made_by(evidence: Evidence) -> str:
    """From which revision a bundle was made, and by whom: `made from 0123456789ab by github run
    7`.
    """
    code, run = evidence.code, evidence.run
    source = "no commit" if code.commit is None else code.commit[:12]
    changed = " with uncommitted changes" if code.is_dirty else ""
    person = "" if evidence.trained_by is None else f" by {evidence.trained_by.login}"
    return f"made from {source}{changed}" + (
        person if run is None else f" by {run.system} run {run.id}"
    )


def write_model(store: Store, bundle: Bundle, target: Path, kept: Sequence[Path] = ()) -> bool:
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


def find(workspace: Workspace, view: View, model: str, name: str | None) -> LoadedBundle:
    """The bundle that a person means: `v12`, a stage, a complete digest, a Git revision, or None
    for what the forge has shown last on the change, else for what the working tree's inputs give.
    Where `assent.lock` names the bundle of those inputs, it is that one.

    Raises `UsageError` if there is none.
    """
    doing = f"looking for {name or 'the bundle of the working tree'} of {model}"
    if name is None:
        digest = _named_by_forge(workspace, view, model)
        if digest is None:
            digest = of_inputs(workspace, model)
        if digest is None:
            kind = UsageError if workspace.context.system is None else IdleError
            hint = "run `assent review`, which makes what is missing"
            raise kind(doing, "there is none yet", hint=hint)
        return _known(workspace, view, model, digest)
    version = version_number(name)
    if version is not None:
        found = view.bundle_of(version)
        if found is None:
            newest = f"the newest is v{view.state.versions}" if view.state.versions else "none yet"
            raise UsageError(doing, f"there is no such version ({newest})")
        return _known(workspace, view, model, found)
    if name in view.state.stages:
        return _known(workspace, view, model, view.state.stages[name].bundle)
    if is_digest(name):
        return _known(workspace, view, model, Digest(name))
    if name in workspace.config.policies[model].stages:
        raise UsageError(doing, "the stage holds nothing", hint="`assent status` shows what does")
    if workspace.context.system is not None and is_commit(name):
        # A trusted job has another commit checked out than the one it judges.
        change = workspace.forge.change()
        if change is not None and name == change.head:
            shown = workspace.forge.shown(model)
            locked = locked_of(workspace, view, model, change) if shown is None else None
            shown = shown if locked is None else locked.bundle
            if shown is None:
                raise nothing_shown(model, change)
            return _known(workspace, view, model, shown)
    commit = workspace.repository.resolve(name)
    digest = None if commit is None else workspace.store.recall(f"{model}/commits/{commit}")
    if digest is None:
        raise UsageError(
            doing,
            "it is no version, stage, complete digest or revision with a bundle",
            hint="complete digests are in the output of `assent bundle` and of --json"
            if name.startswith("sha256:")
            else "`assent status` lists versions and stages",
        )
    return _known(workspace, view, model, digest)


def _named_by_forge(workspace: Workspace, view: View, model: str) -> Digest | None:
    """The bundle of the change: the one that its lock names, else what was shown on it. In CI
    nothing of the working tree is read for it: the job that judges has no data.
    """
    if workspace.context.system is None:
        return workspace.forge.shown(model)
    change = workspace.forge.change()
    locked = None if change is None else locked_of(workspace, view, model, change)
    return workspace.forge.shown(model) if locked is None else locked.bundle


def of_inputs(workspace: Workspace, model: str) -> Digest | None:
    """The bundle that the inputs of the working tree give, by its lock or as the store knows it.
    None in a forge's CI if they are not all here.
    """
    try:
        inputs = inputs_of(workspace, model)
    except UsageError:
        if workspace.is_in_forge_ci:
            return None
        raise
    locked = current_lock(workspace, model, inputs)
    if locked is not None:
        return locked.bundle
    return workspace.store.recall(f"{model}/inputs/{hex_of(inputs.evaluate)}")


def nothing_shown(model: str, change: Change) -> IdleError:
    """Why there is nothing to judge: nobody has been shown a bundle of this revision."""
    return IdleError(
        f"looking for the bundle of {model}",
        f"none of {change.id} at {change.head[:12]} was shown yet",
        hint="it is reviewed when the job that trains it has ended; another bundle can be named "
        "with --bundle",
    )


def baseline(
    workspace: Workspace, view: View, model: str, stages: list[str]
) -> LoadedBundle | None:
    """What a candidate is compared with: what is in production (`production`, or the last of
    `stages`), else the newest version, else the newest bundle of the base branch, else None.

    Raises `IntegrityError` if it is known but cannot be read: comparing with nothing instead
    would let anything pass.
    """
    last = "production" if "production" in stages else (stages[-1] if stages else None)
    held = None if last is None else view.state.stages.get(last)
    if held is not None:
        return _known(workspace, view, model, held.bundle)
    if view.state.latest is not None:
        return _known(workspace, view, model, view.state.latest.bundle)
    if workspace.base is not None:
        digest = workspace.store.recall(f"{model}/commits/{workspace.base}")
        if digest is not None:
            try:
                return _known(workspace, view, model, digest)
            except AssentError:
                return None  # only a hint; nothing was decided about that bundle
    return None


def _known(workspace: Workspace, view: View, model: str, digest: Digest) -> LoadedBundle:
    record = view.record(digest)
    version = None if record is None else record.version
    return open_bundle(workspace, read_bundle(workspace, model, digest), version)


def stands_at(
    target: Path, bundle: Bundle, hashes: Hashes | None = None, without: Collection[str] = ()
) -> bool:
    """Whether the files at `target`, `without` some of the root of `hashes`, are those of the
    bundle already.
    """
    try:
        if hashes is None:
            found = model_digest_at(target.parent, target.name)
        else:
            declared = target.relative_to(hashes.root).as_posix()
            found = model_digest_at(hashes.root, declared, hashes, without)
    except (AssentError, OSError):
        return False
    return found == bundle.model_digest


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
