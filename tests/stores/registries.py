"""A real container registry for tests: that of Docker, as Debian packages it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from assent.core.digest import Digest, hex_of
from tests.waiting import wait_until

NAME, PASSWORD = "ada", "pass"
_HTPASSWD = "ada:$2y$05$abcdefghijklmnopqrstuuZFBUbfXoM8LFiPx8LYlO/sXZB/Cwk3K\n"
"""Both, with bcrypt, as `htpasswd` writes them."""


@dataclass(frozen=True)
class Server:
    """A registry that listens at `host`, and keeps its files below `root`."""

    host: str
    root: Path

    def blob(self, digest: Digest) -> Path:
        """The file that holds a blob or a manifest."""
        name = hex_of(digest)
        below = self.root / "docker" / "registry" / "v2" / "blobs" / "sha256"
        return below / name[:2] / name / "data"


@contextmanager
def registry(place: Path, settings: Mapping[str, Any] | None = None) -> Iterator[Server]:
    """A registry of its own in a folder, gone afterwards."""
    program = shutil.which("docker-registry")
    assert program is not None, "script/setup installs docker-registry"
    root = place / "files"
    root.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    config = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(root)},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": host},
        **(settings or {}),
    }
    path = place / "registry.yml"
    path.write_text(json.dumps(config))  # which is YAML
    log = place / "registry.log"
    with log.open("wb") as output:
        process = subprocess.Popen([program, "serve", str(path)], stdout=output, stderr=output)
        try:
            _await(host, process, log)
            yield Server(host=host, root=root)
        finally:
            process.terminate()
            process.wait()


def with_password(folder: Path) -> dict[str, Any]:
    """Settings of a registry that lets nobody in without name and password."""
    path = folder / "htpasswd"
    path.write_text(_HTPASSWD)
    return {"auth": {"htpasswd": {"realm": "models", "path": str(path)}}}


def repositories_in(store: str) -> list[str]:
    """The repositories that anything was written to, of the registry of a store."""
    host = store.removeprefix("oci://").split("/")[0]
    found: list[str] = requests.get(f"http://{host}/v2/_catalog", timeout=60).json()["repositories"]
    return found


def _await(host: str, process: subprocess.Popen[bytes], log: Path) -> None:
    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return requests.get(f"http://{host}/v2/", timeout=60).status_code in (200, 401)
        except requests.ConnectionError:
            return False

    wait_until(answers, f"the registry answers at {host}")
