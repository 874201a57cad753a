"""What runs have left: asked about first, bounded while it is fetched."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from assent.errors import AssentError, IdleError, IntegrityError, UsageError
from assent.forges.archives import Limits
from tests.forges.github.conftest import Scene
from tests.github.runs import Run

NAME = "assent-bundle"


def packed(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


class Left:
    """A pull request, and the run of its code that has woken us up."""

    def __init__(self, scene: Scene, **made: Any) -> None:
        self.scene = scene
        self.run: Run = scene.github.start_run(
            event="pull_request", actor=scene.alice, pull=scene.pull, **made
        )

    def fetch(
        self,
        folder: Path,
        *,
        is_again: bool = False,
        size_bytes: int | None = None,
        **said: object,
    ) -> object:
        """`is_again`: somebody has started the run again since it woke us up."""
        payload = self.scene.server.events.workflow_run(self.run)
        if is_again:
            self.run.rerun(self.scene.alice)
        forge = self.scene.forge(event="workflow_run", payload=payload, **said)
        return forge.fetch(NAME, folder, size_bytes=size_bytes)


@pytest.mark.threat(48)
def test_the_newest_of_the_run_is_fetched_as_data(scene: Scene, place: Path) -> None:
    left = Left(scene)
    left.run.upload(NAME, packed(a=b"old"))
    left.run.upload("other", packed(a=b"no"))
    left.run.upload(NAME, packed(a=b"new", b=b"2"))
    left.run.complete("success")
    run = left.fetch(place / "out")
    assert (place / "out/a").read_bytes() == b"new"
    assert sorted(one.name for one in place.rglob("*")) == ["a", "b", "out"]
    assert (getattr(run, "id", None), getattr(run, "attempt", None)) == (str(left.run.id), 1)


@pytest.mark.threat(48)
def test_nothing_is_fetched_of_a_run_of_another_workflow(scene: Scene, place: Path) -> None:
    left = Left(scene, path=".github/workflows/evil.yml")
    left.run.upload(NAME, packed(a=b"1"))
    left.run.complete("success")
    with pytest.raises(UsageError, match=r"it is a run of '\.github/workflows/evil\.yml'"):
        left.fetch(place / "out")
    assert not any("artifacts" in one.path for one in scene.server.requests)


@pytest.mark.threat(48)
@pytest.mark.parametrize(
    ("content", "limits", "said"),
    [
        (packed(a=bytes(range(256)) * 100), Limits(size_bytes=100), "larger than 100 bytes"),
        (packed(a=bytes(10**6)), Limits(ratio=10, small_bytes=100), "10 times as large"),
        (packed(a=b"1", b=b"2"), Limits(files=1), "more than 1 files"),
        (b"no archive", Limits(), "no archive that can be read"),
    ],
)
def test_what_is_too_much_is_refused(
    scene: Scene, place: Path, content: bytes, limits: Limits, said: str
) -> None:
    left = Left(scene)
    left.run.upload(NAME, content)
    left.run.complete("success")
    with pytest.raises(IntegrityError, match=said):
        left.fetch(place / "out", limits=limits)
    assert list(place.iterdir()) == []


@pytest.mark.threat(48)
def test_more_than_is_said_is_cut_off_while_it_streams(scene: Scene, place: Path) -> None:
    left = Left(scene)
    artifact = left.run.upload(NAME, packed(a=b"1"))
    left.run.complete("success")
    listed = b'{"total_count": 1, "artifacts": [{"id": %d, "name": "%s", "size_in_bytes": 1}]}'
    path = f"/repos/acme/churn/actions/runs/{left.run.id}/artifacts"
    scene.faults.answer("GET", path, listed % (artifact.id, NAME.encode()))
    with pytest.raises(IntegrityError, match="larger than 50 bytes"):
        left.fetch(place / "out", limits=Limits(size_bytes=50))


def test_what_is_not_there(scene: Scene, place: Path) -> None:
    left = Left(scene)
    left.run.complete("success")
    with pytest.raises(IdleError, match="started again"):
        left.fetch(place / "out", is_again=True)
    left.run.complete("success")
    with pytest.raises(UsageError, match="has left none"):
        left.fetch(place / "out")
    left.run.upload(NAME, packed(a=b"1")).is_expired = True
    with pytest.raises(AssentError, match="deleted it by now"):
        left.fetch(place / "out")


def test_a_review_leaves_nothing(scene: Scene, place: Path) -> None:
    left = Left(scene)
    left.run.event = "pull_request_review"
    left.run.complete("success")
    assert left.fetch(place / "out") is None


def test_an_earlier_job_of_the_same_run(scene: Scene, place: Path) -> None:
    path = ".github/workflows/assent-retrain.yml"
    own = scene.github.start_run(event="schedule", actor=scene.alice, path=path)
    own.upload(NAME, packed(a=b"1"))
    run = scene.forge(event="schedule", run=str(own.id)).fetch_own(NAME, place / "out")
    assert (run.id, (place / "out/a").read_bytes()) == (str(own.id), b"1")
    with pytest.raises(UsageError, match="no run of GitHub Actions"):
        scene.forge().fetch_own(NAME, place / "other")


@pytest.mark.threat(48)
def test_what_is_larger_than_a_bundle_may_be_is_not_fetched(scene: Scene, place: Path) -> None:
    left = Left(scene)
    left.run.upload(NAME, packed(a=b"0123456789" * 100))
    left.run.complete("success")
    with pytest.raises(IntegrityError, match="than") as raised:
        left.fetch(place / "out", size_bytes=900)
    assert "max_bundle_size" in (raised.value.hint or "")
    assert list(place.iterdir()) == []
