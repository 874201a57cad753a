"""What was compared and found equal, and what was not compared: never the one for the other."""

from __future__ import annotations

from collections.abc import Collection

from assent.core.diff.shape import Struct


class NotCompared(Struct, frozen=True, kw_only=True):
    """What could not be compared, why, and what would help. `name` is empty where it is all, or
    all but what is listed as changed.
    """

    name: str = ""
    reason: str
    remedy: str = ""


class Same(Struct, frozen=True, kw_only=True):
    """So many things were compared, all that there were to compare, and each is equal on both
    sides. Only a report that has one of these in its hand may call anything unchanged.
    """

    things: int


def sameness(things: int, changes: bool, not_compared: Collection[NotCompared]) -> Same | None:
    """`Same` if nothing has changed and nothing was left uncompared, else None. No things at all
    are no sameness either: nobody looked.
    """
    return Same(things=things) if things and not changes and not not_compared else None
