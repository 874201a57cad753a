"""What is in the files of a bundle: looked into by whoever judges, never believed from evidence."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import msgspec

from assent.compare.bundles import LoadedBundle, compare
from assent.core.bundle import Bundle, ModelFile
from assent.core.diff import Diff
from assent.core.diff.model import Weights
from assent.core.digest import Digest, short
from assent.core.evidence import Evidence
from assent.core.inspection import Inspection
from assent.errors import AssentError, IntegrityError
from assent.files import scratch_folder
from assent.judging.kept_inspections import kept_inspection
from assent.making.attachments import attachment_file, read_attachment
from assent.making.bundles import require_sound
from assent.measure.models import compare_weights, inspect
from assent.measure.predictions.loading import load_predictions
from assent.measure.profiles.encoding import MAX_BYTES as MAX_PROFILE_BYTES
from assent.measure.profiles.encoding import decode_profiles
from assent.ports import View, Wanted
from assent.workspace import Workspace

MAX_DATA_SETS = 100
MAX_ATTACHMENTS = 1_000
"""The most data sets and attachments of a bundle that is judged: each is read and shown."""
MAX_SEEN = 8
"""Of how many bundles a run remembers what it has seen in them."""


def compare_bundles(
    workspace: Workspace,
    view: View,
    baseline: LoadedBundle | None,
    candidate: LoadedBundle,
    *,
    weights: bool = False,
) -> Diff:
    """Look into both bundles and compare them. With `weights`, those of both are read as well:
    nothing is decided by them, but people want to see where a model has moved.

    Raises `IntegrityError` if the baseline is damaged: what a candidate is compared with decides.
    """
    with BundleFiles(workspace, candidate.bundle) as new_files:
        new = _known(workspace, view, candidate, new_files)
        if baseline is None:
            return compare(None, new)
        require_sound(
            workspace, baseline.bundle, f"reading the baseline of {baseline.bundle.model}"
        )
        with BundleFiles(workspace, baseline.bundle) as old_files:
            old = _known(workspace, view, baseline, old_files)
            moved: Weights | None = None
            if weights and old.bundle.model_digest != new.bundle.model_digest:
                moved = _weights(workspace, (old, old_files), (new, new_files))
            return compare(old, new, weights=moved)


def _weights(
    workspace: Workspace,
    old: tuple[LoadedBundle, BundleFiles],
    new: tuple[LoadedBundle, BundleFiles],
) -> Weights:
    """How far the weights have moved. No gate looks at it, so that files which cannot be compared,
    a missing library, and a disk that is too small are no reason to judge nothing.
    """
    if not (_has_tensors(old[0]) and _has_tensors(new[0])):
        return Weights()  # and nothing is fetched for it
    try:
        after = new[1].paths()
        same = {file.digest: after[file.path] for file in new[0].bundle.files}
        return compare_weights(old[1].paths(same), after)
    except IntegrityError:
        raise
    except AssentError as error:
        problem = error.problem
    except Exception as error:  # what stumbles over a hostile file, as in `inspect`
        problem = type(error).__name__
    workspace.say(f"the weights are not compared: {problem}")
    return Weights(problem=problem)


def _has_tensors(known: LoadedBundle) -> bool:
    return known.inspection is None or any(part.tensors for part in known.inspection.parts)


def _known(
    workspace: Workspace, view: View, known: LoadedBundle, files: BundleFiles
) -> LoadedBundle:
    evidence = known.evidence
    _require_sound(evidence)
    profiles = decode_profiles(
        {
            data_set.name: read_attachment(
                workspace, evidence, data_set.profile, most=MAX_PROFILE_BYTES
            )
            for data_set in evidence.data
            if data_set.profile is not None
        }
    )
    predictions = None
    if evidence.predictions is not None:
        with attachment_file(workspace, evidence, evidence.predictions.attachment) as file:
            predictions = load_predictions(file, evidence.predictions)
    return msgspec.structs.replace(
        known,
        inspection=_inspection(workspace, view, known.bundle, files),
        profiles=profiles,
        predictions=predictions,
    )


def _inspection(workspace: Workspace, view: View, bundle: Bundle, files: BundleFiles) -> Inspection:
    """What is in the model's files: as this run has seen it, as the ledger proves that somebody has
    seen it who registered it, else as they say.
    """
    seen = workspace.inspected
    inspection = seen.get(bundle.digest) or kept_inspection(workspace, view, bundle)
    if inspection is None:
        inspection = inspect(files.paths())
    while len(seen) >= MAX_SEEN:
        del seen[next(iter(seen))]
    seen[bundle.digest] = inspection
    return inspection


def _require_sound(evidence: Evidence) -> None:
    """Refuse what no evaluation writes, and what would be judged as something else than it shows:
    two data sets of one name, thousands of them, and numbers that only some programs can hold.
    """
    doing = f"reading the evidence of {evidence.model}"
    names = [data_set.name for data_set in evidence.data]
    if len(names) > MAX_DATA_SETS or len(evidence.attachments) > MAX_ATTACHMENTS:
        raise IntegrityError(
            doing,
            f"{len(names):,} data sets and {len(evidence.attachments):,} attachments, where "
            f"{MAX_DATA_SETS:,} and {MAX_ATTACHMENTS:,} are read at most",
        )
    if len(set(names)) < len(names):
        raise IntegrityError(doing, "it has two data sets of one name")
    counted = {name for overlap in evidence.overlaps for name in (overlap.first, overlap.second)}
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


class BundleFiles:
    """The model's files by path, to be looked into: where the store keeps them, else copies, which
    are there until the block ends. Nothing is fetched before somebody asks for it.
    """

    def __init__(self, workspace: Workspace, bundle: Bundle) -> None:
        self._workspace = workspace
        self._bundle = bundle
        self._doing = f"looking into bundle {short(bundle.digest)}"
        self._scratch = ExitStack()
        self._places: dict[Digest, Path] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._scratch.close()
        self._places.clear()

    def paths(self, known: Mapping[Digest, Path] | None = None) -> Mapping[str, Path]:
        """Where each file is; what is `known` to lie somewhere is looked at there. Raises
        `OutsideError` if the disk has no room for what must be fetched.
        """
        known = known or {}
        files = self._bundle.files
        away = {
            file.digest: file.size_bytes
            for file in files
            if file.digest not in known and not self._locate(file)
        }
        self._fetch(away)
        return {file.path: known.get(file.digest) or self._places[file.digest] for file in files}

    def _locate(self, file: ModelFile) -> bool:
        if file.digest in self._places:
            return True
        place = self._workspace.store.locate(file.digest)
        if place is None:
            return False
        if place.stat().st_size != file.size_bytes:
            raise IntegrityError(
                self._doing, f"{file.path!r} has another size than the bundle says"
            )
        self._places[file.digest] = place
        return True

    def _fetch(self, away: Mapping[Digest, int]) -> None:
        if not away:
            return
        workspace = self._workspace
        scratch = self._scratch.enter_context(scratch_folder(workspace.work, ".inspected-"))
        wanted = [
            Wanted(digest=digest, size_bytes=size, path=scratch / str(number), is_scratch=True)
            for number, (digest, size) in enumerate(away.items())
        ]
        workspace.store.fetch(wanted)
        self._places.update({blob.digest: blob.path for blob in wanted})
