"""Data sets side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
    rows = {one.data: one for one in row_changes}
    changes: list[DataChange] = []
    same: list[DataReference] = []
    measured: list[MeasuredData] = []
    for name in sorted(before.keys() | after.keys()):
        left, right = before.get(name), after.get(name)
        ours = None if left is None else _usable(old_profiles.get(name))
        theirs = None if right is None else _usable(new_profiles.get(name))
        columns = Columns(measured=() if theirs is None else measured_columns(theirs))
        is_same = left is not None and right is not None and _is_same(left, right)
        if right is not None and is_same and _agree(ours, theirs):
            same.append(right)
        else:
            if left and right and ours and theirs:
                is_counted = _is_counted(theirs, left, ours)
                labels = left.label, right.label
                columns = compare_columns(ours, theirs, labels=labels, is_counted=is_counted)
            changes.append(
                DataChange(
                    name=name,
                    old=left,
                    new=right,
                    is_profiled=ours is not None and theirs is not None,
                    columns=columns.changes,
                    same_columns=columns.same,
                    alike_columns=columns.alike,
                    close_columns=columns.close,
                    not_compared=columns.not_compared,
                    inconclusive=columns.inconclusive,
                    old_duplicates=None if ours is None else ours.duplicates,
                    new_duplicates=None if theirs is None else theirs.duplicates,
                    old_near_duplicates=None if ours is None else ours.near_duplicates,
                    new_near_duplicates=None if theirs is None else theirs.near_duplicates,
                    rows=rows.get(name),
                    old_ragged=0 if ours is None else ours.ragged,
                    new_ragged=0 if theirs is None else theirs.ragged,
                )
            )
        if right is not None:
            measured.append(
                MeasuredData(
                    name=name,
                    rows=_rows(right, theirs),
                    old_rows=None if left is None else _rows(left, ours),
                    is_profiled=theirs is not None,
                    columns=columns.measured,
                )
            )
    return DataDiff(
        changes=tuple(changes),
        same=tuple(same),
        overlaps=tuple(overlaps),
        measured=tuple(measured),
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
        one.name == other.name and are_alike(one, other) and not have_other_values(one, other)
        for one, other in zip(old.columns, new.columns, strict=True)
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
