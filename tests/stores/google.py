"""A stand-in of ours for Google Cloud Storage: as much of its XML API as reads and writes objects,
with conditions by generation. It checks no signature. No emulator that we know heeds conditions.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from types import MappingProxyType
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.serving import Connection, QuietServer

_NO_KEY = "NoSuchKey"


@dataclass(frozen=True)
class Held:
    """An object, and which writing of its name it is."""

    content: bytes
    generation: int

    @property
    def tag(self) -> str:
        return hashlib.md5(self.content).hexdigest()


class GoogleServer(QuietServer):
    """The service, with one bucket."""

    def __init__(self, bucket: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.bucket = bucket
        self.objects: dict[str, Held] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.lock = threading.Lock()
        self.numbers = itertools.count(1_700_000_000_000_001)

    def write(self, name: str, content: bytes, condition: str | None) -> Held | None:
        """Write an object, if the condition holds on its generation; None if it does not."""
        with self.lock:
            held = self.objects.get(name)
            standing = held.generation if held is not None else 0
            if condition is not None and int(condition) != standing:
                return None
            self.objects[name] = Held(content, next(self.numbers))
            return self.objects[name]


class _Connection(Connection):
    server: GoogleServer

    def _serve(self) -> None:
        place = urlsplit(self.path)
        bucket, _, name = unquote(place.path).removeprefix("/").partition("/")
        asked = {key: value[0] for key, value in parse_qs(place.query, True).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if bucket != self.server.bucket:
            self._refuse(404, "NoSuchBucket")
        elif not name:
            self._list(asked)
        elif self.command in ("GET", "HEAD"):
            self._give(name)
        elif self.command == "DELETE":
            self._remove(name, asked)
        elif self.command == "POST":
            self._upload(name, asked)
        else:
            self._take(name, asked, body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve

    def _give(self, name: str) -> None:
        held = self.server.objects.get(name)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if held is None:
            self._refuse(404, _NO_KEY)
        elif asked is None:
            self._answer(200, held.content, held)
        else:
            size = len(held.content)
            start, end = int(asked[1]), min(int(asked[2] or size), size - 1)
            said = {"Content-Range": f"bytes {start}-{end}/{size}"}
            self._answer(206, held.content[start : end + 1], held, said)

    def _take(self, name: str, asked: dict[str, str], body: bytes) -> None:
        if "uploadId" in asked:
            self.server.uploads[asked["uploadId"]][int(asked["partNumber"])] = body
            self._answer(200, b"", Held(body, 1))
            return
        held = self.server.write(name, body, self.headers.get("x-goog-if-generation-match"))
        if held is None:
            self._refuse(412, "PreconditionFailed")
        else:
            self._answer(200, b"", held)

    def _upload(self, name: str, asked: dict[str, str]) -> None:
        if "uploads" in asked:
            number = str(next(self.server.numbers))
            self.server.uploads[number] = {}
            said = f"<UploadId>{number}</UploadId>"
            self._answer(200, _xml("InitiateMultipartUploadResult", said))
            return
        parts = self.server.uploads.pop(asked["uploadId"], None)
        if parts is None:
            self._refuse(404, "NoSuchUpload")
            return
        held = self.server.write(name, b"".join(parts[one] for one in sorted(parts)), None)
        assert held is not None
        said = f"<ETag>&quot;{held.tag}&quot;</ETag>"
        self._answer(200, _xml("CompleteMultipartUploadResult", said), held)

    def _remove(self, name: str, asked: dict[str, str]) -> None:
        if "uploadId" in asked:
            self.server.uploads.pop(asked["uploadId"], None)
        elif self.server.objects.pop(name, None) is None:
            self._refuse(404, _NO_KEY)
            return
        self._answer(204, b"")

    def _list(self, asked: dict[str, str]) -> None:
        prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter")
        lines, folders = [], set()
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")  # nothing here ever gets old
        for name, held in sorted(self.server.objects.items()):
            rest = name.removeprefix(prefix)
            if not name.startswith(prefix):
                continue
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.partition(delimiter)[0] + delimiter)
                continue
            lines.append(
                f"<Contents><Key>{escape(name)}</Key><Size>{len(held.content)}</Size>"
                f"<LastModified>{now}</LastModified>"
                f"<ETag>&quot;{held.tag}&quot;</ETag></Contents>"
            )
        lines += [
            f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>"
            for one in sorted(folders)
        ]
        self._answer(200, _xml("ListBucketResult", "".join(lines)))

    def _refuse(self, status: int, code: str) -> None:
        self._answer(status, _xml("Error", f"<Code>{code}</Code>"))

    def _answer(
        self,
        status: int,
        body: bytes,
        held: Held | None = None,
        said: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.send_response_only(status)
        for key, value in said.items():
            self.send_header(key, value)
        if held is not None:
            self.send_header("ETag", f'"{held.tag}"')
            self.send_header("x-goog-generation", str(held.generation))
            self.send_header("Last-Modified", formatdate(1_767_225_600, usegmt=True))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _xml(kind: str, said: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><{kind}>{said}</{kind}>'.encode()
