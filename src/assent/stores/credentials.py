"""Who we are to a container registry, as the tools of containers know it.

Sources: the files of `docker login` and `podman login` (`auths`, `credHelpers`, `credsStore`;
containers-auth.json(5) for where they are and for keys with a path), the variable
DOCKER_AUTH_CONFIG of GitLab CI, and the protocol of docker-credential-helpers.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from assent.errors import UsageError
from assent.ports import Credentials

DOCKER_HUB = "docker.io"
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_HELPER_TIMEOUT_S = 60
_MAX_BYTES = 1 << 20
_NOT_FOUND = b"credentials not found"
_LONGEST_LINE = 200
_IDENTITY = "<token>"
"""The user name under which a helper gives an identity token (docker-credential-helpers)."""


def credentials_for(
    host: str,
    environ: Mapping[str, str],
    *,
    name: str = "",
    home: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Credentials | None:
    """What a login on this machine has kept for the repository `name` of a registry; None where
    nobody has logged in. Raises `UsageError` for a login that cannot be used. That a helper could
    not look is said.
    """
    wanted = _Wanted(host, name, say)
    for path in _login_files(environ, Path.home() if home is None else home):
        credentials = _of_file(path, wanted)
        if credentials is not None:
            return credentials
    return None


def credentials_given(
    host: str,
    environ: Mapping[str, str],
    *,
    name: str = "",
    say: Callable[[str], None] = lambda _: None,
) -> Credentials | None:
    """What the variable DOCKER_AUTH_CONFIG says; see `credentials_for`. It is there for the images
    of jobs, and may let in nobody but who reads.
    """
    given = environ.get("DOCKER_AUTH_CONFIG", "")
    if not given:
        return None
    return _of_text(given.encode(), "DOCKER_AUTH_CONFIG", _Wanted(host, name, say))


class _Wanted(NamedTuple):
    """For what a login is looked for."""

    host: str
    name: str
    say: Callable[[str], None]

    @property
    def keys(self) -> list[str]:
        """How `auths` may call it: the longest first (containers-auth.json(5))."""
        parts = self.name.split("/") if self.name else []
        paths = ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
        return [*(f"{self.host}/{path}" for path in paths), *_names_of(self.host)]


def _login_files(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    if environ.get("REGISTRY_AUTH_FILE"):
        yield Path(environ["REGISTRY_AUTH_FILE"])
    if environ.get("DOCKER_CONFIG"):
        yield Path(environ["DOCKER_CONFIG"]) / "config.json"
    else:
        yield home / ".docker" / "config.json"
    if environ.get("XDG_RUNTIME_DIR"):
        yield Path(environ["XDG_RUNTIME_DIR"]) / "containers" / "auth.json"
    elif sys.platform == "linux":  # as for `sudo` and cron; another account may have made it
        path = Path(f"/run/containers/{os.getuid()}/auth.json")
        yield from [path] if os.access(path, os.R_OK) else []
    yield home / ".config" / "containers" / "auth.json"


def _of_file(path: Path, wanted: _Wanted) -> Credentials | None:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        doing = f"reading the login to {wanted.host} in {path}"
        raise UsageError(doing, error.strerror or str(error)) from None
    return _of_text(content, str(path), wanted)


def _of_text(content: bytes, origin: str, wanted: _Wanted) -> Credentials | None:
    doing = f"reading the login to {wanted.host} in {origin}"
    try:
        config = json.loads(content) if len(content) <= _MAX_BYTES else None
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise UsageError(doing, "it is no JSON object", hint="log in again with `docker login`")
    names = _names_of(wanted.host)
    helper = _first(_mapping(config, "credHelpers"), names) or config.get("credsStore")
    if isinstance(helper, str) and helper:
        credentials = _of_helper(helper, names, doing, origin, wanted.say)
        if credentials is not None:
            return credentials
    entry = _first(_mapping(config, "auths"), wanted.keys)
    return None if not isinstance(entry, dict) else _of_entry(entry, doing, origin)


def _names_of(host: str) -> list[str]:
    """How the files call a registry: Docker Hub by its first address, others with and without
    what stood before or behind the host.
    """
    if host == DOCKER_HUB:
        return ["https://index.docker.io/v1/", "index.docker.io", "docker.io"]
    return [
        host,
        f"https://{host}",
        f"https://{host}/",
        f"https://{host}/v1/",
        f"https://{host}/v2/",
    ]


def _mapping(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    mapping = config.get(key)
    return mapping if isinstance(mapping, dict) else {}


def _first(mapping: Mapping[str, Any], names: list[str]) -> Any:
    return next((mapping[name] for name in names if name in mapping), None)


def _of_entry(entry: Mapping[str, Any], doing: str, origin: str) -> Credentials | None:
    identity = entry.get("identitytoken")
    if isinstance(identity, str) and identity:
        return Credentials(identity_token=identity, origin=origin)
    auth = entry.get("auth")
    if not isinstance(auth, str) or not auth:
        return None
    try:
        username, colon, password = base64.b64decode(auth, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if not colon:
        problem = "what is kept there is no name with a password"
        raise UsageError(doing, problem, hint="log in again with `docker login`")
    return Credentials(username=username, password=password.rstrip("\0"), origin=origin)


def _of_helper(
    helper: str, names: list[str], doing: str, origin: str, say: Callable[[str], None]
) -> Credentials | None:
    """What a credential helper keeps; None if it keeps nothing for the registry."""
    if not _HELPER.fullmatch(helper):
        raise UsageError(doing, f"{helper!r} cannot be the name of a credential helper")
    program = f"docker-credential-{helper}"
    failed = ""
    for name in names:
        try:
            ended = subprocess.run(
                [program, "get"],
                input=name.encode(),
                capture_output=True,
                timeout=_HELPER_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            problem = f"{program} cannot be asked ({type(error).__name__})"
            hint = f"install it, or log in without it: {origin}"
            raise UsageError(doing, problem, hint=hint) from None
        if ended.returncode == 0:
            return _of_answer(ended.stdout, program, doing)
        if _NOT_FOUND not in ended.stdout:  # which the protocol has a helper say there
            failed = failed or _first_line(ended.stdout) or _first_line(ended.stderr)
    if failed:
        say(f"{doing}: {program} gives none: {failed}")
    return None


def _first_line(output: bytes) -> str:
    lines = output[:_LONGEST_LINE].decode(errors="replace").splitlines()
    return lines[0].strip() if lines else ""


def _of_answer(answer: bytes, program: str, doing: str) -> Credentials:
    try:
        login = json.loads(answer)
        username, secret = login["Username"], login["Secret"]
    except (ValueError, KeyError, TypeError, RecursionError):
        username = secret = None
    if not isinstance(username, str) or not isinstance(secret, str):
        raise UsageError(doing, f"{program} has answered with no name and secret")
    if username == _IDENTITY:
        return Credentials(identity_token=secret, origin=program)
    return Credentials(username=username, password=secret, origin=program)
