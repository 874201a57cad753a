"""`diff`: what changed between any two versions, stages, bundles or revisions, or two files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from filecmp import cmp
from functools import partial
from pathlib import Path

import msgspec

from assent.compare.data import compare_data
from assent.compare.model import compare_model
from assent.core.bundle import Bundle, Descriptor, ModelFile, model_digest
from assent.core.diff import Diff
from assent.core.diff.data import DataDiff
from assent.core.diff.model import ModelDiff, Weights
from assent.core.digest import Digest, digest_of
from assent.core.evidence import DataReference
from assent.core.profile import DataProfile, RowChanges
from assent.errors import UsageError
from assent.files import write_atomically
from assent.judging.inspection import compare_bundles
from assent.making.bundle_lookup import baseline, find
from assent.measure.files import file_digest
from assent.measure.model_files import model_files
from assent.measure.models import compare_weights, inspect
from assent.measure.profiles.databases import is_database
from assent.measure.profiles.encoding import decode_profile, encode_profile
from assent.measure.profiles.profile import profile_data
from assent.measure.profiles.reading import Table, open_table
from assent.measure.profiles.rows import row_changes
from assent.policy.directions import directed
from assent.recording.reading import read_ledger
from assent.workspace import Workspace

PROFILE_SUFFIX = ".json.gz"
"""What a saved profile is called."""
_HERE = Path()
_NAME = "data"


class DiffResult(msgspec.Struct, frozen=True, kw_only=True):
    """What changed from `old` to `new`, as they were named."""

    model: str
    old: str
    new: str
    diff: Diff


class DataDiffResult(msgspec.Struct, frozen=True, kw_only=True):
    """What changed from one data set to another. `notes` say what of their text may be meant
    otherwise than it was read.
    """

    old: str
    new: str
    diff: DataDiff
    notes: tuple[str, ...] = ()


class FilesDiffResult(msgspec.Struct, frozen=True, kw_only=True):
    """What changed from the files of one model to those of another."""

    old: str
    new: str
    diff: ModelDiff


def diff(
    workspace: Workspace, model: str, old: str | None = None, new: str | None = None
) -> DiffResult:
    """Compare `old` (None: the baseline of a review) with `new` (None: the working tree's)."""
    view = read_ledger(workspace, model)
    candidate = find(workspace, view, model, new)
    if old is not None:
        before = find(workspace, view, model, old)
    else:
        stages = list(workspace.binding_policy(model).stages)
        found = baseline(workspace, view, model, stages)
        if found is None:
            raise UsageError(
                f"comparing {model}", "there is no baseline yet", hint="name two things to compare"
            )
        before = found
    compared = compare_bundles(workspace, before, candidate, weights=True)
    policy = workspace.base_policy(model)
    return DiffResult(
        model=model,
        old=old or "baseline",
        new=new or "working tree",
        diff=compared if policy is None else directed(policy, compared),
    )


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
    found = compare_data(
        [_reference(old, before, label, same)],
        [_reference(new, after, label, same)],
        old_profiles={} if before is None else {_NAME: before},
        new_profiles={} if after is None else {_NAME: after},
        row_changes=rows,
    )
    return DataDiffResult(old=old, new=new, diff=found, notes=tuple(notes))


def diff_files(old: str, new: str, *, weights: bool = True) -> FilesDiffResult:
    """Compare the files of two models, each a file or a folder, without running them."""
    sides = [dict(model_files(*_place(path))) for path in (old, new)]
    same = {
        name: path.stat().st_size
        for name, path in sides[0].items()
        if name in sides[1] and cmp(path, sides[1][name], shallow=False)
    }
    if weights and len(same) < max(map(len, sides)):
        moved: Weights | None = compare_weights(*sides)
    else:
        moved = None
    bundles = [_stand_in(files, same, str(side)) for side, files in enumerate(sides)]
    found = compare_model(
        *bundles,
        old_inspection=inspect(sides[0]),
        new_inspection=inspect(sides[1]),
        weights=moved,
    )
    return FilesDiffResult(old=old, new=new, diff=found)


def _open(source: str, *, rows_only: bool) -> Table:
    """The data, which may be anywhere: whoever names it on a command line may read it. Rows are
    compared by DuckDB alone, so nothing else is imported for them.
    """
    if "://" in source or is_database(source):
        return open_table(_HERE, source, use_pyarrow=not rows_only)
    root, name = _place(source)
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


def _place(path: str) -> tuple[Path, str]:
    """A path as a folder and a name below it."""
    whole = Path(os.path.abspath(path))  # noqa: PTH100  # without following links
    return Path(whole.anchor), whole.relative_to(whole.anchor).as_posix()


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


def _stand_in(files: Mapping[str, Path], same: Mapping[str, int], side: str) -> Bundle:
    """Files as a bundle, to be compared. Nobody needs their digests, only which are the same: so
    the digests are of names.
    """
    listed = tuple(
        ModelFile(
            path=name,
            digest=digest_of((name if name in same else f"{side}:{name}").encode()),
            size_bytes=path.stat().st_size,
        )
        for name, path in files.items()
    )
    nothing = Descriptor(media_type="", digest=digest_of(b""), size=0)
    return Bundle(
        digest=model_digest(listed),
        model="",
        model_digest=model_digest(listed),
        files=listed,
        evidence=nothing,
        config=nothing,
    )
