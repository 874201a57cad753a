"""A bundle on its way into a store: what it is made of, in which order, and not twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assent.core.digest import Digest, digest_of
from assent.ports import Progress, Source, Store


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a bundle is made of beside its model files: `manifest` names all of it, `beside` gives
    the rest when it is needed.
    """

    manifest: bytes
    beside: Callable[[], Sequence[Source]]


@dataclass(frozen=True, kw_only=True)
class StoredBundle:
    """A bundle by its digest, and how many of its bytes were new to the store."""

    digest: Digest
    new_bytes: int


def store_whole(
    store: Store,
    files: Sequence[Source],
    parts: Callable[[Sequence[Digest]], Parts],
    progress: Progress | None = None,
    *,
    force: bool = False,
) -> StoredBundle:
    """Store the files of a bundle, what lies beside them by `parts` of their digests, and last the
    manifest: a bundle is there only when everything that it names is. So nothing is sent to a store
    elsewhere that has the manifest, nor is it asked for each blob, unless there is `force`.
    """
    is_there = False

    def is_kept(digests: Sequence[Digest]) -> bool:
        nonlocal is_there
        manifest = parts(digests).manifest  # it may raise, before anything was sent
        is_there = not force and store.keeps(manifest)
        return is_there

    stored = store.add(files, progress, is_kept)
    rest = parts([blob.digest for blob in stored])
    if is_there:
        return StoredBundle(digest=digest_of(rest.manifest), new_bytes=0)
    stored += store.add(rest.beside())
    stored += store.add([Source(content=rest.manifest, is_manifest=True)])
    new_bytes = sum(blob.size_bytes for blob in stored if blob.is_new)
    return StoredBundle(digest=stored[-1].digest, new_bytes=new_bytes)
