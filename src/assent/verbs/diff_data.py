"""`diff --data`: what changed between two data sets, wherever they lie."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from filecmp import cmp
from functools import partial
from pathlib import Path

import msgspec

from assent.compare.data import compare_data
from assent.core.diff.data import DataDiff
from assent.core.digest import Digest
from assent.core.evidence import DataReference
from assent.core.profile import FORMAT, DataProfile, RowChanges
from assent.errors import UsageError
from assent.files import below_its_root, write_atomically
from assent.measure.files import file_digest
from assent.measure.profiles.databases import is_database
from assent.measure.profiles.encoding import decode_profile, encode_profile
from assent.measure.profiles.profile import profile_data
from assent.measure.profiles.reading import Table, open_table
from assent.measure.profiles.rows import row_changes

PROFILE_SUFFIX = ".json.gz"
"""What a saved profile is called."""
_HERE = Path()
_NAME = "data"


class DataDiffResult(msgspec.Struct, frozen=True, kw_only=True):
    """What changed from one data set to another. `notes` say what of their text may be meant
    otherwise than it was read.
    """

    old: str
    new: str
    diff: DataDiff
    notes: tuple[str, ...] = ()


def diff_data(
    old: str,
    new: str,
    *,
    key: Sequence[str] = (),
    label: str | None = None,
    save_profile: Path | None = None,
    rows_only: bool = False,
) -> DataDiffResult:
    """Compare two data sets: files, folders, globs, addresses or tables. `old` may be a profile
    that `save_profile` has written of `new` before. With a `key` they are compared row by row as
    well; with `rows_only` nothing else is.
    """
    doing = f"comparing {old} with {new}"
    if rows_only and not key:
        raise UsageError(doing, "rows are compared by a key", hint="name its columns with --key")
    saved = _saved(Path(old))
    if saved is not None and key:
        raise UsageError(doing, "a profile holds no rows to compare", hint="name the data itself")
    before = after = None
    rows: tuple[RowChanges, ...] = ()
    notes: list[str] = []
    if saved is not None and saved.format != FORMAT:
        notes.append(f"{old}: written in the format {saved.format}: what that adds was not read")
    with ExitStack() as opened:
        right = opened.enter_context(_open(new, rows_only=rows_only))
        left = None if saved is not None else opened.enter_context(_open(old, rows_only=rows_only))
        for source, table in ((old, left), (new, right)):
            notes += () if table is None else [f"{source}: {note}" for note in table.texts.notes]
        if not rows_only:
            before = saved if left is None else profile_data(left, key=key)
            after = profile_data(right, against=before, key=key)
        if left is not None and key:
            rows = (row_changes(left, right, name=_NAME, key=key),)
    if save_profile is not None and after is not None:
        write_atomically(save_profile, encode_profile(after))
    same = _same_bytes(Path(old), Path(new))
    compared = compare_data(
        [_reference(old, before, label, same)],
        [_reference(new, after, label, same)],
        old_profiles={} if before is None else {_NAME: before},
        new_profiles={} if after is None else {_NAME: after},
        row_changes=rows,
    )
    return DataDiffResult(old=old, new=new, diff=compared, notes=tuple(notes))


def _open(source: str, *, rows_only: bool) -> Table:
    """The data, which may be anywhere: whoever names it on a command line may read it. Rows are
    compared by DuckDB alone, so nothing else is imported for them.
    """
    if "://" in source or is_database(source):
        return open_table(_HERE, source, use_pyarrow=not rows_only)
    root, name = below_its_root(source)
    show = partial(_as_written, source, name)
    return open_table(root, name, use_pyarrow=not rows_only, show=show)


def _as_written(source: str, place: str, name: str) -> str:
    """The name of a file as whoever named `source`, which is `place`, would write it."""
    if name == place:
        return source
    if name.startswith(f"{place}/"):
        return source.rstrip("/") + name.removeprefix(place)
    whole = Path(_HERE.absolute().anchor, name)
    return str(whole) if Path(source).is_absolute() else os.path.relpath(whole)


def _saved(path: Path) -> DataProfile | None:
    """The profile that a file is, or None for any other data."""
    if not path.name.endswith(PROFILE_SUFFIX) or not path.is_file():
        return None
    return decode_profile(path.read_bytes())


def _same_bytes(old: Path, new: Path) -> Digest | None:
    """The digest of two files that are the same to the last byte: it says so of the columns, too,
    of whose values only a stand-in is compared.
    """
    if old.is_file() and new.is_file() and cmp(old, new, shallow=False):
        return file_digest(new)
    return None


def _reference(
    source: str, profile: DataProfile | None, label: str | None, digest: Digest | None
) -> DataReference:
    return DataReference(
        name=_NAME,
        source=source,
        kind="file",
        digest=digest,
        rows=None if profile is None else profile.rows,
        label=label,
    )
