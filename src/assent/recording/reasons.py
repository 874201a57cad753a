"""Reasons: what is kept for ever must say why."""

from __future__ import annotations

from assent.errors import UsageError


def require_reason(reason: str, doing: str) -> None:
    """Raise `UsageError` for a reason that says nothing."""
    if not reason.strip():
        raise UsageError(doing, "the reason is empty", hint="say why: it is kept for ever")
