"""Having what a store holds on the disk, so that it is there after a loss of power."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from assent.disk import flush_file, flush_folder
from assent.stores.parallel import Transfers

MOST_ONE_BY_ONE = 64
"""How many files are flushed one by one: each waits for the disk. More are flushed with all else
that their file system has to write, which waits once.
"""

_NOT_THERE = (errno.ENOSYS, errno.ENOTSUP, errno.EINVAL)


def flush_files(paths: Sequence[str]) -> None:
    """Have these files of one file system on the disk, whoever wrote them. Raises `OSError`, also
    for one that is missing.
    """
    if len(paths) > MOST_ONE_BY_ONE and _flush_file_system(paths[0]):
        return
    # Several at once: a journal writes what waits for it in one go.
    Transfers().run(flush_file, paths, len(paths))


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, each for good."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    flush_folder(folder.parent)


def _flush_file_system(path: str) -> bool:
    """Flush the file system that a file is on; False where the system cannot do that alone."""
    import ctypes  # only for a bundle of many files

    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is None:
        return False
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if call(descriptor) != 0:
            number = ctypes.get_errno()
            if number in _NOT_THERE:
                return False
            raise OSError(number, os.strerror(number), path)
    finally:
        os.close(descriptor)
    return True
