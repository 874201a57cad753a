"""The main job with the ledger in a bucket, for a repository that nobody may push branches to."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from assent.buckets import open_bucket, parsed
from assent.wiring import open_workspace
from tests.builders import run_git
from tests.e2e.project import CONFIG, GRACE, Project, ended, released
from tests.effort import more_in_soak
from tests.stores.services import Kind, Service, service

BECAUSE = ("--reason", "nobody may push")


def elsewhere(project: Project, at: Service) -> Project:
    """The project with its ledger and its store in a bucket, each below a prefix of its own."""
    store, ledger = at.address(), at.address()
    project.write("assent.yaml", f"ledger: {ledger}\n" + CONFIG.replace("../store", store))
    project.commit("a ledger in a bucket", push=True)
    return replace(project, env=at.environment)


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


@pytest.mark.threat(45)
def test_a_ledger_that_was_cut_off_is_noticed_by_a_new_clone(
    fresh: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = service(Kind.S3)
    project = elsewhere(fresh, at)
    released(project)
    for name, value in at.environment.items():
        monkeypatch.setenv(name, value)
    address = (project.folder / "assent.yaml").read_text().splitlines()[0].split()[1]
    bucket = open_bucket(parsed(address), at.environment)
    newest = bucket.names("churn/entries")[-1]
    bucket.remove(newest)
    clone = project.clone("elsewhere")
    assert "was derived from entry 4" in clone.run("note", "alert", code=4).stderr
    assert "entries are missing" in clone.run("verify", "--repair", code=4).stdout
    told = clone.run("verify", "--recover", "--reason", "a clean-up took it").stdout
    assert "noted as entry 4" in told
    clone.run("verify")


# --- from one place to another --------------------------------------------------------------------


def lines_of(project: Project) -> list[bytes]:
    """Every entry of the ledger that `assent.yaml` names, byte for byte."""
    workspace = open_workspace(
        project.folder,
        environ=project.environment,
        now=datetime(2026, 1, 2, tzinfo=UTC),
        say=lambda _: None,
    )
    return list(workspace.ledger.read("churn").entries())


def named(project: Project, ledger: str) -> None:
    """Merge a change of `ledger`."""
    text = (project.folder / "assent.yaml").read_text()
    kept = [line for line in text.splitlines() if not line.startswith("ledger: ")]
    project.write("assent.yaml", "\n".join([f"ledger: {ledger}", *kept, ""]))
    project.commit(f"the ledger is {ledger}", push=True)


def test_from_git_to_a_bucket_and_back_every_entry_stays_what_it_is(
    second: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = service(Kind.S3)
    project, address = replace(second, env=at.environment), at.address()
    for name, value in at.environment.items():
        monkeypatch.setenv(name, value)
    before = lines_of(project)
    told = project.run("ledger", "move", address, "--reason", "nobody may push").stdout
    assert f"churn: {len(before) + 1} entries there, {len(before) + 1} written now" in told
    refused = project.run("note", "too early", code=2).stderr
    assert f"it has moved to {address}" in refused

    named(project, address)
    there = lines_of(project)
    assert there[:-1] == before
    clone = project.clone("elsewhere")
    clone.run("verify")
    clone.run("promote", "staging", "v2")
    assert clone.run("resolve", "production", "--json").json["version"] == 1
    assert clone.run("rollback", "staging", "--reason", "complaints").code == 0
    assert clone.run("status").code == 0
    project.run("store", "gc")
    assert (
        "that is where it is"
        in project.run("ledger", "move", address, "--reason", "x", code=2).stderr
    )

    moved = lines_of(project)
    project.run("ledger", "move", "git", "--reason", "the bucket is closed")
    named(project, "git")
    assert lines_of(project)[: len(moved)] == moved
    project.run("verify")
    project.run("note", "at home")
    assert project.entries()[:2] == ["note on churn", "move the ledger of churn"]
    assert "it has moved to git" in clone.run("note", "too late", code=2).stderr


def test_who_reads_the_old_place_is_told_where_it_is(second: Project) -> None:
    """Also where no store tells how much was decided since."""
    at = service(Kind.S3)
    project, address = replace(second, env=at.environment), at.address()
    old = project.clone("old")
    project.run("ledger", "move", address, "--reason", "nobody may push")
    named(project, address)
    for words in (["status"], ["resolve", "staging"], ["timeline"], ["verify"]):
        assert f"the ledger has moved to {address}, says entry 7" in old.run(*words).stderr
    assert f"it has moved to {address}" in old.run("doctor", code=2).stdout
    project.run("promote", "staging", "v2")
    told = f"reading the ledger of churn: it has moved to {address}"
    for words in (["resolve", "staging"], ["store", "gc"], ["ledger", "move", address, *BECAUSE]):
        assert told in old.run(*words, code=2).stderr
    verified = old.run("verify", code=4).stdout
    assert f"ends at entry 7; the ledger has moved to {address}" in verified
    assert "--recover" not in verified
    project.store.rename(project.folder.parent / "unplugged")
    assert f"the ledger has moved to {address}" in old.run("resolve", "staging").stderr


def test_a_change_is_not_judged_by_a_ledger_of_its_own(second: Project) -> None:
    """It names an empty one, with a store that knows nothing: nothing to be worse than."""
    at = service(Kind.S3)
    project = replace(second, env=at.environment)
    project.branch("worse", accuracy="0.55")
    project.edit("assent.yaml", "store: ../store", f"store: ../mine\nledger: {at.address()}")
    project.commit("a ledger of my own")
    refused = project.run("review", code=2).stderr
    assert "names the ledger s3://models/team/" in refused
    assert "that of main names git" in refused
    assert "merge a change of `ledger` first, and by itself" in refused
    for verb in ("train", "evaluate", "bundle"):
        project.run(verb)
    assert "names the ledger" in project.run("note", "mine", code=2).stderr
    assert "names the ledger" in project.run("approve", "--as", GRACE, code=2).stderr


def test_an_address_with_a_login_is_not_shown(fresh: Project) -> None:
    for secret in ("s3://ada:hunter2@models/x", "az://models/x?sig=hunter2"):
        for reason in ("why", ""):
            ran = fresh.run("ledger", "move", secret, "--reason", reason, code=2)
            assert "hunter2" not in ran.stdout + ran.stderr


@pytest.mark.usefixtures("for_real")  # who verifies waits for those that write
@pytest.mark.threat(24)
@pytest.mark.parametrize("count", [4, *more_in_soak(24)])
def test_a_crowd_beside_a_repair_loses_and_doubles_nothing(fresh: Project, count: int) -> None:
    project = elsewhere(fresh, service(Kind.S3))
    project.run("review", code=11)
    project.run("approve", "--as", GRACE)
    project.run("register")
    clones = [project.clone(f"clone{number}") for number in range(count)]
    words = [
        ("note", f"alert {number}") if number % 3 else ("promote", "staging", "v1")
        for number in range(count)
    ]
    writers = [clone.start(*said) for clone, said in zip(clones, words, strict=True)]
    repairs = 0
    while repairs == 0 or any(writer.poll() is None for writer in writers):
        assert project.run("verify", "--repair", "--json").json["faults"] == []
        repairs += 1
    for writer, said in zip(writers, words, strict=True):
        ended(writer, *said, code=0)
    moments = project.run("timeline", "--limit", "1000", "--json").json["moments"]
    kinds = [moment["entry"]["kind"] for moment in moments]
    assert kinds.count("noted") == sum(1 for said in words if said[0] == "note")
    assert kinds.count("promoted") == 1  # whoever was later found it there
    project.run("verify")


def test_a_ledger_that_nobody_reaches_keeps_nobody_from_training(fresh: Project) -> None:
    """As in a job that runs the code of a change, which has no login there."""
    with socket.socket() as nobody:  # who listens to no one
        nobody.bind(("127.0.0.1", 0))
        at = Service(kind=Kind.S3, host=f"127.0.0.1:{nobody.getsockname()[1]}")
        fresh.write("assent.yaml", f"ledger: {at.address()}\n{CONFIG}")
        fresh.commit("a ledger in a bucket", push=True)
        project = replace(fresh, env=at.environment)
        for verb in ("train", "evaluate", "bundle"):
            project.run(verb)
        assert "does not answer after 5 tries" in project.run("review", code=3).stderr
