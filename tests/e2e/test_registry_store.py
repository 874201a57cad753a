"""The main job with a container registry as the store, and no folder that machines share."""

from __future__ import annotations

import base64
import json
import re
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import requests
from assent.core.bundle import MANIFEST_MEDIA_TYPE
from assent.core.digest import Digest
from tests.e2e.project import CONFIG, GRACE, Project, released
from tests.stores.registries import NAME as USER
from tests.stores.registries import PASSWORD, Server, registry, with_password

NAME = "team/models"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with registry(tmp_path / "registry") as started:
        yield started


@pytest.fixture
def project(fresh: Project, server: Server) -> Project:
    address = f"oci://{server.host}/{NAME}"
    fresh.write("assent.yaml", CONFIG.replace("../store", address))
    fresh.commit("a store", push=True)
    return replace(fresh, env={"DOCKER_CONFIG": str(fresh.folder.parent)})


def tag(server: Server, name: str) -> Digest | None:
    place = f"http://{server.host}/v2/{NAME}/manifests/{name}"
    answer = requests.head(place, headers={"Accept": MANIFEST_MEDIA_TYPE}, timeout=60)
    found = answer.headers.get("Docker-Content-Digest")
    return None if found is None else Digest(found)


def test_from_a_change_to_production_and_back(project: Project, server: Server) -> None:
    released(project)
    assert not (project.folder / ".assent" / "store").exists()
    first = project.run("resolve", "production", "--json").json["bundle"]
    assert tag(server, "churn-v1") == tag(server, "churn-production") == first

    project.release("better", accuracy="0.9")
    project.ship("v2")
    second = project.run("resolve", "production", "--json").json["bundle"]
    assert tag(server, "churn-v2") == tag(server, "churn-production") == second != first
    assert re.search("accuracy +0.8 → 0.9", project.run("diff", "v1", "v2").stdout)
    project.run("rollback", "production", "--reason", "complaints")
    assert tag(server, "churn-production") == first
    project.run("clear", "production", "--reason", "tidy")
    assert tag(server, "churn-production") not in (None, first, second)
    assert project.run("verify").code == 0


def test_another_machine_has_nothing_but_the_repository(project: Project) -> None:
    released(project)
    clone = project.clone("elsewhere")
    clone.run("pull", "production", "--to", "served")
    assert "accuracy: 0.8" in (clone.folder / "served" / "weights.txt").read_text()
    clone.run("train")
    assert clone.runs() == []
    clone.run("verify")


@pytest.fixture
def guarded(fresh: Project, tmp_path: Path) -> Iterator[Project]:
    """A project whose registry asks for a password, which its people have logged in with."""
    with registry(tmp_path / "registry", with_password(tmp_path)) as server:
        address = f"oci://{server.host}/{NAME}"
        fresh.write("assent.yaml", CONFIG.replace("../store", address))
        fresh.commit("a store", push=True)
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        (fresh.folder.parent / "config.json").write_text(
            json.dumps({"auths": {server.host: {"auth": login}}})
        )
        yield replace(fresh, env={"DOCKER_CONFIG": str(fresh.folder.parent)})


def test_whoever_may_not_read_the_store_trains_and_hands_over_all_the_same(
    guarded: Project, tmp_path: Path
) -> None:
    known = guarded
    released(known)
    nobody = replace(known.clone("elsewhere"), env={"DOCKER_CONFIG": str(tmp_path)})
    nobody.branch("better", accuracy="0.9")
    said = nobody.run("train").stderr
    assert said.count("nothing of the store is reused here") == 1
    nobody.run("evaluate")
    made = nobody.run("bundle", "--output", "handed", "--json").json["bundle"]
    assert "docker login 127.0.0.1" in nobody.run("review", code=3).stderr
    said = nobody.run("doctor", "--store", code=2).stdout
    assert "✗ store: " in said
    assert "docker login 127.0.0.1" in said
    assert "✓ store: may be read and written" in known.run("doctor", "--store").stdout
    taken = replace(nobody, env=known.env)
    assert taken.run("bundle", "--from", "handed", "--json").json["bundle"] == made
    taken.run("review", code=11)


@pytest.mark.parametrize(
    "verb",
    ["register", "promote staging v1", "pull production --to served", "diff v1", "verify",
     "rollback production --reason complaints"],
)  # fmt: skip
def test_nothing_is_decided_by_whoever_may_not_read_the_store(
    guarded: Project, tmp_path: Path, verb: str
) -> None:
    guarded.run("review", code=11)
    guarded.run("approve", "--as", GRACE)
    nobody = {"DOCKER_CONFIG": str(tmp_path)}
    assert "docker login" in guarded.run("register", code=3, env=nobody).stderr
    if verb != "register":
        guarded.run("register")
        guarded.ship("v1")
        assert "docker login" in guarded.run(*verb.split(), code=3, env=nobody).stderr


def test_a_registry_that_nobody_reaches_keeps_nobody_from_training(fresh: Project) -> None:
    """As on a train, with a laptop."""
    with socket.socket() as nobody:  # who listens to no one
        nobody.bind(("127.0.0.1", 0))
        address = f"oci://127.0.0.1:{nobody.getsockname()[1]}/{NAME}"
        fresh.write("assent.yaml", CONFIG.replace("../store", address))
        fresh.commit("a store", push=True)
        said = fresh.run("train").stderr
        assert "once more in" in said
        assert "nothing of the store is reused here" in said
        assert fresh.runs() == ["train"]
        fresh.run("evaluate")
        assert "does not answer" in fresh.run("bundle", code=3).stderr


