"""Data sets side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from msgspec.structs import replace

from assent.compare.alike import are_alike, have_other_values
from assent.compare.bins import MOST_ROWS
from assent.compare.columns import Columns, compare_columns, measured_columns
from assent.core.diff.data import DataChange, DataDiff, MeasuredData
from assent.core.digest import digest_of_value
from assent.core.evidence import DataReference
from assent.core.profile import DataProfile, Overlap, RowChanges

_NONE: Mapping[str, DataProfile] = {}


def compare_data(
    old: Iterable[DataReference],
    new: Iterable[DataReference],
    *,
    old_profiles: Mapping[str, DataProfile] = _NONE,
    new_profiles: Mapping[str, DataProfile] = _NONE,
    overlaps: Iterable[Overlap] = (),
    row_changes: Iterable[RowChanges] = (),
) -> DataDiff:
    """Data sets by name: those that differ, and those that are the same. Profiles are by name too;
    `overlaps` and `row_changes` are the candidate's.

    Two data sets are the same if their content is (by digest). Without a digest, the reference
    and the snapshot must be equal, and there must be a snapshot: the same query tomorrow may
    give other rows.
    """
    before = {data.name: data for data in old}
    after = {data.name: data for data in new}
    rows = {change.data: change for change in row_changes}
    changes: list[DataChange] = []
    same: list[DataReference] = []
    measured: list[MeasuredData] = []
    for name in sorted(before.keys() | after.keys()):
        left = _Side.of(before.get(name), old_profiles)
        right = _Side.of(after.get(name), new_profiles)
        if _are_same(left, right) and right.data is not None:
            columns = _columns_alone(right)
            same.append(right.data)
        else:
            columns = _columns(left, right)
            changes.append(_change(name, left, right, columns, rows.get(name)))
        if right.data is not None:
            measured.append(
                MeasuredData(
                    name=name,
                    rows=right.rows,
                    old_rows=left.rows,
                    is_profiled=right.profile is not None,
                    columns=columns.measured,
                )
            )
    return DataDiff(
        changes=tuple(changes),
        same=tuple(same),
        overlaps=tuple(overlaps),
        measured=tuple(measured),
    )


class _Side(msgspec.Struct, frozen=True):
    """A data set on one side, where it is there, and its profile, where that can be used."""

    data: DataReference | None = None
    profile: DataProfile | None = None

    @classmethod
    def of(cls, data: DataReference | None, profiles: Mapping[str, DataProfile]) -> _Side:
        """The side that `data` is, with its own of `profiles`."""
        return cls() if data is None else cls(data, _usable(profiles.get(data.name)))

    @property
    def rows(self) -> int | None:
        """The number of rows, if that is known."""
        return None if self.data is None else _rows(self.data, self.profile)


def _are_same(left: _Side, right: _Side) -> bool:
    if left.data is None or right.data is None or not _is_same(left.data, right.data):
        return False
    return _agree(left.profile, right.profile)


def _columns_alone(side: _Side) -> Columns:
    return Columns(measured=() if side.profile is None else measured_columns(side.profile))


def _columns(left: _Side, right: _Side) -> Columns:
    """The columns of both, compared where both are there and have a profile."""
    old, new = left.profile, right.profile
    if left.data is None or right.data is None or old is None or new is None:
        return _columns_alone(right)
    labels = left.data.label, right.data.label
    is_counted = _is_counted(new, left.data, old)
    return compare_columns(old, new, labels=labels, is_counted=is_counted)


def _change(
    name: str, left: _Side, right: _Side, columns: Columns, rows: RowChanges | None
) -> DataChange:
    old, new = left.profile, right.profile
    return DataChange(
        name=name,
        old=left.data,
        new=right.data,
        is_profiled=old is not None and new is not None,
        columns=columns.changes,
        same_columns=columns.same,
        alike_columns=columns.alike,
        close_columns=columns.close,
        not_compared=columns.not_compared,
        inconclusive=columns.inconclusive,
        old_duplicates=None if old is None else old.duplicates,
        new_duplicates=None if new is None else new.duplicates,
        old_near_duplicates=None if old is None else old.near_duplicates,
        new_near_duplicates=None if new is None else new.near_duplicates,
        rows=rows,
        old_ragged=0 if old is None else old.ragged,
        new_ragged=0 if new is None else new.ragged,
    )


def _is_same(left: DataReference, right: DataReference) -> bool:
    if left.digest is not None or right.digest is not None:
        return left.digest == right.digest
    return left == right and left.snapshot is not None


def _agree(old: DataProfile | None, new: DataProfile | None) -> bool:
    """Whether profiles of data that is said to be the same say the same: the digest, like all
    evidence, is the word of the change, and what was counted is looked at all the same.
    """
    if old is None or new is None:
        return True
    if replace(old, columns=(), against=None) != replace(new, columns=(), against=None):
        return False
    return len(old.columns) == len(new.columns) and all(
        column.name == other.name
        and are_alike(column, other)
        and not have_other_values(column, other)
        for column, other in zip(old.columns, new.columns, strict=True)
    )


def _usable(profile: DataProfile | None) -> DataProfile | None:
    """A profile that can be meant: it comes from outside. One with two columns of one name, of
    which only one could be judged, is none.
    """
    if profile is None or not 0 <= profile.rows <= MOST_ROWS:
        return None
    names = {column.name for column in profile.columns}
    return profile if len(names) == len(profile.columns) else None


def _is_counted(new: DataProfile, reference: DataReference, old: DataProfile) -> bool:
    """Whether the candidate was counted in the bins of this very profile, known by the digest of
    its file, or of its value.
    """
    if new.against is None:
        return False
    return new.against == reference.profile or new.against == digest_of_value(old)


def _rows(reference: DataReference, profile: DataProfile | None) -> int | None:
    """The rows of a data set: counted in its profile, else as the reference says."""
    return reference.rows if profile is None else profile.rows
