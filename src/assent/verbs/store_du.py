"""`store du`: how many bytes each model keeps in the store, and what nothing needs."""

from __future__ import annotations

import msgspec

from assent.core.digest import Digest
from assent.core.registry import fold
from assent.keeping.contents import Contents, look
from assent.keeping.references import known_models
from assent.workspace import Workspace


class ModelUse(msgspec.Struct, frozen=True, kw_only=True):
    """What one model keeps. `size_bytes` are those of all its bundles, each blob once; `own_bytes`
    are those that no other model needs. `purged` counts versions whose bytes were taken away. One
    that is not `is_known` is of another repository.
    """

    model: str
    versions: int
    candidates: int
    size_bytes: int
    own_bytes: int
    purged: int = 0
    is_known: bool = True


class StoreDuResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a store keeps: all of it, and by model; the sum of the models counts what they share
    more than once. `unneeded` is what no bundle needs, in blobs and bytes; None where the store
    lists no blobs. `damaged` counts manifests that cannot be read.
    """

    store: str
    models: tuple[ModelUse, ...]
    size_bytes: int
    shared_bytes: int
    unneeded: int | None
    unneeded_bytes: int
    damaged: int = 0


def store_du(workspace: Workspace) -> StoreDuResult:
    """Count what the store keeps. Nothing of a file is read but its size."""
    contents = look(workspace.store)
    known = known_models(workspace)
    models = sorted({*known, *(bundle.model for bundle in contents.bundles.values())})
    uses = tuple(_use(workspace, contents, model, is_known=model in known) for model in models)
    needed = {blob for bundle in contents.bundles.values() for blob in bundle.blobs}
    needed |= contents.strange
    lists_blobs = workspace.store.lists_blobs
    rest = set(contents.blobs) - needed if lists_blobs else set()
    total = contents.size_of({*needed, *contents.blobs})
    own = sum(use.own_bytes for use in uses)
    return StoreDuResult(
        store=workspace.store_address,
        models=uses,
        size_bytes=total,
        shared_bytes=contents.size_of(needed) - own,
        unneeded=len(rest) if lists_blobs else None,
        unneeded_bytes=contents.size_of(rest),
        damaged=len(contents.damaged),
    )


def _use(workspace: Workspace, contents: Contents, model: str, *, is_known: bool) -> ModelUse:
    mine = {bundle.digest: bundle for bundle in contents.bundles.values() if bundle.model == model}
    blobs = {blob for bundle in mine.values() for blob in bundle.blobs}
    others = {
        blob
        for bundle in contents.bundles.values()
        if bundle.digest not in mine
        for blob in bundle.blobs
    }
    versions, purged = _versions(workspace, model) if is_known else (frozenset[Digest](), 0)
    versions &= mine.keys()
    return ModelUse(
        model=model,
        versions=len(versions),
        candidates=len(mine) - len(versions),
        size_bytes=contents.size_of(blobs),
        own_bytes=contents.size_of(blobs - others),
        purged=purged,
        is_known=is_known,
    )


def _versions(workspace: Workspace, model: str) -> tuple[frozenset[Digest], int]:
    """The bundles of all versions, and how many of them were purged."""
    registry = fold(model, workspace.ledger.read(model).entries())
    purged = sum(record.purged is not None for record in registry.records.values())
    return frozenset(registry.versions.values()), purged
