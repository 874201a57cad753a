"""Blobs that this machine has read or written before, by their digests and within a bound.

    blobs/<hex>   tmp/<random>, which is not complete yet   lock

Nothing in it is believed: every use reads the whole blob and compares its digest. It holds nothing
that is not elsewhere, so whatever goes wrong with it is passed over, and the store is asked.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from assent.core.digest import Digest, digest_of, hex_of
from assent.core.units import size_bytes
from assent.errors import UsageError
from assent.stores.local_files import digest_of_file, scratch, unsaid, write_all

FOLDER, SIZE = "ASSENT_CACHE", "ASSENT_CACHE_SIZE"
"""The variables that name the folder, or switch it off, and how much it may hold."""
OFF = "none"
DEFAULT_BYTES = 10 * 10**9
IN_USE_S = 3600
"""What was used within this time stays: somebody may be looking into it where it lies."""

_SWEEP_AFTER_S = 24 * 60 * 60
_SHARE = 4
"""Where nobody has named a size, no more than one part in so many of the disk."""


class Cached(NamedTuple):
    """A file that holds a blob. Of one that `is_scratch` the caller alone knows, and nobody writes
    to it again: it need not be copied.
    """

    path: Path
    digest: Digest
    size_bytes: int
    is_scratch: bool = False


class _Entry(NamedTuple):
    used_at: float
    size_bytes: int
    path: str


def open_cache(environ: Mapping[str, str], say: Callable[[str], None]) -> BlobCache | None:
    """The cache that the environment names, else the one of this account; None if it is switched
    off, or if there is no place for one. Raises `UsageError` for a size that is none.
    """
    named = environ.get(FOLDER) or ""
    if named == OFF:
        return None
    limit = _limit(environ.get(SIZE) or "")
    if named:
        return BlobCache(Path(named).expanduser().absolute(), limit, say)
    home = environ.get("HOME")
    base = environ.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else "")
    return BlobCache(Path(base) / "assent" / "blobs", limit) if os.path.isabs(base) else None  # noqa: PTH117  # a text


def _limit(text: str) -> int | None:
    if not text:
        return None
    try:
        return size_bytes(text)
    except ValueError as error:
        raise UsageError(
            f"reading {SIZE}", str(error), hint=f"{FOLDER}={OFF} keeps nothing at all"
        ) from None


class BlobCache:
    """The cache in a folder. Nothing is created before the first blob is kept. Processes and
    threads may share it. `say` is told why it is not used, where somebody asked for it.
    """

    def __init__(
        self, folder: Path, limit_bytes: int | None, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self.folder = folder
        self._blobs = folder / "blobs"
        self._temporary = folder / "tmp"
        self._limit = limit_bytes
        self._say = say
        self._lock = threading.Lock()
        self._sound: dict[Digest, tuple[int, ...]] = {}
        self._is_usable: bool | None = None
        self._is_lockless = False

    def find(self, digest: Digest) -> Path | None:
        """Where the blob is, read whole and found to be what its digest says; None if it is not
        here. It stays there for an hour at least.
        """
        if not self._looked_at():
            return None
        path = self._place(digest)
        try:
            known = self._sound.get(digest)
            is_known = known is not None and _shows_all(known) and known == _signature(path)
            os.utime(path, follow_symlinks=False)
            before = _signature(path)
            if before is None or not (is_known or digest_of_file(path, unsaid) == digest):
                self.forget(digest)
                return None
        except OSError:
            return None
        with self._lock:
            self._sound[digest] = before
        return path

    def entry(self, digest: Digest, size: int) -> Path | None:
        """Where a file of this size lies that is to hold the blob, which nobody has looked into."""
        path = self._place(digest)
        with suppress(OSError):
            status = path.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) and status.st_size == size and self._looked_at():
                os.utime(path)
                return path
        return None

    def read(self, digest: Digest, most: int) -> bytes | None:
        """The bytes of a blob of at most `most` bytes, verified; None if it is not here."""
        path = self._place(digest)
        try:
            size = path.stat(follow_symlinks=False).st_size
            if size > most or self.entry(digest, size) is None:
                return None
            content = path.read_bytes()
        except OSError:
            return None
        if digest_of(content) != digest:
            self.forget(digest)
            return None
        return content

    def keep(self, files: Sequence[Cached]) -> None:
        """Keep what fits, in the place of what was not used for longest."""
        with suppress(OSError):
            new = [file for file in dict.fromkeys(files) if not self._place(file.digest).exists()]
            for held, draft in self._taken_in(new):
                with suppress(OSError), _removed(draft):
                    _copy(held.path, draft)
                    draft.replace(self._place(held.digest))

    def keep_content(self, content: bytes) -> None:
        """Keep a small blob that is in memory."""
        digest = digest_of(content)
        with suppress(OSError):
            if self._place(digest).exists() or not self._made():
                return
            with self._locked():
                if self._room(len(content)) < len(content):
                    return
                with scratch(self._temporary) as draft:
                    write_all(draft.target, content)
                    draft.become(self._place(digest))

    def forget(self, digest: Digest) -> None:
        """Hold the blob no more."""
        with self._lock:
            self._sound.pop(digest, None)
        with suppress(OSError):
            self._place(digest).unlink(missing_ok=True)

    def make_way(self, folder: Path, size: int) -> None:
        """Let what lies here not be the reason that `size` bytes do not fit into `folder`."""
        with suppress(OSError):
            if not self._looked_at() or folder.stat().st_dev != self.folder.stat().st_dev:
                return
            lacking = size - shutil.disk_usage(folder).free
            if lacking <= 0:
                return
            with self._locked():
                self._evict(self._entries(), lacking)

    # --- taking in --------------------------------------------------------------------------------

    def _taken_in(self, files: Sequence[Cached]) -> list[tuple[Cached, Path]]:
        """Link what may be linked. For the rest that fits, drafts that have its size already, so
        that other processes count it, and that are to be filled.
        """
        drafts: list[tuple[Cached, Path]] = []
        if not files or not self._made():
            return drafts
        with self._locked():
            room = self._room(sum(cached.size_bytes for cached in files))
            free = shutil.disk_usage(self.folder).free
            for cached in files:
                if cached.size_bytes > room:
                    continue
                draft = self._temporary / os.urandom(16).hex()
                if cached.is_scratch and _linked(cached, draft):
                    draft.replace(self._place(cached.digest))
                elif 2 * cached.size_bytes <= free:
                    # Of what others need, no more than half is taken.
                    free -= cached.size_bytes
                    with draft.open("xb") as file:
                        file.truncate(cached.size_bytes)
                    drafts.append((cached, draft))
                else:
                    continue
                room -= cached.size_bytes
        return drafts

    def _room(self, size: int) -> int:
        """How many bytes may be added, after as much of what is old has gone as `size` needs."""
        limit = self._limit
        if limit is None:
            limit = min(DEFAULT_BYTES, shutil.disk_usage(self.folder).total // _SHARE)
        entries = self._entries()
        held = sum(entry.size_bytes for entry in entries)
        held -= self._evict(entries, held + min(size, limit) - limit)
        return max(limit - held, 0)

    def _entries(self) -> list[_Entry]:
        """All that is here, what is not complete yet included; what killed processes left goes.
        What becomes complete meanwhile is seen twice, and not missed.
        """
        now, held = time.time(), []
        for folder in (self._temporary, self._blobs):
            with os.scandir(folder) as entries:
                for entry in entries:
                    with suppress(OSError):  # it may just go
                        status = entry.stat(follow_symlinks=False)
                        file = _Entry(status.st_mtime, status.st_size, entry.path)
                        if folder is self._temporary and now - file.used_at > _SWEEP_AFTER_S:
                            os.unlink(file.path)  # noqa: PTH108  # a text
                        else:
                            held.append(file)
        return held

    def _evict(self, entries: Sequence[_Entry], lacking: int) -> int:
        """Remove what was not used for longest until `lacking` bytes are free, and say how many
        have become so.
        """
        now, freed = time.time(), 0
        blobs = str(self._blobs)
        for entry in sorted(entries):
            if freed >= lacking:
                break
            is_in_use = 0 <= now - entry.used_at < IN_USE_S
            if is_in_use or not entry.path.startswith(blobs):
                continue
            with suppress(OSError):
                os.unlink(entry.path)  # noqa: PTH108  # a text
                freed += entry.size_bytes
        return freed

    # --- the folder -------------------------------------------------------------------------------

    def _place(self, digest: Digest) -> Path:
        return self._blobs / hex_of(digest)

    def _made(self) -> bool:
        """Make the folder, for this account alone; whether it may be used."""
        for folder in (self.folder, self._blobs, self._temporary):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._lock:
            if not self._is_usable:
                self._is_usable = None
        return self._looked_at()

    def _looked_at(self) -> bool:
        """Whether the folder is there, and nobody but this account writes to it: what was verified
        would not stay so.
        """
        with self._lock:
            if self._is_usable is None:
                self._is_usable = self._is_own()
            return self._is_usable

    def _is_own(self) -> bool:
        try:
            statuses = [self.folder.stat(), self._blobs.lstat(), self._temporary.lstat()]
        except OSError:
            return False
        for status in statuses:
            if not stat.S_ISDIR(status.st_mode):
                self._say(f"the cache {self.folder} is not used: a link or a file is in its place")
                return False
            if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o022:
                self._say(f"the cache {self.folder} is not used: others may write to it")
                return False
        return True

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time counts what is here, and takes in more."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(self.folder / "lock", flags, 0o600)
        try:
            self._lock_file(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _lock_file(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            if not self._is_lockless:
                self._is_lockless = True
                self._say(f"the cache {self.folder} keeps nothing new: it cannot be locked there")
            raise


def _signature(path: Path) -> tuple[int, ...] | None:
    """What changes when a file is written to; None for what is no file. Raises `OSError`."""
    status = path.stat(follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_ino, status.st_dev, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _shows_all(signature: tuple[int, ...]) -> bool:
    """Whether a file has times that show each change: those of whole seconds do not."""
    return any(time_ns % 10**9 for time_ns in signature[-2:])


def _linked(held: Cached, draft: Path) -> bool:
    """Let `draft` be the same file, where the file system can do that."""
    try:
        os.link(held.path, draft, follow_symlinks=False)
        status = draft.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_size == held.size_bytes:
            os.utime(draft)
            return True
        draft.unlink()
    except OSError:
        return False
    return False


def _copy(source: Path, draft: Path) -> None:
    """Fill a draft; where the file system can, without writing the bytes again."""
    with source.open("rb") as read, draft.open("r+b") as written:
        try:
            while os.copy_file_range(read.fileno(), written.fileno(), 1 << 30):
                pass
        except OSError:
            read.seek(0)
            written.seek(0)
            shutil.copyfileobj(read, written, 1 << 20)


@contextmanager
def _removed(draft: Path) -> Iterator[None]:
    """Have a draft gone at the end, whatever happens."""
    try:
        yield
    finally:
        draft.unlink(missing_ok=True)
