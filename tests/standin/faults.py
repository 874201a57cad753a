"""Faults to order: what goes wrong between a client and a server."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


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

    def fail(self, method: str, pattern: str, status: int = 503, *, times: int = 1) -> None:
        """The next requests are answered with an error and have no effect."""
        self.order(Fault(method, pattern, times, status))

    def fail_after(self, method: str, pattern: str, status: int = 502, *, times: int = 1) -> None:
        """The next requests have their effect, and the client sees an error."""
        self.order(Fault(method, pattern, times, status, is_after=True))

    def hang_up(self, method: str, pattern: str, *, times: int = 1, after: bool = False) -> None:
        """The connection ends without an answer, before or after the effect."""
        self.order(Fault(method, pattern, times, None, is_after=after))

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
        self.order(Fault(method, pattern, times, status, headers=sent, body=body))

    def redirect(self, method: str, pattern: str, to: str, *, status: int = 301) -> None:
        """The next request is sent elsewhere."""
        self.order(Fault(method, pattern, 1, status, headers={"Location": to}, body=b"{}"))

    def order(self, fault: Fault) -> None:
        with self._lock:
            self._orders.append(fault)

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

    @property
    def is_done(self) -> bool:
        """Whether everything that was ordered has happened."""
        return not self._orders
