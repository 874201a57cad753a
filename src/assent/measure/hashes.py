"""Digests that are computed once: a large file that has not changed since is not read again.

As Git's index does, a file is taken for unchanged while size, inode and both its times are what
they were when it was hashed. The time of the change of the inode cannot be set by a program, so a
file whose modification time was put back is read again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from assent.core.digest import Digest
from assent.errors import AssentError
from assent.files import write_atomically
from assent.measure.files import Progress, digests, file_digest, relative_name

KEPT_FROM_BYTES = 1 << 20
"""Smaller files are hashed sooner than they are looked up by the next process."""
MAX_KEPT = 100_000
_FINE_NS, _COARSE_NS = 100_000_000, 2_500_000_000
"""How long after its last change a file may change again without another time, where the file
system keeps fractions of a second, and where it does not.
"""


class Signature(NamedTuple):
    """What tells that a file was written since, without reading it."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    signature: Signature
    digest: Digest
    md5: str | None = None


def signature(path: Path) -> Signature:
    """The signature of the file that `path` leads to. Raises `OSError`."""
    stat = path.stat()
    return Signature(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev)


class Hashes:
    """The digests of files below `root`, remembered in this process and, for large files, in
    `place` for the next one. `read_bytes` counts what was really read.
    """

    def __init__(self, root: Path, place: Path | None = None) -> None:
        self.root = root
        self.read_bytes = 0
        self._place = place
        self._known: dict[str, _Kept] | None = None
        self._is_new = False

    def digests(self, paths: Sequence[Path], progress: Progress | None = None) -> dict[str, Digest]:
        """The digest of every file by its name relative to `root`, in the order given. Raises as
        `measure.files.digests` does.
        """
        names = {path: relative_name(self.root, self.root / path) for path in paths}
        recalled = {path: self._recalled(path, name) for path, name in names.items()}
        missing = [path for path, digest in recalled.items() if digest is None]
        now = time.time_ns()
        before = {path: self._signature(path) for path in missing}
        read = digests(self.root, missing, progress)
        for path in missing:
            self._remember(path, names[path], before[path], read[names[path]], now)
        return {name: recalled[path] or read[name] for path, name in names.items()}

    def digest(self, path: Path) -> Digest:
        """The digest of one file."""
        return next(iter(self.digests([path]).values()))

    def md5(self, path: Path) -> str:
        """The MD5 of one file, as other tools name files by it. It is read once for both."""
        name = relative_name(self.root, self.root / path)
        now = time.time_ns()
        before = self._signature(path)
        kept = self._all.get(name)
        if kept is not None and kept.md5 is not None and kept.signature == before:
            return kept.md5
        md5 = hashlib.md5(usedforsecurity=False)
        digest = file_digest(self.root / path, also=md5.update)
        self._remember(path, name, before, digest, now, md5.hexdigest())
        return md5.hexdigest()

    def save(self) -> None:
        """Leave the digests of large files for the next process. They spare work and prove
        nothing, so that failing to is no failure.
        """
        if self._place is None or not self._is_new or self._known is None:
            return
        large = {
            name: kept
            for name, kept in self._known.items()
            if kept.signature.size >= KEPT_FROM_BYTES
        }
        newest = dict(list(large.items())[-MAX_KEPT:])
        try:
            write_atomically(self._place, msgspec.json.encode(newest))
        except AssentError:
            return
        self._is_new = False

    def _recalled(self, path: Path, name: str) -> Digest | None:
        kept = self._all.get(name)
        return kept.digest if kept and kept.signature == self._signature(path) else None

    def _remember(
        self,
        path: Path,
        name: str,
        before: Signature | None,
        digest: Digest,
        now: int,
        md5: str | None = None,
    ) -> None:
        if before is None:
            return
        self.read_bytes += before.size
        if before == self._signature(path) and not _may_still_change(before, now):
            self._all[name] = _Kept(before, digest, md5)
            self._is_new = self._is_new or before.size >= KEPT_FROM_BYTES

    @property
    def _all(self) -> dict[str, _Kept]:
        if self._known is None:
            self._known = _read(self._place)
        return self._known

    def _signature(self, path: Path) -> Signature | None:
        try:
            return signature(self.root / path)
        except OSError:
            return None  # reading it says what is wrong


def _may_still_change(state: Signature, now: int) -> bool:
    """Whether a file was changed so shortly before `now` that a change since, while it was read,
    may have left its times as they are.
    """
    is_fine = state.ctime_ns % 1_000_000_000 != 0
    return now - max(state.ctime_ns, state.mtime_ns) < (_FINE_NS if is_fine else _COARSE_NS)


def _read(place: Path | None) -> dict[str, _Kept]:
    if place is None:
        return {}
    try:
        return msgspec.json.decode(place.read_bytes(), type=dict[str, _Kept])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
