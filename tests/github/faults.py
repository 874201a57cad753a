"""Faults to order: what goes wrong between a client and GitHub."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

QUOTA = 5000


@dataclass(eq=False)
class Fault:
    """What happens to the next requests that fit. `is_after`: the request has its effect first."""

    method: str
    pattern: str
    times: int
    status: int | None
    """None: the connection ends without any answer."""
    is_after: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"message": "Server Error"}'


class Faults:
    """Orders, first come first served. A path is matched as a shell pattern, without the query:
    `/repos/acme/churn/pulls/7`, `*/statuses`.
    """

    def __init__(self) -> None:
        self._orders: list[Fault] = []
        self._lock = threading.Lock()
        self._left = QUOTA
        self.limit_status = 403
        self._resets_at = time.time() + 3600

    def fail(self, method: str, pattern: str, status: int = 503, *, times: int = 1) -> None:
        """The next requests are answered with an error and have no effect."""
        self._orders.append(Fault(method, pattern, times, status))

    def fail_after(self, method: str, pattern: str, status: int = 502, *, times: int = 1) -> None:
        """The next requests have their effect, and the client sees an error."""
        self._orders.append(Fault(method, pattern, times, status, is_after=True))

    def hang_up(self, method: str, pattern: str, *, times: int = 1, after: bool = False) -> None:
        """The connection ends without an answer, before or after the effect."""
        self._orders.append(Fault(method, pattern, times, None, is_after=after))

    def answer(
        self,
        method: str,
        pattern: str,
        body: bytes,
        *,
        status: int = 200,
        times: int = 1,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """The next requests get this instead: half a page, HTML of a proxy, nonsense."""
        sent = {"Content-Type": content_type, **(headers or {})}
        self._orders.append(Fault(method, pattern, times, status, headers=sent, body=body))

    def redirect(self, method: str, pattern: str, to: str, *, status: int = 301) -> None:
        """The next request is sent elsewhere."""
        self._orders.append(Fault(method, pattern, 1, status, headers={"Location": to}, body=b"{}"))

    def secondary_limit(
        self, method: str, pattern: str, *, retry_after_s: int, times: int = 1, status: int = 403
    ) -> None:
        """Too much at once: GitHub says how long to wait."""
        body = b'{"message": "You have exceeded a secondary rate limit. Please wait a few minutes'
        headers = {"Retry-After": str(retry_after_s)}
        body += b' before you try again.", "documentation_url": "https://docs.github.com/rest"}'
        self._orders.append(Fault(method, pattern, times, status, headers=headers, body=body))

    def primary_limit(self, *, resets_in_s: float, left: int = 0, status: int = 403) -> None:
        """After `left` more requests the hour's quota is used up; GitHub says so with 403 or 429.
        The reset is told in real time, because the client's clock is real.
        """
        self.limit_status = status
        self._left, self._resets_at = left, time.time() + resets_in_s

    def take(self, method: str, path: str) -> Fault | None:
        """The order that this request fits, if any is left."""
        with self._lock:
            for order in self._orders:
                if order.method in ("*", method) and fnmatchcase(path, order.pattern):
                    order.times -= 1
                    if order.times <= 0:
                        self._orders.remove(order)
                    return order
        return None

    def spend(self) -> tuple[bool, dict[str, str]]:
        """Count one request: whether the quota had room for it, and the headers that say so."""
        with self._lock:
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

    @property
    def is_done(self) -> bool:
        """Whether everything that was ordered has happened."""
        return not self._orders
