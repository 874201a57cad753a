"""`diff --files`: what changed between the files of two models."""

from __future__ import annotations

from collections.abc import Mapping
from filecmp import cmp
from pathlib import Path

import msgspec

from assent.compare.model import compare_model
from assent.core.bundle import Bundle, Descriptor, ModelFile, model_digest
from assent.core.diff.model import ModelDiff, Weights
from assent.core.digest import digest_of
from assent.files import below_its_root
from assent.measure.model_files import model_files
from assent.measure.models import compare_weights, inspect


class FilesDiffResult(msgspec.Struct, frozen=True, kw_only=True):
    """What changed from the files of one model to those of another."""

    old: str
    new: str
    diff: ModelDiff


def diff_files(old: str, new: str, *, weights: bool = True) -> FilesDiffResult:
    """Compare the files of two models, each a file or a folder, without running them."""
    sides = [dict(model_files(*below_its_root(path))) for path in (old, new)]
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
    compared = compare_model(
        *bundles,
        old_inspection=inspect(sides[0]),
        new_inspection=inspect(sides[1]),
        weights=moved,
    )
    return FilesDiffResult(old=old, new=new, diff=compared)


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
