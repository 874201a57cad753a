"""What moves the same bytes: Assent's stores, other tools, and the least that can be done."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.installed import python_of

ORAS_PY = "oras==0.2.43"
S3FS = "s3fs==2026.9.0"

_ADD = """\
import os, sys
from pathlib import Path
from assent.ports import Source
from assent.stores import objects, oci
address, folder = sys.argv[1:]
store = (oci if address.startswith("oci:") else objects).open_store(address, os.environ)
store.add([Source(path=path) for path in sorted(Path(folder).glob("part*"))])
"""
_FETCH = """\
import json, os, sys
from pathlib import Path
from assent.ports import Wanted
from assent.stores import objects, oci
address, listed, target = sys.argv[1:]
store = (oci if address.startswith("oci:") else objects).open_store(address, os.environ)
store.fetch([
    Wanted(digest=digest, size_bytes=size, path=Path(target, name))
    for name, digest, size in json.loads(Path(listed).read_text())
])
"""
_HASH = """\
import hashlib, http.client, os, sys
from urllib.parse import urlsplit
def digest_of(path):
    hasher = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            hasher.update(part)
    return hasher.hexdigest()
"""
_PUT_ONE = (
    _HASH
    + """\
host, place, path = sys.argv[1:]
digest = digest_of(path)
line = http.client.HTTPConnection(host, blocksize=1 << 20)
if place.startswith("/v2/"):
    line.request("POST", f"{place}/blobs/uploads/")
    answer = line.getresponse()
    answer.read()
    to = urlsplit(answer.headers["Location"])
    place = f"{to.path}?{to.query}&digest=sha256:{digest}"
with open(path, "rb") as file:
    headers = {"Content-Length": str(os.path.getsize(path))}
    line.request("PUT", place, file, headers | {"Content-Type": "application/octet-stream"})
    answer = line.getresponse()
    answer.read()
assert answer.status in (200, 201), answer.status
"""
)
_GET_ONE = (
    _HASH
    + """\
host, place, digest, path = sys.argv[1:]
line = http.client.HTTPConnection(host)
line.request("GET", place)
answer, hasher = line.getresponse(), hashlib.sha256()
with open(path, "wb") as file:
    while part := answer.read(1 << 20):
        hasher.update(part)
        file.write(part)
assert hasher.hexdigest() == digest
"""
)
_PUT_MANY = (
    _HASH
    + """\
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import requests
host, place, folder = sys.argv[1:]
session = requests.Session()
session.trust_env = False
session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=8))
def put(path):
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    to = session.post(f"http://{host}{place}/blobs/uploads/").headers["Location"]
    headers = {"Content-Type": "application/octet-stream"}
    answer = session.put(f"{to}&digest=sha256:{digest}", data=content, headers=headers)
    assert answer.status_code == 201, answer.status_code
with ThreadPoolExecutor(8) as pool:
    list(pool.map(put, Path(folder).glob("part*")))
"""
)
_GET_MANY = """\
import hashlib, json, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import requests
host, place, listed, target = sys.argv[1:]
session = requests.Session()
session.trust_env = False
session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=8))
def get(wanted):
    name, digest, _ = wanted
    content = session.get(f"http://{host}{place}/blobs/{digest}").content
    assert "sha256:" + hashlib.sha256(content).hexdigest() == digest
    Path(target, name).write_bytes(content)
with ThreadPoolExecutor(8) as pool:
    list(pool.map(get, json.loads(Path(listed).read_text())))
"""
_ORAS_PUSH = """\
import sys, oras.client
target, folder = sys.argv[1:]
from pathlib import Path
files = [str(path) for path in Path(folder).glob("part*")]
client = oras.client.OrasClient(insecure=True)
client.push(target=target, files=files, disable_path_validation=True)
"""
_ORAS_PULL = """\
import sys, oras.client
target, folder = sys.argv[1:]
oras.client.OrasClient(insecure=True).pull(target=target, outdir=folder)
"""
_BOTO = """\
import os, sys, boto3
verb, key, path = sys.argv[1:]
client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
if verb == "put":
    client.upload_file(path, "models", key)
else:
    client.download_file("models", key, path)
"""
_S3FS = """\
import os, sys, s3fs
verb, key, path = sys.argv[1:]
files = s3fs.S3FileSystem(endpoint_url=os.environ["AWS_ENDPOINT_URL"])
if verb == "put":
    files.put_file(path, f"models/{key}")
else:
    files.get_file(f"models/{key}", path)
