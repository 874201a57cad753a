"""What people said of a pull request, and which bundle they were shown when they said it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from assent.core.change import ReviewState
from assent.errors import OutsideError
from assent.forges.github.repository import RemoteRepository
from assent.forges.github.schemas import Comment, Pull, PullReview
from assent.forges.remote.commits import Commit
from assent.forges.remote.numbered_reviews import Given, NumberedReviews
from assent.forges.remote.reviews import MOST_REVISIONS

_STATES = {
    "APPROVED": ReviewState.APPROVED,
    "CHANGES_REQUESTED": ReviewState.CHANGES_REQUESTED,
    "DISMISSED": ReviewState.DISMISSED,
    "COMMENTED": None,
    "PENDING": None,
}


class Reviews(NumberedReviews[Pull, Comment]):
    """The opinions on pull requests of one repository."""

    _remote: RemoteRepository

    def revisions(self, request: Pull) -> Iterator[str]:
        """See `RemoteReviews.revisions`."""
        yield request.revision
        path = self._remote.path("pulls", request.number, "commits")
        doing = f"reading the commits of pull request {request.number}"
        revisions = [commit.sha for commit in self._remote.api.pages(path, Commit, doing=doing)]
        earlier = (sha for sha in reversed(revisions) if sha != request.revision)
        yield from islice(earlier, MOST_REVISIONS)

    def _read(self, request: Pull, *, doing: str) -> list[Given]:
        path = self._remote.path("pulls", request.number, "reviews")
        reviews = self._remote.api.pages(path, PullReview, doing=doing)
        return [_given(review, doing) for review in reviews]


def _given(review: PullReview, doing: str) -> Given:
    if review.state not in _STATES:
        raise OutsideError(
            doing,
            f"review {review.id} is {review.state!r}, which this release does not know",
            hint="upgrade Assent",
        )
    return Given(
        id=review.id,
        by=review.user,
        state=_STATES[review.state],
        at=review.submitted_at,
        head=review.commit_id,
        text=review.body or "",
    )
