"""The bytes that a walk reads: a part of a file that is mapped, or of bytes in memory."""

from __future__ import annotations

import mmap
from pathlib import Path


class Source:
    """Bytes from `start` to `end` of `raw`. Reading never copies what is not asked for."""

    __slots__ = ("end", "raw", "start", "view")

    def __init__(self, raw: bytes | mmap.mmap, start: int = 0, end: int | None = None) -> None:
        self.raw = raw
        self.start = start
        self.end = len(raw) if end is None else end
        self.view = memoryview(raw)

    @property
    def size_bytes(self) -> int:
        """How many bytes there are."""
        return self.end - self.start

    def part(self, start: int, end: int) -> Source:
        """Some of these bytes, by their place in `raw`."""
        if not self.start <= start <= end <= self.end:
            raise ValueError("not a part")
        return Source(self.raw, start, end)

    def head(self, size: int) -> bytes:
        """The first bytes."""
        return bytes(self.view[self.start : min(self.end, self.start + size)])


def open_source(path: Path) -> Source:
    """A file as a source. It is mapped, so its size costs no memory."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return Source(b"")
        return Source(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
