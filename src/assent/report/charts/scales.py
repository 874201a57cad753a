"""From values to places: linear scales, round numbers for axes, and fewer points."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from assent.core.scalar import number as finite
from assent.report.numbers import MINUS

_LARGEST = 1e300  # beyond it a difference of two values overflows
_SMALLEST = 1e-300
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_ENDS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def drawable(value: object) -> float | None:
    """`value` if it has a place on a scale: a finite number that arithmetic can handle."""
    number = finite(value)
    if number is None or abs(number) > _LARGEST:
        return None
    return 0.0 if abs(number) < _SMALLEST else float(number)


def share(value: object) -> float:
    """A share of rows, from 0 to 1; 0 where it is none."""
    number = drawable(value)
    return 0.0 if number is None else min(1.0, max(0.0, number))


class Scale(msgspec.Struct, frozen=True):
    """Values from `low` to `high` on the stretch from `start` to `end`. Others lie at its ends."""

    low: float
    high: float
    start: float
    end: float

    def holds(self, value: float) -> bool:
        """Whether the value has a place of its own."""
        return self.low <= value <= self.high

    def at(self, value: float) -> float:
        """The place of a value."""
        span = self.high - self.low
        if not span > 0:
            return (self.start + self.end) / 2
        inside = min(self.high, max(self.low, value))
        return self.start + (inside - self.low) / span * (self.end - self.start)


def ticks(low: float, high: float, most: int = 5) -> tuple[float, ...]:
    """Round numbers from `low` to `high`, at most `most` of them if that is 2 or more."""
    if not high > low:
        return (low,)
    step = _step((high - low) / (2 * most))
    while True:
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return tuple(at * step for at in range(first, last + 1))
        step = _step(step * 1.01)


def round_up(value: float) -> float:
    """The next round number that is not smaller: the end of an axis."""
    return _step(value, _ENDS) if value > 0 else 1.0


def tick_text(value: float, *, signed: bool = False) -> str:
    """A round number in few digits: `0.05`, `2,500`, `3e-7`."""
    if value == 0 or abs(value) < 1e-290:
        return "0"
    size = abs(value)
    if 1e-4 <= size < 1e6:
        text = f"{size:,.6f}".rstrip("0").rstrip(".")
    else:
        text = f"{size:.2g}".replace("e+", "e").replace("e-0", "e-").replace("e0", "e")
    return (MINUS if value < 0 else "+" if signed else "") + text


def percent_text(value: float) -> str:
    """A share in few digits: `12%`, `0.4%`."""
    size = abs(value) * 100
    if size >= 99.95 or size == 0:
        text = f"{size:.0f}"
    elif size >= 0.05:
        text = f"{size:.1f}".removesuffix(".0")
    else:
        text = "<0.1"
    return (MINUS if value < 0 and text != "0" else "") + text + "%"


def groups(many: int, most: int) -> tuple[tuple[int, int], ...]:
    """`many` things as at most `most` runs of neighbours. All but the last are equally long, so
    that adding them up leaves the shape.
    """
    length = max(1, -(-many // most))
    return tuple((at, min(many, at + length)) for at in range(0, many, length))


def _step(least: float, steps: Sequence[float] = _STEPS) -> float:
    if not least > _SMALLEST:
        return _SMALLEST
    power = 10.0 ** math.floor(math.log10(least))
    return next((step * power for step in steps if step * power >= least * (1 - 1e-9)), least)
