"""What people said of a request, and which bundle they were shown when they said it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Generic, TypeVar

from assent.core.change import Change, Review, ReviewState
from assent.core.digest import Digest
from assent.forges.commands import ApprovalCommand, approvals
from assent.forges.comment_history import resolved
from assent.forges.remote.comments import RemoteComments
from assent.forges.remote.repository import Message, Remote, Request

R = TypeVar("R", bound=Request)
M = TypeVar("M", bound=Message)

MOST_REVISIONS = 20
"""At how many earlier revisions it is looked up what a typed digest may have meant."""


class RemoteReviews(ABC, Generic[R, M]):
    """The opinions on requests of one repository."""

    def __init__(self, remote: Remote, shown: RemoteComments[R, M]) -> None:
        self._remote = remote
        self._shown = shown

    def of(self, model: str, bundle: Digest, change: Change, request: R) -> list[Review]:
        """Every opinion on a request, oldest first. Of two opinions of one moment the one that does
        not approve is taken as the later one.

        Nobody was asked about a bundle that was never shown in a change before it landed.
        """
        if change.landed:
            sights = self._shown.sights(model, request.number, change.head)
            if bundle not in {sight.bundle for sight in sights}:
                return []
        ordered = sorted(
            self._given(model, change, request),
            key=lambda review: (review.at, review.state is not ReviewState.APPROVED),
        )
        return self._bound(model, request, change.head, ordered)

    def _bound(self, model: str, request: R, head: str, reviews: list[Review]) -> list[Review]:
        """The reviews, oldest first, with the bundle that was shown, where it is not known yet."""
        del model, request, head
        return reviews

    @abstractmethod
    def _given(self, model: str, change: Change, request: R) -> Iterable[Review]:
        """All opinions, those included that were typed in messages."""

    @abstractmethod
    def withdrawn(self, model: str, review: Review, request: R) -> str | None:
        """See `Forge.withdrawn`."""

    @abstractmethod
    def revisions(self, request: R) -> Iterable[str]:
        """The head, which alone is reviewed, then earlier ones, newest first: what was typed for
        one of those is to be told so.
        """

    def typed(self, model: str, message: M, request: R, revisions: Iterable[str]) -> Review | None:
        """The approval of this model that a person typed in a message. An edited one says nothing:
        others can edit it too.
        """
        if message.is_of_forge or message.is_edited:
            return None
        commands = [approval for approval in approvals(message.text) if approval.model == model]
        if not commands:
            return None
        person = self._remote.actor(message.by)
        if person.kind != "person":
            return None
        kind = self._remote.dialect.message
        doing = f"reading the {kind}s of {request.address}"
        at = self._shown.timestamp(message.created_at, doing)
        head, bundle = self.resolved(commands[-1], at, request.number, revisions)
        return Review(
            person=person,
            state=ReviewState.APPROVED,
            at=at,
            head=head,
            bundle=bundle,
            reason=f"typed in {self._shown.address(request, message)}",
            id=f"{kind}:{message.id}",
        )

    def resolved(
        self, command: ApprovalCommand, at: str, number: int, revisions: Iterable[str]
    ) -> tuple[str, Digest | None]:
        """The revision and the bundle that a typed digest means: one that was shown by then."""
        shown = (
            (revision, self._shown.sights(command.model, number, revision))
            for revision in revisions
        )
        return resolved(command.digest, at, shown)
