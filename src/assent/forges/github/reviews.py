"""What people said of a pull request, and which bundle they were shown when they said it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from assent.core.change import Change, Review, ReviewState
from assent.core.digest import Digest
from assent.core.entry import Approval as Recorded
from assent.core.identity import PersonKey
from assent.errors import OutsideError
from assent.forges.commands import ApprovalCommand, approvals
from assent.forges.comment_history import UNKNOWN_HEAD, resolved
from assent.forges.github.comments import Comments
from assent.forges.github.repository import RemoteRepository
from assent.forges.github.schemas import Comment, PullReview

_OPINIONS = {
    "APPROVED": ReviewState.APPROVED,
    "CHANGES_REQUESTED": ReviewState.CHANGES_REQUESTED,
    # GitHub changes the dismissed review itself. Where it stood there is now an opinion that
    # ends what its author had said before, so that no older approval comes back.
    "DISMISSED": ReviewState.DISMISSED,
}
_NO_OPINIONS = ("COMMENTED", "PENDING")
_LONGEST_REASON = 1000


class Reviews:
    """The opinions on pull requests of one repository."""

    def __init__(self, remote: RemoteRepository, shown: Comments) -> None:
        self._remote = remote
        self._shown = shown
        self._last: dict[int, list[PullReview]] = {}

    def of(self, model: str, bundle: Digest, change: Change, number: int) -> list[Review]:
        """Every opinion on a pull request, oldest first.

        Nobody was asked about a bundle that was never shown in a change before it landed.
        """
        if change.landed:
            sights = self._shown.sights(model, number, change.head)
            if bundle not in {sight.bundle for sight in sights}:
                return []
        given = self._read(number)
        revisions = {review.commit_id for review in given if review.commit_id is not None}
        revisions.discard(change.head)
        found = [self._opinion(review, number) for review in given]
        found += [
            self._typed(model, comment, number, [change.head, *sorted(revisions)])
            for comment in self._shown.comments(number)
        ]
        # Two opinions of one second: the one that does not approve is taken as the later one.
        ordered = sorted(
            (review for review in found if review is not None),
            key=lambda review: (review.at, review.state is not ReviewState.APPROVED),
        )
        return self._bound(model, number, change.head, ordered)

    def withdrawn(self, model: str, approval: Recorded, number: int) -> str | None:
        """See `Forge.withdrawn`. A recorded approval is found by its id; one of an older entry,
        which has none, by its person and time.
        """
        kind, _, given = (approval.review or "").partition(":")
        match kind:
            case "review":
                reviews = self._last.get(number) or self._read(number)
                review = next((one for one in reviews if str(one.id) == given), None)
                return self._changed(review, approval.person.key)
            case "comment":
                comments = self._shown.comments(number)
                comment = next((one for one in comments if str(one.id) == given), None)
                return self._unsaid(model, comment, number, approval.person.key)
            case _:
                return self._unfound(model, approval, number)

    def _changed(self, review: PullReview | None, giver: PersonKey) -> str | None:
        if review is None:
            return "the review was deleted"
        if self._remote.actor(review.user).key != giver:
            return "its account is gone"
        return None if review.state == "APPROVED" else "the review was dismissed"

    def _unsaid(
        self, model: str, comment: Comment | None, number: int, giver: PersonKey
    ) -> str | None:
        if comment is None:
            return "the comment was deleted"
        if self._remote.actor(comment.user).key != giver:
            return "its account is gone"
        is_said = self._typed(model, comment, number, ()) is not None
        return None if is_said else "the comment was edited"

    def _unfound(self, model: str, approval: Recorded, number: int) -> str | None:
        reviews = self._last.get(number) or self._read(number)
        given = [self._opinion(one, number) for one in reviews]
        given += [self._typed(model, one, number, ()) for one in self._shown.comments(number)]
        is_there = any(
            one.person.key == approval.person.key
            and one.at == approval.at
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

    def _bound(self, model: str, number: int, head: str, reviews: Sequence[Review]) -> list[Review]:
        """The reviews with the bundle that was shown. Only somebody's latest opinion is heard, and
        one of an older head counts for nothing, whatever was shown there: so it is asked for no
        other.
        """
        latest = {review.person.key: place for place, review in enumerate(reviews)}
        return [
            self._with_bundle(model, number, review)
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

    def _typed(
        self, model: str, comment: Comment, number: int, revisions: Sequence[str]
    ) -> Review | None:
        """The approval of this model that a person typed in a comment. An edited comment says
        nothing: others can edit it too.
        """
        person = self._remote.actor(comment.user)
        if person.kind != "person" or comment.is_edited:
            return None
        commands = [one for one in approvals(comment.body or "") if one.model == model]
        if not commands:
            return None
        head, bundle = self.resolved(commands[-1], comment.created_at, number, revisions)
        return Review(
            person=person,
            state=ReviewState.APPROVED,
            at=comment.created_at,
            head=head,
            bundle=bundle,
            reason=f"typed in {comment.html_url}",
            id=f"comment:{comment.id}",
        )

    def resolved(
        self, command: ApprovalCommand, at: str, number: int, revisions: Iterable[str]
    ) -> tuple[str, Digest | None]:
        """The revision and the bundle that a typed digest means: one that was shown by then."""
        shown = ((one, self._shown.sights(command.model, number, one)) for one in revisions)
        return resolved(command.digest, at, shown)
