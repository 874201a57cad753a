"""The disk: whether there is room on it, and having what was written there to stay."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from assent.errors import OutsideError

_NOT_KNOWN = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EISDIR)
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


def flush_folder(folder: Path) -> bool:
    """Have the names in a folder on the disk, as far as this account may and the file system can;
    say whether they are. A file that was flushed is gone all the same if the folder that lists it
    was not. Raises `OSError`.
    """
    try:
        flush_file(str(folder))
    except PermissionError:
        return False  # one that may be gone through, and not be listed: the parent of a store
    except OSError as error:
        if error.errno not in _NOT_KNOWN:
            raise
        return False
    return True


def require_room(folder: Path, size_bytes: int, doing: str, *, hint: str) -> None:
    """Raise `OutsideError` if so many bytes do not fit into `folder`, before any is written. Where
    nobody can say, it is tried.
    """
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return
    if usage.total and size_bytes > usage.free:  # a share that does not say has 0 of 0
        raise OutsideError(
            doing, f"it takes {size_bytes:,} bytes, and {folder} has {usage.free:,} left", hint=hint
        )
