"""Where the values of a tensor lie in a file, or why they are not read."""

from __future__ import annotations

from mmap import mmap
from pathlib import Path

import msgspec


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """`size_bytes` bytes at `offset` of the file `path` are the values of a tensor, in the order
    of C and with the lowest byte first. Whoever makes one has checked that they lie in the file
    and that `dtype` and `shape` need exactly so many. `held` are the bytes themselves, where the
    file spells the values in another way; then `offset` is a place in them. `axes` is the order of
    the dimensions where it is not that of C, the one with the widest steps first.
    """

    dtype: str
    shape: tuple[int, ...]
    offset: int
    size_bytes: int
    path: Path
    held: bytes | mmap | None = None
    axes: tuple[int, ...] = ()


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """A tensor whose values nobody reads, and why: they can be the same or not."""

    shape: tuple[int, ...]
    why: str


Place = Located | Unread
"""What is known of where the values of a tensor are."""

COMPRESSED = "its values are compressed"
IN_PIECES = "its values do not lie side by side"
HIGH_FIRST = "its values have the highest byte first"
OTHER_ORDER = "its values lie in another order than those of the other side"
