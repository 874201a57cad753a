"""How long the files of a model are looked at: they come from anybody, and may be many."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds that only grow."""

MAX_SECONDS = 600.0
"""How long all files of a model together are looked at, and how long two models are compared: each
file may take a reader a minute.
"""


class Deadline:
    """`MAX_SECONDS` from when it is made."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + MAX_SECONDS

    def is_over(self) -> bool:
        """Whether time is up."""
        return self._clock() > self._end
