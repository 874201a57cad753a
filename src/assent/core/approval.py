"""Who was heard on a bundle, who counts, and who is still needed."""

from __future__ import annotations

import msgspec

from assent.core.digest import Digest
from assent.core.identity import Actor

ANYONE = "*"
"""In a list of approvers: any account that may write to the repository."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One person's latest opinion. `why` says why it counts or why it does not; `role` is the
    entry of the policy's list that the person matched.
    """

    person: Actor
    opinion: str
    at: str
    counts: bool
    why: str
    role: str | None = None
    head: str | None = None
    reason: str | None = None
    bundle: Digest | None = None


class Approvals(msgspec.Struct, frozen=True, kw_only=True):
    """The approvals of one bundle against what the policy requires."""

    required: int
    of: tuple[str, ...]
    heard: tuple[Heard, ...] = ()

    @property
    def counted(self) -> tuple[Heard, ...]:
        """Those whose approval counts."""
        return tuple(one for one in self.heard if one.counts)

    @property
    def missing(self) -> int:
        """How many approvals are still needed."""
        return max(0, self.required - len(self.counted))
