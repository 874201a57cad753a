"""A file of numbers and texts, read from front to back through a memory map, never beyond."""

from __future__ import annotations

import hashlib
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assent.measure.models.reader import ReadError


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    """The file's bytes; only the pages that are looked at are read."""
    with path.open("rb") as file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise ReadError("it is empty") from None
        with data:
            yield data


class Cursor:
    """A place in `data` that moves forward. Raises `ReadError` where the bytes end."""

    def __init__(self, data: mmap.mmap, at: int = 0, order: str = "<") -> None:
        self.at = at
        self._data = data
        self._size = len(data)
        self.order = order

    def skip(self, count: int) -> int:
        """Step over `count` bytes and say where they began."""
        start = self.at
        if count > self._size - start:
            raise ReadError("it ends too early")
        self.at = start + count
        return start

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        start = self.skip(count)
        return self._data[start : self.at]

    def digest(self, start: int) -> str:
        """The first digits of the SHA-256 of the bytes from `start` to here."""
        sha256 = hashlib.sha256()
        with memoryview(self._data) as view:
            sha256.update(view[start : self.at])
        return f"sha256:{sha256.hexdigest()[:16]}"

    def number(self, code: str) -> int | float | bool:
        """The next number, by its letter in the module `struct`."""
        start = self.skip(struct.calcsize(self.order + code))
        value: int | float | bool = struct.unpack_from(self.order + code, self._data, start)[0]
        return value

    def natural(self, code: str) -> int:
        """The next number where a count or a size stands."""
        return int(self.number(code))
