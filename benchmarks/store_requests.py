"""What is asked of a container registry and of a bucket where nothing is new: a bundle again, and a
version on a machine that has it. A line in between keeps every request.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from tests.stores.proxies import Line, proxied
from tests.stores.registries import registry
from tests.stores.services import Kind, environment, service

from benchmarks.context import Context
from benchmarks.figures import Figure
from benchmarks.project import Project

MOST = 3
"""Requests for a bundle that is there already."""

FILES = 4
_CONFIG = """\
store: {store}
models:
  churn:
    model: model
    metrics: [metrics.json]
    gates: [{{metric: accuracy, min: 0.1}}]
    approvals: {{count: 1}}
"""


class Place(StrEnum):
    """Where the store is."""

    REGISTRY = "registry"
    BUCKET = "bucket"


@dataclass(frozen=True)
class Asked:
    """The requests of one verb, each its method and its path."""

    requests: tuple[str, ...]

    @property
    def sent(self) -> int:
        """How many uploads of blobs were begun."""
        return sum(
            request.startswith("POST ") or (request.startswith("PUT ") and "/blobs/sha" in request)
            for request in self.requests
        )

    @property
    def read(self) -> int:
        """How many blobs were asked for, to be read."""
        return sum(request.startswith("GET ") and "/blobs/" in request for request in self.requests)


def counts(folder: Path, env: dict[str, str], place: Place) -> dict[str, Asked]:
    """What each verb asks, in the order of the story."""
    asked: dict[str, Asked] = {}
    with _reached(folder, place) as (line, store, more):
        env = {**env, **more, "ASSENT_CACHE": str(folder / "kept")}
        project = _project(folder / "work", env, store)

        def ask(what: str, *words: str) -> None:
            before = len(line.asked)
            project.assent(*words)
            asked[what] = Asked(tuple(line.asked[before:]))

        ask("bundle", "bundle")
        ask("bundle, again", "bundle")
        ask("bundle --force", "bundle", "--force")
        for words in (["review"], ["approve", "--as", "grace"], ["register"]):
            project.assent(*words, codes=(0, 11))
        ask("resolve", "resolve", "v1")
        served = str(folder / "served")
        ask("pull", "pull", "v1", "--to", served)
        ask("pull, again", "pull", "v1", "--to", served, "--force")
        project = replace(project, env={**env, "ASSENT_CACHE": str(folder / "fresh")})
        ask("pull, new machine", "pull", "v1", "--to", str(folder / "other"))
    return asked


@contextmanager
def _reached(folder: Path, place: Place) -> Iterator[tuple[Line, str, dict[str, str]]]:
    """The line to a store, its address, and what the environment says of it."""
    if place is Place.BUCKET:
        at = service(Kind.S3)
        with proxied(at.host) as line:
            yield line, at.address(), environment(Kind.S3, line.host)
        return
    with registry(folder / "registry") as server, proxied(server.host) as line:
        yield line, f"oci://{line.host}/team/models", {"DOCKER_CONFIG": str(folder)}


def unchanged(context: Context) -> Iterator[Figure]:
    """What is asked where nothing is new."""
    for place in Place:
        for what, asked in counts(context.folder / place, context.env, place).items():
            goal, met = _judged(what, asked)
            yield Figure(
                "stores",
                f"assent {what}, {FILES} files, {place}",
                f"{len(asked.requests)} requests, {asked.sent} blobs sent, {asked.read} read",
                goal=goal,
                met=met,
                numbers={"requests": len(asked.requests), "sent": asked.sent, "read": asked.read},
            )


def _judged(what: str, asked: Asked) -> tuple[str, bool | None]:
    """The goal of what is done again, and whether it is met."""
    if what == "bundle, again":
        is_met = not asked.sent and len(asked.requests) <= MOST
        return f"no blob sent, at most {MOST} requests", is_met
    if what in ("resolve", "pull, again"):
        return "no blob read", not asked.read
    return "", None


def _project(folder: Path, env: dict[str, str], store: str) -> Project:
    """A model of some files, evaluated."""
    project = Project(folder, env)
    project.create()
    project.write(
        assent_yaml=_CONFIG.format(store=store),
        metrics_json=json.dumps({"accuracy": 0.9}),
        _gitignore=".assent/\nmodel/\n",
    )
    project.commit("a model")
    (folder / "model").mkdir()
    for number in range(FILES):
        (folder / "model" / f"part{number}").write_bytes(os.urandom(64 << 10))
    project.assent("evaluate")
    return project
