"""What changed in named values: parameters, packages, environment."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from assent.core.diff.sameness import NotCompared, Same, sameness
from assent.core.diff.shape import Struct
from assent.core.scalar import Scalar


class ValueChange(Struct, frozen=True, kw_only=True):
    """A value that differs; `UNSET` is "not there". `move` says how: a number or a version went
    `up` or `down`, or the `type` is another one; None where that says nothing. `matters` ranks
    first what a model depends on.
    """

    name: str
    old: Scalar | UnsetType = UNSET
    new: Scalar | UnsetType = UNSET
    move: Literal["up", "down", "type"] | None = None
    matters: bool = False


class Values(Struct, frozen=True, kw_only=True):
    """A set of named values: what differs, how many are the same, and what was not compared, which
    is neither.
    """

    changes: tuple[ValueChange, ...] = ()
    same: int = 0
    not_compared: tuple[NotCompared, ...] = ()

    @property
    def sameness(self) -> Same | None:
        """Whether all of them were compared, and are equal."""
        return sameness(self.same, bool(self.changes), self.not_compared)
