"""How sure a change is, in one word and one colour."""

from __future__ import annotations

from typing import Literal

import msgspec

from assent.core.diff.metrics import MetricChange
from assent.report.charts.scales import drawable

Sense = Literal["better", "worse", "moved", "unsure"]


class Found(msgspec.Struct, frozen=True):
    """A change that can be drawn. `low` and `high` are its interval, both the change itself where
    there is none.
    """

    metric: MetricChange
    change: float
    low: float
    high: float

    @property
    def has_interval(self) -> bool:
        """Whether the change has an interval."""
        return self.metric.interval is not None

    @property
    def sense(self) -> Sense:
        """What the change means if all of its interval is on one side of 0, else `unsure`."""
        if not self.has_interval or self.low <= 0 <= self.high:
            return "unsure"
        if self.metric.better is None:
            return "moved"
        return "better" if (self.low > 0) == (self.metric.better == "higher") else "worse"

    @property
    def gain(self) -> float:
        """The change, positive where it is an improvement; minus its size where nobody knows."""
        if self.metric.better is None:
            return -abs(self.change)
        return self.change if self.metric.better == "higher" else -self.change


def found(metric: MetricChange) -> Found | None:
    """The metric's change as something to draw; None if it has no numbers for that, or if they are
    not of one thing.
    """
    change = drawable(metric.change)
    if change is None or metric.not_compared is not None:
        return None
    interval = metric.interval
    if interval is None:
        return Found(metric, change, change, change)
    low, high = drawable(interval.low), drawable(interval.high)
    if low is None or high is None or low > high:
        return None
    return Found(metric, change, low, high)
