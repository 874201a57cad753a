"""A store elsewhere, the blobs of it that this machine has already, and whether others fit on it.

Only bytes that are read are answered from the cache, after their digest was compared. Whether the
store holds something and what that is worth, and all pointers, the store itself is asked.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from assent.core.digest import Digest
from assent.disk import NO_ROOM, require_room
from assent.errors import IntegrityError, OutsideError
from assent.ports import BlobState, Held, Pointer, Progress, Source, Store, Stored, Wanted
from assent.stores.cache import BlobCache, Cached
from assent.stores.local_files import corrupt, digest_of_file, is_file_of, outside, pour, scratch
from assent.stores.parallel import Transfers

_MAX_READ_BYTES = 64 << 20


class CachingStore:
    """The store `remote` through `cache`. What is sent is kept there as well, files that is: what
    is small is read back from where it was sent to. Without a cache, nothing is kept.
    """

    def __init__(self, remote: Store, cache: BlobCache | None) -> None:
        self._remote = remote
        self._cache = cache

    @property
    def largest_manifest_bytes(self) -> int:
        """See `Store.largest_manifest_bytes`."""
        return self._remote.largest_manifest_bytes

    @property
    def is_elsewhere(self) -> bool:
        """See `Store.is_elsewhere`."""
        return self._remote.is_elsewhere

    @property
    def abilities(self) -> Mapping[str, str]:
        """See `Store.abilities`."""
        return self._remote.abilities

    # --- blobs ------------------------------------------------------------------------------------

    def add(
        self,
        sources: Sequence[Source],
        progress: Progress | None = None,
        unless: Callable[[Sequence[Digest]], bool] | None = None,
    ) -> list[Stored]:
        """See `Store.add`. What is there already is kept here as well."""
        stored = self._remote.add(sources, progress, unless)
        if self._cache is not None:
            self._cache.keep(
                [
                    Cached(source.path, blob.digest, blob.size_bytes, source.is_scratch)
                    for source, blob in zip(sources, stored, strict=True)
                    if source.path is not None
                ]
            )
        return stored

    def keeps(self, manifest: bytes) -> bool:
        """See `Store.keeps`."""
        return self._remote.keeps(manifest)

    def read(self, digest: Digest) -> bytes:
        """See `Store.read`."""
        if self._cache is None:
            return self._remote.read(digest)
        content = self._cache.read(digest, _MAX_READ_BYTES)
        if content is None:
            content = self._remote.read(digest)
            self._cache.keep_content(content)
        return content

    def fetch(self, wanted: Sequence[Wanted], progress: Progress | None = None) -> None:
        """See `Store.fetch`."""
        with outside("making the folders to write to"):
            for folder in {blob.path.parent for blob in wanted}:
                folder.mkdir(parents=True, exist_ok=True)
        away = self._not_here(wanted, progress)
        if not away:
            return
        self._require_room(away)
        self._remote.fetch(away, progress)
        if self._cache is not None:
            self._cache.keep(
                [Cached(blob.path, blob.digest, blob.size_bytes, blob.is_scratch) for blob in away]
            )

    def locate(self, digest: Digest) -> Path | None:
        """See `Store.locate`. What lies in the cache was verified a moment ago."""
        return None if self._cache is None else self._cache.find(digest)

    def check(self, digests: Sequence[Digest]) -> dict[Digest, BlobState]:
        """See `Store.check`: of what the store holds."""
        return self._remote.check(digests)

    def confirm(self, digests: Sequence[Digest]) -> dict[Digest, BlobState]:
        """See `Store.confirm`: of what the store holds."""
        return self._remote.confirm(digests)

    def flush(self, digests: Sequence[Digest]) -> None:
        """See `Store.flush`."""
        self._remote.flush(digests)

    def discard(self, digest: Digest) -> None:
        """See `Store.discard`."""
        self._remote.discard(digest)

    # --- pointers and hints -----------------------------------------------------------------------

    def point(self, name: str, pointer: Pointer) -> bool:
        """See `Store.point`."""
        return self._remote.point(name, pointer)

    def restore(self, name: str, pointer: Pointer, *, instead_of: Pointer | None) -> bool:
        """See `Store.restore`."""
        return self._remote.restore(name, pointer, instead_of=instead_of)

    @property
    def lacking(self) -> str:
        """See `Pointers.lacking`."""
        return self._remote.lacking

    def pointer(self, name: str) -> Pointer | None:
        """See `Store.pointer`."""
        return self._remote.pointer(name)

    def pointers(self, model: str) -> dict[str, Pointer | None]:
        """See `Store.pointers`."""
        return self._remote.pointers(model)

    def astray(self, model: str, bundles: Collection[Digest] = ()) -> tuple[str, ...]:
        """See `Store.astray`."""
        return self._remote.astray(model, bundles)

    def relist(self, model: str, bundles: Collection[Digest] = ()) -> None:
        """See `Store.relist`."""
        self._remote.relist(model, bundles)

    def remember(self, name: str, bundle: Digest) -> None:
        """See `Store.remember`."""
        self._remote.remember(name, bundle)

    def recall(self, name: str) -> Digest | None:
        """See `Store.recall`."""
        return self._remote.recall(name)

    def remembered(self, model: str) -> frozenset[Digest]:
        """See `Store.remembered`."""
        return self._remote.remembered(model)

    # --- upkeep: of the store alone ---------------------------------------------------------------

    @property
    def lists_blobs(self) -> bool:
        """See `Upkeep.lists_blobs`."""
        return self._remote.lists_blobs

    def held(self) -> Iterator[Held]:
        """See `Upkeep.held`."""
        return self._remote.held()

    def renew(self, digests: Sequence[Digest]) -> None:
        """See `Upkeep.renew`."""
        self._remote.renew(digests)

    def remove(self, digest: Digest, *, older_than_s: float) -> bool:
        """See `Upkeep.remove`."""
        return self._remote.remove(digest, older_than_s=older_than_s)

    def forget(self, bundles: Collection[Digest]) -> None:
        """See `Upkeep.forget`."""
        self._remote.forget(bundles)

    def sweep(self, *, older_than_s: float) -> int:
        """See `Upkeep.sweep`."""
        return self._remote.sweep(older_than_s=older_than_s)

    # --- from the cache ---------------------------------------------------------------------------

    def _not_here(self, wanted: Sequence[Wanted], progress: Progress | None) -> list[Wanted]:
        """Write what the cache has, and return the rest."""
        cache = self._cache
        if cache is None:
            return list(wanted)
        transfers = Transfers(progress)
        are_done = transfers.run(
            lambda blob: _brought(cache, blob, transfers), wanted, os.cpu_count() or 1
        )
        return [blob for blob, is_done in zip(wanted, are_done, strict=True) if not is_done]

    def _require_room(self, away: Sequence[Wanted]) -> None:
        """Raise `OutsideError` if what is to be fetched does not fit, before the disk is full. What
        is cached makes way for it.
        """
        needed: defaultdict[Path, int] = defaultdict(int)
        with outside("looking whether it fits on the disk"):
            for blob in away:
                if not is_file_of(blob.path, blob.size_bytes):
                    needed[blob.path.parent] += blob.size_bytes
        for folder, size in _by_disk(needed).items():
            if self._cache is not None:
                self._cache.make_way(folder, size)
            require_room(folder, size, f"fetching {len(away):,} files", hint=NO_ROOM)


def _by_disk(needed: Mapping[Path, int]) -> dict[Path, int]:
    """A folder of each disk, and how many bytes are to go there."""
    places: dict[int, Path] = {}
    by_place: dict[Path, int] = {}
    for folder, size in needed.items():
        place = places.setdefault(folder.stat().st_dev, folder)
        by_place[place] = by_place.get(place, 0) + size
    return by_place


def _brought(cache: BlobCache, wanted: Wanted, transfers: Transfers) -> bool:
    """Write a blob that is here, verified while it is copied; False if it is not here, or not of
    the size that is wanted, which the store is to say.
    """
    doing = f"fetching {wanted.digest} to {wanted.path}"
    place = cache.entry(wanted.digest, wanted.size_bytes)
    if place is None:
        return False
    with outside(doing):
        is_right = (
            is_file_of(wanted.path, wanted.size_bytes)
            and digest_of_file(wanted.path, transfers.proceed) == wanted.digest
        )
    try:
        if not is_right:
            _copy(place, wanted, doing, transfers)
    except IntegrityError:
        cache.forget(wanted.digest)
        return False
    except OutsideError:
        return False  # it has just gone, or what stands in the way will be met again
    transfers.advance(wanted.size_bytes)
    return True


def _copy(place: Path, wanted: Wanted, doing: str, transfers: Transfers) -> None:
    with outside(doing), scratch(wanted.path.parent, prefix=".assent-") as draft:
        digest, _ = pour(place, draft.target, transfers.proceed)
        if digest != wanted.digest:
            raise corrupt(doing)
        draft.become(wanted.path)
