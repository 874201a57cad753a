"""Files of this machine on their way into a store and out of one, and what every store says."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from assent.core.digest import Digest, is_digest
from assent.errors import IntegrityError, OutsideError, UsageError
from assent.ports import BUNDLE_AGAIN, NotInStoreError, Progress, Source

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

CHUNK_BYTES = 1 << 20

_NO_SPACE = "free some space and run it again: only what is missing will be written"
_NO_ACCESS = "this account may not write or read there: check the owner and the mode of the folder"
_IN_THE_WAY = "something else stands there: put it away, and run the verb again"
_NO_SUCH_NAME = "the file system may not take such a name: docs/stores.md says what folders need"
_HINTS = {
    errno.EEXIST: _IN_THE_WAY,
    errno.EISDIR: _IN_THE_WAY,
    errno.ELOOP: _IN_THE_WAY,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.ENOSPC: _NO_SPACE,
    errno.EDQUOT: _NO_SPACE,
    errno.EACCES: _NO_ACCESS,
    errno.EPERM: _NO_ACCESS,
    errno.EROFS: "the file system is mounted read-only",
    errno.EFBIG: "its file system takes no file so large (FAT: 4 GiB): keep it on another one",
    errno.EILSEQ: _NO_SUCH_NAME,
    errno.EINVAL: _NO_SUCH_NAME,
    errno.EIO: "the disk or the share fails: the log of the system says more. Nothing of it is "
    "believed that is not whole; when it works again, run the verb again",
    errno.ESTALE: "the share has replaced or lost it meanwhile: run the verb again, and if that "
    "does not help, mount the share again",
}


class _Buffer(threading.local):
    """One buffer per thread: new memory for each small file takes longer than reading it."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(CHUNK_BYTES))


buffer = _Buffer()


def size_of(source: Source) -> int:
    """The bytes to store. Raises `UsageError` for what is no file, `OutsideError`."""
    if source.path is None:
        return len(source.content or b"")
    doing = f"storing {source.path}"
    try:
        with outside(doing):
            status = source.path.stat()
    except OutsideError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise UsageError(doing, "there is no such file") from None
        raise
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(doing, "it is not a file")
    return status.st_size


def is_file_of(path: Path, size: int) -> bool:
    """Whether there is a file of this size."""
    return path.is_file() and path.stat().st_size == size


def bundle_of(hint: bytes | None) -> Digest | None:
    """The bundle that a hint names; None if it names none."""
    text = (hint or b"").decode(errors="replace").strip()
    return Digest(text) if is_digest(text) else None


def digest_of_file(path: Path, advance: Progress) -> Digest:
    """The digest of what a file holds."""
    digest, _ = pour(path, None, advance)
    return digest


def unsaid(_: int) -> None:
    """Progress that nobody is told of."""


def pour(source: Path, target: int | None, advance: Progress) -> tuple[Digest, int]:
    """The digest and the size of `source`, written on the way to `target` if there is one."""
    hasher = hashlib.sha256()
    size = 0
    view = buffer.view
    with source.open("rb", buffering=0) as file, _writer_to(target) as writer:
        while count := file.readinto(view):
            chunk = view[:count]
            if target is None or writer is None:
                hasher.update(chunk)
            else:
                hash_and_write(hasher, target, chunk, writer)
            size += count
            advance(count)
    return Digest("sha256:" + hasher.hexdigest()), size


def _writer_to(target: int | None) -> AbstractContextManager[ThreadPoolExecutor | None]:
    return nullcontext() if target is None else a_writer()


def a_writer() -> ThreadPoolExecutor:
    """A thread that writes, begun with the first that it is given."""
    from concurrent.futures import ThreadPoolExecutor  # only where bytes are written

    return ThreadPoolExecutor(1)


def hash_and_write(
    hasher: hashlib._Hash, target: int, chunk: bytes | memoryview, writer: ThreadPoolExecutor
) -> None:
    """A second thread writes a full chunk while this one hashes it. A file that ends within its
    first chunk, as most do, costs less than the thread.
    """
    if len(chunk) < CHUNK_BYTES:
        hasher.update(chunk)
        write_all(target, chunk)
        return
    writing = writer.submit(write_all, target, chunk)
    hasher.update(chunk)
    writing.result()


def write_all(target: int, content: bytes | memoryview) -> None:
    """Write all of it, in as many goes as the system takes."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(target, rest) :]


class Draft:
    """A file that is not complete yet, open for writing as `target`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        self._is_open = True

    def close(self) -> None:
        """Write to it no more. A share says only here that there was no room for all of it."""
        if self._is_open:
            self._is_open = False
            os.close(self.target)

    def become(self, path: str | Path) -> None:
        """Be the file at `path`, whole, in the place of what is there."""
        self.close()
        os.replace(self.path, path)  # noqa: PTH105  # `Path` is slow for many small files

    def drop(self) -> None:
        """Be gone."""
        self.close()
        os.unlink(self.path)  # noqa: PTH108  # the same


@contextmanager
def scratch(folder: Path, *, prefix: str = "") -> Iterator[Draft]:
    """A new file in `folder`. The block lets it become another; if it fails, it goes."""
    draft = Draft(f"{folder}/{prefix}{os.urandom(16).hex()}")
    try:
        try:
            yield draft
        finally:
            draft.close()
    except BaseException:
        Path(draft.path).unlink(missing_ok=True)
        raise


@contextmanager
def outside(doing: str) -> Iterator[None]:
    """What the system refuses, in the words of the family of errors."""
    try:
        yield
    except OSError as error:
        hint = _HINTS.get(error.errno or 0)
        problem = error.strerror or str(error)
        if hint == _IN_THE_WAY and error.filename is not None:
            problem = f"{problem}: {error.filename2 or error.filename}"
        raise OutsideError(doing, problem, hint=hint) from error


def missing(doing: str) -> NotInStoreError:
    """What is said of a blob that is not held."""
    return NotInStoreError(doing, "the store does not hold it")


def corrupt(doing: str) -> IntegrityError:
    """What is said of a blob that is not what its digest says."""
    return IntegrityError(
        doing, "its bytes in the store are not those of its digest", hint=BUNDLE_AGAIN
    )
