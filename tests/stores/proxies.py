"""A line to a registry that breaks where a test wants it to, or refuses what others would."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.serving import Connection, QuietServer, serving


class Fault(StrEnum):
    """What happens to a request."""

    REFUSED = "the connection ends before it is sent on"
    LOST = "it is done, and the answer is lost"
    HALF_SENT = "half of its body comes"
    HALF_GOT = "half of the answer comes"
    BUSY = "too many requests (429), which asks to wait"
    EXPIRED = "the login has ended (401)"
    ILL = "it is done, and the answer says that something is broken (503)"
    SILENT = "nobody ever answers"


BREAKS = tuple(fault for fault in Fault if fault not in (Fault.EXPIRED, Fault.SILENT))
"""What another attempt helps against at once."""


@dataclass
class Line:
    """A proxy at `host`. `plan` says what happens to the n-th request; `asked` keeps them all. What
    `hides` tells whoever has not logged in that nothing is there, but for the root.
    """

    host: str
    plan: Callable[[int], Fault | None]
    refuses: Callable[[bytes], str | None]
    hides: bool
    asked: list[str] = field(default_factory=list)


GITLAB_TYPES = frozenset(
    {
        "application/json",
        "application/octet-stream",
        "application/vnd.cncf.helm.config.v1+json",
        "application/vnd.oci.empty.v1+json",
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.manifest.v1+json",
    }
)
"""Some of what the registry of GitLab takes (docs/spec/gitlab/supported-media-types.md there)."""


def unknown_to_gitlab(manifest: bytes) -> str | None:
    """What GitLab says of a manifest with a type that is not in its list. It is said to look at the
    config and the artifact type alone; its documentation has all that a manifest refers to.
    """
    try:
        found = json.loads(manifest)
    except ValueError:
        return "it is no manifest"
    types = [found.get("artifactType"), *(one["mediaType"] for one in _referred_to(found))]
    unknown = [one for one in types if one and one not in GITLAB_TYPES]
    return f"unknown media type: {unknown[0]}" if unknown else None


def _referred_to(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [manifest["config"], *manifest["layers"]]


@contextmanager
def proxied(
    upstream: str,
    plan: Callable[[int], Fault | None] = lambda _: None,
    refuses: Callable[[bytes], str | None] = lambda _: None,
    *,
    hides: bool = False,
) -> Iterator[Line]:
    """A line to `upstream`, gone afterwards, on which a manifest is refused for what `refuses` says
    of it.
    """
    server = _Server(upstream)
    line = Line(f"127.0.0.1:{server.server_address[1]}", plan, refuses, hides)
    server.line = line
    with serving(server):
        try:
            yield line
        finally:
            server.ended.set()


class _Server(QuietServer):
    line: Line

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.lock = threading.Lock()
        self.ended = threading.Event()
        super().__init__(("127.0.0.1", 0), _Connection)

    def next(self, request: str) -> Fault | None:
        with self.lock:
            self.line.asked.append(request)
            return self.line.plan(len(self.line.asked) - 1)

    def challenge(self) -> str:
        """What the registry answers to whoever has not logged in."""
        upstream = http.client.HTTPConnection(self.upstream)
        upstream.request("GET", "/v2/")
        said = upstream.getresponse().getheader("WWW-Authenticate") or ""
        upstream.close()
        return said


class _Connection(Connection):
    server: _Server

    def _serve(self) -> None:
        part = self.headers.get("Content-Range") or self.headers.get("Range") or ""
        fault = self.server.next(f"{self.command} {self.path} {part}".strip())
        size = int(self.headers.get("Content-Length") or 0)
        if fault is Fault.SILENT:
            self.server.ended.wait()
            self._cut()
        elif fault is Fault.REFUSED:
            self._cut()
        elif fault is Fault.BUSY:
            self.rfile.read(size)
            self._answer(429, {"Retry-After": "3"}, b"")
        elif fault is Fault.EXPIRED:
            self.rfile.read(size)
            self._answer(401, {"WWW-Authenticate": self.server.challenge()}, b"")
        elif self.server.line.hides and self.path != "/v2/" and "Authorization" not in self.headers:
            self.rfile.read(size)
            self._answer(404, {}, b"")
        elif fault is Fault.HALF_SENT and size > 1:
            self._send_half(size)
        else:
            self._pass_on(size, fault)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _serve

    def _pass_on(self, size: int, fault: Fault | None) -> None:
        upstream = http.client.HTTPConnection(self.server.upstream)
        try:
            body = self.rfile.read(size)
            if self.command == "PUT" and "/manifests/" in self.path:
                problem = self.server.line.refuses(body)
                if problem is not None:
                    self._refuse(problem)
                    return
            with suppress(BrokenPipeError):  # it has answered before it has read all of it
                upstream.request(self.command, self.path, body, dict(self.headers))
            answer = upstream.getresponse()
            body = answer.read()
        finally:
            upstream.close()
        headers = dict(answer.getheaders())
        if fault is Fault.LOST:
            self._cut()
        elif fault is Fault.ILL:
            self._answer(503, {}, b"")
        elif fault is Fault.HALF_GOT and len(body) > 1:
            self._answer(answer.status, headers, body, part=len(body) // 2)
            self._cut()
        else:
            self._answer(answer.status, headers, body)

    def _refuse(self, problem: str) -> None:
        said = {"code": "MANIFEST_INVALID", "message": "manifest invalid", "detail": problem}
        headers = {"Content-Type": "application/json"}
        self._answer(400, headers, json.dumps({"errors": [said]}).encode())

    def _send_half(self, size: int) -> None:
        upstream = http.client.HTTPConnection(self.server.upstream)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            upstream.putheader(name, value)
        upstream.endheaders()
        upstream.send(self.rfile.read(size // 2))
        assert upstream.sock is not None
        upstream.sock.shutdown(socket.SHUT_WR)
        with suppress(OSError):
            upstream.sock.recv(1)  # until the registry has seen the end
        upstream.close()
        self._cut()

    def _answer(
        self, status: int, headers: dict[str, str], body: bytes, part: int | None = None
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        is_head = self.command == "HEAD"
        told = {name.lower(): value for name, value in headers.items()}
        length = told.get("content-length", "0") if is_head else str(len(body))
        self.send_header("Content-Length", length)
        self.end_headers()
        if not is_head:
            self.wfile.write(body if part is None else body[:part])
        self.wfile.flush()

    def _cut(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
