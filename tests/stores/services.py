"""Object stores for tests, each started once for all tests of a process: `moto` (S3), `s3rver` (an
S3 that ignores conditions), Microsoft's `azurite`, and for Google's a stand-in of ours.
"""

from __future__ import annotations

import atexit
import base64
import functools
import hashlib
import hmac
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import requests
from tests.stores.google import GoogleServer
from tests.waiting import wait_until
from tests.workflows.harness import find_node

BUCKET = "models"
_PACKAGES = Path(__file__).parent / "runner" / "node_modules"
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Those that Microsoft gives to emulators."""


class Kind(StrEnum):
    """Which object store."""

    S3 = "s3"
    S3_UNCONDITIONAL = "s3-unconditional"
    AZURE = "azure"
    GOOGLE = "google"


@dataclass(frozen=True)
class Service:
    """A service that listens at `host`, with a bucket in it. A store gets a prefix of its own."""

    kind: Kind
    host: str

    @property
    def environment(self) -> dict[str, str]:
        """What the environment says to whoever is to be let in."""
        return environment(self.kind, self.host)

    def address(self, prefix: str = "") -> str:
        """The address of a new store."""
        scheme = {Kind.AZURE: "az", Kind.GOOGLE: "gs"}.get(self.kind, "s3")
        return f"{scheme}://{BUCKET}/{prefix or 'team/' + secrets.token_hex(8)}"


def environment(kind: Kind, host: str) -> dict[str, str]:
    """What the environment says to whoever is to be let in by a service at another address, as that
    of a proxy.
    """
    match kind:
        case Kind.AZURE:
            return {
                "AZURE_STORAGE_ACCOUNT_NAME": _ACCOUNT,
                "AZURE_STORAGE_ACCOUNT_KEY": _KEY,
                "AZURE_STORAGE_ENDPOINT": f"http://{host}/{_ACCOUNT}",
            }
        case Kind.GOOGLE:
            return {"GOOGLE_BASE_URL": f"http://{host}", "GOOGLE_BEARER_TOKEN": "token"}
        case _:
            return {
                "AWS_ENDPOINT_URL": f"http://{host}",
                "AWS_ACCESS_KEY_ID": "S3RVER",  # which is all that s3rver knows
                "AWS_SECRET_ACCESS_KEY": "S3RVER",
                "AWS_REGION": "us-east-1",
            }


@functools.cache
def service(kind: Kind) -> Service:
    """The service, started by the first who asks and ended with this process."""
    return Service(kind=kind, host=_STARTS[kind]())


def _moto() -> str:
    host, port = _free()
    _start([sys.executable, "-m", "moto.server", "-H", host, "-p", port], f"{host}:{port}")
    requests.put(f"http://{host}:{port}/{BUCKET}", timeout=60).raise_for_status()
    return f"{host}:{port}"


def _s3rver() -> str:
    host, port = _free()
    words = [
        "-d",
        f"{_folder()}/s3rver",
        "-a",
        host,
        "-p",
        port,
        "--silent",
        "--configure-bucket",
        BUCKET,
    ]
    Path(_folder(), "s3rver").mkdir()
    program = _PACKAGES / "s3rver" / "bin" / "s3rver.js"
    _start([str(find_node()), str(program), *words], f"{host}:{port}")
    return f"{host}:{port}"


def _azurite() -> str:
    host, port = _free()
    words = ["--blobHost", host, "--blobPort", port, "--inMemoryPersistence", "--silent"]
    words += ["--skipApiVersionCheck", "--disableTelemetry"]
    program = _PACKAGES / "azurite" / "dist" / "src" / "blob" / "main.js"
    _start([str(find_node()), str(program), *words], f"{host}:{port}")
    _make_container(f"{host}:{port}")
    return f"{host}:{port}"


def _google() -> str:
    server = GoogleServer(BUCKET)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_address[1]}"


_STARTS: Mapping[Kind, Callable[[], str]] = {
    Kind.S3: _moto,
    Kind.S3_UNCONDITIONAL: _s3rver,
    Kind.AZURE: _azurite,
    Kind.GOOGLE: _google,
}


def _make_container(host: str) -> None:
    """Make the container as Microsoft's protocol asks for it: signed with the account's key."""
    now = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
    name = f"/{_ACCOUNT}/{BUCKET}"
    told = {"x-ms-date": now, "x-ms-version": "2021-08-06"}
    headers = "\n".join(f"{key}:{value}" for key, value in told.items())
    text = "PUT" + "\n" * 12 + f"{headers}\n/{_ACCOUNT}{name}\nrestype:container"
    mac = hmac.new(base64.b64decode(_KEY), text.encode(), hashlib.sha256).digest()
    signed = {**told, "Authorization": f"SharedKey {_ACCOUNT}:{base64.b64encode(mac).decode()}"}
    place = f"http://{host}{name}?restype=container"
    requests.put(place, headers=signed, timeout=60).raise_for_status()


def _free() -> tuple[str, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return "127.0.0.1", str(free.getsockname()[1])


@functools.cache
def _folder() -> str:
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    return folder.name


def _start(command: list[str], host: str) -> None:
    log = Path(_folder()) / f"{host.rpartition(':')[2]}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)

    def end() -> None:
        process.kill()
        process.wait()

    atexit.register(end)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return bool(requests.get(f"http://{host}/", timeout=60).status_code)
        except requests.ConnectionError:
            return False

    wait_until(answers, f"{command} answers at {host}")
