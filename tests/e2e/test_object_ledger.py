"""The main job with the ledger in a bucket, for a repository that nobody may push branches to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assent.buckets import Bucket, open_bucket, parsed
from tests.builders import run_git
from tests.e2e.project import CONFIG, GRACE, ROSA, Project
from tests.stores.services import Kind, Service, service


def elsewhere(project: Project, at: Service) -> Project:
    """The project with its ledger and its store in a bucket, each below a prefix of its own."""
    store, ledger = at.address(), at.address()
    project.write("assent.yaml", f"ledger: {ledger}\n" + CONFIG.replace("../store", store))
    project.commit("a ledger in a bucket", push=True)
    return replace(project, env=at.environment)


def address_of(project: Project) -> str:
    return (project.folder / "assent.yaml").read_text().splitlines()[0].split()[1]


def bucket_of(project: Project, at: Service, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    for name, value in at.environment.items():
        monkeypatch.setenv(name, value)
    return open_bucket(parsed(address_of(project)), at.environment)


def released(project: Project) -> None:
    project.run("review", code=11)
    project.run("approve", "--as", GRACE)
    project.run("register")
    project.run("promote", "staging")
    project.run("approve", "--bundle", "v1", "--as", ROSA)
    project.run("promote", "production")


@pytest.mark.parametrize("kind", [Kind.S3, Kind.AZURE, Kind.GOOGLE])
def test_from_a_change_to_production_and_to_another_machine(fresh: Project, kind: Kind) -> None:
    project = elsewhere(fresh, service(kind))
    released(project)
    assert run_git(project.folder, "ls-remote", "origin", "refs/heads/assent/*") == ""
    clone = project.clone("elsewhere")
    assert clone.run("resolve", "production", "--json").json["version"] == 1
    clone.run("pull", "production", "--to", "served")
    assert "accuracy: 0.8" in (clone.folder / "served" / "weights.txt").read_text()
    assert clone.run("verify").code == 0
    clone.run("note", "seen in the field")
    project.run("clear", "staging", "--reason", "tidy")
    kinds = [line["entry"]["kind"] for line in project.run("timeline", "--json").json["moments"]]
    assert sorted(kinds) == sorted(
        ["approved", "registered", "promoted", "approved", "promoted", "noted", "cleared"]
    )
    said = project.run("doctor", "--store").stdout
    assert "✓ ledger of churn: 1 versions, 7 entries" in said


def test_a_service_that_ignores_conditions_keeps_no_ledger(fresh: Project) -> None:
    project = elsewhere(fresh, service(Kind.S3_UNCONDITIONAL))
    project.run("review", code=11)
    refused = project.run("approve", "--as", GRACE, code=2).stderr
    assert "it ignores `If-None-Match: *`" in refused
    assert "S3, Google and Azure" in refused
