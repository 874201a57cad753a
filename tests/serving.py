"""Servers of HTTP for tests: threads that answer at once and end at once, and say nothing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import Any


class Connection(BaseHTTPRequestHandler):
    """A connection of a client."""

    protocol_version = "HTTP/1.1"
    # An answer is several writes: the system would keep the second back until the first is known
    # to have come, which takes 40 ms.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Nothing: what a test says is its own."""


class QuietServer(ThreadingHTTPServer):
    """Says what went wrong in it; that a client has hung up is nothing of that kind."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """See `socketserver.BaseServer`."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(server: HTTPServer) -> Iterator[str]:
    """Serve until the end; the host and port."""
    look_s = 0.02  # how long it takes at most until it ends: half a second otherwise
    thread = threading.Thread(target=server.serve_forever, args=(look_s,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answering(connection: type[Connection]) -> AbstractContextManager[str]:
    """Serve with such connections until the end; the host and port."""
    return serving(QuietServer(("127.0.0.1", 0), connection))
