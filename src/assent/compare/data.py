"""Data sets side by side."""

from __future__ import annotations

from collections.abc import Iterable

from assent.core.diff.data import DataChange, DataDiff
from assent.core.evidence import DataReference


def compare_data(old: Iterable[DataReference], new: Iterable[DataReference]) -> DataDiff:
    """Data sets by name: those that differ, and those that are the same.

    Two data sets are the same if their content is (by digest). Without a digest, the reference
    and the snapshot must be equal, and there must be a snapshot: the same query tomorrow may
    give other rows.
    """
    before = {data.name: data for data in old}
    after = {data.name: data for data in new}
    changes: list[DataChange] = []
    same: list[DataReference] = []
    for name in sorted(before.keys() | after.keys()):
        left, right = before.get(name), after.get(name)
        if left is not None and right is not None and _is_same(left, right):
            same.append(right)
        else:
            changes.append(DataChange(name=name, old=left, new=right))
    return DataDiff(changes=tuple(changes), same=tuple(same))


def _is_same(left: DataReference, right: DataReference) -> bool:
    if left.digest is not None or right.digest is not None:
        return left.digest == right.digest
    return left == right and left.snapshot is not None
