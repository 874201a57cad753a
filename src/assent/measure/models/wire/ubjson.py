"""Universal Binary JSON as a walk: the part of draft 12 that XGBoost writes, and a little more.

Source: the UBJSON specification, draft 12 (https://ubjson.org): one-byte markers, big-endian
numbers, and containers that may state a count (`#`) and one type for all (`$`). A container of
containers of one type is refused: nobody writes it, and it lets a few bytes claim everything.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from mmap import mmap
from typing import Any

from assent.core.scalar import Scalar, scalar
from assent.measure.models.reader import ReadError
from assent.measure.models.wire.walk import MAX_ARRAY_BYTES, Steps

_NUMBERS = {
    b"i": struct.Struct(">b"),
    b"U": struct.Struct(">B"),
    b"I": struct.Struct(">h"),
    b"l": struct.Struct(">i"),
    b"L": struct.Struct(">q"),
    b"d": struct.Struct(">f"),
    b"D": struct.Struct(">d"),
}
_CODES = {mark: struct_.format[-1] for mark, struct_ in _NUMBERS.items()}
_LITERALS: dict[bytes, bool | None] = {b"Z": None, b"T": True, b"F": False}
_TEXTS = (b"S", b"H")
_NO_OPERATION = b"N"


class UbjWalk:
    """A `Walk` through UBJSON."""

    def __init__(self, content: mmap | bytes) -> None:
        self._content = content
        self._at = 0
        self._steps = Steps()
        self._typed: bytes | None = None  # the type of what comes next, where it has no marker

    def members(self) -> Iterator[str]:
        """The keys of the object that comes next."""
        self._open(b"{")
        type_, count = self._header()
        index = 0
        while self._goes_on(b"}", count, index):
            key = self._text()
            self._typed = type_
            at = self._at
            yield key
            if self._at == at:
                self.skip()
            index += 1
        self._steps.leave()

    def items(self) -> Iterator[int]:
        """The indices of the array that comes next."""
        self._open(b"[")
        type_, count = self._header()
        index = 0
        while self._goes_on(b"]", count, index):
            self._typed = type_
            at = self._at
            yield index
            if self._at == at:
                self.skip()
            index += 1
        self._steps.leave()

    def scalar(self) -> Scalar:
        """The scalar that comes next, None for an object or an array."""
        mark = self._mark()
        if mark in (b"{", b"["):
            self._at -= 1
            self.skip()
            return None
        self._steps.take()
        if mark in _NUMBERS:
            return scalar(self._number(mark))
        if mark in _TEXTS:
            return self._text()
        if mark == b"C":
            return self._taken(1).decode("ascii", "replace")
        if mark in _LITERALS:
            return _LITERALS[mark]
        raise self._damaged()

    def value(self) -> Any:
        """What comes next as a value of mappings, lists and scalars."""
        self._steps.keep()
        first = self._typed or self._content[self._at : self._at + 1]
        if first == b"{":
            return {key: self.value() for key in self.members()}
        if first == b"[":
            return [self.value() for _ in self.items()]
        return self.scalar()

    def numbers(self) -> list[float]:
        """The array of numbers that comes next."""
        self._open(b"[")
        self._steps.leave()
        type_, count = self._header()
        if type_ is None:
            values: list[float] = []
            while self._goes_on(b"]", count, len(values)):
                values.append(self._number(self._mark()))
            return values
        if type_ not in _NUMBERS or count is None:
            raise self._damaged()
        size = count * _NUMBERS[type_].size
        self._require(size)
        if size > MAX_ARRAY_BYTES:
            raise ReadError(f"an array of more than {MAX_ARRAY_BYTES >> 20} MiB")
        return list(struct.unpack(f">{count}{_CODES[type_]}", self._taken(size)))

    def skip(self) -> None:
        """Leave out what comes next."""
        mark = self._mark()
        if mark == b"[":
            self._at -= 1
            self._skip_array()
        elif mark == b"{":
            self._at -= 1
            for _ in self.members():
                pass
        else:
            self._steps.take()
            self._skip_scalar(mark)

    def _skip_array(self) -> None:
        start = self._at
        self._at += 1
        type_, count = self._header()
        if type_ in _NUMBERS and count is not None:
            self._steps.take()
            size = count * _NUMBERS[type_].size
            self._require(size)
            self._at += size
            return
        self._at = start
        for _ in self.items():
            pass

    def _skip_scalar(self, mark: bytes) -> None:
        if mark in _NUMBERS:
            self._require(_NUMBERS[mark].size)
            self._at += _NUMBERS[mark].size
        elif mark in _TEXTS:
            length = self._length()
            self._at += length
        elif mark == b"C":
            self._taken(1)
        elif mark not in _LITERALS:
            raise self._damaged()

    def _open(self, bracket: bytes) -> None:
        if self._mark() != bracket:
            self._at -= 1
            raise self._damaged()
        self._steps.enter()

    def _header(self) -> tuple[bytes | None, int | None]:
        """The type and the count that a container may state."""
        type_ = None
        if self._content[self._at : self._at + 1] == b"$":
            type_ = self._content[self._at + 1 : self._at + 2]
            if type_ not in _NUMBERS and type_ not in _TEXTS and type_ != b"C":
                raise self._damaged()
            self._at += 2
        if self._content[self._at : self._at + 1] == b"#":
            self._at += 1
            return type_, self._count()
        if type_ is not None:
            raise self._damaged()
        return None, None

    def _goes_on(self, closing: bytes, count: int | None, index: int) -> bool:
        self._steps.take()
        self._typed = None
        if count is not None:
            return index < count
        while self._content[self._at : self._at + 1] == _NO_OPERATION:
            self._steps.take()
            self._at += 1
        if self._content[self._at : self._at + 1] == closing:
            self._at += 1
            return False
        return True

    def _mark(self) -> bytes:
        if self._typed is not None:
            mark, self._typed = self._typed, None
            return mark
        return self._taken(1)

    def _number(self, mark: bytes) -> float:
        kind = _NUMBERS.get(mark)
        if kind is None:
            raise self._damaged()
        value: float = kind.unpack(self._taken(kind.size))[0]
        return value

    def _count(self) -> int:
        mark = self._taken(1)
        if mark not in (b"i", b"U", b"I", b"l", b"L"):
            raise self._damaged()
        count = int(self._number(mark))
        if count < 0:
            raise self._damaged()
        return count

    def _length(self) -> int:
        length = self._count()
        self._require(length)
        return length

    def _text(self) -> str:
        length = self._length()
        self._steps.take_text(length)
        try:
            return self._taken(length).decode()
        except UnicodeDecodeError:
            raise self._damaged() from None

    def _require(self, size: int) -> None:
        left = len(self._content) - self._at
        if size > left:
            raise ReadError(f"it claims {size:,} bytes where {left:,} are left")

    def _taken(self, size: int) -> bytes:
        self._require(size)
        self._at += size
        return self._content[self._at - size : self._at]

    def _damaged(self) -> ReadError:
        return ReadError(f"not UBJSON at byte {self._at:,}")
