"""A server of the tests: a client may hang up whenever it likes."""

from __future__ import annotations

import sys
from http.server import ThreadingHTTPServer
from typing import Any


class QuietServer(ThreadingHTTPServer):
    """Says what went wrong in it; that a client has hung up is nothing of that kind."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """See `socketserver.BaseServer`."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
