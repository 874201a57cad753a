"""Two bundles as one diff."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import UNSET

from assent.compare.data import compare_data
from assent.compare.measured_on import measured_on, of_these_rows
from assent.compare.metrics import compare_metrics
from assent.compare.model import compare_model
from assent.compare.packages import compare_dependencies, compare_environment
from assent.compare.predictions import compare_predictions
from assent.compare.predictions.table import PredictionTable
from assent.compare.values import compare_values
from assent.core import evidence, profile
from assent.core.bundle import Bundle
from assent.core.diff import Diff, Side
from assent.core.diff.metrics import MetricChange
from assent.core.diff.model import Weights
from assent.core.diff.predictions import PredictionsDiff
from assent.core.diff.sameness import NotCompared
from assent.core.evidence import Evidence
from assent.core.inspection import Inspection
from assent.core.profile import DataProfile
from assent.core.scalar import Scalar


class LoadedBundle(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle with its evidence, and its version if it has one. What is in its files and its
    attachments is there where somebody has looked: `inspection` of the model's files, `profiles`
    by data set, `predictions` row by row.
    """

    bundle: Bundle
    evidence: Evidence
    version: int | None = None
    inspection: Inspection | None = None
    profiles: dict[str, DataProfile] = {}
    predictions: PredictionTable | None = None


def compare(
    baseline: LoadedBundle | None,
    candidate: LoadedBundle,
    *,
    weights: Weights | None = None,
) -> Diff:
    """Everything that changed from `baseline` (None: there is none) to `candidate`. `weights` is
    how far those of both have moved apart, which takes their files to tell; None if nobody looked.
    """
    old = None if baseline is None else baseline.evidence
    new = candidate.evidence
    predictions, computed = _predictions(baseline, candidate)
    had = None if baseline is None else _metrics_of(baseline, candidate)
    data = compare_data(
        () if old is None else old.data,
        new.data,
        old_profiles={} if baseline is None else baseline.profiles,
        new_profiles=candidate.profiles,
        overlaps=new.overlaps,
        row_changes=new.row_changes,
    )
    rows = measured_on(predictions, data)
    return Diff(
        model=candidate.bundle.model,
        baseline=None if baseline is None else _side(baseline),
        candidate=_side(candidate),
        metrics=of_these_rows(compare_metrics(had, new.metrics, computed), rows),
        measured_on=rows,
        predictions=predictions,
        model_files=compare_model(
            None if baseline is None else baseline.bundle,
            candidate.bundle,
            old_inspection=None if baseline is None else baseline.inspection,
            new_inspection=candidate.inspection,
            weights=weights,
        ),
        data=data,
        params=compare_values(None if old is None else old.params, new.params),
        packages=compare_dependencies(None if old is None else old.environment, new.environment),
        environment=compare_environment(None if old is None else old.environment, new.environment),
        partly_read=(
            *_partly_read("candidate", candidate),
            *(() if baseline is None else _partly_read("baseline", baseline)),
        ),
    )


def _partly_read(side: str, known: LoadedBundle) -> Iterator[NotCompared]:
    """The documents of a bundle that are of a later format than this release knows."""
    if known.evidence.format != evidence.FORMAT:
        yield _later(f"the evidence of the {side}", known.evidence.format)
    for name, held in known.profiles.items():
        if held.format != profile.FORMAT:
            yield _later(f"the profile of {name} of the {side}", held.format)


def _later(name: str, written_in: str) -> NotCompared:
    return NotCompared(
        name=name,
        reason=f"it has the format {written_in}, which a later Assent has written: what that adds "
        "was not read",
        remedy="upgrade Assent, then run the verb again",
    )


def _predictions(
    baseline: LoadedBundle | None, candidate: LoadedBundle
) -> tuple[PredictionsDiff | None, Sequence[MetricChange]]:
    if candidate.predictions is None:
        return None, ()
    old = None if baseline is None else baseline.predictions
    return compare_predictions(old, candidate.predictions)


def _metrics_of(baseline: LoadedBundle, candidate: LoadedBundle) -> Mapping[str, Scalar]:
    """The baseline's metrics. Those that its predictions give are there whether the candidate has
    predictions or not: a change must not get rid of what it is compared with.
    """
    metrics = baseline.evidence.metrics
    if candidate.predictions is not None or baseline.predictions is None:
        return metrics
    _, alone = compare_predictions(None, baseline.predictions)
    return {**{metric.name: metric.new for metric in alone if metric.new is not UNSET}, **metrics}


def _side(known: LoadedBundle) -> Side:
    return Side(
        bundle=known.bundle.digest,
        model_digest=known.bundle.model_digest,
        version=known.version,
        code=known.evidence.code,
        run=known.evidence.run,
    )
