"""A forge with an API: the flows that all of them share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from copy import copy
from functools import cached_property
from typing import Generic, Protocol, Self, TypeVar

from assent.core.change import Change, Review, ReviewState
from assent.core.clock import ClockReading
from assent.core.digest import Digest
from assent.core.evidence import Run
from assent.core.identity import Actor, Resolved
from assent.forges.http_retries import RefusedError
from assent.forges.refusals import nowhere, own_word
from assent.forges.remote.changes import Found, RemoteChanges
from assent.forges.remote.comments import RemoteComments
from assent.forges.remote.proposals import Proposals
from assent.forges.remote.repository import Message, Remote, Request
from assent.forges.remote.reviews import RemoteReviews
from assent.forges.remote.roles import RemoteRoles
from assent.forges.remote.slash_commands import SlashCommands
from assent.ports import Asked, CommitAuthor, Deployment, DeploymentRequest, Notice, Proposal

R = TypeVar("R", bound=Request)
M = TypeVar("M", bound=Message)


class Runs(Protocol[R]):
    """The run that we are, if it is one, and others of the repository."""

    def presser(self) -> Actor:
        """Who caused this run; outside CI the account of the token."""

    def deployment_request(self, environment: str) -> DeploymentRequest:
        """See `Forge.deployment_request`."""

    def starters(self, run: Run, of: Found[R]) -> tuple[Actor, ...]:
        """See `Forge.started`."""


class Deployments(Protocol):
    """What the stages hold, as the forge shows it."""

    def show(self, deployment: Deployment) -> str | None:
        """See `Forge.deployed`."""


class RemoteForge(ABC, Generic[R, M]):
    """A `Forge` over the parts that its own folder makes."""

    _remote: Remote
    _changes: RemoteChanges[R]
    _roles: RemoteRoles
    _shown: RemoteComments[R, M]
    _reviews: RemoteReviews[R, M]
    _slash_commands: SlashCommands[R, M]
    _runs: Runs[R]
    _deployments: Deployments
    _proposals: Proposals[R]
    _commit: str | None = None

    def clock(self) -> ClockReading:
        """See `Forge.clock`."""
        return self._remote.clock

    def whoami(self) -> Actor:
        """See `Forge.whoami`."""
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
        known = self._found(name)
        return None if known is None or known.request is None else known.change

    def _found(self, name: str) -> Found[R] | None:
        """The change of an id; None if its request is gone."""
        try:
            return self._changes.numbered(name)
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    @cached_property
    def _current(self) -> Found[R] | None:
        if self._commit is not None:
            return self._changes.landed(self._commit, is_step=True)
        return self._changes.current()

    @property
    def _request(self) -> R | None:
        return None if self._current is None else self._current.request

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
        sights = self._shown.sights(model, current.request.number, current.change.head)
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
        """See `Forge.review`. On a forge people review for themselves."""
        del state, at, reason
        where, dialect = self._current, self._remote.dialect
        place = (where.change.address if where else None) or f"the {dialect.request}"
        raise own_word(dialect.title, place, by=by, model=model, bundle=bundle)

    def matches(self, person: Actor, who: str) -> Resolved | None:
        """See `Forge.matches`."""
        return self._roles.matches(person, who)

    def withdrawn(self, model: str, review: Review, *, change: str) -> str | None:
        """See `Forge.withdrawn`."""
        dialect = self._remote.dialect
        if review.person.forge != dialect.forge:
            return None
        known = self._found(change)
        if known is None:
            return f"its {dialect.request} is gone"
        if known.request is None:
            return None
        return self._reviews.withdrawn(model, review, known.request)

    def comment(self, notice: Notice) -> str:
        """See `Forge.comment`."""
        current = self._current
        if current is None or current.request is None:
            raise nowhere(self._remote.dialect.request, notice.model)
        return self._shown.show(current.request, current.change.head, notice)

    def retract(self, model: str, why: str) -> None:
        """See `Forge.retract`."""
        current = self._current
        if current is not None and current.request is not None:
            self._shown.retract(current.request, current.change.head, model, why)

    def asked(self) -> Asked | None:
        """See `Forge.asked`."""
        number = self._asked_in()
        request = None if number is None else self._request
        if number is None or request is None:
            return None
        return self._slash_commands.asked(number, request)

    @abstractmethod
    def _asked_in(self) -> int | None:
        """The number of the new message that woke this run up, if one did."""

    def answer(self, asked: Asked, text: str) -> str | None:
        """See `Forge.answer`."""
        request = self._request
        return None if request is None else self._slash_commands.answer(asked, request, text)

    def commit_author(self) -> CommitAuthor:
        """See `Forge.commit_author`. By this address the forge knows the account of a commit."""
        remote = self._remote
        name, form = remote.own_name, remote.dialect.private
        address = form.format(id=remote.own.id, login=name, host=remote.host)
        return CommitAuthor(name=name, email=address)

    def propose(self, proposal: Proposal) -> str:
        """See `Forge.propose`."""
        return self._proposals.open(proposal)

    def deployment_request(self, environment: str) -> DeploymentRequest:
        """See `Forge.deployment_request`."""
        return self._runs.deployment_request(environment)

    def deployed(self, deployment: Deployment) -> str | None:
        """See `Forge.deployed`."""
        return self._deployments.show(deployment)
