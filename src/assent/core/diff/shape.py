"""The shape of every part of a diff."""

from __future__ import annotations

import msgspec


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """An immutable value with named fields."""
