"""Files that are there whole or not at all, and names of files as text."""

from __future__ import annotations

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
