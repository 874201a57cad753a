"""An in-memory forge for tests."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from copy import copy
from pathlib import Path
from typing import Literal, Self

import msgspec

from assent.core.change import Change, Review, ReviewState
from assent.core.clock import ClockReading
from assent.core.digest import Digest
from assent.core.evidence import Run
from assent.core.identity import Actor, Resolved, unpinned
from assent.errors import UsageError
from assent.ports import (
    Asked,
    CommitAuthor,
    Deployment,
    DeploymentRequest,
    Forge,
    Guards,
    KnownGuards,
    KnownQueue,
    Notice,
    PendingReason,
    Proposal,
    Protection,
    ReviewQueue,
    Waiting,
)


class MemoryWaiting:
    """A `Waiting` of the change of `forge`: its CI has left the bundle in `left` in `run`, and
    it waits until a notice was given to `forge`. With `left` None somebody has said something.
    """

    def __init__(self, forge: MemoryForge, run: Run, left: Path | None = None) -> None:
        self._forge = forge
        self._run = run
        self._left = left

    @property
    def id(self) -> str:
        """See `Waiting.id`."""
        return "" if self._forge.open_change is None else self._forge.open_change.id

    @property
    def forge(self) -> Forge:
        """See `Waiting.forge`."""
        return self._forge

    def pending_reason(self) -> PendingReason | None:
        """See `Waiting.pending_reason`."""
        if self._forge.notices:
            return None
        return PendingReason.WORD if self._left is None else PendingReason.BUNDLE

    def fetch(self, folder: Path, *, size_bytes: int | None = None) -> Run:
        """See `Waiting.fetch`."""
        del size_bytes
        if self._left is None:
            raise UsageError("fetching the bundle of a change", "its CI has left none")
        shutil.copytree(self._left, folder, symlinks=True)
        return self._run


class MemoryForge:
    """A `Forge` whose state is in its attributes.

    `open_change` is the change under review, `accounts` who exists by login, `groups` who is in
    which `@group` by id, `comments` what was shown by model, `notices` every notice. `question`
    is the comment that woke this run up, `answers` what was answered by the comment's id.
    `presses` says how the button of an environment was pressed, `deployments` what was shown as
    deployed, `guarded` what the forge enforces, and `proposals` what was proposed, by branch.
    `queue` are the open changes that wait for a review. `changes` are those that are no longer
    open, by id. Everybody may write, but who is in `roles` by id: to `read`, or `none` like anybody
    who sees a public repository. `merged` are the changes that have become a commit of the default
    branch, by that commit, and `sights` is what was shown last of a model on a change at a
    revision.
    `left` is what the run that woke this one up, or an earlier job of it, has left by name, and
    `left_in` that run. `clock_reading` is what its clock has shown.
    """

    def __init__(self, *logins: str) -> None:
        self.accounts = {login: _account(login) for login in logins}
        self.groups: dict[str, set[str]] = {}
        self.open_change: Change | None = None
        self.given: list[tuple[str, str | None, Review]] = []
        self.comments: dict[str, str] = {}
        self.notices: list[Notice] = []
        self.question: Asked | None = None
        self.answers: dict[str, str] = {}
        self.presses: dict[str, DeploymentRequest] = {}
        self.deployments: list[Deployment] = []
        self.guarded: tuple[Protection, ...] = ()
        self.proposals: dict[str, Proposal] = {}
        self.queue: list[Waiting] = []
        self.merged: dict[str, Change] = {}
        self.sights: dict[tuple[str, str, str], Digest] = {}
        self.changes: dict[str, Change] = {}
        self.roles: dict[str, Literal["read", "none"]] = {}
        self.left: dict[str, Path] = {}
        self.left_in = Run(system="ci", id="1")
        self.default_branch: str | None = "main"
        self.me = _account("me")
        self.clock_reading: ClockReading | None = None

    def clock(self) -> ClockReading | None:
        """See `Forge.clock`."""
        return self.clock_reading

    def whoami(self) -> Actor:
        """See `Forge.whoami`."""
        return self.me

    def person(self, name: str) -> Actor:
        """See `Forge.person`."""
        if name not in self.accounts:
            raise UsageError(f"looking for {name!r}", "there is no such account")
        return self.accounts[name]

    def change(self) -> Change | None:
        """See `Forge.change`."""
        return self.open_change

    def change_of(self, name: str) -> Change | None:
        """See `Forge.change_of`."""
        here = self.open_change
        return here if here is not None and here.id == name else self.changes.get(name)

    def rename(self, old: str, new: str) -> None:
        """An account gets another login; the old one is anybody's then."""
        self.accounts[new] = msgspec.structs.replace(self.accounts.pop(old), login=new)

    def join(self, login: str, number: str, role: Literal["read", "none"] | None = None) -> Actor:
        """A new account, of which nobody has heard before."""
        self.accounts[login] = msgspec.structs.replace(_account(login), id=number)
        if role is not None:
            self.roles[number] = role
        return self.accounts[login]

    def branch(self) -> str | None:
        """See `Forge.branch`."""
        return self.default_branch

    def landed(self, commit: str) -> Self:
        """See `Forge.landed`. All but the change of this run is the same."""
        other = copy(self)
        unknown = Change(
            id=f"{self.default_branch}@{commit[:12]}",
            title="",
            base=self.default_branch or "",
            head=commit,
            authors=(),
            landed=True,
        )
        other.open_change = self.merged.get(commit) or unknown
        return other

    def tips(self) -> Collection[str]:
        """See `Forge.tips`."""
        return frozenset(self.merged)

    def shown(self, model: str) -> Digest | None:
        """See `Forge.shown`."""
        return self.sights.get(self._place(model))

    def _place(self, model: str) -> tuple[str, str, str]:
        change = self.open_change
        return ("", "", model) if change is None else (change.id, change.head, model)

    def started(self, run: Run) -> tuple[Actor, ...]:
        """See `Forge.started`."""
        del run
        return ()

    def reviews(self, model: str, bundle: Digest, *, change: str | None = None) -> Sequence[Review]:
        """See `Forge.reviews`."""
        if change is None and self.open_change is not None:
            change = self.open_change.id
        return [
            review
            for of_model, given_in, review in self.given
            if of_model == model and (review.bundle == bundle or (given_in and given_in == change))
        ]

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
        """See `Forge.review`."""
        change = self.open_change
        review = Review(
            person=self.person(by),
            state=state,
            at=at,
            head=None if change is None else change.head,
            bundle=bundle,
            reason=reason,
            id=f"memory:{len(self.given)}",
        )
        self.given.append((model, None if change is None else change.id, review))
        return review

    def matches(self, person: Actor, who: str) -> Resolved | None:
        """See `Forge.matches`. A group has no number but its name."""
        now = next(
            (account for account in self.accounts.values() if account.key == person.key), None
        )
        if now is None:
            return None
        name, pin = unpinned(who)
        if who.startswith("@"):
            group = Resolved(name=name, id=f"group:{name}")
            return group if person.id in self.groups.get(name, set()) else None
        role = self.roles.get(person.id, "write")
        user = Resolved(name=name, id=f"user:{person.id}")
        if pin is not None:
            return user if pin == person.id and role != "none" else None
        if role != "write":
            return None
        return Resolved(name="*") if who == "*" else user if who == now.login else None

    def withdrawn(self, model: str, review: Review, *, change: str) -> str | None:
        """See `Forge.withdrawn`. It is there as long as it is among what was `given`."""
        del change
        for of_model, _, given in self.given:
            is_it = of_model == model and given.person.key == review.person.key
            if is_it and given.at == review.at:
                return None if given.state is ReviewState.APPROVED else "the review was dismissed"
        return "the review was deleted"

    def comment(self, notice: Notice) -> str:
        """See `Forge.comment`."""
        self.comments[notice.model] = notice.body
        self.notices.append(notice)
        self.sights[self._place(notice.model)] = notice.bundle
        return f"memory:{notice.model}"

    def retract(self, model: str, why: str) -> None:
        """See `Forge.retract`."""
        del why
        self.sights.pop(self._place(model), None)

    @property
    def review_queue(self) -> ReviewQueue:
        """See `Forge.review_queue`."""
        return KnownQueue(changes=tuple(self.queue))

    def fetch(self, name: str, folder: Path, *, size_bytes: int | None = None) -> Run | None:
        """See `Forge.fetch`."""
        return self.fetch_own(name, folder, size_bytes=size_bytes) if name in self.left else None

    def fetch_own(self, name: str, folder: Path, *, size_bytes: int | None = None) -> Run:
        """See `Forge.fetch_own`."""
        del size_bytes
        if name not in self.left:
            raise UsageError(f"fetching {name!r}", "no job has left it")
        shutil.copytree(self.left[name], folder, symlinks=True)
        return self.left_in

    def asked(self) -> Asked | None:
        """See `Forge.asked`."""
        return self.question

    def answer(self, asked: Asked, text: str) -> str | None:
        """See `Forge.answer`."""
        self.answers.setdefault(asked.id, text)
        return f"memory:answer-{asked.id}"

    def commit_author(self) -> CommitAuthor:
        """See `Forge.commit_author`."""
        return CommitAuthor(name=self.me.login, email=f"{self.me.login}@memory")

    def propose(self, proposal: Proposal) -> str:
        """See `Forge.propose`."""
        self.proposals[proposal.branch] = proposal
        return f"memory:{proposal.branch}"

    def deployment_request(self, environment: str) -> DeploymentRequest:
        """See `Forge.deployment_request`."""
        return self.presses.get(environment, DeploymentRequest(by=self.me))

    def deployed(self, deployment: Deployment) -> str | None:
        """See `Forge.deployed`."""
        if deployment not in self.deployments:
            self.deployments.append(deployment)
        return f"memory:{deployment.environment}"

    @property
    def guards(self) -> Guards:
        """See `Forge.guards`."""
        return KnownGuards(found=self.guarded)


def _account(login: str) -> Actor:
    return Actor(
        kind="person", forge="memory", host="memory", id=f"id-{login}", login=login, proof="forge"
    )
