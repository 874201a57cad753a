"""Ctrl-C while a registry or a bucket says nothing: a verb ends at once, and nothing is broken."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import pytest

from assent.core.digest import digest_of, hex_of
from tests.e2e.project import CONFIG, GRACE, Project
from tests.stores.proxies import Fault, Line, proxied
from tests.stores.registries import registry
from tests.stores.services import Kind, environment, service
from tests.waiting import wait_until

SOON_S = 60
"""Far less than the five minutes after which a silent line is given up."""


class Place(StrEnum):
    """Where the store is."""

    REGISTRY = "registry"
    BUCKET = "bucket"


@dataclass
class Store:
    """A project whose store is behind a line that can fall silent."""

    project: Project
    line: Line
    silent: list[re.Pattern[str]] = field(default_factory=list)

    def interrupt(self, silent: str, *words: str) -> str:
        """Run a verb, interrupt it once it waits for such a request, and return what it says."""
        self.silent.append(re.compile(silent))
        start = len(self.line.asked)
        process = self.project.start(*words)

        def waits() -> bool:
            assert process.poll() is None, process.communicate()
            return any(re.search(silent, request) for request in self.line.asked[start:])

        wait_until(waits, f"{words} asks for {silent}")
        process.send_signal(signal.SIGINT)
        try:
            _, told = process.communicate(timeout=SOON_S)
        finally:
            process.kill()
        self.silent.clear()
        assert process.returncode == 130, told
        return told.decode()


@pytest.fixture(params=Place)
def store(request: pytest.FixtureRequest, fresh: Project, tmp_path: Path) -> Iterator[Store]:
    with _placed(fresh, tmp_path / "registry", request.param) as made:
        made.project.run("review", code=11)
        made.project.run("approve", "--as", GRACE)
        made.project.run("register")
        yield made


@contextmanager
def _placed(project: Project, folder: Path, place: Place) -> Iterator[Store]:
    if place is Place.BUCKET:
        at = service(Kind.S3)
        with proxied(at.host) as line:
            yield _behind(line, project, at.address(), environment(Kind.S3, line.host))
        return
    with registry(folder) as server, proxied(server.host) as line:
        address = f"oci://{line.host}/team/models"
        yield _behind(line, project, address, {"DOCKER_CONFIG": str(folder)})


def _behind(line: Line, project: Project, address: str, env: dict[str, str]) -> Store:
    project.write("assent.yaml", CONFIG.replace("../store", address))
    project.commit("a store", push=True)
    made = Store(replace(project, env={**env, "ASSENT_CACHE": "none"}), line)

    def plan(number: int) -> Fault | None:
        request = line.asked[number]
        return Fault.SILENT if any(one.search(request) for one in made.silent) else None

    line.plan = plan
    return made


def test_it_ends_and_the_next_run_finishes(store: Store) -> None:
    """One request or many at once; for a pointer, for what is there, and for bytes."""
    project = store.project
    files = [path for path in (project.folder / "model").iterdir() if path.is_file()]
    weights = "|".join(hex_of(digest_of(path.read_bytes())) for path in files)
    assert len(files) > 1
    for words, silent in (
        ("bundle --force", r"^HEAD "),
        ("pull v1 --to served", weights),
        ("store gc", r"^GET .*/(blobs|manifests)/"),
        ("train", r"_hint\.|/(inputs|trained)/"),
    ):
        told = store.interrupt(silent, *words.split())
        assert told.rstrip().endswith("assent: interrupted; what was not finished was not recorded")
        assert "Traceback" not in told
        assert "Exception ignored" not in told
        assert not (project.folder / "served").exists()
        assert [path.name for path in project.folder.rglob("*assent-*")] == []
        project.run(*words.split())
        if words.startswith("pull"):
            shutil.rmtree(project.folder / "served")
    project.run("verify")
