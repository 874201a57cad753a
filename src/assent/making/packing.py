"""One bundle: model files and evidence under one digest, put into a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from assent.config.lock import FILE as LOCK
from assent.config.lock import Locked
from assent.core.bundle import (
    Bundle,
    ModelFile,
    config_blob,
    manifest_blob,
    manifest_size,
    model_digest,
    too_large,
)
from assent.core.digest import Digest, canonical_json, digest_of, short
from assent.core.evidence import Evidence
from assent.core.scalar import Scalar
from assent.errors import UsageError
from assent.making.attachments import attached
from assent.making.bundle_size import limit_of_made, require_size
from assent.making.bundles import open_bundle, read_bundle, remember
from assent.making.command_run import recovered
from assent.making.inputs import Inputs, why_changed
from assent.making.locks import current_lock
from assent.making.scratch import Evaluated, kept
from assent.making.storing import Parts, store_whole
from assent.making.worktree import documents_of, inputs_of
from assent.measure.model_files import is_executable, model_files
from assent.ports import Source, Store
from assent.workspace import Workspace

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


def make_bundle(
    workspace: Workspace,
    model: str,
    *,
    output: Path | None = None,
    is_found_again: bool = True,
    progress: Callable[[int], None] | None = None,
    inputs: Inputs | None = None,
    force: bool = False,
) -> BundleResult:
    """Store what was evaluated as one bundle; with `output`, write it to that folder instead, for
    `handover.take` in another job. Where `assent.lock` names the bundle and nothing was evaluated,
    only its name is written there. Without `is_found_again`, no later run takes it for the bundle
    of its inputs.

    The same evidence and the same files give the same digest, and write nothing twice; a store
    elsewhere that has the manifest is taken to have the rest, unless there is `force`. Raises
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
    if inputs.evaluate != evidence.inputs_digest:
        reason = why_changed(evidence.inputs, inputs.files)
        raise UsageError(doing, f"{reason} since it was evaluated", hint="run `assent train` again")
    store = workspace.store if output is None else workspace.folder_store(output)
    result = _packed(workspace, store, model, evaluated, progress, force=force)
    if output is not None:
        store.remember(hint_of(model), result.bundle)
    elif is_found_again and not _is_locked(workspace, model, inputs, result.bundle):
        commit = None if evidence.code.is_dirty else evidence.code.commit
        remember(store, model, evidence, result.bundle, commit)
    return result


def _packed(
    workspace: Workspace,
    store: Store,
    model: str,
    evaluated: Evaluated,
    progress: Callable[[int], None] | None,
    *,
    force: bool,
) -> BundleResult:
    """Store the model's files, the evidence, and last the manifest."""
    evidence, evidence_bytes = evaluated.evidence, canonical_json(evaluated.evidence)
    declared = workspace.settings(model).model
    named_paths = model_files(workspace.root, declared, documents_of(workspace, model))
    files = [_file(name, path) for name, path in named_paths]
    _require_room(workspace, model, files, evidence, evidence_bytes)
    sizes = [(file.path, file.size_bytes) for file in files]
    sizes += [(attachment.path, attachment.size_bytes) for attachment in evidence.attachments]
    is_for_others = store is not workspace.store
    limit = limit_of_made(workspace, model, for_others=is_for_others)
    require_size(limit, sizes, f"bundling {model}")

    def parts(digests: Sequence[Digest]) -> Parts:
        pairs = zip(files, digests, strict=True)
        named = [msgspec.structs.replace(file, digest=digest) for file, digest in pairs]
        if model_digest(named) != evaluated.model_digest:
            raise UsageError(
                f"bundling {model}",
                "the model has changed since it was evaluated, so the evidence is not about it",
                hint="run `assent evaluate` again",
            )
        config = config_blob(model, named)
        return Parts(
            manifest=manifest_blob(model, named, config, evidence_bytes, evidence.attachments),
            beside=lambda: [
                *attached(workspace, model, evidence),
                Source(content=config),
                Source(content=evidence_bytes),
            ],
        )

    sources = [Source(path=path) for _, path in named_paths]
    force = force or bool(workspace.lacking)
    stored = store_whole(store, sources, parts, progress, force=force)
    return BundleResult(
        model=model,
        bundle=stored.digest,
        model_digest=evaluated.model_digest,
        inputs_digest=evidence.inputs_digest,
        files=len(files),
        size_bytes=sum(file.size_bytes for file in files),
        new_bytes=stored.new_bytes,
        metrics=evidence.metrics,
    )


def _file(name: str, path: Path) -> ModelFile:
    """A file of the model, but for its digest."""
    return ModelFile(
        path=name,
        digest=_ANY,
        size_bytes=path.stat().st_size,
        is_executable=is_executable(path),
    )


def _require_room(
    workspace: Workspace,
    model: str,
    files: Sequence[ModelFile],
    evidence: Evidence,
    evidence_bytes: bytes,
) -> None:
    """Raise `UsageError` for a bundle that nobody could read again, before any of it is stored:
    one of more files, or of a larger manifest, than the store takes.
    """
    doing = f"bundling {model}"
    limit = workspace.store.largest_manifest_bytes
    count = len(files) + len(evidence.attachments)
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
        return stored_already(workspace, read_bundle(workspace, model, locked.bundle))
    workspace.folder_store(output).remember(hint_of(model), locked.bundle)
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


def stored_already(workspace: Workspace, bundle: Bundle) -> BundleResult:
    """A bundle that the store holds already."""
    return BundleResult(
        model=bundle.model,
        bundle=bundle.digest,
        model_digest=bundle.model_digest,
        inputs_digest=open_bundle(workspace, bundle).evidence.inputs_digest,
        files=len(bundle.files),
        size_bytes=sum(file.size_bytes for file in bundle.files),
        new_bytes=0,
    )


def hint_of(model: str) -> str:
    """Under which name a folder for another job remembers the bundle that it holds."""
    return f"{model}/made/bundle"
