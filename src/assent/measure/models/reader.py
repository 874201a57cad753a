"""What a reader of a model format is: it looks at bytes, and never runs them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from assent.core.inspection import Part

HEAD_BYTES = 4096
"""How much of a file a reader may look at to tell whether it is its format."""
MAX_NAMES = 100_000
"""The most tensors, features or imports that are read of one file."""


class ReadError(Exception):
    """A file that cannot be read as what it claims to be; the text says why, in few words."""


class ModelSource(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a model. `name` is its path in the model, `path` where its bytes are, `head` its
    first `HEAD_BYTES`; `files` are all files of the model by name, for formats of several files.
    What another file is called comes from the model: only names in `files` may be opened.
    """

    name: str
    path: Path
    size_bytes: int
    head: bytes
    files: Mapping[str, Path]


class Reader(Protocol):
    """A reader of one format: a module of this folder."""

    FORMAT: str

    def recognizes(self, source: ModelSource) -> bool:
        """Whether the file is of this format, by its name and its first bytes."""

    def read(self, source: ModelSource) -> Part:
        """What the file says. Bounded in memory and time whatever it holds, and it executes
        nothing. Raises `ReadError` for a file that is damaged or not what it claims to be.
        """
