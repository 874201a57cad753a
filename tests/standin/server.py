"""A running stand-in. What it answers is the business of the forge it stands in for.

Every request and every answer is compared with a description of the forge's API. What does not fit
is kept in `mismatches` and raised when the server ends, so that no client can swallow it.
"""

from __future__ import annotations

import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.standin.faults import Fault, Faults
from tests.standin.listening import Answer, Http, Request


class MismatchError(AssertionError):
    """A request or an answer is not as the forge describes it."""


class StandIn(ABC):
    """HTTP, the log of requests, faults, and the host under another name. `git` is a bare
    repository to serve; without it one is made. `prefix` is what the paths of the API begin with.
    """

    software: str
    faults: Faults

    def __init__(self, *, git: Path | None = None, prefix: str = "") -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if git is None:
            self._folder = tempfile.TemporaryDirectory(prefix="standin-")
            git = Path(self._folder.name) / "origin.git"
        self.git = git
        self.requests: list[Request] = []
        self.mismatches: list[str] = []
        self.ahead_s = 0.0
        self.tells_time = True
        self._lock = threading.RLock()
        self._http = Http(self)
        self.port = self._http.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        self.prefix = prefix
        self.url = f"http://{self.host}{prefix}"
        self.elsewhere = f"http://localhost:{self.port}"
        """The same machine under another name: for a client it is another host."""
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._http.end_connections()
        self._http.server_close()
        self._thread.join()
        if self._folder:
            self._folder.cleanup()
        if not self.mismatches:
            return
        said = f"not as {self.software} has it:\n" + "\n".join(self.mismatches)
        if error is None:
            raise MismatchError(said)
        error.add_note(said)

    def count(self, method: str = "*", path: str = "") -> int:
        """How many requests there were, of a method, with `path` in their path."""
        return sum(
            method in ("*", one.method) and path in one.path and one.host == self.host
            for one in self.requests
        )

    @property
    def writes(self) -> list[Request]:
        return [one for one in self.requests if one.method not in ("GET", "HEAD")]

    @property
    def leaks(self) -> list[Request]:
        """Requests that carried a token to another host."""
        return [one for one in self.requests if one.host != self.host and one.has_token]

    def respond(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Answer | None:
        """The answer; None to end the connection."""
        with self._lock:
            parts = urlsplit(target)
            host = headers.get("host", "")
            path = parts.path.removeprefix(self.prefix)
            fault = self.faults.take(method, path) if host == self.host else None
            if fault is not None and not fault.is_after:
                answer: Answer | None = _broken(fault)
            else:
                if host == self.host:
                    answer = self.answer(method, parts.path, parts.query, headers, body)
                else:
                    answer = self.answer_elsewhere(parts.path)
                if fault is not None:
                    answer = _broken(fault)
            self.requests.append(
                Request(
                    method=method,
                    path=path,
                    query=parts.query,
                    host=host,
                    headers=headers,
                    body=body,
                    status=answer.status if answer else 0,
                )
            )
            return answer

    @abstractmethod
    def answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """What the forge answers. `path` is the whole path, its prefix included."""

    def answer_elsewhere(self, path: str) -> Answer:
        """What the other host answers."""
        return Answer({"message": "not the API"}, 404)

    def note(self, said: str, errors: list[str]) -> None:
        """Keep what is wrong with a request or an answer."""
        self.mismatches += [f"{said}: {error}" for error in errors]


def _broken(fault: Fault) -> Answer | None:
    return Answer(fault.body, fault.status, fault.headers) if fault.status else None
