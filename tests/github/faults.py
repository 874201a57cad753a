"""Faults to order: what goes wrong between a client and GitHub."""

from __future__ import annotations

import threading
import time

from tests.standin.faults import Fault
from tests.standin.faults import Faults as AnyFaults

__all__ = ["Fault", "Faults"]

QUOTA = 5000


class Faults(AnyFaults):
    """Those of any server, and GitHub's limits."""

    def __init__(self) -> None:
        super().__init__()
        self._count_lock = threading.Lock()
        self._left = QUOTA
        self.limit_status = 403
        self._resets_at = time.time() + 3600

    def secondary_limit(
        self, method: str, pattern: str, *, retry_after_s: int, times: int = 1, status: int = 403
    ) -> None:
        """Too much at once: GitHub says how long to wait."""
        body = b'{"message": "You have exceeded a secondary rate limit. Please wait a few minutes'
        headers = {"Retry-After": str(retry_after_s)}
        body += b' before you try again.", "documentation_url": "https://docs.github.com/rest"}'
        self.order(Fault(method, pattern, times, status, headers=headers, body=body))

    def primary_limit(self, *, resets_in_s: float, left: int = 0, status: int = 403) -> None:
        """After `left` more requests the hour's quota is used up; GitHub says so with 403 or 429.
        The reset is told in real time, because the client's clock is real.
        """
        self.limit_status = status
        self._left, self._resets_at = left, time.time() + resets_in_s

    def spend(self) -> tuple[bool, dict[str, str]]:
        """Count one request: whether the quota had room for it, and the headers that say so."""
        with self._count_lock:
            if time.time() >= self._resets_at:
                self._left, self._resets_at = QUOTA, time.time() + 3600
            has_room = self._left > 0
            self._left = max(self._left - 1, 0)
            return has_room, {
                "X-RateLimit-Limit": str(QUOTA),
                "X-RateLimit-Remaining": str(self._left),
                "X-RateLimit-Used": str(QUOTA - self._left),
                "X-RateLimit-Reset": str(int(self._resets_at)),
                "X-RateLimit-Resource": "core",
            }

    @property
    def rate(self) -> dict[str, int]:
        used = QUOTA - self._left
        reset = int(self._resets_at)
        return {"limit": QUOTA, "used": used, "remaining": self._left, "reset": reset}
