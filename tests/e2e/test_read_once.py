"""What is read from a registry: a candidate once, of a baseline nothing but what differs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from assent.core.bundle import FILE_PATH
from assent.core.digest import Digest
from assent.core.verdict import Decision
from assent.errors import OutsideError
from assent.ports import Progress, Wanted
from assent.stores.directory import DirectoryStore
from assent.verbs.register import register
from assent.verbs.review import review
from assent.wiring import open_workspace
from assent.workspace import Workspace
from tests.e2e.project import CONFIG, FILES, GRACE, Project, new_project
from tests.stores.proxies import Line, proxied
from tests.stores.registries import Server, registry

# Weights in two shards: the first follows from the data, the second from the parameters as well.
TRAIN = """\
import json, pathlib, struct

def shard(name, first):
    header = json.dumps({f"{name}.w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}})
    start = struct.pack("<Q", len(header)) + header.encode()
    pathlib.Path("model", f"{name}.safetensors").write_bytes(start + struct.pack("<2f", first, 1))

pathlib.Path("model").mkdir(exist_ok=True)
params = pathlib.Path("params.yaml").read_text()
shard("base", len(pathlib.Path("data/train.csv").read_text()))
shard("head", float(params.split(":")[1]))
pathlib.Path("model/notes.txt").write_text(params)
"""
BASE, HEAD, NOTES = "base.safetensors", "head.safetensors", "notes.txt"


@dataclass(frozen=True)
class Machines:
    """A project whose store is a registry, over a line that counts."""

    project: Project
    line: Line
    server: Server

    def elsewhere(self, name: str, **env: str) -> Project:
        """The same on a machine that has nothing but the repository."""
        cache = self.project.folder.parent / f"cache-of-{name}"
        clone = self.project.clone(name)
        return replace(clone, env={**clone.env, "ASSENT_CACHE": str(cache), **env})

    def manifest(self, bundle: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.server.blob(Digest(bundle)).read_bytes())
        return found

    def files(self, bundle: str) -> dict[str, str]:
        """The digests of a bundle's model files by name."""
        layers = self.manifest(bundle)["layers"]
        named = {one["annotations"].get(FILE_PATH): one["digest"] for one in layers}
        return {name: digest for name, digest in named.items() if name}

    def read(self, *bundles: str) -> list[str]:
        """The model files of these bundles that were read, by name; and forget it."""
        names = {d: f"{name} of {n}" for n, b in enumerate(bundles) for name, d in
                 reversed(self.files(b).items())}  # fmt: skip
        asked = [re.fullmatch(r"GET .*/blobs/(sha256:\w+).*", one) for one in self.line.asked]
        self.line.asked.clear()
        return sorted(names[one[1]] for one in asked if one and one[1] in names)


def files_with(store: str) -> dict[str, str]:
    config = CONFIG.replace("../store", store)
    config = config.replace("train: sh train.sh", f"train: {sys.executable} train.py")
    config = config.replace("inputs: [train.sh", "inputs: [train.py")
    gate = "    gates:\n      - {model: safe, allow: []}\n"
    return {**FILES, "assent.yaml": config.replace("    gates:\n", gate), "train.py": TRAIN}


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    with registry(tmp_path / "registry") as server, proxied(server.host, lambda _: None) as line:
        files = files_with(f"oci://{line.host}/team/models")
        project = new_project(tmp_path / "project", files)
        yield Machines(replace(project, env={"DOCKER_CONFIG": "/nonexistent"}), line, server)


class Elsewhere(DirectoryStore):
    """A folder that stands for a store behind a network, and `lacks` room for some blobs."""

    lacks: frozenset[Digest] = frozenset()

    @property
    def is_elsewhere(self) -> bool:
        return True

    def locate(self, digest: Digest) -> Path | None:
        return None

    def fetch(self, wanted: Sequence[Wanted], progress: Progress | None = None) -> None:
        if self.lacks & {one.digest for one in wanted}:
            raise OutsideError("fetching", "it takes more than there is")
        super().fetch(wanted, progress)


def test_a_disk_without_room_for_the_baseline_is_no_reason_to_judge_nothing(
    tmp_path: Path,
) -> None:
    project, said = new_project(tmp_path / "project", files_with("../store")), list[str]()

    def opened() -> Workspace:
        now = datetime(2026, 1, 2, tzinfo=UTC)
        found = open_workspace(project.folder, environ={}, now=now, say=said.append)
        return replace(found, store=Elsewhere(project.store))

    review(opened(), "churn")
    project.run("approve", "--as", GRACE)
    first = register(opened(), "churn").bundle
    assert first is not None
    project.branch("better", accuracy="0.9")
    workspace = opened()
    assert isinstance(workspace.store, Elsewhere)
    layers = json.loads(project.blob(first).read_bytes())["layers"]
    [head] = [one["digest"] for one in layers if one["annotations"].get(FILE_PATH) == HEAD]
    workspace.store.lacks = frozenset([head])
    result = review(workspace, "churn")
    assert result.decision is Decision.PENDING
    found = result.report.diff.model_files
    assert found.weights == ()
    assert "the weights are not compared: it takes more than there is" in said
    assert "it takes more than there is" in result.html.read_text()


def registered(project: Project) -> str:
    project.run("review", code=11)
    project.run("approve", "--as", GRACE)
    bundle: str = project.run("register", "--json").json["bundle"]
    return bundle


def handed_over(machines: Machines, accuracy: str) -> tuple[str, Project, str]:
    """A candidate that a job without a store has made, as another machine has it to review."""
    job = machines.elsewhere(f"job{accuracy}", ASSENT_STORE=".assent/store")
    job.branch("better", accuracy=accuracy)
    job.git("push", "--quiet", "origin", "better")
    job.run("train")
    job.run("evaluate")
    handed = job.folder.parent / f"handed{accuracy}"
    bundle = job.run("bundle", "--output", str(handed), "--json").json["bundle"]
    reviewer = machines.elsewhere(f"reviewer{accuracy}")
    reviewer.git("checkout", "--quiet", "better")
    machines.line.asked.clear()
    return bundle, reviewer, str(handed)


def test_a_review_reads_of_the_baseline_what_differs_and_nothing_of_the_candidate(
    machines: Machines,
) -> None:
    first = registered(machines.project)
    second, reviewer, handed = handed_over(machines, "0.9")
    reviewer.run("bundle", "--from", handed)
    said = reviewer.run("review", "--bundle", second, "--json", code=11).json
    assert machines.read(first, second) == [f"{HEAD} of 0", f"{NOTES} of 0"]
    found = said["report"]["diff"]["model_files"]
    assert found["weights_compared"] == 2
    assert [one["name"] for one in found["weights"] if one["distance"] != 0] == ["head.w"]
    reviewer.run("review", "--bundle", second, code=11)
    assert machines.read(first, second) == []


def test_what_decides_needs_no_file_of_the_baseline(machines: Machines) -> None:
    """`explain` and `register` show no distances."""
    first = registered(machines.project)
    second, reviewer, handed = handed_over(machines, "0.9")
    reviewer.run("bundle", "--from", handed)
    reviewer.run("explain", "--bundle", second, code=11)
    assert machines.read(first, second) == []


@pytest.mark.parametrize("job", ["the review's", "another"])
def test_what_is_approved_is_fetched_once_and_registered_and_promoted_without_it(
    machines: Machines, job: str
) -> None:
    """What was seen in it the entry of the approval names, and the ledger is written by trusted
    code alone.
    """
    first = registered(machines.project)
    second, reviewer, handed = handed_over(machines, "0.9")
    reviewer.run("bundle", "--from", handed)
    reviewer.run("review", "--bundle", second, code=11)
    machines.line.asked.clear()
    cache = {} if job == "the review's" else {"ASSENT_CACHE": "none"}
    reviewer.run("approve", "--bundle", second, "--as", GRACE, env=cache)
    whole = [f"{name} of 1" for name in (BASE, HEAD, NOTES)]
    assert machines.read(first, second) == (whole if cache else [])
    reviewer.merge("better")
    trusted = machines.elsewhere("trusted")
    machines.line.asked.clear()
    trusted.run("register", "--bundle", second)
    assert machines.read(first, second) == []
    trusted.run("promote", "staging", "v2", env={"ASSENT_CACHE": "none"})
    assert machines.read(first, second) == []

    clone = machines.elsewhere("laptop")
    machines.line.asked.clear()
    clone.run("diff", "v1", "v2")
    assert machines.read(first, second) == [
        f"{name} of {n}" for name, n in ((BASE, 1), (HEAD, 0), (HEAD, 1), (NOTES, 0), (NOTES, 1))
    ]


def test_a_version_is_fetched_once_by_a_machine(machines: Machines) -> None:
    first = registered(machines.project)
    server = machines.elsewhere("server")
    machines.line.asked.clear()
    server.run("pull", "v1", "--to", "served")
    assert len(machines.read(first)) == 3
    for verb in ("resolve v1", "pull v1 --to served", "pull v1 --to again"):
        server.run(*verb.split())
        assert [
            one for one in machines.line.asked if one.startswith("GET") and "blobs" in one
        ] == []
        machines.line.asked.clear()
    assert (server.folder / "again" / NOTES).read_text() == "accuracy: 0.8\n"
    nothing = {"ASSENT_CACHE": "none"}
    server.run("pull", "v1", "--to", "anew", env=nothing)
    assert len(machines.read(first)) == 3


@pytest.mark.threat(62)
@pytest.mark.threat(27)
@pytest.mark.parametrize("how", ["lost", "altered", "of another model"])
def test_what_was_seen_is_read_anew_if_it_is_not_what_the_ledger_names(
    machines: Machines, how: str
) -> None:
    first = registered(machines.project)
    kept = Digest(last_entry(machines.project)["inspection"])
    layer = Digest(machines.manifest(kept)["layers"][0]["digest"])
    place = machines.server.blob(layer)
    match how:
        case "lost":
            place.unlink()
        case "altered":
            place.write_bytes(place.read_bytes().replace(b"float32", b"float64"))
        case _:
            place.write_bytes(b"{}")
    second, reviewer, handed = handed_over(machines, "0.9")
    reviewer.run("bundle", "--from", handed)
    reviewer.run("explain", "--bundle", second, code=11)
    assert machines.read(first, second) == [f"{HEAD} of 0", f"{NOTES} of 0"]


def test_a_folder_keeps_nothing_of_what_was_seen(machines: Machines) -> None:
    project = replace(machines.project, env={"ASSENT_STORE": "../store"})
    registered(project)
    assert "inspection" not in last_entry(project)


def last_entry(project: Project) -> dict[str, Any]:
    """The newest entry of the ledger, as Git has it."""
    text = project.git("-C", str(project.remote), "show", "assent/churn:000000000.jsonl")
    found: dict[str, Any] = json.loads(text.splitlines()[-1])
    return found
