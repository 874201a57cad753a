"""What runs of workflows have left: archives of code that nobody has reviewed."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from assent.core.bundle import TOO_LARGE
from assent.core.evidence import Run
from assent.errors import IntegrityError, UsageError
from assent.forges.archives import Limits, unpack
from assent.forges.github.repository import FORGE, RemoteRepository
from assent.forges.github.schemas import Artifact, Artifacts, WorkflowRun


def fetch(
    remote: RemoteRepository, run: WorkflowRun, name: str, folder: Path, *, limits: Limits
) -> Run:
    """Write what a run has left under `name` to `folder`, which is made, and return the run.
    Whether it is a run to be believed, the caller has asked before.

    Raises `UsageError` if there is no such artifact, and `IntegrityError` for one that is too
    large, or no archive of plain files.
    """
    doing = f"fetching the artifact {name!r} of run {run.id}"
    artifact = _find(remote, run, name, doing)
    if artifact.size_in_bytes > limits.size_bytes:
        problem = f"it is larger than {limits.size_bytes:,} bytes"
        raise IntegrityError(doing, problem, hint=TOO_LARGE)
    with TemporaryDirectory(dir=folder.parent, prefix=".artifact-") as scratch:
        archive = Path(scratch) / "artifact.zip"
        path = remote.path("actions", "artifacts", artifact.id, "zip")
        remote.api.download(path, archive, doing=doing, limit_bytes=limits.size_bytes)
        unpack(archive, None, folder, limits=limits, doing=doing)
    return Run(system=FORGE, id=str(run.id), attempt=run.run_attempt, address=run.html_url)


def _find(remote: RemoteRepository, run: WorkflowRun, name: str, doing: str) -> Artifact:
    """The newest one of this name."""
    listed = remote.api.get(
        remote.path("actions", "runs", run.id, "artifacts"),
        Artifacts,
        doing=doing,
        parameters={"name": name, "per_page": "100"},
    )
    named = [artifact for artifact in listed.artifacts if artifact.name == name]
    if not named:
        hint = "does its workflow upload one of this name, also when it is run again?"
        raise UsageError(doing, "the run has left none", hint=hint)
    newest = max(named, key=lambda artifact: artifact.id)
    if newest.expired:
        raise UsageError(doing, "GitHub has deleted it by now", hint="run the workflow again")
    return newest
