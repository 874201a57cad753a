"""The stand-in over HTTP.

    with Server() as server:
        github = server.github
        client = Github(base_url=server.url, auth=Auth.Token(github.workflow_token()))

Every request and every answer is compared with GitHub's description of its API. What does not fit
is kept in `mismatches` and raised when the server ends, so that no client can swallow it.
"""

from __future__ import annotations

import json
import socket
import tempfile
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.github.accounts import Token
from tests.github.contract import Contract
from tests.github.events import Events
from tests.github.faults import Fault, Faults
from tests.github.repository import Repository
from tests.github.routes import graphql
from tests.github.routing import ROUTES, Answer, Call, RefusedError, can_see, permit
from tests.github.runs import Run
from tests.github.shapes.addresses import Addresses
from tests.github.variables import variables
from tests.github.world import GitHub


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
        return "authorization" in self.headers

    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


class MismatchError(AssertionError):
    """A request or an answer is not as GitHub describes it."""


@cache
def contract() -> Contract:
    return Contract()


class Server:
    """A running stand-in. `git` is a bare repository to serve; without it one is made. `prefix` is
    `/api/v3` on GitHub Enterprise Server. `web` is the address of the site.
    """

    def __init__(
        self,
        *,
        git: Path | None = None,
        prefix: str = "",
        web: str = "https://github.com",
        **world: Any,
    ) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if git is None:
            self._folder = tempfile.TemporaryDirectory(prefix="standin-")
            git = Path(self._folder.name) / "origin.git"
        self.git = git
        self.github = GitHub(self.git, **world)
        self.faults = Faults()
        self.requests: list[Request] = []
        self.mismatches: list[str] = []
        self._lock = threading.RLock()
        self._http = _Http(("127.0.0.1", 0), _Connection, self)
        self.port = self._http.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        self.prefix = prefix
        self.url = f"http://{self.host}{prefix}"
        self._graphql = prefix.removesuffix("/v3") + "/graphql"
        self.elsewhere = f"http://localhost:{self.port}"
        """The same machine under another name: for a client it is another host."""
        self.where = Addresses(self.url, web)
        self.events = Events(self.github, self.where)
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
        said = "not as GitHub describes it:\n" + "\n".join(self.mismatches)
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

    def write_event(
        self, folder: Path, run: Run, payload: Mapping[str, Any], **more: str
    ) -> dict[str, str]:
        """Write the event's file into `folder`, and return the environment of a job of the run."""
        file = folder / f"event-{run.id}-{run.attempt}.json"
        file.write_text(json.dumps(payload))
        return {**variables(self.where, run, file), **more}

    # --- one request ---

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
                answer = self._answer(method, parts.path, parts.query, headers, body)
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

    def _answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        if headers.get("host") != self.host:
            return self._elsewhere(path)
        has_room, limits = self.faults.spend()
        try:
            if not has_room and not path.endswith("/rate_limit"):
                raise RefusedError(
                    self.faults.limit_status, "API rate limit exceeded for installation ID 1."
                )
            token = self._token(headers.get("authorization", ""))
            answer = self._routed(method, path, query, body, token)
        except RefusedError as refused:
            answer = Answer(refused.body, refused.status)
        except Exception as error:
            trace = "".join(traceback.format_exception(error, limit=-4))[:2000]
            self.mismatches.append(f"{method} {path}: the stand-in broke: {error!r:.500}\n{trace}")
            answer = Answer({"message": "the stand-in broke"}, 500)
        return Answer(answer.body, answer.status, {**limits, **answer.headers})

    def _token(self, header: str) -> Token:
        token = self.github.tokens.get(header.rpartition(" ")[2])
        if token is None or token.is_revoked or not token.account.is_found:
            raise RefusedError(401, "Bad credentials" if header else "Requires authentication")
        return token

    def _routed(self, method: str, path: str, query: str, body: bytes, token: Token) -> Answer:
        sent = json.loads(body) if body else None
        if method == "POST" and path == self._graphql:
            answer, problem = graphql.answer(self.github, token, sent)
            self._note(f"{method} {path}", [problem] if problem else [])
            return answer
        match = contract().find(method, path.removeprefix(self.prefix))
        if match is None or not path.startswith(self.prefix):
            self._note(f"{method} {path}", ["not an operation of the extract"])
            raise RefusedError(404)
        operation, in_path = match
        asked = dict(parse_qsl(query, keep_blank_values=True))
        said = f"{method} {path}{'?' if query else ''}{query} ({operation.id})"
        errors = contract().request_errors(operation, in_path, asked, sent)
        self._note(said, errors)
        route = ROUTES[operation.id]
        try:
            if errors:
                raise RefusedError(422, "Invalid request.\n\n" + "\n".join(errors))
            call = Call(
                github=self.github,
                where=self.where,
                token=token,
                path=path.removeprefix(self.prefix),
                in_path=in_path,
                query=asked,
                body=sent or {},
                repository_or_none=self._repository(in_path, token),
                storage=self.elsewhere,
                rate=self.faults.rate,
            )
            permit(route, token, call.repository_or_none)
            answer = route.answer(call)
        except RefusedError as refused:
            answer = Answer(refused.body, refused.status)
        shown = None if isinstance(answer.body, bytes) else answer.body
        self._note(said, contract().answer_errors(operation, answer.status, shown))
        needed = ", ".join(f"{one}={route.level}" for one in route.permissions)
        headers = {"X-Accepted-GitHub-Permissions": needed} if needed else {}
        return Answer(answer.body, answer.status, {**headers, **answer.headers})

    def _repository(self, in_path: Mapping[str, str], token: Token) -> Repository | None:
        if "repo" not in in_path:
            return None
        wanted = f"{in_path['owner']}/{in_path['repo']}".lower()
        for one in self.github.repositories:
            if one.full_name.lower() == wanted and can_see(token, one):
                return one
        raise RefusedError(404)

    def _elsewhere(self, path: str) -> Answer:
        """The host that keeps files; whoever has the address may read them."""
        for run in self.github.repository.runs:
            for artifact in run.artifacts:
                if path == f"/artifacts/{artifact.id}.zip":
                    return Answer(artifact.content, headers={"Content-Type": "application/zip"})
        return Answer({"message": "not the API"}, 404)

    def _note(self, said: str, errors: list[str]) -> None:
        self.mismatches += [f"{said}: {error}" for error in errors]


def _broken(fault: Fault) -> Answer | None:
    return Answer(fault.body, fault.status, fault.headers) if fault.status else None


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], connection: type[BaseHTTPRequestHandler], server: Server
    ) -> None:
        self.standin = server
        self.open: set[socket.socket] = set()
        super().__init__(address, connection)

    def end_connections(self) -> None:
        """Clients keep theirs open; a thread would wait for ever."""
        for one in list(self.open):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:  # it has ended by itself
                continue


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: _Http

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
        answer = self.server.standin.respond(self.command, self.path, headers, body)
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if isinstance(answer.body, bytes):
            content = answer.body
        else:
            content = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response_only(answer.status)
        sent = {
            "Server": "github.com",
            "Date": self.date_time_string(),
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

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815  # http.server finds them by these names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
        """Silent."""