"""

Words = Sequence[str]


@dataclass(frozen=True)
class Tool:
    """How one tool sends, and how it gets the same back."""

    put: Words
    get: Words


@dataclass(frozen=True)
class Bytes:
    """The files to move, with a list of what they are, and the folder they come back to."""

    folder: Path
    listed: Path
    layout: Path
    target: Path

    @property
    def files(self) -> list[tuple[str, str, int]]:
        return [(name, digest, size) for name, digest, size in json.loads(self.listed.read_text())]


def made(place: Path, count: int, size: int) -> Bytes:
    """Files of random bytes, and an OCI layout that holds the same."""
    given = Bytes(place / "files", place / "listed", place / "layout", place / "target")
    for folder in (given.folder, given.target):
        folder.mkdir(parents=True)
    files = []
    for number in range(count):
        path, hasher = given.folder / f"part{number:05d}", hashlib.sha256()
        with path.open("wb") as file:
            for _ in range(0, size, 1 << 20):
                part = os.urandom(min(size, 1 << 20))
                hasher.update(part)
                file.write(part)
        files.append((path.name, f"sha256:{hasher.hexdigest()}", size))
    given.listed.write_text(json.dumps(files))
    _lay_out(given, files)
    return given


def _lay_out(given: Bytes, files: Sequence[tuple[str, str, int]]) -> None:
    blobs = given.layout / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for name, digest, _ in files:
        (blobs / digest.removeprefix("sha256:")).hardlink_to(given.folder / name)

    def put(content: bytes, kind: str) -> dict[str, object]:
        name = hashlib.sha256(content).hexdigest()
        (blobs / name).write_bytes(content)
        return {"mediaType": kind, "digest": f"sha256:{name}", "size": len(content)}

    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": put(b"{}", "application/vnd.example.config.v1+json"),
        "layers": [
            {"mediaType": "application/octet-stream", "digest": digest, "size": size}
            for _, digest, size in files
        ],
    }
    named = put(json.dumps(manifest).encode(), kind)
    named["annotations"] = {"org.opencontainers.image.ref.name": "v1"}
    index = {"schemaVersion": 2, "manifests": [named]}
    (given.layout / "index.json").write_text(json.dumps(index))
    (given.layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def of_registry(host: str, given: Bytes, *, install: bool) -> tuple[dict[str, Tool], list[str]]:
    """The tools that speak with a registry, by name, and those that are not here."""
    python, folder, target = sys.executable, str(given.folder), str(given.target)
    files = given.files
    if len(files) == 1:
        name, digest, _ = files[0]
        floor = Tool(
            [python, "-c", _PUT_ONE, host, "/v2/floor", f"{folder}/{name}"],
            [python, "-c", _GET_ONE, host, f"/v2/floor/blobs/{digest}", digest[7:], f"{target}/x"],
        )
    else:
        floor = Tool(
            [python, "-c", _PUT_MANY, host, "/v2/floor", folder],
            [python, "-c", _GET_MANY, host, "/v2/floor", str(given.listed), target],
        )
    tools = {"floor": floor, "assent": _ours(f"oci://{host}/assent", given)}
    missing = []
    oras, skopeo = _program("oras"), _program("skopeo")
    if oras is None:
        missing.append("oras")
    else:
        tools["oras"] = _oras(oras, f"{host}/oras:v1", given)
    if len(files) > 1:  # the others send one after the other
        return tools, missing
    if skopeo is None:
        missing.append("skopeo")
    else:
        tools["skopeo"] = _skopeo(skopeo, f"docker://{host}/skopeo:v1", given)
    of_oras = python_of(ORAS_PY, install=install)
    if of_oras is None:
        missing.append(f"{ORAS_PY} (--peers installs it)")
    else:
        tools[ORAS_PY] = Tool(
            [str(of_oras), "-c", _ORAS_PUSH, f"{host}/oras-py:v1", folder],
            [str(of_oras), "-c", _ORAS_PULL, f"{host}/oras-py:v1", target],
        )
    return tools, missing


def of_bucket(host: str, given: Bytes, *, install: bool) -> tuple[dict[str, Tool], list[str]]:
    """The tools that speak with S3, for one file, and those that are not here."""
    ((name, digest, _),) = given.files
    path, target = f"{given.folder}/{name}", f"{given.target}/x"
    python, floor = sys.executable, "/models/floor"
    tools = {
        "floor": Tool(
            [python, "-c", _PUT_ONE, host, floor, path],
            [python, "-c", _GET_ONE, host, floor, digest[7:], target],
        ),
        "assent": _ours("s3://models/assent", given),
    }
    missing = []
    pythons: Mapping[str, tuple[Path | None, str]] = {
        "boto3": (Path(python), _BOTO),
        S3FS: (python_of(S3FS, install=install), _S3FS),
    }
    for peer, (found, script) in pythons.items():
        if found is None:
            missing.append(f"{peer} (--peers installs it)")
            continue
        words = [str(found), "-c", script]
        tools[peer] = Tool([*words, "put", peer, path], [*words, "get", peer, target])
    return tools, missing


def _ours(address: str, given: Bytes) -> Tool:
    words = [sys.executable, "-c"]
    return Tool(
        [*words, _ADD, address, str(given.folder)],
        [*words, _FETCH, address, str(given.listed), str(given.target)],
    )


def _oras(program: str, there: str, given: Bytes) -> Tool:
    names = [name for name, _, _ in given.files]
    plain = ["--plain-http", "--no-tty"]
    return Tool(
        [program, "push", *plain, there, *names],
        [program, "pull", *plain, "--output", str(given.target), there],
    )


def _skopeo(program: str, there: str, given: Bytes) -> Tool:
    copy = [program, "--insecure-policy", "copy", "--preserve-digests", "--quiet"]
    return Tool(
        [*copy, "--dest-tls-verify=false", f"oci:{given.layout}:v1", there],
        [*copy, "--src-tls-verify=false", there, f"oci:{given.target}:v1"],
    )


def _program(name: str) -> str | None:
    """A program, of this environment or of the machine."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


@contextmanager
def sink(folder: Path) -> Iterator[str]:
    """A sink that speaks S3, in a process of its own; its host."""
    folder.mkdir(parents=True)
    words = [sys.executable, str(Path(__file__).with_name("sink.py")), str(folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()
