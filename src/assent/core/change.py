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
    """Somebody who made part of a change: who wrote or pushed it, or had it written. `person` is
    None if the forge cannot map the name in the commit to an account; then `address` is what the
    commit has. `is_covered`: a co-author, or in a commit of which the forge tells who pushed it, so
    that the address of a tool hides nobody.
    """

    name: str
    person: Actor | None
    address: str | None = None
    is_covered: bool = False


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request, a merge request, or a branch under review on the local forge.

    `head` is the revision that is reviewed. `landed`: it is part of the base branch, as the
    commit `landed_as` where the merge gave it another name (None: as `head` itself). `remarks` say
    who took part and is none of its authors, and what the forge cannot tell of them. `address` and
    `repository` are where the forge shows the change, and the repository it goes to.
    """

    id: str
    title: str
    base: str
    head: str
    authors: tuple[Author, ...]
    landed: bool = False
    landed_as: str | None = None
    address: str | None = None
    remarks: tuple[str, ...] = ()
    repository: str | None = None

    @property
    def commit(self) -> str:
        """The commit that a working tree of this change has: what landed, else the head."""
        return self.landed_as or self.head


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """One opinion of one person. `bundle` is what the comment showed when it was given, `head`
    the revision it was given at (None where there was no change to speak of), `id` the forge's
    for it. `is_gone`: the ledger has an approval that the forge no longer has, and `reason` says
    why that does not stand.
    """

    person: Actor
    state: ReviewState
    at: str
    head: str | None
    bundle: Digest | None
    reason: str | None = None
    id: str | None = None
    is_gone: bool = False

    def taken_back(self, why: str) -> Review:
        """What a recorded approval has become that the forge no longer has."""
        return msgspec.structs.replace(
            self,
            state=ReviewState.DISMISSED,
            is_gone=True,
            reason=f"it was recorded, and does not stand any more: {why}",
        )
