"""`bundle`: model files and evidence under one digest, in the store."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from assent.config.lock import FILE as LOCK
from assent.config.lock import Locked
from assent.core.bundle import (
    MAX_FILES,
    Bundle,
    ModelFile,
    config_blob,
    manifest_blob,
    manifest_size,
    model_digest,
    read_manifest,
    too_large,
)
from assent.core.digest import Digest, canonical_json, digest_of, short
from assent.core.evidence import Evidence, Run
from assent.core.scalar import Scalar
from assent.errors import IntegrityError, UsageError
from assent.files import scratch_folder
from assent.making.inputs import Inputs, why_changed
from assent.measure.model_files import is_executable, model_files
from assent.ports import NotInStoreError, Source, Wanted
from assent.verbs.attachments import MAX_BYTES, attached
from assent.verbs.bundles import decode_evidence, open_bundle, read_bundle, remember
from assent.verbs.locks import current_lock
from assent.verbs.running import recovered
from assent.verbs.work import Evaluated, kept
from assent.verbs.workspace import Workspace
from assent.verbs.worktree import documents_of, inputs_of

REGISTRY_MANIFEST_BYTES = 4 << 20
"""The largest manifest that container registries must take (OCI distribution specification 1.1)."""


class BundleResult(msgspec.Struct, frozen=True, kw_only=True):
    """The bundle, and how many bytes were new to the store. `model_digest` is None if the bundle
    was only named, because `assent.lock` does and another job has it. `metrics` are those that
    were bundled now.
    """

    model: str
    bundle: Digest
    model_digest: Digest | None
    inputs_digest: Digest
    files: int
    size_bytes: int
    new_bytes: int
    metrics: Mapping[str, Scalar] = {}


def bundle(
    workspace: Workspace,
    model: str,
    *,
    output: Path | None = None,
    is_found_again: bool = True,
    progress: Callable[[int], None] | None = None,
    inputs: Inputs | None = None,
) -> BundleResult:
    """Store what was evaluated as one bundle; with `output`, write it to that folder instead, for
    `take` in another job. Where `assent.lock` names the bundle and nothing was evaluated, only its
    name is written there. Without `is_found_again`, no later run takes it for the bundle of its
    inputs.

    The same evidence and the same files give the same digest, and write nothing twice. Raises
    `UsageError` if nothing was evaluated, or if files have changed since.
    """
    doing = f"bundling {model}"
    recovered(workspace, model)
    evaluated = kept(workspace.work, model, "evaluate", Evaluated)
    if inputs is None:
        known = None if evaluated is None else evaluated.evidence.inputs
        inputs = inputs_of(workspace, model, known=known)
    locked = None if evaluated is not None else current_lock(workspace, model, inputs)
    if locked is not None:
        return _named(workspace, model, locked, output)
    if evaluated is None:
        raise UsageError(doing, "nothing was evaluated yet", hint="run `assent evaluate` first")
    evidence = evaluated.evidence
    settings = workspace.settings(model)
    if inputs.evaluate != evidence.inputs_digest:
        reason = why_changed(evidence.inputs, inputs.files)
        raise UsageError(doing, f"{reason} since it was evaluated", hint="run `assent train` again")
    found = model_files(workspace.root, settings.model, documents_of(workspace, model))
    store = workspace.store if output is None else workspace.folder_store(output)
    evidence_bytes = canonical_json(evidence)
    _require_room(workspace, model, found, evidence, evidence_bytes)
    stored = store.add([Source(path=path) for _, path in found], progress)
    files = [
        ModelFile(
            path=name,
            digest=blob.digest,
            size_bytes=blob.size_bytes,
            is_executable=is_executable(path),
        )
        for (name, path), blob in zip(found, stored, strict=True)
    ]
    if model_digest(files) != evaluated.model_digest:
        raise UsageError(
            doing,
            "the model has changed since it was evaluated, so the evidence is not about it",
            hint="run `assent evaluate` again",
        )
    config = config_blob(model, files)
    manifest = manifest_blob(model, files, config, evidence_bytes, evidence.attachments)
    # The manifest comes last: a bundle is there only when everything that it names is.
    rest = store.add(
        [
            *attached(workspace, model, evidence),
            Source(content=config),
            Source(content=evidence_bytes),
        ]
    )
    [stored_manifest] = store.add([Source(content=manifest)])
    digest = stored_manifest.digest
    if output is not None:
        store.remember(_made(model), digest)
    elif is_found_again and not _is_locked(workspace, model, inputs, digest):
        commit = None if evidence.code.is_dirty else evidence.code.commit
        remember(store, model, evidence, digest, commit)
    everything = [*stored, *rest, stored_manifest]
    return BundleResult(
        model=model,
        bundle=digest,
        model_digest=evaluated.model_digest,
        inputs_digest=evidence.inputs_digest,
        files=len(files),
        size_bytes=sum(file.size_bytes for file in files),
        new_bytes=sum(blob.size_bytes for blob in everything if blob.is_new),
        metrics=evidence.metrics,
    )


def take(
    workspace: Workspace,
    model: str,
    folder: Path,
    *,
    left_by: Run | None = None,
    progress: Callable[[int], None] | None = None,
) -> BundleResult:
    """Store the bundle that `bundle` has written to `folder` in another job: one of the run
    `left_by`, where the forge has said so.

    The folder is data of code that nobody has reviewed: every byte is verified, what it says of
    itself becomes no hint for later runs, and nothing of it is run. Raises `UsageError` if it
    holds no bundle of this model, and `IntegrityError` for one that does not verify.
    """
    doing = f"taking the bundle of {model} from {folder}"
    _require_plain(folder, doing)
    source = workspace.folder_store(folder)
    digest = source.recall(_made(model))
    if digest is None:
        hint = "write it with `assent bundle --output`"
        raise UsageError(doing, "it holds no bundle of this model", hint=hint)
    try:
        manifest = source.read(digest)
    except NotInStoreError:
        # A locked bundle is handed over by its name. Whether the change may name it, whoever
        # judges it asks, as of bytes that the change has brought.
        return _stored(workspace, read_bundle(workspace, model, digest))
    taken = read_manifest(manifest)
    evidence_bytes = source.read(taken.evidence.digest)
    known = decode_evidence(taken, evidence_bytes)
    if taken.model != model:
        raise IntegrityError(doing, f"bundle {short(digest)} is of {taken.model!r}")
    _require_of_run(known.run, left_by or _woken_by(workspace), doing)
    if len(taken.files) + len(taken.attachments) > MAX_FILES:
        raise IntegrityError(doing, f"it has more than {MAX_FILES:,} files")
    if any(one.size > MAX_BYTES for one in taken.attachments):
        raise IntegrityError(doing, f"an attachment has more than {MAX_BYTES:,} bytes")
    with scratch_folder(workspace.work, ".taken-") as scratch:
        # Verified while they are copied: only what has the digest that it is said to have gets
        # near the store. Each blob once: a thousand names of one large file are one file.
        sizes = {one.digest: one.size_bytes for one in taken.files}
        sizes |= {one.digest: one.size for one in taken.attachments}
        wanted = [
            Wanted(digest=one, size_bytes=size, path=scratch / str(number))
            for number, (one, size) in enumerate(sizes.items())
        ]
        source.fetch(wanted)
        stored = workspace.store.add([Source(path=one.path) for one in wanted], progress)
    config = Source(content=source.read(Digest(taken.config.digest)))
    rest = workspace.store.add([config, Source(content=evidence_bytes)])
    [stored_manifest] = workspace.store.add([Source(content=manifest)])
    return BundleResult(
        model=model,
        bundle=digest,
        model_digest=taken.model_digest,
        inputs_digest=known.inputs_digest,
        files=len(taken.files),
        size_bytes=sum(file.size_bytes for file in taken.files),
        new_bytes=sum(blob.size_bytes for blob in (*stored, *rest, stored_manifest) if blob.is_new),
    )


def _require_room(
    workspace: Workspace,
    model: str,
    found: Sequence[tuple[str, Path]],
    evidence: Evidence,
    evidence_bytes: bytes,
) -> None:
    """Raise `UsageError` for a bundle that nobody could read again, before any of it is stored:
    one of more files, or of a larger manifest, than the store takes.
    """
    doing = f"bundling {model}"
    limit = workspace.store.largest_manifest_bytes
    count = len(found) + len(evidence.attachments)
    files = [
        ModelFile(
            path=name,
            digest=_ANY,
            size_bytes=path.stat().st_size,
            is_executable=is_executable(path),
        )
        for name, path in found
    ]
    size = manifest_size(model, files, evidence_bytes, evidence.attachments)
    problem = too_large(count, size, len(evidence_bytes), limit)
    if problem is not None:
        raise UsageError(doing, problem, hint=_FEWER)
    if size > REGISTRY_MANIFEST_BYTES:
        told = (
            f"{doing}: the manifest of {count:,} files has {size:,} bytes: this store takes it, and"
        )
        workspace.say(f"{told} a container registry may take only {REGISTRY_MANIFEST_BYTES:,}")


_ANY = digest_of(b"")
_FEWER = (
    "have training write fewer and larger files, or pack them into one; evidence grows with "
    "metrics, slices and parameters"
)


def _is_locked(workspace: Workspace, model: str, inputs: Inputs, digest: Digest) -> bool:
    """Whether the lock names this very bundle. Then the lock is how it is found, where that is
    merged; elsewhere another one may be the bundle of these inputs.
    """
    locked = current_lock(workspace, model, inputs)
    return locked is not None and locked.bundle == digest


def _named(workspace: Workspace, model: str, locked: Locked, output: Path | None) -> BundleResult:
    """The bundle that the lock names, as the store has it or, for another job, by its name."""
    if output is None:
        return _stored(workspace, read_bundle(workspace, model, locked.bundle))
    workspace.folder_store(output).remember(_made(model), locked.bundle)
    workspace.say(
        f"bundling {model}: {LOCK} names bundle {short(locked.bundle)} for these inputs, so only "
        f"its name is in {output}; `assent bundle --from` takes it from the store"
    )
    return BundleResult(
        model=model,
        bundle=locked.bundle,
        model_digest=None,
        inputs_digest=locked.inputs,
        files=0,
        size_bytes=0,
        new_bytes=0,
    )


def _stored(workspace: Workspace, found: Bundle) -> BundleResult:
    """A bundle that the store holds already."""
    return BundleResult(
        model=found.model,
        bundle=found.digest,
        model_digest=found.model_digest,
        inputs_digest=open_bundle(workspace, found).evidence.inputs_digest,
        files=len(found.files),
        size_bytes=sum(file.size_bytes for file in found.files),
        new_bytes=0,
    )


def _woken_by(workspace: Workspace) -> Run | None:
    """The run whose end has started this job, in GitHub Actions; None for any other job."""
    context = workspace.context
    if context.system != "github" or context.event != "workflow_run":
        return None
    number, attempt = (context.number("workflow_run", name) for name in ("id", "run_attempt"))
    return Run(system="github", id=str(number), attempt=attempt or 0)


def _require_of_run(run: Run | None, left_by: Run | None, doing: str) -> None:
    """Raise `IntegrityError` for a bundle that does not name the run which has handed it over. The
    code of the change writes the evidence, but whoever started the run must not approve what it
    made: it may name no other.
    """
    if left_by is None:
        return
    made = _as_a_whole(left_by)
    said = None if run is None or run.system != left_by.system else _as_a_whole(run)
    if said != made:
        named = "no run" if said is None else f"attempt {said[1]} of run {said[0]}"
        raise IntegrityError(
            doing,
            f"its evidence names {named}, it comes from attempt {made[1]} of run {made[0]}",
            hint="let CI train and evaluate the newest revision, all jobs of the run together",
        )


def _as_a_whole(run: Run) -> tuple[str, int]:
    """The id and attempt of a run, whichever of its jobs it names: after the slash, on GitLab."""
    return run.id.partition("/")[0], run.attempt


def _require_plain(folder: Path, doing: str) -> None:
    """Raise `IntegrityError` unless there is nothing but files and folders: a link leads to other
    files of this machine, and a pipe has no end.
    """
    count = 0
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            count += 1
            mode = os.lstat(os.path.join(parent, name)).st_mode  # noqa: PTH118  # many
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                raise IntegrityError(doing, f"{name!r} in it is neither a file nor a folder")
        if count > 2 * MAX_FILES:
            raise IntegrityError(doing, f"it holds more than {2 * MAX_FILES:,} files")


def _made(model: str) -> str:
    return f"{model}/made/bundle"
