"""A stand-in for registries that keep what has come of an upload that broke, as the specification
says (OCI distribution 1.1, "Pushing a blob in chunks"). That of Docker gives it up. It knows
uploads and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.serving import Connection, QuietServer, serving


@dataclass
class Keeping:
    """What has come: whole blobs by digest, and the upload that is open."""

    host: str = ""
    blobs: dict[str, bytes] = field(default_factory=dict)
    upload: bytearray = field(default_factory=bytearray)


@contextmanager
def keeping() -> Iterator[Keeping]:
    """The stand-in, gone afterwards."""
    server = _Server(("127.0.0.1", 0), _Connection)
    server.kept = Keeping(host=f"127.0.0.1:{server.server_address[1]}")
    with serving(server):
        yield server.kept


class _Server(QuietServer):
    kept: Keeping


class _Connection(Connection):
    server: _Server

    def do_HEAD(self) -> None:
        self._answer(404)

    def do_POST(self) -> None:
        self.server.kept.upload.clear()
        self._answer(202)

    def do_GET(self) -> None:
        self._answer(204)

    def do_PATCH(self) -> None:
        kept, left = self.server.kept, int(self.headers["Content-Length"])
        start = int((self.headers.get("Content-Range") or "0-").split("-")[0])
        if start != len(kept.upload):
            self._answer(416)
            return
        while left and (part := self.rfile.read1(min(left, 65_536))):
            kept.upload += part
            left -= len(part)
        self._answer(202)

    def do_PUT(self) -> None:
        [digest] = parse_qs(urlsplit(self.path).query)["digest"]
        self.server.kept.blobs[digest] = bytes(self.server.kept.upload)
        self._answer(201)

    def _answer(self, status: int) -> None:
        self.send_response_only(status)
        self.send_header("Location", "/v2/team/models/blobs/uploads/1")
        self.send_header("Range", f"0-{max(0, len(self.server.kept.upload) - 1)}")
        self.send_header("Content-Length", "0")
        self.end_headers()
