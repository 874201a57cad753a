"""Tools that know nothing of Assent read, inspect and copy what it has written."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assent.core.digest import Digest, digest_of
from tests.stores.proxies import proxied, unknown_to_gitlab
from tests.stores.registries import Server, registry
from tests.stores.test_oci import MODEL, opened, require_whole, stored

ROOT = Path(__file__).parents[2]
PLAIN = ("--from-plain-http", "--to-plain-http")
NAMES = {"artifacts": "team/artifacts", "images": "team/images"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with registry(tmp_path_factory.mktemp("registry")) as started:
        yield started


@pytest.fixture(scope="module")
def bundle(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Digest:
    """A bundle in two stores: one of artifacts, one of images."""
    folder = tmp_path_factory.mktemp("bundle")
    stored(opened(server.host, NAMES["artifacts"]), folder)
    with proxied(server.host, refuses=unknown_to_gitlab) as line:
        return stored(opened(line.host, NAMES["images"]), folder)


Program = Callable[..., bytes]


def program(name: str) -> Program:
    found = shutil.which(name, path=f"{ROOT / '.venv' / 'bin'}:/usr/local/bin:/usr/bin")
    if found is None:
        pytest.skip(f"there is no {name}: script/setup found no package of it")

    def run(*words: str) -> bytes:
        return subprocess.run([found, *words], check=True, capture_output=True).stdout

    return run


@pytest.fixture
def oras() -> Program:
    return program("oras")


@pytest.fixture
def crane() -> Program:
    return program("crane")


@pytest.mark.parametrize("form", NAMES)
def test_oras_pulls_the_files_of_a_stage(
    server: Server, bundle: Digest, tmp_path: Path, oras: Program, form: str
) -> None:
    place = f"{server.host}/{NAMES[form]}:churn-production"
    oras("pull", "--plain-http", "--output", str(tmp_path), place)
    assert (tmp_path / "model" / "weights.bin").read_bytes() == MODEL
    assert (tmp_path / "evidence.json").read_bytes() == b'{"evidence": true}'
    if form == "images":
        assert digest_of((tmp_path / "manifest.json").read_bytes()) == bundle


def test_oras_finds_the_manifest_that_the_ledger_names(
    server: Server, bundle: Digest, oras: Program
) -> None:
    as_manifest = oras(
        "manifest", "fetch", "--plain-http", f"{server.host}/{NAMES['artifacts']}@{bundle}"
    )
    place = f"{server.host}/{NAMES['images']}@{bundle}"
    as_blob = oras("blob", "fetch", "--plain-http", "--output", "-", place)
    assert digest_of(as_manifest) == digest_of(as_blob) == bundle


@pytest.mark.parametrize("form", NAMES)
def test_oras_copies_a_store(
    server: Server, bundle: Digest, tmp_path: Path, oras: Program, form: str
) -> None:
    source = f"{server.host}/{NAMES[form]}"
    tags = oras("repo", "tags", "--plain-http", source).decode().split()
    with registry(tmp_path / "other") as other:
        for tag in tags:
            oras("copy", *PLAIN, f"{source}:{tag}", f"{other.host}/copied:{tag}")
        require_whole(other.host, "copied", bundle, tmp_path)


@pytest.mark.parametrize("form", NAMES)
def test_crane_copies_a_store(
    server: Server, bundle: Digest, tmp_path: Path, crane: Program, form: str
) -> None:
    source = f"{server.host}/{NAMES[form]}"
    with registry(tmp_path / "other") as other:
        for tag in crane("ls", source).decode().split():
            crane("copy", f"{source}:{tag}", f"{other.host}/copied:{tag}")
        require_whole(other.host, "copied", bundle, tmp_path)
        named = crane("digest", f"{other.host}/copied:churn-production").decode().strip()
        assert (named == bundle) is (form == "artifacts")


def test_skopeo_inspects_an_image(server: Server, bundle: Digest) -> None:
    place = f"docker://{server.host}/{NAMES['images']}:churn-production"
    words = ["skopeo", "inspect", "--tls-verify=false", place]
    said: dict[str, Any] = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    assert said["Layers"][0] == bundle
    assert [said["Architecture"], said["Os"]] == ["unknown", "unknown"]
    assert "churn-production" in said["RepoTags"]
