"""The rows that two tables share, by id."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np

from assent.compare.predictions.intervals import Ints
from assent.compare.predictions.table import PredictionTable

MIN_SHARED = 0.99
"""Below this share of either side, the two are different samples."""


class Join(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The places of the shared rows on each side, in the order of their ids."""

    old: Ints
    new: Ints
    old_rows: int
    new_rows: int

    @property
    def rows(self) -> int:
        """How many are shared."""
        return len(self.new)

    @property
    def is_paired(self) -> bool:
        """Whether (nearly) all are."""
        return self.rows > 0 and self.rows >= MIN_SHARED * max(self.old_rows, self.new_rows)

    @property
    def is_complete(self) -> bool:
        """Whether all are."""
        return self.rows == self.old_rows == self.new_rows


def join(old: PredictionTable, new: PredictionTable) -> Join:
    """Rows with the same id. A number and its text are the same id: `7` and `"7"`."""
    if old.ids.dtype.kind == new.ids.dtype.kind == "i":
        _, left, right = np.intersect1d(old.ids, new.ids, assume_unique=True, return_indices=True)
    else:
        places = {name: at for at, name in enumerate(map(str, old.ids.tolist()))}
        names = [str(name) for name in new.ids.tolist()]
        found = np.fromiter((places.get(name, -1) for name in names), np.int64, len(names))
        right = np.flatnonzero(found >= 0)
        if any(one >= following for one, following in pairwise(names)):
            right = np.array(sorted(right.tolist(), key=names.__getitem__), dtype=np.int64)
        left = found[right]
    return Join(old=left, new=right, old_rows=old.rows, new_rows=new.rows)
