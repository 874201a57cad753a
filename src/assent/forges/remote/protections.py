"""What a forge enforces, told in the words of all forges."""

from __future__ import annotations

from assent.ports import Protection, ProtectionState

STILL = "Assent counts approvals itself, so an unapproved model is still not registered"


def told(name: str, *, is_enforced: bool, what: str, otherwise: str, remedy: str) -> Protection:
    """Something that could be read: enforced because of `what`, or missing because of `otherwise`,
    with what to do about it.
    """
    if is_enforced:
        return Protection(name=name, state=ProtectionState.ENFORCED, reason=what)
    return Protection(name=name, state=ProtectionState.MISSING, reason=otherwise, remedy=remedy)
