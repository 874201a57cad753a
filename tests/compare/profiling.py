"""Profiles made with NumPy, to compare without reading a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from assent.core.digest import digest_of_value
from assent.core.evidence import DataReference
from assent.core.profile import Categories, ColumnProfile, DataProfile, Numbers
from tests.builders import digest

MOST_EDGES = 255


def numbers(values: Any, edges: Any = None) -> Numbers:
    """Quantiles as edges, or each value where there are few."""
    values = np.asarray(values, dtype=float)
    if not len(values):
        return Numbers(counts=(0,))
    if edges is None:
        distinct = np.unique(values)
        if len(distinct) > MOST_EDGES:
            at = np.arange(1, MOST_EDGES + 1) / MOST_EDGES
            distinct = np.unique(np.quantile(values, at, method="inverted_cdf"))
        edges = distinct
    return Numbers(
        minimum=float(values.min()),
        maximum=float(values.max()),
        mean=float(values.mean()),
        deviation=float(values.std()),
        kurtosis=_kurtosis(values),
        zeros=int((values == 0).sum()),
        negatives=int((values < 0).sum()),
        edges=tuple(map(float, edges)),
        counts=counted(values, edges),
        within=within(values, edges) if len(np.unique(values)) > len(edges) else (),
    )


def _kurtosis(values: Any) -> float | None:
    deviation = values.std()
    return float(((values - values.mean()) ** 4).mean() / deviation**4 - 3) if deviation else None


def within(values: Any, edges: Any) -> tuple[float, ...]:
    """Where the mean of each bin lies in it."""
    low, high = min(values.min(), edges[0]), max(values.max(), edges[-1])
    ends = np.array([low, *edges, high])
    at = np.searchsorted(np.asarray(edges, dtype=float), values, "left")
    found = []
    for place, (start, end) in enumerate(pairwise(ends)):
        inside = values[at == place]
        is_wide = len(inside) and 0 < end - start < np.inf
        found.append(float((inside.mean() - start) / (end - start)) if is_wide else 0.0)
    return tuple(min(1.0, max(0.0, share)) for share in found)


def counted(values: Any, edges: Any) -> tuple[int, ...]:
    """Rows up to and including each edge, and beyond the last."""
    at = np.searchsorted(np.asarray(edges, dtype=float), np.asarray(values, dtype=float), "left")
    return tuple(map(int, np.bincount(at, minlength=len(edges) + 1)))


def number(
    name: str,
    values: Any,
    *,
    edges: Any = None,
    against: ColumnProfile | None = None,
    **more: Any,
) -> ColumnProfile:
    """A column of numbers. NaN stands for null."""
    values = np.asarray(values, dtype=float)
    present = values[~np.isnan(values)]
    in_bins: tuple[int, ...] = ()
    if against is not None and against.numbers is not None:
        in_bins = counted(present, against.numbers.edges)
    fields = {"type": "double", "kind": "number", **more}
    return ColumnProfile(
        name=name,
        nulls=int(len(values) - len(present)),
        distinct=len(np.unique(present)),
        numbers=numbers(present, edges),
        in_bins=in_bins,
        **fields,
    )


def category(
    name: str,
    counts: Mapping[str, int],
    *,
    nulls: int = 0,
    most: int = 1_000,
    against: ColumnProfile | None = None,
    **more: Any,
) -> ColumnProfile:
    """A column of categories, by their rows."""
    ranked = sorted(
        ((value, rows) for value, rows in counts.items() if rows), key=lambda one: (-one[1], one[0])
    )
    in_bins: tuple[int, ...] = ()
    if against is not None and against.categories is not None:
        known = [value for value, _ in against.categories.top]
        rows = [counts.get(value, 0) for value in known]
        in_bins = (*rows, sum(counts.values()) - sum(rows))
    fields = {"type": "string", "kind": "category", **more}
    return ColumnProfile(
        name=name,
        nulls=nulls,
        distinct=len(ranked),
        categories=Categories(
            top=tuple(ranked[:most]), others=sum(rows for _, rows in ranked[most:])
        ),
        in_bins=in_bins,
        **fields,
    )


def categories(name: str, values: Iterable[str], **more: Any) -> ColumnProfile:
    return category(name, Counter(values), **more)


def profile(
    rows: int, *columns: ColumnProfile, against: DataProfile | None = None, **more: Any
) -> DataProfile:
    return DataProfile(
        rows=rows,
        columns=columns,
        against=None if against is None else digest_of_value(against),
        **more,
    )


def reference(name: str, content: str, rows: int | None = None, **more: Any) -> DataReference:
    return DataReference(
        name=name, source=f"{name}.parquet", kind="file", digest=digest(content), rows=rows, **more
    )
