"""Open merge requests that wait for a review by a pipeline of the default branch.

The pipeline of a merge request holds no token of ours, so it can say nothing in our name: it leaves
its bundle as an artifact, and is over. What waits is found by asking GitLab, never by what anybody
says in a variable: a bundle that is newer than the newest record of one that was shown, or a word
of somebody that is newer than our note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from assent.core.evidence import Run
from assent.errors import IdleError, UsageError
from assent.forges.archives import Limits, unpack
from assent.forges.gitlab.comments import Comments
from assent.forges.gitlab.repository import FORGE, RemoteRepository
from assent.forges.gitlab.schemas import Job, MergeRequest, PipelineFacts
from assent.forges.gitlab.timestamps import timestamp
from assent.forges.remote.changes import Found
from assent.ports import Forge, PendingReason, Waiting

MOST = 50
"""How many open merge requests are looked at, those first that something happened to last."""
PIPELINES = 10
"""How many pipelines of one revision are looked at, the newest first."""
INSIDE = "assent-bundle"
"""The folder of an artifact that holds the bundle."""


def open_requests(remote: RemoteRepository) -> Sequence[MergeRequest]:
    """The newest open merge requests into the default branch."""
    requests = remote.api.pages(
        remote.path("merge_requests"),
        MergeRequest,
        doing="reading the open merge requests",
        parameters={
            "state": "opened",
            "target_branch": remote.branch,
            "order_by": "updated_at",
            "sort": "desc",
            "per_page": str(MOST),
        },
    )
    return list(islice(requests, MOST))


class OpenRequests:
    """The `ReviewQueue` of a project. `bind` makes a merge request one that may wait for the review
    of a model, with what the job of that name has left.
    """

    lacking = ""

    def __init__(
        self, remote: RemoteRepository, bind: Callable[[MergeRequest, str, str], Waiting]
    ) -> None:
        self._remote = remote
        self._bind = bind

    def waiting(self, model: str, job: str) -> Sequence[Waiting]:
        """See `ReviewQueue.waiting`."""
        return [self._bind(request, model, job) for request in open_requests(self._remote)]


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A job that has left an artifact, and where: the pipeline of a fork is in the fork."""

    project: int
    pipeline: int
    revision: str
    job: Job
    at: str

    @property
    def run(self) -> Run:
        """The job as a run."""
        address = self.job.web_url or None
        return Run(system=FORGE, id=f"{self.pipeline}/{self.job.name}", address=address)


def left_by(remote: RemoteRepository, pipeline: PipelineFacts, job: str) -> Left | None:
    """What the job called `job` of a pipeline has left, if it has ended well and left anything."""
    doing = f"reading the jobs of pipeline {pipeline.id}"
    path = f"/projects/{pipeline.project_id}/pipelines/{pipeline.id}/jobs"
    for ran in remote.api.pages(path, Job, doing=doing):
        has_artifact = any(file.file_type == "archive" for file in ran.artifacts)
        if ran.name == job and ran.status == "success" and has_artifact:
            return Left(
                project=pipeline.project_id,
                pipeline=pipeline.id,
                revision=pipeline.sha,
                job=ran,
                at=timestamp(ran.finished_at or ran.created_at, doing),
            )
    return None


def fetch(remote: RemoteRepository, left: Left, folder: Path, *, limits: Limits, doing: str) -> Run:
    """Write the bundle that a job has left to `folder`, which is made, and return the job as a
    run. Raises `IntegrityError` for what is too large, or no archive of plain files.
    """
    with TemporaryDirectory(dir=folder.parent, prefix=".artifact-") as scratch:
        archive = Path(scratch) / "artifacts.zip"
        path = f"/projects/{left.project}/jobs/{left.job.id}/artifacts"
        remote.api.download(path, archive, doing=doing, limit_bytes=limits.size_bytes)
        unpack(archive, INSIDE, folder, limits=limits, doing=doing)
    return left.run


