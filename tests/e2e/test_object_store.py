"""The main job with a bucket as the store, and no folder that machines share."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from assent.buckets import open_bucket, parsed
from tests.e2e.project import CONFIG, Project, released
from tests.stores.services import Kind, Service, service


def moved(project: Project, at: Service) -> Project:
    """The project with a store of its own in a bucket."""
    project.write("assent.yaml", CONFIG.replace("../store", at.address()))
    project.commit("a store", push=True)
    return replace(project, env=at.environment)


def address_of(project: Project) -> str:
    lines = (project.folder / "assent.yaml").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("store:"))


def test_from_a_change_to_production_and_to_another_machine(fresh: Project) -> None:
    project = moved(fresh, service(Kind.S3))
    released(project)
    assert not (project.folder / ".assent" / "store").exists()
    project.run("clear", "staging", "--reason", "tidy")
    clone = project.clone("elsewhere")
    clone.run("pull", "production", "--to", "served")
    assert "accuracy: 0.8" in (clone.folder / "served" / "weights.txt").read_text()
    clone.run("train")
    assert clone.runs() == []
    assert clone.run("verify").code == 0
    said = clone.run("doctor", "--store").stdout
    assert "✓ store: may be read and written, and holds 4 pointers\n" in said


def test_a_pointer_of_a_bucket_without_conditions_is_named_and_repaired(
    fresh: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = service(Kind.S3_UNCONDITIONAL)
    project = moved(fresh, at)
    released(project)
    assert "it ignores conditions: of two machines" in project.run("doctor", "--store").stdout
    for name, value in at.environment.items():
        monkeypatch.setenv(name, value)
    bucket = open_bucket(parsed(address_of(project)), at.environment)
    found = bucket.read("churn/stages/production", 4096)
    assert found is not None
    project.run("clear", "production", "--reason", "tidy")
    bucket.put("churn/stages/production", found[0])  # of a machine that was late
    assert "churn/stages/production" in project.run("verify", code=4).stdout
    project.run("verify", "--repair")
    project.run("verify")


def test_a_bucket_that_nobody_reaches_keeps_nobody_from_training(fresh: Project) -> None:
    with socket.socket() as nobody:  # who listens to no one
        nobody.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{nobody.getsockname()[1]}"
        project = moved(fresh, Service(kind=Kind.S3, host=host))
        said = project.run("train").stderr
        assert said.count("nothing of the store is reused here") == 1
        assert "does not answer after 5 tries" in project.run("register", code=3).stderr
