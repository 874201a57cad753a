"""What people said of a pull request, and which bundle they were shown when they said it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec

from assent.core.change import Change, Review, ReviewState
from assent.core.identity import PersonKey
from assent.errors import OutsideError
from assent.forges.comment_history import UNKNOWN_HEAD
from assent.forges.github.comments import Comments
from assent.forges.github.repository import RemoteRepository
from assent.forges.github.schemas import Comment, Commit, Pull, PullReview
from assent.forges.remote.reviews import MOST_REVISIONS, RemoteReviews

_OPINIONS = {
    "APPROVED": ReviewState.APPROVED,
    "CHANGES_REQUESTED": ReviewState.CHANGES_REQUESTED,
    # GitHub changes the dismissed review itself. Where it stood there is now an opinion that
    # ends what its author had said before, so that no older approval comes back.
    "DISMISSED": ReviewState.DISMISSED,
}
_NO_OPINIONS = ("COMMENTED", "PENDING")
_LONGEST_REASON = 1000


class Reviews(RemoteReviews[Pull, Comment]):
    """The opinions on pull requests of one repository."""

    _remote: RemoteRepository

    def __init__(self, remote: RemoteRepository, shown: Comments) -> None:
        super().__init__(remote, shown)
        self._last: dict[int, list[PullReview]] = {}

    def _given(self, model: str, change: Change, request: Pull) -> Iterator[Review]:
        given = self._read(request.number)
        revisions = {review.commit_id for review in given if review.commit_id is not None}
        heads = [change.head, *sorted(revisions - {change.head})]
        found = [self._opinion(review, request.number) for review in given]
        found += [
            self.typed(model, comment, request, heads)
            for comment in self._shown.messages(request.number)
        ]
        return (review for review in found if review is not None)

    def revisions(self, request: Pull) -> Iterator[str]:
        """See `RemoteReviews.revisions`."""
        yield request.revision
        path = self._remote.path("pulls", request.number, "commits")
        doing = f"reading the commits of pull request {request.number}"
        found = [one.sha for one in self._remote.api.pages(path, Commit, doing=doing)]
        earlier = (sha for sha in reversed(found) if sha != request.revision)
        yield from islice(earlier, MOST_REVISIONS)

    def withdrawn(self, model: str, review: Review, request: Pull) -> str | None:
        """See `Forge.withdrawn`. A recorded approval is found by its id; one of an older entry,
        which has none, by its person and time.
        """
        number = request.number
        kind, _, given = (review.id or "").partition(":")
        match kind:
            case "review":
                reviews = self._last.get(number) or self._read(number)
                found = next((one for one in reviews if str(one.id) == given), None)
                return self._changed(found, review.person.key)
            case "comment":
                comments = self._shown.messages(number)
                comment = next((one for one in comments if str(one.id) == given), None)
                return self._unsaid(model, comment, request, review.person.key)
            case _:
                return self._unfound(model, review, request)

    def _changed(self, review: PullReview | None, giver: PersonKey) -> str | None:
        if review is None:
            return "the review was deleted"
        if self._remote.actor(review.user).key != giver:
            return "its account is gone"
        return None if review.state == "APPROVED" else "the review was dismissed"

    def _unsaid(
        self, model: str, comment: Comment | None, request: Pull, giver: PersonKey
    ) -> str | None:
        if comment is None:
            return "the comment was deleted"
        if self._remote.actor(comment.by).key != giver:
            return "its account is gone"
        is_said = self.typed(model, comment, request, ()) is not None
        return None if is_said else "the comment was edited"

    def _unfound(self, model: str, review: Review, request: Pull) -> str | None:
        number = request.number
        reviews = self._last.get(number) or self._read(number)
        given = [self._opinion(one, number) for one in reviews]
        given += [self.typed(model, one, request, ()) for one in self._shown.messages(number)]
        is_there = any(
            one.person.key == review.person.key
            and one.at == review.at
            and one.state is ReviewState.APPROVED
            for one in given
            if one is not None
        )
        return None if is_there else "it was dismissed or deleted"

    def _read(self, number: int) -> list[PullReview]:
        path = self._remote.path("pulls", number, "reviews")
        doing = f"reading the reviews of pull request {number}"
        found = list(self._remote.api.pages(path, PullReview, doing=doing))
        for review in found:
            if review.state not in _OPINIONS and review.state not in _NO_OPINIONS:
                raise OutsideError(
                    doing,
                    f"review {review.id} is {review.state!r}, which this release does not know",
                    hint="upgrade Assent",
                )
        self._last[number] = sorted(found, key=lambda review: review.id)
        return self._last[number]

    def _opinion(self, review: PullReview, number: int) -> Review | None:
        if review.state in _NO_OPINIONS:
            return None
        if review.submitted_at is None:
            raise OutsideError(
                f"reading the reviews of pull request {number}",
                f"GitHub does not say when review {review.id} was given",
            )
        return Review(
            person=self._remote.actor(review.user),
            state=_OPINIONS[review.state],
            at=review.submitted_at,
            head=review.commit_id or UNKNOWN_HEAD,
            bundle=None,
            reason=(review.body or "").strip()[:_LONGEST_REASON] or None,
            id=f"review:{review.id}",
        )

    def _bound(self, model: str, request: Pull, head: str, reviews: list[Review]) -> list[Review]:
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
