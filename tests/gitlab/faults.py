"""Faults to order: what goes wrong between a client and GitLab."""

from __future__ import annotations

from tests.standin.faults import Fault
from tests.standin.faults import Faults as AnyFaults


class Faults(AnyFaults):
    """Those of any server, and GitLab's limits."""

    def too_many(
        self, method: str, pattern: str, *, retry_after_s: int = 1, times: int = 1
    ) -> None:
        """Too many requests. The answer is plain text, not JSON."""
        headers = {
            "Content-Type": "text/plain",
            "Retry-After": str(retry_after_s),
            "RateLimit-Limit": "600",
            "RateLimit-Observed": "601",
            "RateLimit-Remaining": "0",
            "RateLimit-Name": "throttle_authenticated_api",
        }
        self.order(Fault(method, pattern, times, 429, headers=headers, body=b"Retry later\n"))

    def gateway(self, method: str, pattern: str, *, times: int = 1, after: bool = False) -> None:
        """What the proxy before GitLab says when GitLab does not answer."""
        body = b"<!DOCTYPE html><title>GitLab is not responding (502)</title>"
        headers = {"Content-Type": "text/html"}
        self.order(Fault(method, pattern, times, 502, after, headers, body))
