"""Where the values of a tensor lie in a file."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """`size_bytes` bytes at `offset` of the file `path` are the values of a tensor, in the order
    of C and with the lowest byte first. Whoever makes one has checked that they lie in the file
    and that `dtype` and `shape` need exactly so many.
    """

    dtype: str
    shape: tuple[int, ...]
    offset: int
    size_bytes: int
    path: Path
