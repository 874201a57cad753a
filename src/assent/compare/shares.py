"""What a chart shows of a column: its bins with their labels, and the shares of both sides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from assent.compare.bins import is_discrete
from assent.compare.drift import Group
from assent.core.diff.data import Share
from assent.core.profile import ColumnProfile

_LABEL_LENGTH = 80


def shares(column: ColumnProfile, groups: Sequence[Group]) -> tuple[Share, ...]:
    """The shares of both sides in the bins of the test; `column` is the baseline's."""
    old, new = sum(group.old for group in groups), sum(group.new for group in groups)
    return tuple(
        Share(
            label=_label(column, group),
            old=round(group.old / old, 6) if old else 0.0,
            new=round(group.new / new, 6) if new else 0.0,
        )
        for group in groups
    )


def _label(column: ColumnProfile, group: Group) -> str:
    """What a bin holds: a category, or a range whose upper end is included."""
    if not group.stop:
        text = group.label or '""'
        return text if len(text) <= _LABEL_LENGTH else text[: _LABEL_LENGTH - 1] + "…"
    edges = () if column.numbers is None else column.numbers.edges
    shown = _moment if column.kind == "time" else _number
    if group.start == 0 and group.stop > len(edges):
        return "all"
    if group.start == 0:
        return f"≤ {shown(edges[group.stop - 1])}"
    if group.stop > len(edges):
        return f"> {shown(edges[group.start - 1])}"
    if group.stop - group.start == 1 and is_discrete(column):
        return shown(edges[group.start])
    return f"{shown(edges[group.start - 1])} \N{EN DASH} {shown(edges[group.stop - 1])}"


def _number(value: float) -> str:
    return f"{value:.4g}"


def _moment(seconds: float) -> str:
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return _number(seconds)
    return moment.strftime("%Y-%m-%d" if seconds % 86_400 == 0 else "%Y-%m-%d %H:%M")
