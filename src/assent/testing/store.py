"""An in-memory store for tests."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from assent.core.bundle import begins_bundle
from assent.core.digest import Digest, digest_of
from assent.errors import IntegrityError, UsageError
from assent.ports import (
    BlobState,
    Held,
    NotInStoreError,
    Pointer,
    Progress,
    Source,
    Stored,
    Wanted,
)

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*/[a-z]+/[A-Za-z0-9][A-Za-z0-9._-]*")
_HEAD = re.compile(r"[a-z0-9][a-z0-9._-]*/head")
_POINTER = re.compile(r"[^/]+/(stages/(?!v[1-9][0-9]*$).+|versions/[1-9][0-9]*)")


class MemoryStore:
    """A `Store` whose blobs, pointers and hints are dictionaries. `corrupt`, `lose` and `garble`
    play what happens to disks, `age` what time does.
    """

    def __init__(self) -> None:
        self.blobs: dict[Digest, bytes] = {}
        self._renewed: dict[Digest, float] = {}
        self._pointers: dict[str, Pointer | None] = {}
        self._hints: dict[str, Digest] = {}
        self._lock = threading.Lock()

    @property
    def largest_manifest_bytes(self) -> int:
        """See `Store.largest_manifest_bytes`."""
        return 64 << 20

    @property
    def is_elsewhere(self) -> bool:
        """See `Store.is_elsewhere`."""
        return False

    @property
    def abilities(self) -> Mapping[str, str]:
        """See `Store.abilities`: memory can do everything."""
        return {}

    def corrupt(self, digest: Digest) -> None:
        """Change one bit of a blob; its size stays."""
        content = self.blobs[digest]
        self.blobs[digest] = bytes([content[0] ^ 1]) + content[1:]

    def lose(self, digest: Digest) -> None:
        """Take a blob away, sound or not."""
        del self.blobs[digest]

    def age(self, digest: Digest, seconds: float) -> None:
        """Let a blob have been added so much earlier."""
        self._renewed[digest] -= seconds

    def garble(self, name: str) -> None:
        """Make a pointer unreadable."""
        self._pointers[name] = None

    def add(
        self,
        sources: Sequence[Source],
        progress: Progress | None = None,
        unless: Callable[[Sequence[Digest]], bool] | None = None,
    ) -> list[Stored]:
        """See `Store.add`."""
        del unless
        contents = [_content_of(source) for source in sources]
        return [self._keep(content, progress) for content in contents]

    def keeps(self, manifest: bytes) -> bool:
        """See `Store.keeps`: it is not elsewhere."""
        del manifest
        return False

    def read(self, digest: Digest) -> bytes:
        """See `Store.read`."""
        content = self.blobs.get(digest)
        if content is None:
            raise NotInStoreError(f"reading {digest}", "the store does not hold it")
        if digest_of(content) != digest:
            raise IntegrityError(f"reading {digest}", "its bytes are not those of its digest")
        return content

    def fetch(self, wanted: Sequence[Wanted], progress: Progress | None = None) -> None:
        """See `Store.fetch`."""
        for blob in wanted:
            content = self.read(blob.digest)
            if len(content) != blob.size_bytes:
                problem = f"it has {len(content)} bytes and not {blob.size_bytes}"
                raise IntegrityError(f"fetching {blob.digest}", problem)
            if not _holds(blob.path, content):
                _write(blob.path, content)
            if progress is not None:
                progress(len(content))

    def locate(self, digest: Digest) -> Path | None:
        """See `Store.locate`: nothing here is a file."""
        del digest
        return None

    def check(self, digests: Sequence[Digest]) -> dict[Digest, BlobState]:
        """See `Store.check`."""
        return {digest: self._state(digest) for digest in digests}

    def confirm(self, digests: Sequence[Digest]) -> dict[Digest, BlobState]:
        """See `Store.confirm`: nobody answers for what tests do."""
        return self.check(digests)

    def flush(self, digests: Sequence[Digest]) -> None:
        """See `Store.flush`: there is no disk, but what is missing is told."""
        self.renew(digests)
        for digest in digests:
            if digest not in self.blobs:
                raise NotInStoreError(f"flushing {digest}", "the store does not hold it")

    def discard(self, digest: Digest) -> None:
        """See `Store.discard`. A sound blob stays."""
        if self._state(digest) is BlobState.CORRUPT:
            self.lose(digest)

    @property
    def lacking(self) -> str:
        """See `Pointers.lacking`."""
        return ""

    def point(self, name: str, pointer: Pointer) -> bool:
        """See `Store.point`."""
        _require_pointer(name)
        with self._lock:
            standing = self._pointers.get(name)
            if standing is not None and standing.seq > pointer.seq:
                return False
            self._pointers[name] = pointer
            return True

    def restore(self, name: str, pointer: Pointer, *, instead_of: Pointer | None) -> bool:
        """See `Store.restore`."""
        _require_pointer(name)
        with self._lock:
            if self._pointers.get(name) != instead_of:
                return False
            self._pointers[name] = pointer
            return True

    def pointer(self, name: str) -> Pointer | None:
        """See `Store.pointer`."""
        _require_pointer(name)
        return self._pointers.get(name)

    def pointers(self, model: str) -> dict[str, Pointer | None]:
        """See `Store.pointers`."""
        if not _is_name(f"{model}/stages/any"):
            raise UsageError("looking for a model in the store", f"{model!r} cannot name one")
        return {
            name: pointer
            for name, pointer in sorted(self._pointers.items())
            if name.startswith(f"{model}/")
        }

    def astray(self, model: str, bundles: Collection[Digest] = ()) -> tuple[str, ...]:
        """See `Store.astray`. No other tools look in here."""
        del model, bundles
        return ()

    def relist(self, model: str, bundles: Collection[Digest] = ()) -> None:
        """See `Store.relist`."""
        del model, bundles

    def remember(self, name: str, bundle: Digest) -> None:
        """See `Store.remember`."""
        self._hints[_hint(name)] = bundle

    def recall(self, name: str) -> Digest | None:
        """See `Store.recall`."""
        return self._hints.get(_hint(name))

    def remembered(self, model: str) -> frozenset[Digest]:
        """See `Store.remembered`."""
        hints = self._hints.items()
        return frozenset(bundle for name, bundle in hints if name.startswith(f"{model}/"))

    @property
    def lists_blobs(self) -> bool:
        """See `Upkeep.lists_blobs`."""
        return True

    def held(self) -> Iterator[Held]:
        """See `Upkeep.held`."""
        now = time.time()
        with self._lock:
            blobs = dict(self.blobs)
        for digest, content in blobs.items():
            yield Held(
                digest=digest,
                size_bytes=len(content),
                age_s=max(0.0, now - self._renewed[digest]),
                may_be_bundle=begins_bundle(content),
            )

    def renew(self, digests: Sequence[Digest]) -> None:
        """See `Upkeep.renew`."""
        now = time.time()
        with self._lock:
            self._renewed |= {digest: now for digest in digests if digest in self.blobs}

    def remove(self, digest: Digest, *, older_than_s: float) -> bool:
        """See `Upkeep.remove`."""
        with self._lock:
            is_old = time.time() - self._renewed.get(digest, time.time()) >= older_than_s
            return is_old and self.blobs.pop(digest, None) is not None

    def forget(self, bundles: Collection[Digest]) -> None:
        """See `Upkeep.forget`."""
        self._hints = {
            name: bundle for name, bundle in self._hints.items() if bundle not in bundles
        }

    def sweep(self, *, older_than_s: float) -> int:
        """See `Upkeep.sweep`: nothing is left unfinished here."""
        del older_than_s
        return 0

    def _keep(self, content: bytes, progress: Progress | None) -> Stored:
        digest = digest_of(content)
        with self._lock:
            is_new = self.blobs.get(digest) != content
            self.blobs[digest] = content
            self._renewed[digest] = time.time()
        if progress is not None:
            progress(len(content))
        return Stored(digest=digest, size_bytes=len(content), is_new=is_new)

    def _state(self, digest: Digest) -> BlobState:
        content = self.blobs.get(digest)
        if content is None:
            return BlobState.MISSING
        return BlobState.SOUND if digest_of(content) == digest else BlobState.CORRUPT


def _content_of(source: Source) -> bytes:
    if source.path is None:
        return source.content or b""
    if not source.path.is_file():
        raise UsageError(f"storing {source.path}", "there is no such file")
    return source.path.read_bytes()


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".assent-{secrets.token_hex(8)}"
    temporary.write_bytes(content)
    temporary.replace(path)


def _is_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and ".." not in name


def _require_pointer(name: str) -> None:
    is_head = _HEAD.fullmatch(name) and ".." not in name
    if not (is_head or (_is_name(name) and _POINTER.fullmatch(name))):
        raise UsageError(f"looking for {name!r} in the store", "that is no name of a pointer")


def _hint(name: str) -> str:
    if not _is_name(name) or name.split("/")[1] in ("stages", "versions", "head"):
        raise UsageError(f"looking for {name!r} in the store", "that is no name of a hint")
    return name
