"""A file system that lacks what it is told to lack, on top of a folder that has it all.

    python -m tests.stores.meagre FOLDER MOUNTED lack,lack,…

It is a real one for the kernel and for every process (FUSE), and stays until it is unmounted.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mfusepy  # type: ignore[import-untyped]

from tests.stores.lacks import Lack

_NOW_NS = 2 * 10**9
"""What is set to the first seconds of 1970 is set to now: the kernel says it so."""
_MOST_BYTES = 100_000


class Meagre(mfusepy.Operations):  # type: ignore[misc]  # the library has no types
    """The files of `root`, without what it `lacks`."""

    use_ns = True

    def __init__(self, root: Path, lacks: frozenset[Lack]) -> None:
        self._root = root
        self._lacks = lacks
        self._replaced: set[int] = set()
        self._opened = 0
        self._lock = threading.RLock()
        self._held: dict[str, int] = {}
        if Lack.LOCKS in lacks:
            self.flock = self._no_flock

    def _at(self, path: str) -> str:
        """The file that is meant by a path."""
        place = self._root
        for part in Path(path).parts[1:]:
            if Lack.NAMES in self._lacks and set(part) & set(':*?"<>|\\'):
                raise mfusepy.FuseOSError(errno.EINVAL)
            place /= self._known_as(place, part)
        return str(place)

    def _known_as(self, folder: Path, name: str) -> str:
        wanted = self._folded(name)
        if wanted == name and not self._lacks & {Lack.CASE, Lack.NAMES}:
            return name
        there = os.listdir(folder) if folder.is_dir() else []
        return next(
            (one for one in there if self._folded(one) == wanted), name.rstrip(". ") or name
        )

    def _folded(self, name: str) -> str:
        if Lack.CASE in self._lacks:
            name = name.lower()
        return name.rstrip(". ") if Lack.NAMES in self._lacks else name

    # --- files ------------------------------------------------------------------------------------

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        status = os.lstat(self._at(path)) if fh is None else os.fstat(fh)
        names = ("mode", "nlink", "uid", "gid", "size")
        found: dict[str, Any] = {f"st_{name}": getattr(status, f"st_{name}") for name in names}
        for name in ("atime", "mtime", "ctime"):
            found[f"st_{name}"] = self._kept(getattr(status, f"st_{name}_ns"))
        return found

    def _kept(self, time_ns: int) -> int:
        return time_ns - time_ns % (2 * 10**9) if Lack.TIMES in self._lacks else time_ns

    def readdir(self, path: str, fh: int) -> Iterator[str]:
        yield from (".", "..", *os.listdir(self._at(path)))

    def mkdir(self, path: str, mode: int) -> int:
        os.mkdir(self._at(path), mode)
        return 0

    def rmdir(self, path: str) -> int:
        os.rmdir(self._at(path))
        return 0

    def create(self, path: str, mode: int, fi: object = None) -> int:
        return os.open(self._at(path), os.O_RDWR | os.O_CREAT, 0o644)

    def open(self, path: str, flags: int) -> int:
        fh = os.open(self._at(path), flags & ~os.O_APPEND)
        self._opened += 1
        if Lack.STEADINESS in self._lacks and "/stages/" in path and self._opened % 2:
            self._replaced.add(fh)
        return fh

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        if fh in self._replaced:
            raise mfusepy.FuseOSError(errno.ESTALE)
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        os.truncate(self._at(path), length)
        return 0

    def flush(self, path: str, fh: int) -> int:
        if Lack.ROOM in self._lacks and os.fstat(fh).st_size > _MOST_BYTES:
            os.truncate(fh, _MOST_BYTES)
            raise mfusepy.FuseOSError(errno.EDQUOT)
        return 0

    def release(self, path: str, fh: int) -> int:
        self._replaced.discard(fh)
        os.close(fh)
        return 0

    def unlink(self, path: str) -> int:
        os.unlink(self._at(path))
        return 0

    # --- what may be lacking ----------------------------------------------------------------------

    def link(self, target: str, source: str) -> int:
        if Lack.LINKS in self._lacks:
            raise mfusepy.FuseOSError(errno.EPERM)
        os.link(self._at(source), self._at(target))
        return 0

    def rename(self, old: str, new: str) -> int:
        source, target = self._at(old), self._at(new)
        if Lack.RENAMING in self._lacks:
            raise mfusepy.FuseOSError(errno.ENOSYS)
        if os.path.exists(target) and Lack.REPLACING in self._lacks:
            raise mfusepy.FuseOSError(errno.EEXIST)
        if os.path.exists(target) and Lack.ATOMICITY in self._lacks:
            os.unlink(target)
            time.sleep(0.01)
        os.rename(source, target)
        return 0

    def chmod(self, path: str, mode: int) -> int:
        if Lack.MODES in self._lacks:
            raise mfusepy.FuseOSError(errno.EPERM)
        os.chmod(self._at(path), mode)
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:
        raise mfusepy.FuseOSError(errno.EPERM)

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        if Lack.TOUCHES not in self._lacks:
            now = time.time_ns()
            given = times or (now, now)
            os.utime(self._at(path), ns=tuple(now if at < _NOW_NS else at for at in given))  # type: ignore[arg-type]
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        os.fsync(fh)
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        if Lack.FOLDER_FLUSHES in self._lacks:
            raise mfusepy.FuseOSError(errno.EINVAL)
        return 0

    def _no_flock(self, path: str, fh: int, op: int) -> int:
        raise mfusepy.FuseOSError(errno.ENOLCK)

    def statfs(self, path: str) -> dict[str, int]:
        if Lack.SIZES in self._lacks:
            return {}
        status = os.statvfs(self._root)
        names = (
            "bsize",
            "frsize",
            "blocks",
            "bfree",
            "bavail",
            "files",
            "ffree",
            "favail",
            "namemax",
        )
        return {f"f_{name}": getattr(status, f"f_{name}") for name in names}


if __name__ == "__main__":
    folder, mounted, words = sys.argv[1:]
    lacks = frozenset(map(Lack, filter(None, words.split(","))))
    mfusepy.FUSE(
        Meagre(Path(folder), lacks),
        mounted,
        foreground=True,
        fsname="meagre",
        subtype="meagre",
        hard_remove=True,
        attr_timeout=0,
        entry_timeout=0,
        negative_timeout=0,
    )
