"""Who we are to a container registry, as the tools of containers and the CI know it.

Sources: the files of `docker login` and `podman login` (`auths`, `credHelpers`, `credsStore`), the
protocol of docker-credential-helpers, and the variables of GitHub Actions and GitLab CI.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from assent.errors import UsageError

DOCKER_HUB = "docker.io"
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_HELPER_TIMEOUT_S = 60
_MAX_BYTES = 1 << 20
_IDENTITY = "<token>"
"""The user name under which a helper gives an identity token (docker-credential-helpers)."""


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """A name and its password, or an identity token that a token server takes instead. `origin`
    says where they were found, for people.
    """

    username: str = ""
    password: str = ""
    identity_token: str = ""
    origin: str


def credentials_for(
    host: str, environ: Mapping[str, str], *, home: Path | None = None
) -> Credentials | None:
    """What is known for a registry: of a login on this machine, else of the CI job for the registry
    of its own forge. None: as nobody. Raises `UsageError` for a login that cannot be used.
    """
    for path in _login_files(environ, Path.home() if home is None else home):
        found = _of_file(path, host)
        if found is not None:
            return found
    return _of_ci(host, environ)


def _of_ci(host: str, environ: Mapping[str, str]) -> Credentials | None:
    token = environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN")
    if host == "ghcr.io" and environ.get("GITHUB_ACTIONS") == "true" and token:
        actor = environ.get("GITHUB_ACTOR", "github-actions")
        return Credentials(username=actor, password=token, origin="the token of the job")
    if environ.get("GITLAB_CI") == "true" and host == environ.get("CI_REGISTRY"):
        user, password = environ.get("CI_REGISTRY_USER"), environ.get("CI_REGISTRY_PASSWORD")
        if user and password:
            return Credentials(username=user, password=password, origin="the job's registry")
    return None


def _login_files(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    if environ.get("REGISTRY_AUTH_FILE"):
        yield Path(environ["REGISTRY_AUTH_FILE"])
    if environ.get("DOCKER_CONFIG"):
        yield Path(environ["DOCKER_CONFIG"]) / "config.json"
    else:
        yield home / ".docker" / "config.json"
    if environ.get("XDG_RUNTIME_DIR"):
        yield Path(environ["XDG_RUNTIME_DIR"]) / "containers" / "auth.json"


def _of_file(path: Path, host: str) -> Credentials | None:
    doing = f"reading the login to {host} in {path}"
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(doing, error.strerror or str(error)) from None
    try:
        config = json.loads(content) if len(content) <= _MAX_BYTES else None
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise UsageError(doing, "it is no JSON object", hint="log in again with `docker login`")
    names = _names_of(host)
    helper = _first(_mapping(config, "credHelpers"), names) or config.get("credsStore")
    if isinstance(helper, str) and helper:
        found = _of_helper(helper, names, doing, path)
        if found is not None:
            return found
    entry = _first(_mapping(config, "auths"), names)
    return None if not isinstance(entry, dict) else _of_entry(entry, doing, path)


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
    found = config.get(key)
    return found if isinstance(found, dict) else {}


def _first(mapping: Mapping[str, Any], names: list[str]) -> Any:
    return next((mapping[name] for name in names if name in mapping), None)


def _of_entry(entry: Mapping[str, Any], doing: str, path: Path) -> Credentials | None:
    identity = entry.get("identitytoken")
    if isinstance(identity, str) and identity:
        return Credentials(identity_token=identity, origin=str(path))
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
    return Credentials(username=username, password=password.rstrip("\0"), origin=str(path))


def _of_helper(helper: str, names: list[str], doing: str, path: Path) -> Credentials | None:
    """What a credential helper keeps; None if it keeps nothing for the registry."""
    if not _HELPER.fullmatch(helper):
        raise UsageError(doing, f"{helper!r} cannot be the name of a credential helper")
    program = f"docker-credential-{helper}"
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
            raise UsageError(
                doing, problem, hint=f"install it, or log in without it: {path}"
            ) from None
        if ended.returncode == 0:
            return _of_answer(ended.stdout, program, doing)
    return None


def _of_answer(answer: bytes, program: str, doing: str) -> Credentials:
    try:
        said = json.loads(answer)
        username, secret = said["Username"], said["Secret"]
    except (ValueError, KeyError, TypeError, RecursionError):
        username = secret = None
    if not isinstance(username, str) or not isinstance(secret, str):
        raise UsageError(doing, f"{program} has answered with no name and secret")
    if username == _IDENTITY:
        return Credentials(identity_token=secret, origin=program)
    return Credentials(username=username, password=secret, origin=program)
