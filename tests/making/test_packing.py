"""Bundles that nobody could read again are refused before any of them is stored."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assent.errors import UsageError
from assent.making.packing import REGISTRY_MANIFEST_BYTES
from assent.stores.directory import DirectoryStore
from assent.verbs.bundle import bundle
from assent.wiring import open_workspace
from assent.workspace import Workspace
from tests.e2e.project import FILES, Project, new_project


class SmallStore(DirectoryStore):
    """A store such as a registry, which takes small manifests alone."""

    most = 0

    @property
    def largest_manifest_bytes(self) -> int:
        return self.most


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two files are trained and evaluated."""
    made = new_project(tmp_path / "place")
    made.run("train")
    made.run("evaluate")
    return made


def opened(project: Project, said: list[str], most: int | None = None) -> Workspace:
    """The project with a store that takes so much."""
    workspace = open_workspace(
        project.folder, environ={}, now=datetime(2026, 1, 2, tzinfo=UTC), say=said.append
    )
    if most is None:
        return workspace
    store = SmallStore(project.store)
    store.most = most
    return replace(workspace, store=store)


def test_more_than_the_store_takes(project: Project) -> None:
    problem = r"the manifest of [0-9]+ files has [0-9,]+ bytes, and the store takes 999$"
    with pytest.raises(UsageError, match=problem):
        bundle(opened(project, [], 999), "churn")
    assert not project.store.exists()


def test_no_more_than_the_store_takes(project: Project) -> None:
    manifest = project.blob(bundle(opened(project, []), "churn").bundle).read_bytes()
    evidence = json.loads(manifest)["layers"][-1]["size"]
    size = max(len(manifest), evidence)
    bundle(opened(project, [], size), "churn")
    with pytest.raises(UsageError, match=f"has {size:,} bytes"):
        bundle(opened(project, [], size - 1), "churn")


def test_more_than_a_registry_takes_is_said(tmp_path: Path) -> None:
    # A manifest has each name twice, and these are long.
    folder = "/".join(["model", *("x" * 240 for _ in range(4))])
    many = f"mkdir -p {folder}; i=0; while [ $i -lt 2000 ]; do : >{folder}/$i; i=$((i+1)); done\n"
    project = new_project(tmp_path / "place", {**FILES, "train.sh": many})
    project.run("train")
    project.run("evaluate")
    said: list[str] = []
    bundle(opened(project, said), "churn")
    [told] = [one for one in said if "manifest" in one]
    assert f"a container registry may take only {REGISTRY_MANIFEST_BYTES:,}" in told
