"""Predictions as columns in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from assent.core.evidence import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class SliceColumn(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The slice of every row: `codes` are places in `values`."""

    values: tuple[str, ...]
    codes: NDArray[np.int64]


class PredictionTable(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One row for each example. All arrays have the same length.

    `ids` are unique, all integers or all text. In a classification `label` and `prediction` are
    places in `classes`, and `scores` is the score of `positive` (binary) or has one column for each
    class; otherwise `label` and `prediction` are numbers, and `scores` is what a ranking sorts by.
    `group` numbers the groups of rows that belong together. `shown` are the only other columns
    that people may see.
    """

    task: Task
    ids: NDArray[Any]
    label: NDArray[Any]
    prediction: NDArray[Any] | None = None
    scores: NDArray[np.float64] | None = None
    classes: tuple[str, ...] = ()
    positive: str | None = None
    group: NDArray[np.int64] | None = None
    slices: dict[str, SliceColumn] = msgspec.field(default_factory=dict)
    shown: dict[str, NDArray[Any]] = msgspec.field(default_factory=dict)
    examples: int = 10

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.ids)


def class_order(names: set[str]) -> tuple[str, ...]:
    """Classes in the order in which people count them: numbers by value, text by its letters."""
    return tuple(sorted(names, key=_rank_of_class))


def _rank_of_class(name: str) -> tuple[int, float, str]:
    try:
        return 0, float(name), name
    except ValueError:
        return 1, 0.0, name
