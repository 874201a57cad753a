"""What people said of a merge request, and which bundle they were shown when they said it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import msgspec

from assent.core.change import Change, Review, ReviewState
from assent.core.identity import PersonKey
from assent.errors import OutsideError
from assent.forges.comment_history import UNKNOWN_HEAD
from assent.forges.gitlab.repository import RemoteRepository
from assent.forges.gitlab.schemas import (
    Approvals,
    GivenApproval,
    MergeRequest,
    Note,
    Reviewer,
    Version,
)
from assent.forges.gitlab.timestamps import timestamp
from assent.forges.remote.reviews import MOST_REVISIONS, RemoteReviews

UNKNOWN_TIME = "-"
"""No time; it sorts before every time, so that a typed approval is the later one."""
_REQUESTED_CHANGES = "requested changes"
"""What GitLab writes below a merge request, in a note that nobody else can write."""


class Reviews(RemoteReviews[MergeRequest, Note]):
    """The opinions on merge requests of one project."""

    _remote: RemoteRepository

    def _given(self, model: str, change: Change, request: MergeRequest) -> list[Review]:
        versions = self.versions(request.number)
        approved = self._approved(model, request.number, versions)
        reviews = [*approved]
        reviews += self._against(
            request, {approval.person.key: approval.at for approval in approved}
        )
        revisions = _revisions(change.head, versions)
        for note in self._shown.messages(request.number):
            review = self.typed(model, note, request, revisions)
            reviews += [] if review is None else [review]
        return reviews

    def withdrawn(self, model: str, review: Review, request: MergeRequest) -> str | None:
        """See `Forge.withdrawn`. GitLab's approvals have no number: one is who gave it, and when.
        A typed one is the note's.
        """
        person = review.person
        account = self._remote.user(int(person.id)) if person.id.isdigit() else None
        if account is None or account.state != "active":
            return "the account is gone" if account is None else f"the account is {account.state}"
        kind, _, note = (review.id or "").partition(":")
        if kind == "note":
            return self._unsaid(model, note, request, person.key)
        if self._is_given(review, request.number):
            return None
        if not kind and any(
            typed.person.key == person.key and typed.at == review.at
            for message in self._shown.messages(request.number)
            if (typed := self.typed(model, message, request, ())) is not None
        ):
            return None
        return "the approval was taken back"

    def _is_given(self, review: Review, number: int) -> bool:
        """Whether the same approval stands: one that was given again is another one."""
        doing = f"reading the approvals of merge request {number}"
        for approval in self._approvals(number):
            at = timestamp(approval.approved_at, doing) if approval.approved_at else UNKNOWN_TIME
            is_theirs = self._remote.actor(approval.user).key == review.person.key
            if is_theirs and (at == review.at or UNKNOWN_TIME in (at, review.at)):
                return True
        return False

    def _unsaid(
        self, model: str, number: str, request: MergeRequest, giver: PersonKey
    ) -> str | None:
        notes = self._shown.messages(request.number)
        note = next((note for note in notes if str(note.id) == number), None)
        if note is None:
            return "the note was deleted"
        review = self.typed(model, note, request, ())
        return None if review is not None and review.person.key == giver else "the note was edited"

    def versions(self, number: int) -> list[Version]:
        """What was pushed to a merge request, oldest first; times made comparable."""
        doing = f"reading the versions of merge request {number}"
        path = self._remote.path("merge_requests", number, "versions")
        versions = [
            msgspec.structs.replace(version, created_at=timestamp(version.created_at, doing))
            for version in self._remote.api.pages(path, Version, doing=doing)
        ]
        return sorted(versions, key=lambda version: version.id)

    def _approved(self, model: str, number: int, versions: Sequence[Version]) -> list[Review]:
        """The approvals. GitLab says who approves and when, and counts them by rules of its own;
        what they were given for is what had been pushed and shown by then.
        """
        doing = f"reading the approvals of merge request {number}"
        reviews = []
        for approval in self._approvals(number):
            at = head = None
            if approval.approved_at is not None:
                at = timestamp(approval.approved_at, doing)
                head = _head_at(versions, at)
            shown = None
            if at is not None and head is not None:
                shown = self._shown.bundle_at(model, number, head, at)
            reviews.append(
                Review(
                    person=self._remote.actor(approval.user),
                    state=ReviewState.APPROVED,
                    at=at or UNKNOWN_TIME,
                    head=head or UNKNOWN_HEAD,
                    bundle=shown,
                    reason=None if at else "this release of GitLab does not say when it was given",
                    id="approval",
                )
            )
        return reviews

    def _approvals(self, number: int) -> Sequence[GivenApproval]:
        """Who approves now."""
        doing = f"reading the approvals of merge request {number}"
        path = self._remote.path("merge_requests", number, "approvals")
        return self._remote.api.get(path, Approvals, doing=doing).approved_by

    def _against(self, request: MergeRequest, approved: dict[PersonKey, str]) -> list[Review]:
        """Who asks for changes now. GitLab does not say since when; a note of its own does, and
        without one it is taken as said at the last moment that anything was.
        """
        doing = f"reading the reviewers of merge request {request.number}"
        path = self._remote.path("merge_requests", request.number, "reviewers")
        given = self._remote.api.get(path, tuple[Reviewer, ...], doing=doing)
        against = [reviewer for reviewer in given if reviewer.state == "requested_changes"]
        if against:
            # What was read before may be older than the objection.
            self._shown.messages(request.number, anew=True)
        reviews = []
        for reviewer in against:
            person = self._remote.actor(reviewer.user)
            at = self._objected_at(request.number, reviewer.user.id) or self._updated_at(
                request.number
            )
            reviews.append(
                Review(
                    person=person,
                    state=ReviewState.CHANGES_REQUESTED,
                    at=max(at, approved.get(person.key, at)),
                    head=request.revision,
                    bundle=None,
                )
            )
        return reviews

    def _updated_at(self, number: int) -> str:
        doing = f"reading merge request {number}"
        path = self._remote.path("merge_requests", number)
        request = self._remote.api.get(path, MergeRequest, doing=doing)
        return timestamp(request.updated_at, doing)

    def _objected_at(self, number: int, user: int) -> str | None:
        doing = f"reading the notes of merge request {number}"
        times = [
            timestamp(note.created_at, doing)
            for note in self._shown.messages(number)
            if note.is_of_forge
            and note.by is not None
            and note.by.id == user
            and note.body.strip() == _REQUESTED_CHANGES
        ]
        return max(times, default=None)

    def revisions(self, request: MergeRequest) -> list[str]:
        """See `RemoteReviews.revisions`."""
        if request.revision is None:
            raise OutsideError(f"reading merge request {request.number}", "it has no commits")
        return _revisions(request.revision, self.versions(request.number))


def _head_at(versions: Sequence[Version], at: str) -> str | None:
    """The head at some time: that of the newest version before it. None if that is not known:
    nothing was pushed by then, or something at that very moment.
    """
    if any(version.created_at == at for version in versions):
        return None
    before = [version.head_commit_sha for version in versions if version.created_at < at]
    return before[-1] if before else None


def _revisions(head: str, versions: Sequence[Version]) -> list[str]:
    earlier = dict.fromkeys(version.head_commit_sha for version in reversed(versions))
    earlier.pop(head, None)
    return [head, *islice(earlier, MOST_REVISIONS)]
