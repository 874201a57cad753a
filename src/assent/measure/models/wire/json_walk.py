"""JSON (RFC 8259) as a walk: a model of a gigabyte is read in the memory of its largest tree."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from mmap import mmap
from typing import Any

from assent.core.scalar import Scalar, scalar
from assent.measure.models.reader import ReadError
from assent.measure.models.wire.walk import MAX_ARRAY_BYTES, Steps

_SPACE = re.compile(rb"[ \t\n\r]*+")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR = re.compile(rb"[-+.0-9A-Za-z]++")
_NUMBERS = re.compile(rb"\[[-+.,0-9eENaInfity \t\n\r]*+\]")  # NaN and Infinity are written as well
_FLAT = re.compile(rb'(?:[^\[\]{}"]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_MAX_NUMBER_BYTES = 400

_OBJECT, _ARRAY, _QUOTE, _COMMA, _COLON = b"{", b"[", b'"', b",", b":"


class JsonWalk:
    """A `Walk` through JSON. What is skipped is not checked further than its brackets."""

    def __init__(self, content: mmap | bytes) -> None:
        self._content = content
        self._at = 3 if content[:3] == b"\xef\xbb\xbf" else 0
        self._steps = Steps()

    def members(self) -> Iterator[str]:
        """The keys of the object that comes next."""
        self._expect(_OBJECT)
        self._steps.enter()
        is_first = True
        while self._goes_on(b"}", is_first):
            is_first = False
            key = self._text()
            self._expect(_COLON)
            at = self._at
            yield key
            if self._at == at:
                self.skip()
        self._steps.leave()

    def is_object(self) -> bool:
        """Whether what comes next is an object."""
        return self._peek() == _OBJECT

    def items(self) -> Iterator[int]:
        """The indices of the array that comes next."""
        self._expect(_ARRAY)
        self._steps.enter()
        index = 0
        while self._goes_on(b"]", index == 0):
            at = self._at
            yield index
            if self._at == at:
                self.skip()
            index += 1
        self._steps.leave()

    def scalar(self) -> Scalar:
        """The scalar that comes next, None for an object or an array."""
        self._steps.take()
        first = self._peek()
        if first == _QUOTE:
            return self._text()
        if first in (_OBJECT, _ARRAY):
            self.skip()
            return None
        match = _SCALAR.match(self._content, self._at)
        if match is None or match.end() - self._at > _MAX_NUMBER_BYTES:
            raise self._damaged()
        self._at = match.end()
        try:
            return scalar(json.loads(match.group()))
        except ValueError:
            raise self._damaged() from None

    def value(self) -> Any:
        """What comes next as a value of mappings, lists and scalars."""
        self._steps.keep()
        first = self._peek()
        if first == _OBJECT:
            return {key: self.value() for key in self.members()}
        if first == _ARRAY:
            return [self.value() for _ in self.items()]
        return self.scalar()

    def numbers(self) -> list[float]:
        """The array of numbers that comes next."""
        self._steps.take()
        self._peek()
        match = _NUMBERS.match(self._content, self._at)
        if match is None:
            raise self._damaged()
        if match.end() - self._at > MAX_ARRAY_BYTES:
            raise ReadError(f"an array of more than {MAX_ARRAY_BYTES >> 20} MiB")
        try:
            values: list[float] = json.loads(match.group())
        except ValueError:
            raise self._damaged() from None
        self._at = match.end()
        return values

    def skip(self) -> None:
        """Leave out what comes next."""
        first = self._peek()
        if first not in (_OBJECT, _ARRAY):
            pattern = _STRING if first == _QUOTE else _SCALAR
            self._at = self._end(pattern)
            return
        depth = 0
        while True:
            self._steps.take()
            match = _NUMBERS.match(self._content, self._at)
            if match is not None:
                self._at = match.end()
            else:
                bracket = self._content[self._at : self._at + 1]
                if bracket in (_OBJECT, _ARRAY):
                    depth += 1
                elif bracket in (b"}", b"]"):
                    depth -= 1
                else:
                    raise self._damaged()
                self._at += 1
            if depth == 0:
                return
            self._at = self._end(_FLAT)

    def _goes_on(self, closing: bytes, is_first: bool) -> bool:
        self._steps.take()
        if self._peek() == closing:
            self._at += 1
            return False
        if not is_first:
            self._expect(_COMMA)
        return True

    def _peek(self) -> bytes:
        self._at = self._end(_SPACE)
        return self._content[self._at : self._at + 1]

    def _expect(self, mark: bytes) -> None:
        if self._peek() != mark:
            raise self._damaged()
        self._at += 1

    def _text(self) -> str:
        if self._peek() != _QUOTE:
            raise self._damaged()
        end = self._end(_STRING)
        self._steps.take_text(end - self._at)
        try:
            text: str = json.loads(self._content[self._at : end])
            text.encode()
        except ValueError:  # also half of a surrogate pair, which could not be written
            raise self._damaged() from None
        self._at = end
        return text

    def _end(self, pattern: re.Pattern[bytes]) -> int:
        match = pattern.match(self._content, self._at)
        if match is None:
            raise self._damaged()
        return match.end()

    def _damaged(self) -> ReadError:
        return ReadError(f"not JSON at byte {self._at:,}")
