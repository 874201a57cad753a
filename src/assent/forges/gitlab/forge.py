"""GitLab as a `Forge`: merge requests, approvals, the note, the manual job."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from assent.core.evidence import Run
from assent.forges.archives import LIMITS, Limits
from assent.forges.gitlab.api import Api, Token
from assent.forges.gitlab.changes import Changes, JobWakeup
from assent.forges.gitlab.comments import Comments
from assent.forges.gitlab.deployments import Deployments
from assent.forges.gitlab.protections import Protections
from assent.forges.gitlab.repository import RemoteRepository
from assent.forges.gitlab.reviews import Reviews
from assent.forges.gitlab.roles import Roles
from assent.forges.gitlab.runs import Runs
from assent.forges.gitlab.schemas import MergeRequest, Note
from assent.forges.gitlab.waiting import Open, OpenRequests, fetch_own
from assent.forges.remote.forge import RemoteForge
from assent.forges.remote.proposals import Proposals
from assent.forges.remote.slash_commands import SlashCommands
from assent.git import Repository
from assent.ports import Guards, ReviewQueue, Waiting


def _silent(text: str) -> None:
    del text


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


class GitLabForge(RemoteForge[MergeRequest, Note]):
    """The `Forge` of one project of GitLab, for one run.

    `api` is the address of the API, `token` an access token, `job_token` what GitLab gives to
    every job: it is asked with where there is no other, and for what it alone tells.
    `merge_request`, `note`, `run` (`<pipeline>/<job>`), `sha`, `ref` and `before` are what the CI
    says of this run (None on a laptop), `account` the login whose notes and statuses are ours where
    that is not the token's, `file` the path of `assent.yaml` in the repository, `limits` what an
    artifact may be. `wait` sleeps, `today` is the date in UTC, by which memberships end, `say`
    tells people.

    Nothing is sent, and python-gitlab is not imported, before something is asked.
    """

    _remote: RemoteRepository
    _shown: Comments

    def __init__(
        self,
        project: str,
        *,
        api: str,
        token: str | None,
        checkout: Repository,
        job_token: str | None = None,
        merge_request: int | None = None,
        note: int | None = None,
        run: str | None = None,
        run_address: str | None = None,
        sha: str | None = None,
        ref: str | None = None,
        before: str | None = None,
        account: str | None = None,
        file: str = "assent.yaml",
        limits: Limits = LIMITS,
        wait: Callable[[float], None] = time.sleep,
        today: Callable[[], str] = _today,
        say: Callable[[str], None] = _silent,
    ) -> None:
        own = Token(job_token, is_of_job=True) if job_token else None
        given = Token(token) if token else own
        self._remote = RemoteRepository(
            Api(api, given, wait=wait, say=say),
            project,
            job_api=Api(api, own, wait=wait, say=say) if own else None,
            run=run,
            account=account,
        )
        self._checkout = checkout
        self._run_address = run_address
        self._limits = limits
        self._wait = wait
        self._roles = Roles(self._remote, file=file, say=say, today=today)
        self._runs = Runs(self._remote)
        self._deployments = Deployments(self._remote, self._runs)
        self._proposals = Proposals(self._remote, MergeRequest)
        self._begin(
            JobWakeup(
                merge_request=merge_request, note=note, run=run, sha=sha, ref=ref, before=before
            )
        )

    def _begin(self, wakeup: JobWakeup) -> None:
        """What is of one change: nothing of it is read yet."""
        self._commit = None
        self._wakeup = wakeup
        self._changes = Changes(self._remote, self._checkout, wakeup, wait=self._wait)
        self._shown = Comments(self._remote, run_address=self._run_address)
        self._reviews = Reviews(self._remote, self._shown)
        self._slash_commands = SlashCommands(self._remote, self._shown, self._reviews)

    def _of(self, number: int) -> Self:
        """The forge as a run of another change has it."""
        other = copy(self)
        vars(other).pop("_current", None)
        other._begin(JobWakeup(merge_request=number, run=self._wakeup.run))
        return other

    @property
    def review_queue(self) -> ReviewQueue:
        """See `Forge.review_queue`. What woke this run up says nothing here."""
        return OpenRequests(self._remote, self._open)

    def _open(self, request: MergeRequest, model: str, job: str) -> Waiting:
        bound = self._of(request.number)
        return Open(
            self._remote,
            request,
            forge=bound,
            find=lambda: bound._current,
            shown=bound._shown,
            model=model,
            job=job,
            limits=self._limits,
        )

    def fetch(self, name: str, folder: Path, *, size_bytes: int | None = None) -> Run | None:
        """See `Forge.fetch`. GitLab starts no pipeline for the end of another one."""
        del name, folder, size_bytes
        return None

    def fetch_own(self, name: str, folder: Path, *, size_bytes: int | None = None) -> Run:
        """See `Forge.fetch_own`."""
        return fetch_own(self._remote, name, folder, limits=self._limits.of(size_bytes))

    def _asked_in(self) -> int | None:
        """GitLab starts no pipeline for a note by itself; a webhook to its own pipeline trigger
        does.
        """
        return self._wakeup.note

    @property
    def guards(self) -> Guards:
        """See `Forge.guards`."""
        return Protections(self._remote)
