"""Walking through a large document without holding it: only what is asked for becomes values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from typing import Any, Protocol

from assent.core.scalar import Scalar
from assent.measure.models.reader import ModelSource, ReadError

MAX_WALK_BYTES = 1 << 30
MAX_STEPS = 5_000_000
"""The most values that are looked at one by one: a bound on time."""
MAX_DEPTH = 64
MAX_TEXT_BYTES = 1 << 20
MAX_TEXTS_BYTES = 64 << 20
"""The most of one text, and of all texts together, that becomes values."""
MAX_VALUES = 200_000
"""The most values that are kept of what is read as a whole."""
MAX_ARRAY_BYTES = 16 << 20
"""The most of one array of numbers that becomes values."""


class Walk(Protocol):
    """A place in a document of objects, arrays and scalars, which moves forward only.

    A member or an item that its reader does not take is skipped. Whatever the document claims,
    nothing larger than its own bytes is made of it; `ReadError` says that it is damaged.
    """

    def members(self) -> Iterator[str]:
        """The keys of the object that comes next; after each, its value comes next."""

    def items(self) -> Iterator[int]:
        """The indices of the array that comes next; after each, its item comes next."""

    def scalar(self) -> Scalar:
        """The scalar that comes next; None for an object or an array, which is skipped."""

    def value(self) -> Any:
        """What comes next as a value of mappings, lists and scalars; for what is small."""

    def numbers(self) -> list[float]:
        """The array of numbers that comes next."""

    def skip(self) -> None:
        """Leave out what comes next."""


class Steps:
    """Counts what is looked at, and how deep, and ends it."""

    def __init__(self) -> None:
        self._taken = 0
        self._depth = 0
        self._text_bytes = 0
        self._kept = 0

    def take(self) -> None:
        """Count one value."""
        self._taken += 1
        if self._taken > MAX_STEPS:
            raise ReadError(f"it holds more than {MAX_STEPS:,} values")

    def keep(self) -> None:
        """Count a value that is kept."""
        self._kept += 1
        if self._kept > MAX_VALUES:
            raise ReadError(f"more than {MAX_VALUES:,} values in one place")

    def take_text(self, size_bytes: int) -> None:
        """Count a text, before it is made."""
        self._text_bytes += size_bytes
        if size_bytes > MAX_TEXT_BYTES:
            raise ReadError(f"a text of more than {MAX_TEXT_BYTES >> 20} MiB")
        if self._text_bytes > MAX_TEXTS_BYTES:
            raise ReadError(f"texts of more than {MAX_TEXTS_BYTES >> 20} MiB")

    def enter(self) -> None:
        """Go into an object or an array."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ReadError(f"nested deeper than {MAX_DEPTH} levels")

    def leave(self) -> None:
        """Go back out of it."""
        self._depth -= 1


@contextmanager
def mapped(source: ModelSource) -> Iterator[mmap]:
    """The bytes of a file, read as they are looked at."""
    if source.size_bytes > MAX_WALK_BYTES:
        raise ReadError(f"larger than {MAX_WALK_BYTES >> 20:,} MiB, so it was not looked at")
    if not source.size_bytes:
        raise ReadError("the file is empty")
    with source.path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        yield content