def test_the_same_bundle_as_in_a_folder(project: Project) -> None:
    project.run("review", code=11)
    bundle = project.run("bundle", "--json").json["bundle"]
    folder = {"ASSENT_STORE": str(project.folder.parent / "store")}
    assert project.run("bundle", "--json", env=folder).json["bundle"] == bundle


def test_a_tag_that_somebody_has_moved_is_named_and_put_back(
    project: Project, server: Server
) -> None:
    released(project)
    project.release("better", accuracy="0.9")
    project.ship("v2")
    first, second = tag(server, "churn-v1"), tag(server, "churn-v2")
    assert first is not None
    address = f"http://{server.host}/v2/{NAME}/manifests/"
    manifest = server.blob(first).read_bytes()
    kind = {"Content-Type": MANIFEST_MEDIA_TYPE}
    for name in ("churn-production", "churn-v2", "churn-v7"):
        requests.put(f"{address}{name}", manifest, headers=kind, timeout=60).raise_for_status()
    said = project.run("verify", code=4).stdout
    for name in ("churn-production", "churn-v2", "churn-v7"):
        assert name in said
    project.run("verify", "--repair")
    project.run("verify")
    assert tag(server, "churn-production") == tag(server, "churn-v2") == second
    assert tag(server, "churn-v7") not in (None, first, second)


@pytest.mark.threat(24)
def test_a_pointer_that_came_too_late_is_named_and_put_right(
    project: Project, server: Server
) -> None:
    """Nothing in a registry can be compared and swapped: of two machines the later one stays."""
    released(project)
    place = f"http://{server.host}/v2/{NAME}/manifests/_pointer.churn-production"
    older = requests.get(place, headers={"Accept": MANIFEST_MEDIA_TYPE}, timeout=60).content
    project.release("better", accuracy="0.9")
    project.ship("v2")
    kind = {"Content-Type": MANIFEST_MEDIA_TYPE}
    requests.put(place, older, headers=kind, timeout=60).raise_for_status()
    assert "churn/stages/production" in project.run("verify", code=4).stdout
    project.run("verify", "--repair")
    project.run("verify")
    assert tag(server, "churn-production") == tag(server, "churn-v2")


def test_a_blob_that_the_registry_has_lost_is_named_and_written_again(
    project: Project, server: Server
) -> None:
    released(project)
    bundle = project.run("resolve", "v1", "--json").json["bundle"]
    manifest = json.loads(server.blob(bundle).read_bytes())
    server.blob(manifest["layers"][0]["digest"]).unlink()
    said = project.run("verify", code=4).stdout
    assert "missing" in said
    assert "assent bundle --force" in said
    assert "nothing new to the store" in project.run("bundle").stdout  # by its tag
    project.run("verify", code=4)
    assert "bytes new to the store" in project.run("bundle", "--force").stdout
    project.run("verify")


def test_a_review_sends_what_the_registry_has_lost_of_its_candidate(
    project: Project, server: Server
) -> None:
    project.run("review", code=11)
    bundle = project.run("bundle", "--json").json["bundle"]
    manifest = json.loads(server.blob(bundle).read_bytes())
    server.blob(manifest["layers"][0]["digest"]).unlink()
    said = project.run("review", code=11).stderr
    assert re.search("the store lacks 1 of [0-9] blobs", said)
    project.run("approve", "--as", GRACE)
    project.run("register")
    project.run("verify")


def test_what_another_job_has_left_is_sent_again_where_it_was_lost(
    project: Project, server: Server
) -> None:
    project.run("train")
    project.run("evaluate")
    bundle = project.run("bundle", "--output", "made", "--json").json["bundle"]
    taken = project.run("bundle", "--from", "made", "--json").json
    assert taken["new_bytes"] > 0
    manifest = json.loads(server.blob(bundle).read_bytes())
    server.blob(manifest["layers"][0]["digest"]).unlink()
    assert project.run("bundle", "--from", "made", "--json").json["new_bytes"] == 0
    again = project.run("bundle", "--from", "made", "--force", "--json").json
    assert 0 < again["new_bytes"] < taken["new_bytes"]
    assert again["bundle"] == bundle


@pytest.mark.parametrize("is_registered", [False, True])
def test_the_tag_that_keeps_what_the_ledger_names_is_looked_for(
    project: Project, server: Server, is_registered: bool
) -> None:
    """A registry clears away what no tag names, and nobody would be told before."""
    project.run("review", code=11)
    project.run("approve", "--as", GRACE)
    if is_registered:
        project.run("register")
    bundle = project.run("bundle", "--json").json["bundle"]
    name = f"_bundle.{bundle.removeprefix('sha256:')}"
    tags = server.root / "docker/registry/v2/repositories" / NAME / "_manifests/tags"
    shutil.rmtree(tags / name)
    assert f"the tag {name} names nothing" in project.run("verify", code=4).stdout
    assert "repaired" in project.run("verify", "--repair").stdout
    assert tag(server, name) == bundle
    project.run("verify")
