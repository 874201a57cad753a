"""Amounts in a gate: a number, or a percentage of something."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import Annotated, TypeVar

from msgspec import Meta

from assent.core.units import fraction

Amount = int | float
"""A number with all its digits."""
Percent = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)?\s*%$")]


T = TypeVar("T")


def stated(amount: T) -> T | float:
    """An amount as it counts. An integer of 64 bits that floats cannot say stays what it is, so
    that no digit of it is lost; any other is a float, so that `1` and `1.0` are one rule. (No
    metric is a larger integer: JSON's readers disagree on them.)
    """
    if not isinstance(amount, int):
        return amount
    try:
        return amount if -(2**63) <= amount < 2**63 and float(amount) != amount else float(amount)
    except OverflowError:
        return inf


def exact_share(amount: str) -> Fraction:
    """`5%` as a fraction of integers."""
    return Fraction(amount.rstrip("% ")) / 100


def share_of(amount: float | str) -> float:
    """A share of something, 0.05 or `5%`, as a number."""
    return fraction(amount) if isinstance(amount, str) else float(amount)
