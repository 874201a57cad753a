"""Opinions where each review has a number and names the revision that its giver saw.

A forge changes a review in place when it is dismissed. Where it stood there is then an opinion that
ends what its author had said before, so that no older approval comes back.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from assent.core.change import Change, Review, ReviewState
from assent.core.identity import PersonKey
from assent.errors import OutsideError
from assent.forges.comment_history import UNKNOWN_HEAD
from assent.forges.remote.comments import RemoteComments
from assent.forges.remote.repository import Message, Remote, Request
from assent.forges.remote.reviews import RemoteReviews

R = TypeVar("R", bound=Request)
M = TypeVar("M", bound=Message)

_LONGEST_REASON = 1000


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A review as a forge has it. It is no opinion without a `state`. `at` is as the forge writes
    times.
    """

    id: int
    by: Any
    state: ReviewState | None
    at: str | None
    head: str | None
    text: str = ""


class NumberedReviews(RemoteReviews[R, M]):
    """The opinions on requests of one repository."""

    def __init__(self, remote: Remote, shown: RemoteComments[R, M]) -> None:
        super().__init__(remote, shown)
        self._last: dict[int, list[Given]] = {}

    def _given(self, model: str, change: Change, request: R) -> Iterator[Review]:
        given = self._read_anew(request)
        revisions = {review.head for review in given if review.head is not None}
        heads = [change.head, *sorted(revisions - {change.head})]
        reviews = [self._opinion(review, request) for review in given]
        reviews += [
            self.typed(model, message, request, heads)
            for message in self._shown.messages(request.number)
        ]
        return (review for review in reviews if review is not None)

    def withdrawn(self, model: str, review: Review, request: R) -> str | None:
        """See `Forge.withdrawn`. A recorded approval is found by its id; one of an older entry,
        which has none, by its person and time.
        """
        number = request.number
        kind, _, given = (review.id or "").partition(":")
        match kind:
            case "review":
                reviews = self._last.get(number) or self._read_anew(request)
                review_now = next((read for read in reviews if str(read.id) == given), None)
                return self._changed(review_now, review.person.key)
            case "comment":
                comments = self._shown.messages(number)
                comment = next((comment for comment in comments if str(comment.id) == given), None)
                return self._unsaid(model, comment, request, review.person.key)
            case _:
                return self._unfound(model, review, request)

    def _changed(self, review: Given | None, giver: PersonKey) -> str | None:
        if review is None:
            return "the review was deleted"
        if self._remote.actor(review.by).key != giver:
            return "its account is gone"
        is_approval = review.state is ReviewState.APPROVED
        return None if is_approval else "the review was dismissed"

    def _unsaid(self, model: str, comment: M | None, request: R, giver: PersonKey) -> str | None:
        if comment is None:
            return "the comment was deleted"
        if self._remote.actor(comment.by).key != giver:
            return "its account is gone"
        is_said = self.typed(model, comment, request, ()) is not None
        return None if is_said else "the comment was edited"

    def _unfound(self, model: str, review: Review, request: R) -> str | None:
        number = request.number
        reviews = self._last.get(number) or self._read_anew(request)
        given = [self._opinion(given_review, request) for given_review in reviews]
        given += [
            self.typed(model, message, request, ()) for message in self._shown.messages(number)
        ]
        is_there = any(
            opinion.person.key == review.person.key
            and opinion.at == review.at
            and opinion.state is ReviewState.APPROVED
            for opinion in given
            if opinion is not None
        )
        return None if is_there else "it was dismissed or deleted"

    def _read_anew(self, request: R) -> list[Given]:
        reviews = self._read(request, doing=self._reading(request))
        self._last[request.number] = sorted(reviews, key=lambda review: review.id)
        return self._last[request.number]

    def _reading(self, request: R) -> str:
        return f"reading the reviews of {self._remote.dialect.request} {request.number}"

    @abstractmethod
    def _read(self, request: R, *, doing: str) -> list[Given]:
        """All reviews of a request. Raises `OutsideError` for one of a kind that is not known."""

    def _opinion(self, given: Given, request: R) -> Review | None:
        if given.state is None:
            return None
        dialect, doing = self._remote.dialect, self._reading(request)
        if given.at is None:
            problem = f"{dialect.title} does not say when review {given.id} was given"
            raise OutsideError(doing, problem)
        return Review(
            person=self._remote.actor(given.by),
            state=given.state,
            at=self._shown.timestamp(given.at, doing),
            head=given.head or UNKNOWN_HEAD,
            bundle=None,
            reason=given.text.strip()[:_LONGEST_REASON] or None,
            id=f"review:{given.id}",
        )

    def _bound(self, model: str, request: R, head: str, reviews: list[Review]) -> list[Review]:
        """See `RemoteReviews._bound`. Only somebody's latest opinion is heard, and
        one of an older head counts for nothing, whatever was shown there: so it is asked for no
        other.
        """
        latest = {review.person.key: place for place, review in enumerate(reviews)}
        return [
            self._with_bundle(model, request.number, review)
            if latest[review.person.key] == place and review.head == head
            else review
            for place, review in enumerate(reviews)
        ]

    def _with_bundle(self, model: str, number: int, review: Review) -> Review:
        is_known = review.head is not None and review.head != UNKNOWN_HEAD
        if review.bundle is not None or review.state is not ReviewState.APPROVED or not is_known:
            return review
        shown = self._shown.bundle_at(model, number, review.head or UNKNOWN_HEAD, review.at)
        return msgspec.structs.replace(review, bundle=shown)
