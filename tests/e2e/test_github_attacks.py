"""What somebody who has read the code tries on GitHub. Each test names the row of
docs/threats.md that it is about.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assent.core.bundle import ModelFile, config_blob, manifest_blob
from assent.core.digest import canonical_json, digest_of
from tests.e2e.github import World, outputs, results
from tests.effort import more_in_soak
from tests.github.runs import Run as Started

Evidence = dict[str, Any]
NAMED = "churn/made/bundle"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world with v1 in staging. Each test has a pull request of its own there."""
    with World(tmp_path_factory.mktemp("world")) as world:
        pull = world.propose(0.8)
        world.review(pull)
        world.approve(pull, world.bob)
        assert outputs(world.merge(pull), "register")["version"] == "v1"
        started, payload = world.press("promote", {"stage": "staging"})
        assert world.play(started, payload).conclusion == "success"
        yield world


# --- who approved -------------------------------------------------------------------------------


def say_nothing(evidence: Evidence) -> None:
    evidence["run"] = None


def name_another_system(evidence: Evidence) -> None:
    """As ASSENT_RUN_ID in the workflow of the pull request does it."""
    evidence["run"] = {"system": "ci", "id": "1", "attempt": 1, "address": None}


def name_an_earlier_attempt(evidence: Evidence) -> None:
    evidence["run"]["attempt"] -= 1


@pytest.mark.threat(1)
@pytest.mark.threat(18)
@pytest.mark.parametrize(
    "lie", [say_nothing, name_an_earlier_attempt, *more_in_soak(name_another_system)]
)
def test_evidence_that_hides_who_started_its_run(
    world: World, lie: Callable[[Evidence], None]
) -> None:
    """Bob starts a training whose code hides that it was he, and would approve the result."""
    pull = world.propose(0.81)
    started, _ = world.train(pull)
    started.rerun(world.bob)
    world.play(started, world.events.pull_request(pull))
    forge_evidence(world, started, lie)
    before, writes = stored(world), len(world.server.writes)
    judged = world.follow(started)
    assert results(judged)["review"] == "failure"
    assert f"it comes from attempt 2 of run {started.id}" in judged.log
    assert stored(world) == before
    assert len(world.server.writes) == writes


@pytest.mark.threat(1)
def test_a_bundle_of_a_run_that_the_approver_started(world: World) -> None:
    pull = world.propose(0.82)
    started, _ = world.train(pull)
    started.rerun(world.bob)
    world.play(started, world.events.pull_request(pull))
    assert world.follow(started).conclusion == "success"
    judged = world.wake(world.approve(pull, world.bob))
    assert outputs(judged, "review")["verdict"] == "pending"
    [comment] = world.comments(pull)
    [row] = [one for one in comment.body.splitlines() if one.startswith("| `bob` ")]
    assert "made this change; the author's approval does not count" in row


@pytest.mark.threat(3)
@pytest.mark.threat(22)
@pytest.mark.parametrize("said", ["", *more_in_soak("staging")])
def test_an_environment_that_is_opened_before_the_version_is_there(
    tmp_path: Path, said: str
) -> None:
    """Rosa lets `the newest version` through and means v1. When the job starts it is v2."""
    with World(tmp_path) as world:
        ship_to_staging(world, 0.8)
        inputs = {"stage": "production", "version": said}
        started, payload = world.press("promote", inputs)
        started.approve("production", world.rosa)
        ship_to_staging(world, 0.9)
        before = world.log()
        refused = world.play(started, payload)
        assert outputs(refused, "promote")["verdict"] == "pending"
        assert refused.job("promote").step("assent").exit_code == 11
        assert "rosa let a run through that names no version: not counted" in refused.log
        assert world.log() == before

        started, payload = world.press("promote", {"stage": "production", "version": "v2"})
        started.approve("production", world.rosa)
        assert outputs(world.play(started, payload), "promote")["version"] == "v2"
        assert [one["person"]["login"] for one in world.entries()[-1]["approvals"]] == ["rosa"]


# --- what is loaded -----------------------------------------------------------------------------


