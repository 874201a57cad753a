"""The bootstrap of whatever is a function of sums."""

from __future__ import annotations

import numpy as np

from assent.compare.predictions.intervals import Floats, Ints

SEED = 20_240_229
MAX_BLOCKS = 10_000
_MAX_BLOCK_VALUES = 5_000_000
_CHUNK_VALUES = 4_000_000
_ONE_THREAD = 400_000


def sums_by_group(columns: Floats, group: Ints | None) -> Floats:
    """The rows of `columns` added up by group; each row alone without groups."""
    if group is None:
        return columns
    groups = int(group.max()) + 1
    return np.stack(
        [np.bincount(group, weights=column, minlength=groups) for column in columns.T], axis=1
    )


def draw_sums(units: Floats, draws: int, seed: int = SEED) -> Floats:
    """Sums of the columns over as many units as there are, drawn with replacement: one row for
    each draw. The same units give the same draws; other ones need another seed to be independent.

    More than `MAX_BLOCKS` units are first dealt out at random into that many blocks, which are
    then drawn: a sum varies as much (the blocks are as independent as the units), and the time
    does not grow with the rows.
    """
    random = np.random.default_rng(seed)
    width = units.shape[1]
    most = max(500, min(MAX_BLOCKS, _MAX_BLOCK_VALUES // max(1, width)))
    if len(units) > most:
        place = random.permutation(len(units)) % most
        units = sums_by_group(units, place)
    count = len(units)
    step = max(1, _CHUNK_VALUES // count)
    drawn = np.empty((draws, width))
    for start in range(0, draws, step):
        size = min(step, draws - start)
        picked = random.integers(0, count, size=(size, count), dtype=np.int32)
        picked += (np.arange(size, dtype=np.int32) * np.int32(count))[:, None]
        times = np.bincount(picked.ravel(), minlength=size * count).reshape(size, count)
        drawn[start : start + size] = product(times.astype(np.float64), units)
    return drawn


def product(left: Floats, right: Floats) -> Floats:
    """The matrix product, in pieces that are too small for the linear algebra below NumPy to start
    threads: for tall and narrow matrices they cost more than they give, above all on a machine
    that others use as well.
    """
    step = max(1, _ONE_THREAD // right.size)
    if step >= len(left):
        return left @ right
    return np.concatenate([left[at : at + step] @ right for at in range(0, len(left), step)])
