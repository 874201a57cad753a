"""A registry, or any other service, that answers what a test has it answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.serving import Connection, answering


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """An answer. Where it `ends_early`, the connection ends behind the last byte of an answer that
    goes on.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ends_early: bool = False


@dataclass
class Scripted:
    """What listens at `host`, and what it was asked."""

    host: str
    asked: list[Asked] = field(default_factory=list)

    @property
    def methods(self) -> list[str]:
        """How it was asked."""
        return [one.method for one in self.asked]


@contextmanager
def scripted(answer: Callable[[Asked], Reply]) -> Iterator[Scripted]:
    """The registry, gone afterwards."""

    class Answering(Connection):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, dict(self.headers), body)
            with lock:
                it.asked.append(asked)
            reply = answer(asked)
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.ends_early:
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(reply.body), reply.body))
                self.close_connection = True
                return
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _serve

    lock = threading.Lock()
    with answering(Answering) as host:
        it = Scripted(host)
        yield it