@pytest.mark.threat(17)
@pytest.mark.threat(27)
@pytest.mark.parametrize("how", ["inputs", *more_in_soak("train")])
def test_evidence_that_names_inputs_of_others(tmp_path: Path, how: str) -> None:
    """The pull request is honest and is approved, but for the digests of inputs that its evidence
    names: whoever has those inputs later would be given this model for them.
    """
    others = digest_of(b"inputs that somebody else will have")

    def lie(evidence: Evidence) -> None:
        if how == "inputs":
            evidence["inputs_digest"] = others
        else:
            evidence["train"]["inputs_digest"] = others

    with World(tmp_path) as world:
        pull = world.propose(0.8)
        started, _ = world.train(pull)
        forge_evidence(world, started, lie)
        assert world.follow(started).conclusion == "success"
        world.approve(pull, world.bob)
        merged = world.merge(pull)
        assert outputs(merged, "register")["version"] == "v1"
        hints = [path for path in stored(world) if others.removeprefix("sha256:") in path]
        assert hints == []


@pytest.mark.threat(17)
@pytest.mark.threat(39)
def test_one_file_of_which_a_bundle_has_thousands(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small artifact must not fill the disk of the machine that reaches the store."""
    from assent.making.handover import take
    from assent.stores.directory import DirectoryStore
    from assent.wiring import open_workspace

    started, _ = world.train(world.propose(0.83))
    folder = world.root / "thousands"
    with zipfile.ZipFile(world.site.harness.artifacts(str(started.id))["assent-bundle"]) as opened:
        opened.extractall(folder)
    content = b"\0" * 100_000
    digest = digest_of(content)
    files = [ModelFile(path=f"{n}", digest=digest, size_bytes=len(content)) for n in range(2_000)]
    evidence = evidence_in({path: path_of(folder, path) for path in names(folder)})
    forged = manifest_blob("churn", files, config_blob("churn", files), canonical_json(evidence))
    for one in (content, forged, config_blob("churn", files), canonical_json(evidence)):
        path_in(folder, digest_of(one)).write_bytes(one)
    (folder / NAMED).write_text(f"{digest_of(forged)}\n")

    written: list[int] = []
    fetch = DirectoryStore.fetch

    def counted(self: DirectoryStore, wanted: Any, progress: Any = None) -> None:
        written.extend(one.size_bytes for one in wanted)
        fetch(self, wanted, progress)

    monkeypatch.setattr(DirectoryStore, "fetch", counted)
    laptop = world.clone("thousand-laptop")
    from datetime import UTC, datetime

    workspace = open_workspace(
        laptop, environ={}, now=datetime(2026, 1, 1, tzinfo=UTC), say=lambda _: None
    )
    taken = take(workspace, "churn", folder)
    assert (taken.bundle, taken.files) == (digest_of(forged), 2_000)
    assert written == [len(content)]
    assert path_in(world.store, digest).read_bytes() == content


# --- shared -------------------------------------------------------------------------------------


def ship_to_staging(world: World, accuracy: float) -> None:
    pull = world.propose(accuracy)
    world.review(pull)
    world.approve(pull, world.bob)
    version = outputs(world.merge(pull), "register")["version"]
    started, payload = world.press("promote", {"stage": "staging", "version": version})
    assert outputs(world.play(started, payload), "promote")["version"] == version


def stored(world: World) -> set[str]:
    return {str(path) for path in world.store.rglob("*") if path.is_file()}


def names(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def path_of(folder: Path, name: str) -> bytes:
    return (folder / name).read_bytes()


def path_in(folder: Path, digest: str) -> Path:
    return folder / "blobs/sha256" / digest.removeprefix("sha256:")


def blob(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def evidence_in(files: dict[str, bytes]) -> Evidence:
    """The evidence of the bundle in an artifact."""
    manifest = json.loads(files[blob(files[NAMED].decode().strip())])
    evidence: Evidence = json.loads(files[blob(manifest["layers"][-1]["digest"])])
    return evidence


def forge_evidence(world: World, started: Started, lie: Callable[[Evidence], None]) -> None:
    """What the workflow of a pull request can do to its own artifact: evidence of its choice, and
    a manifest that names it.
    """
    archive = world.site.harness.artifacts(str(started.id))["assent-bundle"]
    with zipfile.ZipFile(io.BytesIO(Path(archive).read_bytes())) as opened:
        files = {one.filename: opened.read(one) for one in opened.infolist() if not one.is_dir()}
    evidence = evidence_in(files)
    lie(evidence)
    content = json.dumps(evidence).encode()
    manifest = json.loads(files[blob(files[NAMED].decode().strip())])
    manifest["layers"][-1] |= {"digest": digest_of(content), "size": len(content)}
    forged = canonical_json(manifest)  # as bundles are written
    files[blob(digest_of(content))] = content
    files[blob(digest_of(forged))] = forged
    files[NAMED] = f"{digest_of(forged)}\n".encode()
    with zipfile.ZipFile(archive, "w") as spoilt:
        for path, one in files.items():
            spoilt.writestr(path, one)
