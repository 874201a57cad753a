"""Tables of a FlatBuffer, read in place: every offset is checked before it is followed.

Source: "FlatBuffers Internals" (https://flatbuffers.dev/internals/). All numbers are
little-endian. A table starts with the distance back to its vtable; the vtable gives its own size,
the table's, and for each field where it lies in the table, or 0 if it is left out. Strings,
vectors and tables are reached by a distance forward.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator
from mmap import mmap

from assent.measure.damaged import ReadError

MAX_LISTED = 100_000
"""The most tables of one list."""
MAX_TEXT_BYTES = 64 << 20
MAX_VECTOR_BYTES = 64 << 20
MAX_TABLES = 500_000
"""The most tables that are visited, again and again or not: some seconds of work."""


class Buffer:
    """The bytes from `start` to `end`, and how much text, how many tables and how many bytes of
    lists may still be made of them: thousands of offsets may point to the same long one.
    """

    def __init__(self, content: mmap | bytes, start: int, end: int) -> None:
        self.content = content
        self.start, self.end = start, end
        self._text_left = MAX_TEXT_BYTES
        self._tables_left = MAX_TABLES
        self._bytes_left = 4 * (end - start) + MAX_VECTOR_BYTES

    def text(self, at: int, length: int) -> str:
        """Text as UTF-8."""
        self._text_left -= length
        if self._text_left < 0:
            raise ReadError(f"texts of more than {MAX_TEXT_BYTES >> 20} MiB")
        return self.content[at : at + length].decode(errors="backslashreplace")

    def visit(self) -> None:
        """Count a table of a list."""
        self._tables_left -= 1
        if self._tables_left < 0:
            raise ReadError(f"lists of more than {MAX_TABLES:,} tables")

    def items(self, at: int, size: int) -> bytes:
        """The bytes of a list."""
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise ReadError("lists that are longer than the file, again and again")
        return self.bytes(at, size)

    def root(self) -> Table:
        """The table that holds all others."""
        return Table(self, self.start + int.from_bytes(self.bytes(self.start, 4), "little"))

    def bytes(self, at: int, size: int) -> bytes:
        """Some bytes, which must be inside."""
        if at < self.start or at + size > self.end:
            raise ReadError("an offset that leaves the file")
        return self.content[at : at + size]


class Table:
    """A table at a place in a buffer."""

    def __init__(self, buffer: Buffer, at: int) -> None:
        self._buffer = buffer
        self._at = at
        self._vtable = at - self._signed(at)
        self._vtable_size = self._short(self._vtable)

    def table(self, field: int) -> Table | None:
        """The table that a field refers to."""
        at = self._field(field)
        return None if at is None else self._table_at(at)

    def text(self, field: int) -> str | None:
        """The text that a field refers to."""
        at = self._field(field)
        if at is None:
            return None
        place, length = self._vector(at, 1)
        return self._buffer.text(place, length)

    def tables(self, field: int) -> Iterator[Table]:
        """The tables of a field that is a list of them."""
        at = self._field(field)
        if at is None:
            return
        place, length = self._vector(at, 4)
        if length > MAX_LISTED:
            raise ReadError(f"a list of more than {MAX_LISTED:,} tables")
        for index in range(length):
            self._buffer.visit()
            yield self._table_at(place + 4 * index)

    def length(self, field: int, item_bytes: int) -> int:
        """How many items a list has; the list is inside of the buffer."""
        at = self._field(field)
        return 0 if at is None else self._vector(at, item_bytes)[1]

    def numbers(self, field: int, code: str) -> array[int]:
        """The numbers of a list, `code` as in `array`."""
        values: array[int] = array(code)
        at = self._field(field)
        if at is None:
            return values
        place, length = self._vector(at, values.itemsize)
        if length * values.itemsize > MAX_VECTOR_BYTES:
            raise ReadError(f"a list of more than {MAX_VECTOR_BYTES >> 20} MiB")
        values.frombytes(self._buffer.items(place, length * values.itemsize))
        if sys.byteorder == "big":
            values.byteswap()
        return values

    def items(self, field: int, item_bytes: int) -> tuple[int, int]:
        """Where the items of a list lie in the file, and how many there are; none is at 0."""
        at = self._field(field)
        return (0, 0) if at is None else self._vector(at, item_bytes)

    def content(self, at: int, size: int) -> bytes:
        """Some bytes of the file."""
        return self._buffer.items(at, size)

    def plain(self) -> bytes:
        """The bytes of the table itself: its numbers, and how far away what it refers to lies."""
        return self._buffer.bytes(self._at, self._short(self._vtable + 2))

    def long(self, field: int) -> int:
        """A natural number of 64 bits, 0 if it is left out."""
        at = self._field(field)
        return 0 if at is None else int.from_bytes(self._buffer.bytes(at, 8), "little")

    def byte(self, field: int) -> int:
        """A small natural number, 0 if it is left out."""
        at = self._field(field)
        return 0 if at is None else self._buffer.bytes(at, 1)[0]

    def integer(self, field: int, default: int) -> int:
        """A number of 32 bits."""
        at = self._field(field)
        return default if at is None else self._signed(at)

    def double(self, field: int, default: float) -> float:
        """A float of 64 bits."""
        at = self._field(field)
        number: float = default if at is None else struct.unpack("<d", self._buffer.bytes(at, 8))[0]
        return number

    def flag(self, field: int, default: bool) -> bool:
        """A truth value."""
        at = self._field(field)
        return default if at is None else self._buffer.bytes(at, 1) != b"\0"

    def _field(self, field: int) -> int | None:
        entry = 4 + 2 * field
        if entry + 2 > self._vtable_size:
            return None
        offset = self._short(self._vtable + entry)
        return self._at + offset if offset else None

    def _table_at(self, at: int) -> Table:
        return Table(self._buffer, at + self._unsigned(at))

    def _vector(self, at: int, item_bytes: int) -> tuple[int, int]:
        """Where the items of a list are, and how many; they are inside."""
        place = at + self._unsigned(at)
        length = self._unsigned(place)
        if length * item_bytes > self._buffer.end - place - 4:
            raise ReadError(f"a list that claims {length:,} items, which are not there")
        return place + 4, length

    def _short(self, at: int) -> int:
        return int.from_bytes(self._buffer.bytes(at, 2), "little")

    def _unsigned(self, at: int) -> int:
        return int.from_bytes(self._buffer.bytes(at, 4), "little")

    def _signed(self, at: int) -> int:
        return int.from_bytes(self._buffer.bytes(at, 4), "little", signed=True)


def root(content: mmap | bytes, start: int, end: int) -> Table:
    """The root table of the buffer from `start` to `end`."""
    if end > len(content):
        raise ReadError(f"it claims {end - start:,} bytes where {len(content) - start:,} are left")
    return Buffer(content, start, end).root()
