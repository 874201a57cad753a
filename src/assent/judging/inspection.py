"""What is in the files of a bundle: looked into by whoever judges, never believed from evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from assent.compare.bundles import LoadedBundle, compare
from assent.core.bundle import Bundle
from assent.core.diff import Diff
from assent.core.diff.model import Weights
from assent.core.digest import short
from assent.core.evidence import Evidence
from assent.errors import AssentError, IntegrityError
from assent.files import scratch_folder
from assent.making.attachments import attachment_file, read_attachment
from assent.making.bundles import require_sound
from assent.measure.models import compare_weights, inspect
from assent.measure.predictions.loading import load_predictions
from assent.measure.profiles.encoding import MAX_BYTES as MAX_PROFILE_BYTES
from assent.measure.profiles.encoding import decode_profiles
from assent.ports import Wanted
from assent.workspace import Workspace

MAX_DATA_SETS = 100
MAX_ATTACHMENTS = 1_000
"""The most data sets and attachments of a bundle that is judged: each is read and shown."""


def compare_bundles(
    workspace: Workspace,
    baseline: LoadedBundle | None,
    candidate: LoadedBundle,
    *,
    weights: bool = False,
) -> Diff:
    """Look into both bundles and compare them. With `weights`, those of both are read as well:
    nothing is decided by them, but people want to see where a model has moved.

    Raises `IntegrityError` if the baseline is damaged: what a candidate is compared with decides.
    """
    with files_of(workspace, candidate.bundle) as new_files:
        new = _known(workspace, candidate, new_files)
        if baseline is None:
            return compare(None, new)
        require_sound(
            workspace, baseline.bundle, f"reading the baseline of {baseline.bundle.model}"
        )
        with files_of(workspace, baseline.bundle) as old_files:
            old = _known(workspace, baseline, old_files)
            moved: Weights | None = None
            if weights and old.bundle.model_digest != new.bundle.model_digest:
                moved = _weights(workspace, old_files, new_files)
            return compare(old, new, weights=moved)


def _weights(workspace: Workspace, old: Mapping[str, Path], new: Mapping[str, Path]) -> Weights:
    """How far the weights have moved. No gate looks at it, so that files which cannot be compared,
    and a missing library, are no reason to judge nothing.
    """
    try:
        return compare_weights(old, new)
    except AssentError as error:
        problem = error.problem
    except Exception as error:  # what stumbles over a hostile file, as in `inspect`
        problem = type(error).__name__
    workspace.say(f"the weights are not compared: {problem}")
    return Weights(problem=problem)


def _known(workspace: Workspace, known: LoadedBundle, files: Mapping[str, Path]) -> LoadedBundle:
    evidence = known.evidence
    _require_sound(evidence)
    profiles = decode_profiles(
        {
            one.name: read_attachment(workspace, evidence, one.profile, most=MAX_PROFILE_BYTES)
            for one in evidence.data
            if one.profile is not None
        }
    )
    predictions = None
    if evidence.predictions is not None:
        with attachment_file(workspace, evidence, evidence.predictions.attachment) as file:
            predictions = load_predictions(file, evidence.predictions)
    return msgspec.structs.replace(
        known, inspection=inspect(files), profiles=profiles, predictions=predictions
    )


def _require_sound(evidence: Evidence) -> None:
    """Refuse what no evaluation writes, and what would be judged as something else than it shows:
    two data sets of one name, thousands of them, and numbers that only some programs can hold.
    """
    doing = f"reading the evidence of {evidence.model}"
    names = [one.name for one in evidence.data]
    if len(names) > MAX_DATA_SETS or len(evidence.attachments) > MAX_ATTACHMENTS:
        raise IntegrityError(
            doing,
            f"{len(names):,} data sets and {len(evidence.attachments):,} attachments, where "
            f"{MAX_DATA_SETS:,} and {MAX_ATTACHMENTS:,} are read at most",
        )
    if len(set(names)) < len(names):
        raise IntegrityError(doing, "it has two data sets of one name")
    counted = {name for one in evidence.overlaps for name in (one.first, one.second)}
    if not counted <= set(names):
        raise IntegrityError(doing, "it has counted what is shared with data that it does not name")
    waiting: list[Any] = [msgspec.to_builtins(evidence)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
        elif isinstance(value, int) and not -(2**63) <= value < 2**64:
            raise IntegrityError(doing, "a number of more than 64 bits is in it")


@contextmanager
def files_of(workspace: Workspace, bundle: Bundle) -> Iterator[Mapping[str, Path]]:
    """The model's files by path, to be looked into: where the store keeps them, else copies."""
    places = {file.path: workspace.store.locate(file.digest) for file in bundle.files}
    for file in bundle.files:
        place = places[file.path]
        if place is not None and place.stat().st_size != file.size_bytes:
            raise IntegrityError(
                f"looking into bundle {short(bundle.digest)}",
                f"{file.path!r} has another size than the bundle says",
            )
    away = [file for file in bundle.files if places[file.path] is None]
    if not away:
        yield {path: place for path, place in places.items() if place is not None}
        return
    with scratch_folder(workspace.work, ".inspected-") as scratch:
        wanted = [
            Wanted(digest=file.digest, size_bytes=file.size_bytes, path=scratch / str(number))
            for number, file in enumerate(away)
        ]
        workspace.store.fetch(wanted)
        copies = {file.path: one.path for file, one in zip(away, wanted, strict=True)}
        yield {file.path: copies.get(file.path) or places[file.path] for file in bundle.files}  # type: ignore[misc]  # one of both is there
