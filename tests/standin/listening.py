"""HTTP for a stand-in: requests come in, answers go out, and the end of a test ends them all."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol


@dataclass(frozen=True)
class Answer:
    """What goes back. A body of bytes goes as it is."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """One request, as it came."""

    method: str
    path: str
    query: str
    host: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    """What was answered; 0 if the connection was ended instead."""

    @property
    def has_token(self) -> bool:
        return any(name in self.headers for name in ("authorization", "private-token", "job-token"))

    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


class Responder(Protocol):
    """Who answers."""

    software: str
    """What it calls itself in the header `Server`."""
    ahead_s: float
    """How far its clock, as answers tell it, is ahead of this machine's."""
    tells_time: bool
    """Whether answers have a date: a proxy can take it away."""

    def respond(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Answer | None:
        """The answer; None to end the connection."""


class Http(ThreadingHTTPServer):
    """Listens on a free port of this machine."""

    daemon_threads = True

    def __init__(self, responder: Responder) -> None:
        self.responder = responder
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), Connection)

    def end_connections(self) -> None:
        """Clients keep theirs open; a thread would wait for ever."""
        for one in list(self.open):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:  # it has ended by itself
                continue


class Connection(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Http

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        try:
            super().finish()
        except OSError:  # the client, or the end of the test, was faster
            return

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            return

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        answer = self.server.responder.respond(self.command, self.path, headers, body)
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if isinstance(answer.body, bytes):
            content = answer.body
        else:
            content = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response_only(answer.status)
        responder = self.server.responder
        date = self.date_time_string(int(time.time() + responder.ahead_s))
        sent = {
            "Server": responder.software,
            **({"Date": date} if responder.tells_time else {}),
            "Content-Type": "application/json; charset=utf-8",
            **answer.headers,
        }
        for name, value in sent.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
        """Silent."""
