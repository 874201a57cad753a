"""A store elsewhere, and the blobs of it that this machine has already.

Only bytes that are read are answered from the cache, after their digest was compared. Whether the
store holds something and what that is worth, and all pointers, the store itself is asked.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from assent.core.digest import Digest
from assent.errors import IntegrityError, OutsideError
from assent.ports import BlobState, Pointer, Progress, Source, Store, Stored, Wanted
from assent.stores.cache import BlobCache, Held
from assent.stores.local_files import corrupt, digest_of_file, is_file_of, outside, pour, scratch
from assent.stores.parallel import Transfers

_MAX_READ_BYTES = 64 << 20


class CachingStore:
    """The store `remote` through `cache`. What is sent is kept there as well, files that is: what
    is small is read back from where it was sent to.
    """

    def __init__(self, remote: Store, cache: BlobCache) -> None:
        self._remote = remote
        self._cache = cache

    @property
    def largest_manifest_bytes(self) -> int:
        """See `Store.largest_manifest_bytes`."""
        return self._remote.largest_manifest_bytes

    # --- blobs ------------------------------------------------------------------------------------

    def add(self, sources: Sequence[Source], progress: Progress | None = None) -> list[Stored]:
        """See `Store.add`."""
        stored = self._remote.add(sources, progress)
        self._cache.keep(
            [
                Held(source.path, one.digest, one.size_bytes, source.is_scratch)
                for source, one in zip(sources, stored, strict=True)
                if source.path is not None
            ]
        )
        return stored

    def read(self, digest: Digest) -> bytes:
        """See `Store.read`."""
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
        transfers = Transfers(progress)
        is_here = transfers.run(
            lambda blob: self._brought(blob, transfers), wanted, os.cpu_count() or 1
        )
        away = [blob for blob, is_done in zip(wanted, is_here, strict=True) if not is_done]
        if not away:
            return
        self._cache.make_way(away[0].path.parent, sum(blob.size_bytes for blob in away))
        self._remote.fetch(away, progress)
        self._cache.keep(
            [Held(one.path, one.digest, one.size_bytes, one.is_scratch) for one in away]
        )

    def locate(self, digest: Digest) -> Path | None:
        """See `Store.locate`. What lies in the cache was verified a moment ago."""
        return self._remote.locate(digest) or self._cache.find(digest)

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

    def pointer(self, name: str) -> Pointer | None:
        """See `Store.pointer`."""
        return self._remote.pointer(name)

    def pointers(self, model: str) -> dict[str, Pointer | None]:
        """See `Store.pointers`."""
        return self._remote.pointers(model)

    def astray(self, model: str) -> tuple[str, ...]:
        """See `Store.astray`."""
        return self._remote.astray(model)

    def relist(self, model: str) -> None:
        """See `Store.relist`."""
        self._remote.relist(model)

    def remember(self, name: str, bundle: Digest) -> None:
        """See `Store.remember`."""
        self._remote.remember(name, bundle)

    def recall(self, name: str) -> Digest | None:
        """See `Store.recall`."""
        return self._remote.recall(name)

    def remembered(self, model: str) -> frozenset[Digest]:
        """See `Store.remembered`."""
        return self._remote.remembered(model)

    # --- from the cache ---------------------------------------------------------------------------

    def _brought(self, wanted: Wanted, transfers: Transfers) -> bool:
        """Write a blob that is here, verified while it is copied; False if it is not here, or not
        of the size that is wanted, which the store is to say.
        """
        doing = f"fetching {wanted.digest} to {wanted.path}"
        place = self._cache.entry(wanted.digest, wanted.size_bytes)
        if place is None:
            return False
        with outside(doing):
            is_right = (
                is_file_of(wanted.path, wanted.size_bytes)
                and digest_of_file(wanted.path, transfers.proceed) == wanted.digest
            )
        if is_right or self._copied(place, wanted, doing, transfers):
            transfers.advance(wanted.size_bytes)
            return True
        return False

    def _copied(self, place: Path, wanted: Wanted, doing: str, transfers: Transfers) -> bool:
        try:
            with outside(doing), scratch(wanted.path.parent, prefix=".assent-") as (path, target):
                digest, _ = pour(place, target, transfers.proceed)
                if digest != wanted.digest:
                    raise corrupt(doing)
                Path(path).replace(wanted.path)
        except IntegrityError:
            self._cache.forget(wanted.digest)
            return False
        except OutsideError:
            return False  # it has just gone, or what stands in the way will be met again
        return True
