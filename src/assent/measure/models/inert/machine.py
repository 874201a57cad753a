"""What a pickle is followed with: its bytes, the stack, the marks and the memo."""

from __future__ import annotations

from typing import Any

from assent.measure.models.inert.seen import (
    MAX_MEMO_KEY,
    MAX_TEXT,
    Budget,
    Walk,
)
from assent.measure.models.inert.values import OPAQUE
from assent.measure.models.wire.source import Source


class WalkError(Exception):
    """What cannot be a pickle, or is more than a walk follows."""


class Machine:
    """The bytes from a place on, and what lies on the stack."""

    def __init__(self, source: Source, budget: Budget, start: int) -> None:
        self.source = source
        self.raw = source.raw
        self.view = source.view
        self.end = source.end
        self.position = start
        self.budget = budget
        self.seen = Walk(start)
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.protocol = 0
        self.joblib = False
        self.has_persistent = False
        self.is_second = False
        self.is_done = False

    def take(self, size: int) -> memoryview:
        """The next bytes, as a view."""
        start = self.position
        if size < 0 or start + size > self.end:
            raise WalkError(f"{size:,} bytes are said to follow, and do not")
        self.position = start + size
        return self.view[start : start + size]

    def number(self, size: int, *, signed: bool = False) -> int:
        """A number of so many bytes, the lowest first."""
        return int.from_bytes(self.take(size), "little", signed=signed)

    def line(self) -> bytes:
        """The bytes up to the end of a line, of which there are few."""
        text = self.long_line()
        if len(text) > MAX_TEXT:
            raise WalkError("a line that is too long")
        return bytes(text)

    def long_line(self) -> memoryview:
        """The same, however many there are."""
        start = self.position
        newline = self.raw.find(b"\n", start, self.end)
        if newline < 0:
            raise WalkError("a line that does not end")
        self.position = newline + 1
        return self.view[start:newline]

    def text(self, content: memoryview, encoding: str) -> None:
        """A text, if it is short; what is long is no name and no key."""
        if len(content) > MAX_TEXT:
            self.stack.append(OPAQUE)
            return
        self.budget.text -= len(content)
        if self.budget.text < 0:
            raise WalkError("more text than is followed")
        errors = "surrogatepass" if encoding == "utf-8" else "strict"
        self.stack.append(str(content, encoding, errors))

    def pop(self) -> Any:
        """Take the upper value."""
        if not self.stack:
            raise WalkError("the stack is empty")
        return self.stack.pop()

    def top(self) -> Any:
        """The upper value."""
        if not self.stack:
            raise WalkError("the stack is empty")
        return self.stack[-1]

    def pop_mark(self) -> list[Any]:
        """Take all values above the last mark."""
        if not self.marked:
            raise WalkError("there is no mark")
        items = self.stack
        self.stack = self.marked.pop()
        return items

    def spend(self, objects: int = 1) -> None:
        """Count objects that are made."""
        self.budget.objects -= objects
        if self.budget.objects < 0:
            raise WalkError("more objects than are followed")

    def remember(self, key: int) -> None:
        """Keep the upper value in the memo."""
        if not 0 <= key <= MAX_MEMO_KEY:
            raise WalkError(f"a memo of {key:,} places")
        self.memo[key] = self.top()

    def recall(self, key: int) -> None:
        """Put a value of the memo on the stack."""
        if key not in self.memo:
            raise WalkError(f"nothing is in the memo at {key:,}")
        self.stack.append(self.memo[key])
