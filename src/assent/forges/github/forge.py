"""GitHub as a `Forge`: pull requests, reviews, the comment, the deploy button."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from assent.core.change import Change, Review, ReviewState
from assent.core.clock import ClockReading
from assent.core.digest import Digest
from assent.core.entry import Approval
from assent.core.evidence import Run
from assent.core.identity import Actor, Resolved
from assent.errors import IdleError, UsageError
from assent.forges.archives import LIMITS, Limits
from assent.forges.github import artifacts
from assent.forges.github.api import Api, RefusedError
from assent.forges.github.changes import Changes, Found, Wakeup
from assent.forges.github.comments import Comments
from assent.forges.github.deployments import Deployments
from assent.forges.github.proposals import Proposals
from assent.forges.github.protections import Protections
from assent.forges.github.repository import FORGE, RemoteRepository
from assent.forges.github.reviews import Reviews
from assent.forges.github.roles import Roles
from assent.forges.github.runs import Runs
from assent.forges.github.slash_commands import SlashCommands
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

WORKFLOW = ".github/workflows/assent.yml"


def _silent(text: str) -> None:
    del text


class GitHubForge:
    """The `Forge` of one repository of GitHub, for one run.

    `api` is the address of the API, `event`, `payload`, `run`, `sha`, `ref` and `before` are what
    the CI says of this run (None on a laptop), `workflow` is the file of the untrusted workflow
    whose runs are reviewed, `account` the login that the token acts as where GitHub cannot tell,
    `file` the path of `assent.yaml` in the repository, `limits` what an artifact may be. `wait`
    sleeps, `say` tells people.

    Nothing is sent, and PyGithub is not imported, before something is asked.
    """

    def __init__(
        self,
        repository: str,
        *,
        api: str,
        token: str | None,
        checkout: Repository,
        event: str | None = None,
        payload: Mapping[str, Any] | None = None,
        run: str | None = None,
        run_address: str | None = None,
        sha: str | None = None,
        ref: str | None = None,
        before: str | None = None,
        workflow: str = WORKFLOW,
        account: str | None = None,
        file: str = "assent.yaml",
        limits: Limits = LIMITS,
        wait: Callable[[float], None] = time.sleep,
        say: Callable[[str], None] = _silent,
    ) -> None:
        self._remote = RemoteRepository(
            Api(api, token, wait=wait, say=say), repository, account=account
        )
        wakeup = Wakeup(
            event=event, payload=payload or {}, run=run, sha=sha, ref=ref, before=before
        )
        self._changes = Changes(self._remote, checkout, wakeup, workflow=workflow, wait=wait)
        self._roles = Roles(self._remote, file=file, say=say)
        self._shown = Comments(self._remote, run_address=run_address)
        self._reviews = Reviews(self._remote, self._shown)
        self._slash_commands = SlashCommands(self._remote, self._shown, self._reviews)
        self._runs = Runs(self._remote, run=run)
        self._deployments = Deployments(self._remote)
        self._proposals = Proposals(self._remote)
        self._commit: str | None = None
        self._limits = limits

    def clock(self) -> ClockReading:
        """See `Forge.clock`."""
        return self._remote.clock

    def whoami(self) -> Actor:
        """See `Forge.whoami`. In CI it is whoever started the run, or its latest attempt."""
        return self._runs.presser()

    def person(self, name: str) -> Actor:
        """See `Forge.person`."""
        return self._roles.person(name)

    def branch(self) -> str | None:
        """See `Forge.branch`."""
        return self._remote.facts.default_branch

    def change(self) -> Change | None:
        """See `Forge.change`. It stays what it was when it was first asked for in this run."""
        return None if self._current is None else self._current.change

    def change_of(self, name: str) -> Change | None:
        """See `Forge.change_of`."""
        found = self._found(name)
        return None if found is None or found.pull is None else found.change

    def _found(self, name: str) -> Found | None:
        """The change of an id; None if its pull request is gone."""
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
        if current is None or current.pull is None:
            return None
        sights = self._shown.sights(model, current.pull.number, current.change.head)
        return sights[-1].bundle if sights else None

    def started(self, run: Run) -> tuple[Actor, ...]:
        """See `Forge.started`."""
        return () if self._current is None else self._runs.starters(run, self._current)

    def reviews(self, model: str, bundle: Digest, *, change: str | None = None) -> Sequence[Review]:
        """See `Forge.reviews`."""
        current = self._current if change is None else self._found(change)
        if current is None or current.pull is None:
            return []
        return self._reviews.of(model, bundle, current.change, current.pull.number)

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
        """See `Forge.review`. On GitHub people review for themselves."""
        del state, at, reason
        where = self._current
        place = (where.change.address if where else None) or "the pull request"
        raise own_word("GitHub", place, by=by, model=model, bundle=bundle)

    def matches(self, person: Actor, who: str) -> Resolved | None:
        """See `Forge.matches`."""
        return self._roles.matches(person, who)

    def withdrawn(self, model: str, approval: Approval) -> str | None:
        """See `Forge.withdrawn`."""
        if approval.person.forge != FORGE or approval.change is None:
            return None
        found = self._found(approval.change)
        if found is None:
            return "its pull request is gone"
        if found.pull is None:
            return None
        return self._reviews.withdrawn(model, approval, found.pull.number)

    def comment(self, notice: Notice) -> str:
        """See `Forge.comment`."""
        current = self._current
        if current is None or current.pull is None:
            raise nowhere("pull request", notice.model)
        address = self._shown.show(current.pull.number, current.change.head, notice)
        if current.group is not None:
            self._shown.pass_on(current.pull.number, current.group, notice)
        return address

    def retract(self, model: str, why: str) -> None:
        """See `Forge.retract`."""
        current = self._current
        if current is not None and current.pull is not None:
            self._shown.retract(current.pull.number, current.change.head, model, why)

    def waiting(self, model: str, job: str) -> Sequence[Waiting]:
        """See `Forge.waiting`. The end of each run of CI starts the run that reviews what it
        has left (`workflow_run`), so none waits for another one.
        """
        del model, job
        return ()

    def fetch(self, name: str, folder: Path) -> Run | None:
        """See `Forge.fetch`. That the run is one of the workflow that trains, and whose pull
        request it is of, was asked when the change was looked for.
        """
        run = None if self._current is None else self._current.run
        if run is None or run.event != "pull_request":
            return None
        if run.status != "completed":
            raise IdleError(
                f"fetching the artifact {name!r} of run {run.id}",
                "it was started again meanwhile",
                hint="its end wakes up the next review",
            )
        return artifacts.fetch(self._remote, run, name, folder, limits=self._limits)

    def fetch_own(self, name: str, folder: Path) -> Run:
        """See `Forge.fetch_own`."""
        run = self._runs.own()
        if run is None:
            doing = f"fetching the artifact {name!r}"
            raise UsageError(doing, "this is no run of GitHub Actions", hint=f"leave out {name!r}")
        return artifacts.fetch(self._remote, run, name, folder, limits=self._limits)

    def asked(self) -> Asked | None:
        """See `Forge.asked`."""
        comment = self._changes.comment()
        current = None if comment is None else self._current
        if comment is None or current is None or current.pull is None:
            return None
        return self._slash_commands.asked(comment, current.pull)

    def answer(self, asked: Asked, text: str) -> str | None:
        """See `Forge.answer`."""
        current = self._current
        if current is None or current.pull is None:
            return None
        return self._slash_commands.answer(asked, current.pull.number, text)

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
