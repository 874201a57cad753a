"""The wire format of protocol buffers, read field by field and within bounds.

https://protobuf.dev/programming-guides/encoding. Messages are spans of the file: what nobody asks
for (the values of weights) is stepped over and never in memory, whatever it is said to hold.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from assent.measure.models.reader import ReadError
from assent.measure.models.texts import name_of

MAX_FIELDS = 5_000_000
"""The most fields that are read of one file: some seconds of work."""


_CHUNK = 1 << 20


class Span(NamedTuple):
    """Bytes of the file: a text, a message, or numbers side by side."""

    start: int
    end: int


class Digesting(Protocol):
    """What `hashlib` makes."""

    def update(self, content: bytes, /) -> None:
        """Take in bytes."""


class Wire:
    """A file of protocol buffers."""

    def __init__(self, data: mmap.mmap, size: int | None = None) -> None:
        self.whole = Span(0, len(data) if size is None else size)
        self._data = data
        self._left = MAX_FIELDS

    def fields(self, span: Span) -> Iterator[tuple[int, int | Span]]:
        """The fields of the message in `span`: number, and the value of an integer or where the
        bytes of anything else are (four or eight of them for a fixed-size number).
        """
        at, end = span
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise ReadError(f"more than {MAX_FIELDS:,} fields")
            key, at = self._varint(at, end)
            number, kind = key >> 3, key & 7
            if number == 0:
                raise ReadError("a field without a number: this is no protocol buffer")
            if kind == 0:
                value, at = self._varint(at, end)
                yield number, value
                continue
            if kind == 2:
                length, at = self._varint(at, end)
            elif kind in (1, 5):
                length = 8 if kind == 1 else 4
            else:
                raise ReadError("a field of an unknown kind: this is no protocol buffer")
            if length > end - at:
                raise ReadError("a field reaches beyond its message")
            yield number, Span(at, at + length)
            at += length

    def messages(self, span: Span, number: int) -> Iterator[Span]:
        """The messages in the field `number` of the message in `span`."""
        for field, value in self.fields(span):
            if field == number and isinstance(value, Span):
                yield value

    def numbers(self, value: int | Span) -> Iterator[int]:
        """The integers of one field of a repeated field, packed or not."""
        if isinstance(value, int):
            yield signed(value)
            return
        at, end = value
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise ReadError(f"more than {MAX_FIELDS:,} fields")
            number, at = self._varint(at, end)
            yield signed(number)

    def content(self, value: int | Span, limit: int) -> bytes:
        """The bytes of a field, if they are at most `limit`."""
        if not isinstance(value, Span):
            raise ReadError("a number where text must be")
        if value.end - value.start > limit:
            raise ReadError(f"a text of {value.end - value.start:,} bytes")
        return self._data[value.start : value.end]

    def digest(self, number: int, value: int | Span, into: Digesting) -> None:
        """Take a field into a digest, with its number, however long it is."""
        if isinstance(value, int):
            into.update(f"{number}:{value} ".encode())
            return
        into.update(f"{number}:{value.end - value.start} ".encode())
        for at in range(value.start, value.end, _CHUNK):
            into.update(self._data[at : min(at + _CHUNK, value.end)])

    def name(self, value: int | Span) -> str:
        """A field that is a name."""
        return name_of(self.content(value, 2**20))

    def pair(self, span: Span) -> tuple[str, Span | None]:
        """An entry of a map from names to messages or texts."""
        key, place = "", None
        for number, value in self.fields(span):
            if number == 1:
                key = self.name(value)
            elif number == 2 and isinstance(value, Span):
                place = value
        return key, place

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        data, value, shift = self._data, 0, 0
        while at < end:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFF_FFFF_FFFF_FFFF, at
            shift += 7
            if shift > 63:
                raise ReadError("a number of more than ten bytes")
        raise ReadError("it ends too early")


def signed(value: int) -> int:
    """An unsigned 64-bit number as the signed one with the same bits."""
    return value - 2**64 if value >= 2**63 else value
