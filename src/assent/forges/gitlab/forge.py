"""GitLab as a `Forge`: merge requests, approvals, the note, the manual job."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from copy import copy
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Self

from assent.core.change import Change, Review, ReviewState
from assent.core.clock import ClockReading
from assent.core.digest import Digest
from assent.core.entry import Approval
from assent.core.evidence import Run
from assent.core.identity import Actor, Resolved
from assent.forges.archives import LIMITS, Limits
from assent.forges.gitlab.api import Api, Token
from assent.forges.gitlab.changes import Changes, Found, Wakeup
from assent.forges.gitlab.comments import Comments
from assent.forges.gitlab.deployments import Deployments
from assent.forges.gitlab.proposals import Proposals
from assent.forges.gitlab.protections import Protections
from assent.forges.gitlab.repository import FORGE, RemoteRepository
from assent.forges.gitlab.reviews import Reviews
from assent.forges.gitlab.roles import Roles
from assent.forges.gitlab.runs import Runs
from assent.forges.gitlab.schemas import MergeRequest
from assent.forges.gitlab.slash_commands import SlashCommands
from assent.forges.gitlab.waiting import Open, fetch_own, open_requests
from assent.forges.http_retries import RefusedError
from assent.forges.refusals import nowhere, own_word
from assent.git import Repository
from assent.ports import (
    Asked,
    CommitAuthor,
    Deployment,
    DeploymentRequest,
    Notice,
    Proposal,
    Protection,
    Waiting,
)


def _silent(text: str) -> None:
    del text


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


class GitLabForge:
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
        self._proposals = Proposals(self._remote)
        self._begin(
            Wakeup(merge_request=merge_request, note=note, run=run, sha=sha, ref=ref, before=before)
        )

    def _begin(self, wakeup: Wakeup) -> None:
        """What is of one change: nothing of it is read yet."""
        self._commit: str | None = None
        self._wakeup = wakeup
        self._changes = Changes(self._remote, self._checkout, wakeup, wait=self._wait)
        self._shown = Comments(self._remote, run_address=self._run_address)
        self._reviews = Reviews(self._remote, self._shown)
        self._slash_commands = SlashCommands(self._remote, self._shown, self._reviews)

    def _of(self, number: int) -> Self:
        """The forge as a run of another change has it."""
        other = copy(self)
        vars(other).pop("_current", None)
        other._begin(Wakeup(merge_request=number, run=self._wakeup.run))
        return other

    def clock(self) -> ClockReading:
        """See `Forge.clock`."""
        return self._remote.clock

    def whoami(self) -> Actor:
        """See `Forge.whoami`. In CI it is whoever caused the job: of a manual one, who pressed."""
        return self._runs.presser()

    def person(self, name: str) -> Actor:
        """See `Forge.person`."""
        return self._roles.person(name)

    def branch(self) -> str | None:
        """See `Forge.branch`."""
        return self._remote.branch

    def change(self) -> Change | None:
        """See `Forge.change`. It stays what it was when it was first asked for in this run."""
        return None if self._current is None else self._current.change

    def change_of(self, name: str) -> Change | None:
        """See `Forge.change_of`."""
        found = self._found(name)
        return None if found is None or found.request is None else found.change

    def _found(self, name: str) -> Found | None:
        """The change of an id; None if its merge request is gone."""
        try:
            return self._changes.numbered(name)
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    @cached_property
    def _current(self) -> Found | None:
        if self._commit is not None:
            return self._changes.landed(self._commit, is_step=True)
        return self._changes.current()

    def landed(self, commit: str) -> Self:
        """See `Forge.landed`."""
        other = copy(self)
        vars(other).pop("_current", None)
        other._commit = commit
        return other

    def tips(self) -> Collection[str]:
        """See `Forge.tips`."""
        return self._changes.tips()

    def shown(self, model: str) -> Digest | None:
        """See `Forge.shown`."""
        current = self._current
        if current is None or current.request is None:
            return None
        sights = self._shown.sights(model, current.request.iid, current.change.head)
        return sights[-1].bundle if sights else None

    def started(self, run: Run) -> tuple[Actor, ...]:
        """See `Forge.started`."""
        return () if self._current is None else self._runs.starters(run, self._current)

    def reviews(self, model: str, bundle: Digest, *, change: str | None = None) -> Sequence[Review]:
        """See `Forge.reviews`."""
        current = self._current if change is None else self._found(change)
        if current is None or current.request is None:
            return []
        return self._reviews.of(model, bundle, current.change, current.request)

    def review(
        self,
        model: str,
        bundle: Digest,
        *,
        by: str,
        state: ReviewState,
        at: str,
        reason: str | None,
    ) -> Review:
        """See `Forge.review`. On GitLab people review for themselves."""
        del state, at, reason
        where = self._current
        place = (where.change.address if where else None) or "the merge request"
        raise own_word("GitLab", place, by=by, model=model, bundle=bundle)

    def matches(self, person: Actor, who: str) -> Resolved | None:
        """See `Forge.matches`."""
        return self._roles.matches(person, who)

    def withdrawn(self, model: str, approval: Approval) -> str | None:
        """See `Forge.withdrawn`."""
        if approval.person.forge != FORGE or approval.change is None:
            return None
        found = self._found(approval.change)
        if found is None:
            return "its merge request is gone"
        if found.request is None:
            return None
        return self._reviews.withdrawn(model, approval, found.request)

    def comment(self, notice: Notice) -> str:
        """See `Forge.comment`."""
        current = self._current
        if current is None or current.request is None:
            raise nowhere("merge request", notice.model)
        return self._shown.show(current.request, current.change.head, notice)

    def retract(self, model: str, why: str) -> None:
        """See `Forge.retract`."""
        current = self._current
        if current is not None and current.request is not None:
            self._shown.retract(current.request, current.change.head, model, why)

    def waiting(self, model: str, job: str) -> Sequence[Waiting]:
        """See `Forge.waiting`. What woke this run up says nothing here."""
        return [self._open(request, model, job) for request in open_requests(self._remote)]

    def _open(self, request: MergeRequest, model: str, job: str) -> Waiting:
        bound = self._of(request.iid)
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

    def fetch(self, name: str, folder: Path) -> Run | None:
        """See `Forge.fetch`. GitLab starts no pipeline for the end of another one."""
        del name, folder
        return None

    def fetch_own(self, name: str, folder: Path) -> Run:
        """See `Forge.fetch_own`."""
        return fetch_own(self._remote, name, folder, limits=self._limits)

    def asked(self) -> Asked | None:
        """See `Forge.asked`. GitLab starts no pipeline for a note by itself; a webhook to its own
        pipeline trigger does.
        """
        note = self._wakeup.note
        current = None if note is None else self._current
        if note is None or current is None or current.request is None:
            return None
        return self._slash_commands.asked(note, current.request)

    def answer(self, asked: Asked, text: str) -> str | None:
        """See `Forge.answer`."""
        current = self._current
        if current is None or current.request is None:
            return None
        return self._slash_commands.answer(asked, current.request, text)

    def commit_author(self) -> CommitAuthor:
        """See `Forge.commit_author`."""
        return self._proposals.commit_author()

    def propose(self, proposal: Proposal) -> str:
        """See `Forge.propose`."""
        return self._proposals.open(proposal)

    def deployment_request(self, environment: str) -> DeploymentRequest:
        """See `Forge.deployment_request`."""
        return self._runs.deployment_request(environment)

    def deployed(self, deployment: Deployment) -> str | None:
        """See `Forge.deployed`."""
        return self._deployments.show(deployment)

    def protections(
        self, *, models: Sequence[str], environments: Sequence[str]
    ) -> tuple[Protection, ...]:
        """See `Forge.protections`."""
        return Protections(self._remote).all(models, environments)
