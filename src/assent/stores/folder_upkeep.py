"""What is held in a folder and how old it is; taking away what is old, beside writers.

A blob is as old as its file was last written or touched. Whoever finds a blob that is held touches
it. Whoever takes one away first moves it aside, and only then looks how old it is: a touch before
that is seen, and the blob goes back; after it there is nothing to be touched, so that whoever wants
to use the blob writes it again. A blob that is aside when a process is killed is put back by the
next one that writes, or that cleans up.
"""

from __future__ import annotations

import errno
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from assent.core.bundle import ARTIFACT_TYPE, begins_bundle, read_manifest
from assent.core.digest import Digest, hex_of, is_digest
from assent.errors import IntegrityError
from assent.ports import Held
from assent.stores.age_notes import FRESH_S
from assent.stores.local_files import digest_of_file, scratch, unsaid

_HEX = re.compile(r"[0-9a-f]{64}")
_ASIDE, _USED = "gone-", "used-"
_UNTOUCHED = (errno.ENOSYS, errno.ENOTSUP, errno.EINVAL)
_HEAD_BYTES = 64
_MAX_MANIFEST_BYTES = 64 << 20
_DEEPEST = 8  # of indexes that other tools have nested


class FolderUpkeep:
    """The blobs in the folder `blobs`, beside `temporary` on the same file system."""

    def __init__(self, blobs: Path, temporary: Path) -> None:
        self._blobs = blobs
        self._temporary = temporary
        self._ahead_s: float | None = None

    # --- seeing -----------------------------------------------------------------------------------

    def held(self, index: bytes | None) -> Iterator[Held]:
        """All blobs. What `index`, the image index of the folder, names beside bundles is of
        others. Raises `IntegrityError` if that cannot be read.
        """
        named = named_by_others(index, self._manifest)
        now = self._now()
        with suppress(FileNotFoundError), os.scandir(self._blobs) as entries:
            for entry in entries:
                if not _HEX.fullmatch(entry.name) or not entry.is_file(follow_symlinks=False):
                    continue
                with suppress(FileNotFoundError):  # taken away since
                    status = entry.stat(follow_symlinks=False)
                    digest = Digest(f"sha256:{entry.name}")
                    yield Held(
                        digest=digest,
                        size_bytes=status.st_size,
                        age_s=max(0.0, now - self._touched(entry.name, status.st_mtime)),
                        may_be_bundle=_may_be_bundle(Path(entry.path), status.st_size),
                        is_named=digest in named,
                    )

    def _manifest(self, digest: str) -> bytes | None:
        path = self._blobs / digest.partition(":")[2]
        try:
            with path.open("rb") as file:
                return file.read(_MAX_MANIFEST_BYTES)
        except FileNotFoundError:
            return None

    # --- touching and taking away -----------------------------------------------------------------

    def renew(self, name: str) -> bool:
        """Touch the blob called `name`; False if it is not there."""
        path = self._blobs / name
        try:
            before = path.stat().st_mtime
            if 0 <= time.time() - before < FRESH_S:
                return True
            os.utime(path)
            if path.stat().st_mtime != before:
                return True
        except FileNotFoundError:
            return False
        except PermissionError:
            pass
        except OSError as error:
            if error.errno not in _UNTOUCHED:
                raise
        # Of another account, or on a file system that keeps no times: a note beside it says the
        # same.
        self._temporary.mkdir(exist_ok=True)
        with scratch(self._temporary) as note:
            note.become(self._temporary / f"{_USED}{name}")
        return path.exists()

    def remove(self, name: str, *, older_than_s: float) -> bool:
        """See `Upkeep.remove`."""
        path = self._blobs / name
        aside = self._temporary / f"{_ASIDE}{name}-{os.urandom(8).hex()}"
        try:
            if self._age_s(name, path) < older_than_s:
                return False
            path.rename(aside)
            if self._age_s(name, aside) < older_than_s:
                self._put_back(aside)
                return False
            aside.unlink()
        except FileNotFoundError:  # somebody else was first
            return False
        (self._temporary / f"{_USED}{name}").unlink(missing_ok=True)
        return True

    def _put_back(self, aside: Path) -> None:
        name = aside.name.removeprefix(_ASIDE).partition("-")[0]
        try:
            os.link(aside, self._blobs / name)
        except FileExistsError:  # somebody has written it again
            pass
        except FileNotFoundError:  # somebody else was first
            raise
        except OSError:  # a file system without links
            if self._takes_its_place(aside, name):
                return
        aside.unlink(missing_ok=True)

    def _takes_its_place(self, aside: Path, name: str) -> bool:
        """Put a blob back that may replace one which somebody has just written again: only bytes
        of this digest, and not as old as they were.
        """
        if (self._blobs / name).exists() or hex_of(digest_of_file(aside, unsaid)) != name:
            return False
        with suppress(OSError):
            os.utime(aside)
        aside.rename(self._blobs / name)
        return True

    def sweep(self, older_than_s: float) -> int:
        """Take away what killed writers have left, and bring back what was aside; the bytes that
        were taken.
        """
        freed = 0
        for path in list(self._temporary.iterdir()):
            with suppress(OSError):  # somebody else's file, or swept by another process
                if path.name.startswith(_ASIDE):
                    self._put_back(path)
                elif not path.name.startswith(_USED):
                    status = path.stat()
                    if self._now() - status.st_mtime >= older_than_s:
                        path.unlink()
                        freed += status.st_size
        return freed

    # --- time -------------------------------------------------------------------------------------

    def _age_s(self, name: str, path: Path) -> float:
        """Not below 0 for what a clock that is ahead has written."""
        return max(0.0, self._now() - self._touched(name, path.stat().st_mtime))

    def _touched(self, name: str, written: float) -> float:
        try:
            return max(written, (self._temporary / f"{_USED}{name}").stat().st_mtime)
        except FileNotFoundError:
            return written

    def _now(self) -> float:
        """The time by the clock of the file system: that of a network share may be another one."""
        if self._ahead_s is None:
            self._ahead_s = 0.0
            with suppress(OSError), scratch(self._temporary) as draft:
                self._ahead_s = os.fstat(draft.target).st_mtime - time.time()
                draft.drop()
        return time.time() + self._ahead_s


