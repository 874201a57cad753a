"""Files that are there whole or not at all, and names of files as text."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from assent.errors import OutsideError


def as_text(name: str) -> str:
    """The name of a file as it can be shown and kept: what is no text in it is replaced."""
    return os.fsencode(name).decode(errors="replace")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all. Raises `OutsideError`."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_bytes(content)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise OutsideError(
            f"writing {path}",
            error.strerror or str(error),
            hint="make room, or make the folder writable, and run the verb again",
        ) from None


_NOT_KNOWN = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
"""What file systems say that cannot flush a folder: they keep names by themselves, or never."""


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
