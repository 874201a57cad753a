"""Who was heard on a bundle, who counts, and who is still needed."""

from __future__ import annotations

import msgspec

from assent.core.digest import Digest
from assent.core.identity import Actor, Resolved

ANYONE = "*"
"""In a list of approvers: any account that may write to the repository."""


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is under a policy's list today: the `entry` that is them, and what it means; or
    nothing, and why where a name means somebody else than it did (`refused`).
    """

    entry: str | None = None
    resolved: Resolved | None = None
    refused: str = ""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One person's latest opinion. `why` says why it counts or why it does not; `role` is the
    entry of the policy's list that the person matched, and `resolved` what that entry meant. `id`
    is the forge's for the review. `is_gone`: it was recorded, and the forge no longer has it.
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
    resolved: Resolved | None = None
    id: str | None = None
    is_gone: bool = False


class Approvals(msgspec.Struct, frozen=True, kw_only=True):
    """The approvals of one bundle against what the policy requires. `remarks` say who took part in
    the change and is none of its authors, and what the forge cannot tell.
    """

    required: int
    of: tuple[str, ...]
    heard: tuple[Heard, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def counted(self) -> tuple[Heard, ...]:
        """Those whose approval counts."""
        return tuple(one for one in self.heard if one.counts)

    @property
    def missing(self) -> int:
        """How many approvals are still needed."""
        return max(0, self.required - len(self.counted))
