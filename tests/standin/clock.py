"""Time and numbers of a stand-in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Clock:
    """Time stands still until `tick`."""

    def __init__(self) -> None:
        self.now = START
        self._last_id = 1000

    def tick(self, seconds: float = 60) -> datetime:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        return self.now

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id
