"""Metrics side by side."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET

from assent.core.diff.metrics import MetricChange
from assent.core.direction import direction
from assent.core.scalar import Scalar, number, same


def compare_metrics(
    old: Mapping[str, Scalar] | None, new: Mapping[str, Scalar]
) -> tuple[MetricChange, ...]:
    """Every metric of both sides, by name. `old` is None without a baseline."""
    before = old or {}
    return tuple(_one(name, before, new) for name in sorted(before.keys() | new.keys()))


def _one(name: str, old: Mapping[str, Scalar], new: Mapping[str, Scalar]) -> MetricChange:
    left, right = old.get(name, UNSET), new.get(name, UNSET)
    before, after = number(left), number(right)
    change = relative = None
    if before is not None and after is not None:
        change = after - before
        relative = change / abs(before) if before else None
    return MetricChange(
        name=name,
        old=left,
        new=right,
        change=change,
        relative=relative,
        better=direction(name),
        is_changed=not same(left, right),
    )
