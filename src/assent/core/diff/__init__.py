"""The diff: what changed from the baseline to the candidate. One file per section."""

from __future__ import annotations

from assent.core.diff.data import DataDiff
from assent.core.diff.metrics import MetricChange
from assent.core.diff.model import ModelDiff
from assent.core.diff.predictions import PredictionsDiff
from assent.core.diff.shape import Struct
from assent.core.diff.values import Values
from assent.core.digest import Digest
from assent.core.evidence import Code, Run


class Side(Struct, frozen=True, kw_only=True):
    """One of the two things compared. `version` is None for a bundle that has no number."""

    bundle: Digest
    model_digest: Digest
    version: int | None = None
    code: Code = Code()
    run: Run | None = None


class Diff(Struct, frozen=True, kw_only=True):
    """Everything that changed. Without a baseline every value of the candidate is new. `at` is when
    that is judged, RFC 3339, empty where nobody judges it.
    """

    model: str
    candidate: Side
    baseline: Side | None = None
    metrics: tuple[MetricChange, ...] = ()
    predictions: PredictionsDiff | None = None
    model_files: ModelDiff = ModelDiff()
    data: DataDiff = DataDiff()
    params: Values = Values()
    packages: Values = Values()
    environment: Values = Values()
    at: str = ""

    @property
    def is_unchanged(self) -> bool:
        """Whether nothing differs, and nothing was left uncompared that could."""
        uncompared = self.packages.not_compared + self.environment.not_compared
        if self.predictions is not None:
            uncompared += self.predictions.not_compared
        uncompared += tuple(one.not_compared for one in self.metrics if one.not_compared)
        return self.is_empty and not uncompared

    @property
    def is_empty(self) -> bool:
        """Whether nothing that is compared differs."""
        return not (
            any(metric.is_changed for metric in self.metrics)
            or (self.predictions is not None and _differs(self.predictions))
            or self.model_files.changes
            or self.data.changes
            or self.params.changes
            or self.packages.changes
            or self.environment.changes
        )


def _differs(found: PredictionsDiff) -> bool:
    return bool(found.disagreement or found.scores_changed or found.labels_changed)
