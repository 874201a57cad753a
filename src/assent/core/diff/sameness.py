"""What was not compared, which is never the same as what is the same."""

from __future__ import annotations

from assent.core.diff.shape import Struct


class NotCompared(Struct, frozen=True, kw_only=True):
    """Something of both sides that nobody has compared, and why, in few words."""

    what: str
    why: str
