"""What a walk may use up, and what it saw."""

from __future__ import annotations

import time
from typing import Any

from assent.core.inspection import Danger
from assent.measure.models.inert.values import OPAQUE, Persistent

MAX_OPCODES = 8_000_000
MAX_OBJECTS = 2_000_000
MAX_MARKS = 100_000
MAX_SECONDS = 60.0
MAX_TEXT = 64 * 1024
MAX_ALL_TEXT = 256 * 1024 * 1024
MAX_IMPORTS = 100_000
MAX_MEMO_KEY = 50_000_000
MAX_INNER = 1000
_MAX_DANGERS = 100


class Budget:
    """What walks may use up, shared by all pickles of one model file."""

    def __init__(
        self,
        *,
        opcodes: int = MAX_OPCODES,
        objects: int = MAX_OBJECTS,
        text: int = MAX_ALL_TEXT,
        seconds: float = MAX_SECONDS,
    ) -> None:
        self.opcodes = opcodes
        self.objects = objects
        self.text = text
        self.deadline = time.monotonic() + seconds


class Walk:
    """What a walk saw: the value at the end, where the pickle ends, the names that it imports in
    order, what is dangerous in it, and the problem that ended it early. `inner` are places of
    bytes that are pickles themselves by their first bytes, `code` the functions whose code is in
    the pickle.
    """

    def __init__(self, start: int) -> None:
        self.root: Any = OPAQUE
        self.end = start
        self.imports: dict[str, None] = {}
        self.dangers: dict[Danger, None] = {}
        self.persistent: list[Persistent] = []
        self.inner: list[tuple[int, int]] = []
        self.code: dict[str, None] = {}
        self.blocks = 0
        self.problem: str | None = None
        self.is_active = False

    def danger(self, what: str, detail: str = "") -> None:
        """Note a danger, once."""
        if len(self.dangers) < _MAX_DANGERS:
            self.dangers[Danger(what=what, detail=detail[:200])] = None