def fetch_own(remote: RemoteRepository, job: str, folder: Path, *, limits: Limits) -> Run:
    """The same for a job of the pipeline that this job is of, as GitLab says."""
    doing = f"fetching what the job {job!r} of this pipeline has left"
    own = None if remote.job is None else remote.job.pipeline
    if own is None:
        raise UsageError(doing, "this is no job of GitLab CI", hint=f"leave out {job!r}")
    left = left_by(remote, own, job)
    if left is None:
        hint = "it must come before this one, end well, and leave the folder of its bundle"
        raise UsageError(doing, "there is no such job, or it has left nothing", hint=hint)
    return fetch(remote, left, folder, limits=limits, doing=doing)


class Open:
    """See `Waiting`. `forge` is bound to the merge request, `find` is the change that it sees, and
    `shown` what reviewers were shown there.
    """

    def __init__(
        self,
        remote: RemoteRepository,
        request: MergeRequest,
        *,
        forge: Forge,
        find: Callable[[], Found[MergeRequest] | None],
        shown: Comments,
        model: str,
        job: str,
        limits: Limits,
    ) -> None:
        self._remote = remote
        self._request = request
        self._forge = forge
        self._find = find
        self._shown = shown
        self._model = model
        self._job = job
        self._limits = limits
        self._fetched: int | None = None

    @property
    def id(self) -> str:
        """See `Waiting.id`."""
        return f"!{self._request.number}"

    @property
    def forge(self) -> Forge:
        """See `Waiting.forge`."""
        return self._forge

    def pending_reason(self) -> PendingReason | None:
        """See `Waiting.pending_reason`. A job that ended while the bundle of an earlier one was
        reviewed is older than the record of that: so once one was fetched, any other one is news.
        """
        if self._request.revision is None:
            return None
        left = self._left()
        if self._fetched is not None:
            return (
                PendingReason.BUNDLE if left is not None and left.job.id != self._fetched else None
            )
        sights = self._shown.sights(self._model, self._request.number, self._request.revision)
        at = max((sight.at for sight in sights if sight.bundle is not None), default=None)
        if left is not None and (at is None or at < left.at):
            return PendingReason.BUNDLE
        return PendingReason.WORD if at is not None and self._was_talked_to() else None

    def fetch(self, folder: Path, *, size_bytes: int | None = None) -> Run:
        """See `Waiting.fetch`."""
        doing = f"fetching the bundle of merge request {self._request.number}"
        left = self._left()
        current = self._find()
        if left is None or current is None or current.change.head != left.revision:
            raise IdleError(
                doing,
                "it has moved on meanwhile",
                hint="the pipeline of its newest revision wakes up the next review",
            )
        limits = self._limits.of(size_bytes)
        run = fetch(self._remote, left, folder, limits=limits, doing=doing)
        self._fetched = left.job.id
        return run

    def _left(self) -> Left | None:
        """What the newest pipeline of the head has left that left anything. Only a pipeline of
        this very merge request counts, and only in its two projects.
        """
        for pipeline in islice(self._pipelines(), PIPELINES):
            left = left_by(self._remote, pipeline, self._job)
            if left is not None:
                return left
        return None

    def _pipelines(self) -> Iterator[PipelineFacts]:
        request = self._request
        pipelines = self._remote.api.pages(
            self._remote.path("merge_requests", request.number, "pipelines"),
            PipelineFacts,
            doing=f"reading the pipelines of merge request {request.number}",
        )
        for pipeline in pipelines:
            is_own = pipeline.ref == f"refs/merge-requests/{request.number}/head"
            is_here = pipeline.project_id in (self._remote.facts.id, request.source)
            is_of_request = pipeline.source == "merge_request_event" and is_own and is_here
            if is_of_request and pipeline.sha == request.revision:
                yield pipeline

    def _was_talked_to(self) -> bool:
        """Whether somebody else has said or done something since our note was written last:
        GitLab writes a note of its own for whatever people do, an approval included.
        """
        number = self._request.number
        doing = f"reading the notes of merge request {number}"
        reviewed = self._shown.reviewed_at(self._model, number)
        return reviewed is not None and any(
            timestamp(note.updated_at, doing) > reviewed
            for note in self._shown.messages(number)
            if note.by is None or note.by.id != self._remote.own.id
        )
