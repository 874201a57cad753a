"""A change under review on a forge, and what people said of it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from assent.core.digest import Digest
from assent.core.identity import Actor


class ReviewState(StrEnum):
    """What a reviewer said."""

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes requested"
    DISMISSED = "dismissed"


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who wrote part of a change. `person` is None if the forge cannot map the name in
    the commit to an account.
    """

    name: str
    person: Actor | None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request, a merge request, or a branch under review on the local forge.

    `head` is the revision that is reviewed. `landed`: it is part of the base branch, as the
    commit `landed_as` where the merge gave it another name (None: as `head` itself).
    """

    id: str
    title: str
    base: str
    head: str
    authors: tuple[Author, ...]
    landed: bool = False
    landed_as: str | None = None
    address: str | None = None

    @property
    def commit(self) -> str:
        """The commit that a working tree of this change has: what landed, else the head."""
        return self.landed_as or self.head


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """One opinion of one person. `bundle` is what the comment showed when it was given, `head`
    the revision it was given at (None where there was no change to speak of).
    """

    person: Actor
    state: ReviewState
    at: str
    head: str | None
    bundle: Digest | None
    reason: str | None = None
