"""Who was heard on a bundle, who counts, and who is still needed."""

from __future__ import annotations

import msgspec

from assent.core.change import Review, ReviewState
from assent.core.identity import Resolved

ANYONE = "*"
"""In a list of approvers: any account that may write to the repository."""


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is under a policy's list today: the `entry` that is them, and what it means; or
    nothing, and why where a name means somebody else than it did (`refused`).
    """

    entry: str | None = None
    resolved: Resolved | None = None
    refused: str = ""


class Heard(Review, frozen=True, kw_only=True):
    """One person's latest review, and what was made of it. `why` says why it counts or why it does
    not; `role` is the entry of the policy's list that the person matched, and `resolved` what that
    entry meant.
    """

    state: ReviewState = msgspec.field(name="opinion")
    counts: bool
    why: str
    role: str | None = None
    resolved: Resolved | None = None

    @classmethod
    def of(cls, review: Review, *, counts: bool, why: str, role: Role) -> Heard:
        """A review with what was made of it under somebody's role."""
        fields = {name: getattr(review, name) for name in Review.__struct_fields__}
        return cls(**fields, counts=counts, why=why, role=role.entry, resolved=role.resolved)

    @property
    def bound_to(self) -> Resolved | None:
        """What the entry meant, where that has a number that it can be bound to."""
        return None if self.resolved is None or self.resolved.id is None else self.resolved


class Approvals(msgspec.Struct, frozen=True, kw_only=True):
    """The approvals of one bundle against what the policy requires. `authors` are the logins of
    those who made it, where their approval does not count; `remarks` say who took part in the
    change and is none of its authors, and what the forge cannot tell.
    """

    required: int
    of: tuple[str, ...]
    heard: tuple[Heard, ...] = ()
    remarks: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()

    @property
    def counted(self) -> tuple[Heard, ...]:
        """Those whose approval counts."""
        return tuple(review for review in self.heard if review.counts)

    @property
    def missing(self) -> int:
        """How many approvals are still needed."""
        return max(0, self.required - len(self.counted))
