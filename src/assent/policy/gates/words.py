"""Names and enumerations in the sentences of findings."""

from __future__ import annotations

from collections.abc import Sequence

from assent.core.units import count

_LONG = 60


def short(text: str) -> str:
    """A name for a sentence, without the sign that ends a quotation."""
    text = text.replace("`", "'")
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"


def named(names: Sequence[str], most: int = 5) -> str:
    """An enumeration of names."""
    return listed([f"`{short(name)}`" for name in names], most)


def listed(told: Sequence[str], most: int = 5) -> str:
    """An enumeration that says how many it leaves out."""
    left = len(told) - most
    return "; ".join(told[:most]) + (f"; and {count(left, 'other')}" if left > 0 else "")
