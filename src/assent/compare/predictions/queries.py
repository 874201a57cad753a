"""How well queries are ranked: one value for each query."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assent.compare.predictions.intervals import Floats, Ints

CUTOFF = 10


def rankings(relevance: Floats, scores: Floats, query: Ints) -> dict[str, Floats]:
    """NDCG at 10, the reciprocal rank of the first relevant row (label above 0), and average
    precision, of every query.

    NDCG is scikit-learn's: gains are the labels themselves, and equal scores share the mean of
    their gains (McSherry and Najork, "Computing information retrieval performance measures
    efficiently in the presence of tied scores", 2008). For the other two, equal scores all have the
    worst of their ranks. A query without a relevant row has 0.
    """
    queries = int(query.max()) + 1
    order = np.lexsort((-scores, query))
    gains, by, ordered = relevance[order], query[order], scores[order]
    rank = _places(by)
    is_first = np.concatenate(([True], (by[1:] != by[:-1]) | (ordered[1:] != ordered[:-1])))
    block = np.cumsum(is_first) - 1
    sizes = np.bincount(block)
    of_query = by[is_first]
    discounts = np.where(rank < CUTOFF, 1 / np.log2(rank + 2), 0.0)
    mean_gain = np.bincount(block, weights=gains) / sizes
    discounted = mean_gain * np.bincount(block, weights=discounts)
    reached = np.bincount(of_query, weights=discounted, minlength=queries)
    best = np.lexsort((-relevance, query))
    ideal = np.bincount(query[best], weights=relevance[best] * discounts, minlength=queries)

    hits = np.bincount(block, weights=gains > 0)
    last_rank = rank[np.cumsum(sizes) - 1] + 1
    before = np.cumsum(hits) - hits
    first_of_query = np.searchsorted(of_query, np.arange(queries))
    so_far = before + hits - before[first_of_query][of_query]
    relevant = np.bincount(of_query, weights=hits, minlength=queries)
    summed = np.bincount(of_query, weights=hits * so_far / last_rank, minlength=queries)
    first = np.zeros(queries)
    with_hit = np.flatnonzero(hits)[::-1]  # the first of a query is written last
    first[of_query[with_hit]] = 1 / last_rank[with_hit]
    return {
        f"ndcg_at_{CUTOFF}": _over(reached, ideal),
        "mrr": first,
        "map": _over(summed, relevant),
    }


def ranks(scores: Floats, query: Ints) -> Ints:
    """The place of every row in its query, from 1."""
    order = np.lexsort((-scores, query))
    places = np.empty(len(scores), dtype=np.int64)
    places[order] = _places(query[order]) + 1
    return places


def _places(by: Ints) -> Ints:
    """Counts from 0 in each run of equal numbers."""
    starts = np.flatnonzero(np.concatenate(([True], by[1:] != by[:-1])))
    lengths = np.diff(np.append(starts, len(by)))
    return np.arange(len(by)) - np.repeat(starts, lengths)


def _over(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    shares: Floats = np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
    return shares
