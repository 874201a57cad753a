"""`bundle`: model files and evidence under one digest, in the store."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from assent.core.bundle import ModelFile, config_blob, manifest_blob, model_digest
from assent.core.digest import Digest, canonical_json, hex_of
from assent.errors import UsageError
from assent.measure.models import model_files
from assent.ports import Source
from assent.verbs.inputs import read_inputs
from assent.verbs.work import Evaluated, kept
from assent.verbs.workspace import Workspace


class BundleResult(msgspec.Struct, frozen=True, kw_only=True):
    """The bundle, and how many bytes were new to the store."""

    model: str
    bundle: Digest
    model_digest: Digest
    inputs_digest: Digest
    files: int
    size_bytes: int
    new_bytes: int


def bundle(
    workspace: Workspace, model: str, *, progress: Callable[[int], None] | None = None
) -> BundleResult:
    """Store what was evaluated as one bundle.

    The same evidence and the same files give the same digest, and write nothing twice. Raises
    `UsageError` if nothing was evaluated, or if files have changed since.
    """
    doing = f"bundling {model}"
    evaluated = kept(workspace.work, model, "evaluate", Evaluated)
    if evaluated is None:
        raise UsageError(doing, "nothing was evaluated yet", hint="run `assent evaluate` first")
    evidence = evaluated.evidence
    settings = workspace.settings(model)
    if read_inputs(workspace.root, settings).evaluate != evidence.inputs_digest:
        raise UsageError(
            doing, "its inputs have changed since it was evaluated", hint="run `assent train` again"
        )
    found = model_files(workspace.root, settings.model)
    stored = workspace.store.add([Source(path=path) for _, path in found], progress)
    files = [
        ModelFile(path=name, digest=blob.digest, size_bytes=blob.size_bytes)
        for (name, _), blob in zip(found, stored, strict=True)
    ]
    if model_digest(files) != evaluated.model_digest:
        raise UsageError(
            doing,
            "the model has changed since it was evaluated, so the evidence is not about it",
            hint="run `assent evaluate` again",
        )
    evidence_bytes = canonical_json(evidence)
    config = config_blob(model, files)
    manifest = manifest_blob(model, files, config, evidence_bytes)
    # The manifest comes last: a bundle is there only when everything that it names is.
    rest = workspace.store.add([Source(content=config), Source(content=evidence_bytes)])
    [stored_manifest] = workspace.store.add([Source(content=manifest)])
    digest = stored_manifest.digest
    workspace.store.remember(f"{model}/inputs/{hex_of(evidence.inputs_digest)}", digest)
    if evidence.train is not None:
        trained = hex_of(evidence.train.inputs_digest)
        workspace.store.remember(f"{model}/trained/{trained}", digest)
    if evidence.code.commit is not None and not evidence.code.is_dirty:
        workspace.store.remember(f"{model}/commits/{evidence.code.commit}", digest)
    everything = [*stored, *rest, stored_manifest]
    return BundleResult(
        model=model,
        bundle=digest,
        model_digest=evaluated.model_digest,
        inputs_digest=evidence.inputs_digest,
        files=len(files),
        size_bytes=sum(file.size_bytes for file in files),
        new_bytes=sum(blob.size_bytes for blob in everything if blob.is_new),
    )
