"""An S3 that is a fast sink: it keeps what it is sent, checks no signature and no checksum, and
whoever asks for a list is told that there is nothing. `DELETE /` takes all away.
`python sink.py FOLDER` says at which port it listens.
"""

from __future__ import annotations

import itertools
import os
import re
import sys
import threading
from contextlib import suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_CHUNK_BYTES = 1 << 20
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_PART = re.compile(rb"<PartNumber>\s*(\d+)\s*</PartNumber>")
_STARTED = """\
<InitiateMultipartUploadResult><Bucket>models</Bucket><Key>{key}</Key>\
<UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"""
_DONE = """\
<CompleteMultipartUploadResult><Bucket>models</Bucket><Key>{key}</Key>\
<ETag>"{etag}"</ETag></CompleteMultipartUploadResult>"""
_EMPTY = """\
<ListBucketResult><Name>models</Name><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys>\
<IsTruncated>false</IsTruncated></ListBucketResult>"""
_NONE = "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>"


class Sink(ThreadingHTTPServer):
    """What was sent: an object is a list of files."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)
        self.objects: dict[str, list[Path]] = {}
        self.parts: dict[str, dict[int, Path]] = {}
        super().__init__(("127.0.0.1", 0), _Handler)

    def put(self, key: str, files: list[Path]) -> None:
        with self.lock:
            old = self.objects.get(key, [])
            self.objects[key] = files
        for path in old:
            path.unlink()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Sink

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        if "list-type" in parse_qs(where.query):
            self._say(200, _EMPTY)
            return
        files = self.server.objects.get(where.path)
        if files is None:
            self._say(404, _NONE)
            return
        size = sum(path.stat().st_size for path in files)
        match = _RANGE.fullmatch(self.headers.get("Range", ""))
        start = int(match[1]) if match else 0
        stop = min(int(match[2]) + 1, size) if match and match[2] else size
        self.send_response(206 if match else 200)
        if match:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.send_header("ETag", f'"{files[0].name}"')
        self.send_header("Last-Modified", formatdate(usegmt=True))
        self.send_header("Content-Length", str(stop - start))
        self.end_headers()
        if self.command == "GET":
            self._send(files, start, stop)

    def do_PUT(self) -> None:
        where = urlsplit(self.path)
        asked = parse_qs(where.query)
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            self.close_connection = True
            self._say(501, "<Error><Code>NotImplemented</Code></Error>")
            return
        path = self._keep()
        if "partNumber" in asked:
            self.server.parts[asked["uploadId"][0]][int(asked["partNumber"][0])] = path
        else:
            self.server.put(where.path, [path])
        self._say(200, "", ETag=f'"{path.name}"')

    def do_POST(self) -> None:
        where = urlsplit(self.path)
        asked = parse_qs(where.query, keep_blank_values=True)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "uploads" in asked:
            upload = f"upload{next(self.server.numbers)}"
            self.server.parts[upload] = {}
            self._say(200, _STARTED.format(key=where.path, upload=upload))
            return
        parts = self.server.parts.pop(asked["uploadId"][0])
        files = [parts[int(number)] for number in _PART.findall(body)]
        self.server.put(where.path, files)
        self._say(200, _DONE.format(key=where.path, etag=files[0].name))

    def do_DELETE(self) -> None:
        for key in list(self.server.objects):
            self.server.put(key, [])
            del self.server.objects[key]
        self._say(204, "")

    def _keep(self) -> Path:
        path = self.server.folder / f"part{next(self.server.numbers)}"
        left = int(self.headers.get("Content-Length") or 0)
        view = memoryview(bytearray(min(_CHUNK_BYTES, max(left, 1))))
        with path.open("wb", buffering=0) as file:
            while left:
                count = self.rfile.readinto(view[: min(left, len(view))])
                if not count:
                    raise ConnectionError("the body ended early")
                file.write(view[:count])
                left -= count
        return path

    def _send(self, files: list[Path], start: int, stop: int) -> None:
        begin = 0
        for path in files:
            size = path.stat().st_size
            at, end = max(start - begin, 0), min(stop - begin, size)
            begin += size
            if at >= end:
                continue
            # Some hang up once they have what they want.
            with path.open("rb") as file, suppress(ConnectionError):
                while at < end:
                    at += os.sendfile(self.connection.fileno(), file.fileno(), at, end - at)

    def _say(self, status: int, text: str, **headers: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        del format, args


if __name__ == "__main__":
    sink = Sink(Path(sys.argv[1]))
    print(sink.server_address[1], flush=True)
    sink.serve_forever()
