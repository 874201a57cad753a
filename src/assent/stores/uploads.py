"""A file on its way to a registry (OCI distribution specification 1.1, pushing blobs)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from assent.core.digest import Digest
from assent.errors import OutsideError
from assent.ports import Progress
from assent.stores.answers import CHUNK_BYTES, RefusedError
from assent.stores.line import Answer, Line
from assent.stores.local_files import outside

BYTES = {"Content-Type": "application/octet-stream"}
_RANGE = re.compile(r"(?:bytes=)?0-([0-9]{1,18})")


def begun(line: Line, doing: str) -> str:
    """Where a new upload goes to."""
    place = f"{line.root}/v2/{line.name}/blobs/uploads/"
    return _location(line, line.once("POST", place, doing, data=b""), doing)


def with_digest(place: str, digest: Digest) -> str:
    """Where an upload ends."""
    return f"{place}{'&' if urlsplit(place).query else '?'}{urlencode({'digest': digest})}"


def _location(line: Line, answer: Answer | None, doing: str) -> str:
    where = None if answer is None else answer.headers.get("Location")
    if answer is None or not where:
        raise OutsideError(doing, "the registry does not say where to send the bytes")
    return line.here(answer.url, where, doing)


class Upload:
    """A file on its way: in one go where all is well (POST, PATCH, PUT), from where the registry
    has got to where it is not.
    """

    def __init__(
        self, line: Line, digest: Digest, path: Path, size: int, advance: Progress, doing: str
    ) -> None:
        self._line = line
        self._digest = digest
        self._path = path
        self._size = size
        self._advance = advance
        self._doing = doing
        self._place: str | None = None
        self._is_begun = False
        self._told = 0
        self.kept = 0
        """How many bytes the registry has said that it has."""

    def go_on(self) -> None:
        """Send what the registry has not got."""
        line, doing = self._line, self._doing
        if self._is_begun and self._is_there():
            self._tell(self._size)  # only the answer was lost
            return
        self._is_begun = True
        start = self._got()
        if self._place is None:
            self._place, start = begun(line, doing), 0
        with outside(doing), self._path.open("rb", buffering=0) as file:
            if start < self._size:
                headers = dict(BYTES)
                if start:
                    headers["Content-Range"] = f"{start}-{self._size - 1}"
                part = _Part(file, start, self._size, self._tell, doing)
                answer = line.once("PATCH", self._place, doing, data=part, headers=headers)
                self._place = _location(line, answer, doing)
            line.once("PUT", with_digest(self._place, self._digest), doing, data=b"")

    def _is_there(self) -> bool:
        place = f"{self._line.root}/v2/{self._line.name}/blobs/{self._digest}"
        return self._line.once("HEAD", place, self._doing, may_miss=True) is not None

    def _got(self) -> int:
        """How many bytes of an upload that broke have come; it is begun anew where nobody knows,
        and where `0-0` may be one byte or none.
        """
        if self._place is None:
            return 0
        try:
            answer = self._line.once("GET", self._place, self._doing, may_miss=True)
        except RefusedError:
            answer = None
        match = None if answer is None else _RANGE.fullmatch(answer.headers.get("Range", ""))
        got = 0 if match is None else int(match[1]) + 1
        if answer is None or not 1 < got <= self._size:
            self._place = None
            return 0
        self.kept = max(self.kept, got)
        if answer.headers.get("Location"):
            self._place = _location(self._line, answer, self._doing)
        return got

    def _tell(self, done: int) -> None:
        """Say how far it is, and nothing twice."""
        self._advance(max(0, done - self._told))
        self._told = max(self._told, done)


class _Part:
    """A part of a file as the body of a request, which is read once, and again after a login."""

    def __init__(self, file: Any, start: int, stop: int, tell: Progress, doing: str) -> None:
        self._file = file
        self._start = start
        self._stop = stop
        self._tell = tell
        self._doing = doing
        self.rewind()

    def rewind(self) -> None:
        """Begin again."""
        self._at = self._start
        self._file.seek(self._start)

    def __len__(self) -> int:
        return self._stop - self._start

    def __iter__(self) -> Iterator[bytes]:
        while part := self.read(CHUNK_BYTES):
            yield part

    def read(self, size: int = -1) -> bytes:
        """The next bytes: many at once, whatever is asked for. Raises `OutsideError` where the file
        cannot be read any more, which is nothing that another attempt helps.
        """
        del size
        with outside(self._doing):
            wanted = min(CHUNK_BYTES, self._stop - self._at)
            part: bytes = self._file.read(wanted)
        if wanted and not part:
            raise OutsideError(self._doing, "the file became shorter while it was sent")
        self._at += len(part)
        self._tell(self._at)
        return part
