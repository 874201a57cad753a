"""The rows that two tables share, by id."""

from __future__ import annotations

import re
from itertools import pairwise

import msgspec
import numpy as np

from assent.compare.predictions.intervals import Ints
from assent.compare.predictions.table import PredictionTable

_WHOLE = re.compile(r"(-?[0-9]+)\.0", re.ASCII)
MIN_SHARED = 0.99
"""Below this share of the baseline's rows, the two are different samples."""


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
        """Whether (nearly) all of the baseline's are. Rows that only the candidate has change
        nothing in what the two say of the others.
        """
        return self.rows > 0 and self.rows >= MIN_SHARED * self.old_rows

    @property
    def is_complete(self) -> bool:
        """Whether all are."""
        return self.rows == self.old_rows == self.new_rows


def join(old: PredictionTable, new: PredictionTable) -> Join:
    """Rows with the same id. A number and its text are the same id: `7` and `"7"`, and `"7.0"` if
    a whole column is written so, as libraries do after one missing value.
    """
    if old.ids.dtype.kind == new.ids.dtype.kind == "i":
        _, left, right = np.intersect1d(old.ids, new.ids, assume_unique=True, return_indices=True)
    else:
        left, right = _by_text(*_as_written_alike(_texts(old), _texts(new)))
    return Join(old=left, new=right, old_rows=old.rows, new_rows=new.rows)


def _texts(table: PredictionTable) -> list[str]:
    return [str(name) for name in table.ids.tolist()]


def _as_written_alike(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    """Ids of both sides, without the `.0` where all of one side have it and none of the other."""
    ends = [[name.endswith(".0") for name in side] for side in (old, new)]
    if all(ends[0]) and not any(ends[1]):
        return _without_end(old), new
    if all(ends[1]) and not any(ends[0]):
        return old, _without_end(new)
    return old, new


def _without_end(ids: list[str]) -> list[str]:
    whole = [_WHOLE.fullmatch(name) for name in ids]
    return [match[1] if match else "" for match in whole] if all(whole) else ids


def _by_text(old: list[str], new: list[str]) -> tuple[Ints, Ints]:
    is_sorted = all(name < following for name, following in pairwise(new))
    if is_sorted and old == new:  # the usual case: two models on one test set
        return np.arange(len(new)), np.arange(len(new))
    places = {name: at for at, name in enumerate(old)}
    places_of_new = np.fromiter((places.get(name, -1) for name in new), np.int64, len(new))
    right = np.flatnonzero(places_of_new >= 0)
    if not is_sorted:
        right = np.array(sorted(right.tolist(), key=new.__getitem__), dtype=np.int64)
    return places_of_new[right], right
