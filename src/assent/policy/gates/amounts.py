"""Amounts in a gate: a number, or a percentage of something."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from assent.core.units import fraction

Percent = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)?\s*%$")]


def share_of(amount: float | str) -> float:
    """A share of something, 0.05 or `5%`, as a number."""
    return fraction(amount) if isinstance(amount, str) else float(amount)
