"""The disk: whether there is room on it, and having what was written there to stay."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from assent.errors import OutsideError

_NOT_KNOWN = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
"""What file systems say that cannot flush a folder: they keep names by themselves, or never."""

NO_ROOM = "free some space, or let a machine with a larger disk do it"
"""What helps where a disk is too small, as a hint."""


def flush_file(path: str) -> None:
    """Have the content of a file on the disk, whoever wrote it. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, as far as this account may: a file that was flushed
    is gone all the same if the folder that lists it was not. Raises `OSError`.
    """
    try:
        flush_file(str(folder))
    except PermissionError:
        return  # one that may be gone through, and not be listed: the parent of a store
    except OSError as error:
        if error.errno not in _NOT_KNOWN:
            raise


def require_room(folder: Path, size_bytes: int, doing: str, *, hint: str) -> None:
    """Raise `OutsideError` if so many bytes do not fit into `folder`, before any is written. Where
    nobody can say, it is tried.
    """
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return
    if size_bytes > free:
        raise OutsideError(
            doing, f"it takes {size_bytes:,} bytes, and {folder} has {free:,} left", hint=hint
        )