def named_by_others(index: bytes | None, manifest: Callable[[str], bytes | None]) -> set[str]:
    """What manifests of other tools need, and they themselves; of bundles, those that other
    tools have given a name.
    """
    named: set[str] = set()
    todo = [(entry, 0) for entry in _descriptors(index, "manifests")] if index else []
    while todo:
        entry, depth = todo.pop()
        digest = str(entry.get("digest"))
        is_ours = depth == 0 and entry.get("artifactType") == ARTIFACT_TYPE
        if is_ours or not is_digest(digest) or digest in named:
            continue
        content = manifest(digest)
        if content is None:
            continue
        named.add(digest)
        if _is_bundle(content):
            continue
        named |= {str(entry.get("digest")) for entry in _descriptors(content, "config", "layers")}
        if depth < _DEEPEST:
            todo += [(entry, depth + 1) for entry in _descriptors(content, "manifests")]
    return named


def _may_be_bundle(path: Path, size: int) -> bool:
    if size > _MAX_MANIFEST_BYTES:
        return False
    try:
        with path.open("rb", buffering=0) as file:
            return begins_bundle(file.read(_HEAD_BYTES))
    except FileNotFoundError:
        return False


def _is_bundle(content: bytes) -> bool:
    try:
        read_manifest(content)
    except IntegrityError:
        return False
    return True


def _descriptors(content: bytes, *keys: str) -> list[dict[str, Any]]:
    """What a manifest or an index says of others. Raises `IntegrityError`: of what cannot be read,
    nobody knows what it needs.
    """
    try:
        document = json.loads(content)
        listed = [document.get(key) or [] for key in keys]
    except (ValueError, RecursionError, AttributeError):
        problem = "a manifest or an index of images that another tool has left cannot be read"
        raise IntegrityError("looking for what other tools keep in the store", problem) from None
    descriptors = [
        descriptor for part in listed for descriptor in (part if isinstance(part, list) else [part])
    ]
    return [descriptor for descriptor in descriptors if isinstance(descriptor, dict)]
