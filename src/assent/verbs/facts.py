"""What is in the files of a bundle: looked into by whoever judges, never believed from evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from assent.compare.bundles import Known, compare
from assent.core.bundle import Bundle
from assent.core.diff import Diff
from assent.core.diff.model import WeightChange
from assent.measure.models.inspect import inspect
from assent.measure.models.weights import compare_weights
from assent.measure.predictions.loading import load_predictions
from assent.measure.profiles.encoding import decode_profile
from assent.ports import Wanted
from assent.verbs.attachments import read_attachment
from assent.verbs.workspace import Workspace


def compare_bundles(
    workspace: Workspace, baseline: Known | None, candidate: Known, *, weights: bool = False
) -> Diff:
    """Look into both bundles and compare them. With `weights`, those of both are read as well:
    nothing is decided by them, but people want to see where a model has moved.
    """
    with files_of(workspace, candidate.bundle) as new_files:
        new = _known(workspace, candidate, new_files)
        if baseline is None:
            return compare(None, new)
        with files_of(workspace, baseline.bundle) as old_files:
            old = _known(workspace, baseline, old_files)
            moved: tuple[WeightChange, ...] = ()
            compared = 0
            if weights and old.bundle.model_digest != new.bundle.model_digest:
                moved, compared = compare_weights(old_files, new_files)
            return compare(old, new, weights=moved, weights_compared=compared)


def _known(workspace: Workspace, known: Known, files: Mapping[str, Path]) -> Known:
    evidence = known.evidence
    profiles = {
        one.name: decode_profile(read_attachment(workspace, evidence, one.profile))
        for one in evidence.data
        if one.profile is not None
    }
    predictions = None
    if evidence.predictions is not None:
        content = read_attachment(workspace, evidence, evidence.predictions.attachment)
        predictions = load_predictions(content, evidence.predictions)
    return msgspec.structs.replace(
        known, inspection=inspect(files), profiles=profiles, predictions=predictions
    )


@contextmanager
def files_of(workspace: Workspace, bundle: Bundle) -> Iterator[Mapping[str, Path]]:
    """The model's files by path, to be looked into: where the store keeps them, else copies."""
    places = {file.path: workspace.store.locate(file.digest) for file in bundle.files}
    away = [file for file in bundle.files if places[file.path] is None]
    if not away:
        yield {path: place for path, place in places.items() if place is not None}
        return
    workspace.work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=workspace.work, prefix=".inspected-") as scratch:
        wanted = [
            Wanted(digest=file.digest, size_bytes=file.size_bytes, path=Path(scratch) / str(number))
            for number, file in enumerate(away)
        ]
        workspace.store.fetch(wanted)
        copies = {file.path: one.path for file, one in zip(away, wanted, strict=True)}
        yield {file.path: copies.get(file.path) or places[file.path] for file in bundle.files}  # type: ignore[misc]  # one of both is there
