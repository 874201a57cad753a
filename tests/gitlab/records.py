"""What is written beside commits: statuses, notes, approvals, and what protects a branch."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from tests.gitlab.accounts import Group, User

if TYPE_CHECKING:
    from tests.gitlab.merge_requests import MergeRequest
    from tests.gitlab.pipelines import Pipeline

ReviewState = Literal["unreviewed", "reviewed", "requested_changes", "approved", "unapproved"]


@dataclass(eq=False)
class Status:
    """A commit status that came through the API. `is_retried`: a later one took its place."""

    id: int
    pipeline: Pipeline
    name: str
    state: str
    author: User
    created_at: datetime
    description: str | None = None
    target_url: str | None = None
    coverage: float | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    is_retried: bool = False


@dataclass(eq=False)
class Note:
    """A comment, or what GitLab itself writes below a merge request."""

    id: int
    merge_request: MergeRequest
    author: User
    body: str
    created_at: datetime
    updated_at: datetime
    is_system: bool = False
    is_internal: bool = False

    def edit(self, body: str) -> None:
        self.body = body
        self.updated_at = self.merge_request.project.gitlab.now

    def delete(self) -> None:
        self.merge_request.notes.remove(self)


@dataclass(frozen=True)
class Version:
    """The state of a merge request after one push."""

    id: int
    head: str
    base: str
    start: str
    created_at: datetime
    patch_id: str
    file_count: int


@dataclass(frozen=True)
class Approval:
    """One person's approval of whatever the merge request has: it names no commit."""

    user: User
    created_at: datetime


@dataclass(eq=False)
class Reviewer:
    """A person who was asked, and what they said last."""

    user: User
    state: ReviewState
    created_at: datetime


@dataclass(eq=False)
class ApprovalRule:
    """Who must approve. One that nobody can fulfil is invalid, and GitLab then lets it pass."""

    id: int
    name: str
    approvals_required: int
    users: list[User] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    kind: Literal["regular", "any_approver", "code_owner"] = "regular"


@dataclass(eq=False)
class ProtectedBranch:
    """A branch, or a pattern with `*`, and the level that pushing and merging needs."""

    id: int
    name: str
    push_level: int = 40
    merge_level: int = 40
    allows_force_push: bool = False
    needs_code_owner: bool = False


@dataclass(frozen=True)
class Push:
    """Somebody moved a branch, and perhaps others with it: `refs` is how many at once."""

    id: int
    branch: str
    before: str | None
    after: str
    by: User
    at: datetime
    refs: int = 1
