"""What each job reads from a registry and sends there: of a model of 2 GB in four shards, whose job
has handed the candidate over. A line in between counts all bytes, on a machine that has nothing
but the repository.
"""

from __future__ import annotations

import json
import shutil
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tests.stores.registries import registry

from benchmarks.context import Context
from benchmarks.figures import Figure
from benchmarks.project import MODEL, Project

_SHARDS = 4
_GB = 10**9
_CONFIG = """\
store: {store}
models:
  churn:
    train: {python} train.py
    inputs: [train.py]
    params: [params.yaml]
    model: model
    metrics: [metrics.json]
    gates: [{{metric: accuracy, min: 0.1}}]
    approvals: {{count: 1}}
"""
_TRAIN = """\
import json, random, struct
from pathlib import Path

size, moved, seed = (int(line.split(":")[1]) for line in Path("params.yaml").open())
Path("model").mkdir(exist_ok=True)
for number in range({shards}):
    values = random.Random(seed if number < moved else 0)
    entry = {{"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}
    header = json.dumps({{f"layer{{number}}": entry}}).encode()
    with open(f"model/{{number}}.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        for _ in range(size >> 20):
            file.write(values.randbytes(1 << 20))
Path("metrics.json").write_text('{{"accuracy": 0.9}}')
"""


@dataclass
class _Line:
    """A way to a registry; how many bytes went either way since it was asked last."""

    host: str
    received: int = 0
    sent: int = 0

    def counted(self) -> tuple[int, int]:
        found, self.received, self.sent = (self.received, self.sent), 0, 0
        return found


def measure(context: Context) -> Iterator[Figure]:
    shard = (64 << 20 if context.is_quick else 2 * _GB) // _SHARDS >> 20 << 20
    for moved, what in ((1, "one shard of four trained"), (_SHARDS, "all of it trained")):
        place = context.folder / f"moved{moved}"
        with registry(place / "registry") as server, _counted(server.host) as line:
            yield from _review(context, place, line, shard, moved, what)
        shutil.rmtree(place)


def _review(
    context: Context, place: Path, line: _Line, shard: int, moved: int, what: str
) -> Iterator[Figure]:
    env = {**context.env, "DOCKER_CONFIG": str(place), "ASSENT_CACHE": str(place / "first")}
    project = Project(place / "work", env)
    project.create()
    store = f"oci://{line.host}/team/models"
    project.write(
        assent_yaml=_CONFIG.format(store=store, python=sys.executable),
        train_py=_TRAIN.format(shards=_SHARDS),
        params_yaml=f"size: {shard}\nmoved: {moved}\nseed: 1\n",
        _gitignore=".assent/\nmodel/\nmetrics.json\n",
    )
    project.commit("a model")
    for words in (["review"], ["approve", "--as", "grace"], ["register"]):
        project.assent(*words, codes=(0, 11))
    project.git("checkout", "--quiet", "-b", "better")
    project.write(params_yaml=f"size: {shard}\nmoved: {moved}\nseed: 2\n")
    project.git("commit", "--quiet", "--all", "--message", "better")
    job = replace(project, env={**env, "ASSENT_STORE": str(place / "of-the-job")})
    job.assent("train")
    job.assent("evaluate")
    handed = str(place / "handed")
    bundle = json.loads(job.assent("bundle", "--output", handed, "--json"))["bundle"]
    trusted = replace(project, env={**env, "ASSENT_CACHE": str(place / "fresh")})
    size = shard * _SHARDS
    for verb, words in _VERBS.items():
        if verb == "register":
            project.git("push", "--quiet", "origin", "HEAD:main")  # it is merged
            project.git("fetch", "--quiet", "origin")
            project.git("checkout", "--quiet", "-B", "main", "origin/main")
        if verb in _OF_OTHER_JOBS:
            trusted = replace(project, env={**env, "ASSENT_CACHE": str(place / verb)})
        line.counted()
        trusted.assent(
            *(word.format(handed=handed, bundle=bundle) for word in words), codes=(0, 11)
        )
        received, sent = line.counted()
        yield Figure(
            "fetched",
            f"{verb}, {size / _GB:.2g} GB, {what}",
            f"{received / size:.2f} times the model received, {sent / size:.2f} times sent",
            numbers={"received": received, "sent": sent, "model": size},
        )


_VERBS = {
    "bundle --from": ["bundle", MODEL, "--from", "{handed}"],
    "review": ["review", MODEL, "--bundle", "{bundle}"],
    "explain": ["explain", MODEL, "--bundle", "{bundle}"],
    "approve": ["approve", MODEL, "--bundle", "{bundle}", "--as", "grace"],
    "register": ["register", MODEL, "--bundle", "{bundle}"],
}
_OF_OTHER_JOBS = ("approve", "register")
"""On machines of their own, which have seen nothing of it."""


@contextmanager
def _counted(upstream: str) -> Iterator[_Line]:
    """A line that passes everything on, gone afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = _Line(f"127.0.0.1:{server.getsockname()[1]}")
        threading.Thread(target=_accept, args=(server, upstream, line), daemon=True).start()
        yield line


def _accept(server: socket.socket, upstream: str, line: _Line) -> None:
    host, _, port = upstream.rpartition(":")
    with suppress(OSError):  # until it is closed
        while True:
            near, _ = server.accept()
            far = socket.create_connection((host, int(port)))
            for source, target, name in ((near, far, "sent"), (far, near, "received")):
                threading.Thread(
                    target=_pass_on, args=(source, target, line, name), daemon=True
                ).start()


def _pass_on(source: socket.socket, target: socket.socket, line: _Line, name: str) -> None:
    with suppress(OSError):  # one of both has gone
        while content := source.recv(1 << 20):
            target.sendall(content)
            setattr(line, name, getattr(line, name) + len(content))
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
