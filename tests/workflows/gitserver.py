"""Git over HTTP with the tokens of the harness: a job can push only if its permissions say so."""

from __future__ import annotations

import base64
import binascii
import os
import subprocess
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self


class Rights:
    """Which token may do what in which repository. Repositories can be read by everybody, unless
    they are private.
    """

    def __init__(self) -> None:
        self.private: set[str] = set()
        self._granted: dict[str, dict[str, Mapping[str, str]]] = {}
        self._lock = threading.Lock()

    def grant(self, token: str, repository: str, permissions: Mapping[str, str]) -> None:
        with self._lock:
            self._granted.setdefault(token, {})[repository] = dict(permissions)

    def table(self) -> dict[str, dict[str, Mapping[str, str]]]:
        with self._lock:
            return {token: dict(granted) for token, granted in self._granted.items()}

    def may(self, token: str | None, repository: str, *, write: bool) -> bool:
        if token is None:
            return not write and repository not in self.private
        granted = self.table().get(token)
        if granted is None:
            return False
        level = granted.get(repository, {}).get("contents")
        if write:
            return level == "write"
        return level in ("read", "write") or repository not in self.private


class _Http(ThreadingHTTPServer):
    daemon_threads = False
    """Closing waits for the last answer, so that no test ends in the middle of one."""
    request_queue_size = 64


class GitServer:
    """Serves bare repositories by their full name until closed. `refusals` says what was denied,
    and `failures` what Git itself could not do.
    """

    def __init__(self, repositories: Mapping[str, Path]) -> None:
        self.repositories = dict(repositories)
        self.rights = Rights()
        self.refusals: list[str] = []
        self.failures: list[str] = []
        self._server = _Http(("127.0.0.1", 0), self._requests())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _requests(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Request(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def do_GET(self) -> None:
                self._serve(b"")

            def do_POST(self) -> None:
                self._serve(_body(self))

            def _serve(self, body: bytes) -> None:
                path, _, query = self.path.partition("?")
                owner, name, *rest = path.lstrip("/").split("/")
                repository = f"{owner}/{name.removesuffix('.git')}"
                folder = server.repositories.get(repository)
                write = "git-receive-pack" in path or "service=git-receive-pack" in query
                token = _token(self.headers.get("Authorization"))
                if folder is None or not server.rights.may(token, repository, write=write):
                    self._refuse(repository, token, write, folder is None)
                    return
                answer = _backend(self, folder, "/".join(rest), query, body, token)
                if answer[0] >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    server.failures.append(answer[2].decode(errors="replace"))
                self._answer(answer)

            def _refuse(
                self, repository: str, token: str | None, write: bool, unknown: bool
            ) -> None:
                code = 404 if unknown and token else 401 if token is None else 403
                verb = "push to" if write else "fetch of"
                server.refusals.append(f"{verb} {repository}: {code}")
                more = {"WWW-Authenticate": 'Basic realm="harness"'} if code == 401 else {}
                self._answer((code, more, f"{verb} {repository} denied\n".encode()))

            def _answer(self, answer: tuple[int, dict[str, str], bytes]) -> None:
                code, headers, body = answer
                self.send_response(code)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Nothing: the log of a test is the test's."""

        return Request


def _body(request: BaseHTTPRequestHandler) -> bytes:
    if request.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return request.rfile.read(int(request.headers.get("Content-Length", "0")))
    parts = []
    while size := int(request.rfile.readline().split(b";")[0], 16):
        parts.append(request.rfile.read(size))
        request.rfile.readline()
    request.rfile.readline()
    return b"".join(parts)


def _token(header: str | None) -> str | None:
    """The password of basic authentication, as the runner and Git send it."""
    kind, _, value = (header or "").partition(" ")
    if kind.lower() != "basic":
        return value or None
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _backend(
    request: BaseHTTPRequestHandler,
    folder: Path,
    path: str,
    query: str,
    body: bytes,
    token: str | None,
) -> tuple[int, dict[str, str], bytes]:
    """Git's own CGI program answers: `git help http-backend`."""
    env = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(folder),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_0": "http.receivepack",
        "GIT_CONFIG_VALUE_0": "true",
        "GIT_CONFIG_KEY_1": "safe.directory",
        "GIT_CONFIG_VALUE_1": "*",
        # As on GitHub: any commit can be asked for by its SHA.
        "GIT_CONFIG_KEY_2": "uploadpack.allowAnySHA1InWant",
        "GIT_CONFIG_VALUE_2": "true",
        "PATH_INFO": f"/{path}",
        "QUERY_STRING": query,
        "REQUEST_METHOD": request.command,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_USER": "x-access-token" if token else "",
        "REMOTE_ADDR": "127.0.0.1",
    }
    done = subprocess.run(
        ["git", "http-backend"], input=body, env=env, capture_output=True, check=False
    )
    if done.returncode:
        return HTTPStatus.INTERNAL_SERVER_ERROR, {}, done.stderr
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    code = int(headers.pop("Status", "200 OK").split()[0])
    return code, headers, content
