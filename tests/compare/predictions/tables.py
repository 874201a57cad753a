"""Tables of predictions made by hand or drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assent.compare.predictions.table import PredictionTable, SliceColumn


def binary(
    label: NDArray[Any],
    scores: NDArray[Any] | None = None,
    prediction: NDArray[Any] | None = None,
    ids: NDArray[Any] | None = None,
    slices: dict[str, list[str]] | None = None,
    **more: Any,
) -> PredictionTable:
    return PredictionTable(
        task="binary",
        ids=np.arange(len(label)) if ids is None else ids,
        label=np.asarray(label).astype(np.int64),
        scores=scores,
        prediction=prediction,
        classes=("0", "1"),
        positive="1",
        slices={name: slice_column(values) for name, values in (slices or {}).items()},
        **more,
    )


def slice_column(values: list[str]) -> SliceColumn:
    names = sorted(set(values))
    return SliceColumn(
        values=tuple(names), codes=np.array([names.index(one) for one in values], dtype=np.int64)
    )


def drawn(
    random: np.random.Generator, rows: int, noise: float = 0.5, shared: float = 1.0
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Labels, and the scores of two models that see the same signal with noise of their own."""
    label = (random.random(rows) < 0.4).astype(np.int64)
    signal = shared * label + random.normal(size=rows)
    scores = [1 / (1 + np.exp(0.5 - signal - noise * random.normal(size=rows))) for _ in range(2)]
    return label, scores[0], scores[1]
