"""Two models' predictions side by side. NumPy is imported only when there are some."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assent.compare.predictions.table import PredictionTable
    from assent.core.diff.metrics import MetricChange
    from assent.core.diff.predictions import PredictionsDiff


def compare_predictions(
    old: PredictionTable | None, new: PredictionTable
) -> tuple[PredictionsDiff, tuple[MetricChange, ...]]:
    """What changed example by example, and every metric that the predictions give, with the
    interval of its change. `old` is None without a baseline.
    """
    from assent.compare.predictions.comparison import compare_tables

    return compare_tables(old, new)
