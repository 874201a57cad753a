"""The diff: what changed from the baseline to the candidate. One file per section."""

from __future__ import annotations

from assent.core.diff.data import DataDiff
from assent.core.diff.metrics import MeasuredOn, MetricChange, sameness_of, vanished
from assent.core.diff.model import ModelDiff
from assent.core.diff.predictions import PredictionsDiff
from assent.core.diff.sameness import NotCompared
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
    that is judged, RFC 3339, empty where nobody judges it. `measured_on` says what is known of the
    rows that metrics of files are of. `partly_read` are documents that a later Assent has written:
    nobody looked at what it has added.
    """

    model: str
    candidate: Side
    baseline: Side | None = None
    metrics: tuple[MetricChange, ...] = ()
    measured_on: MeasuredOn = MeasuredOn()
    predictions: PredictionsDiff | None = None
    model_files: ModelDiff = ModelDiff()
    data: DataDiff = DataDiff()
    params: Values = Values()
    packages: Values = Values()
    environment: Values = Values()
    partly_read: tuple[NotCompared, ...] = ()
    at: str = ""

    @property
    def lost_slices(self) -> tuple[str, ...]:
        """Slices that the baseline has and that the candidate does not have, or next to nothing of,
        whether predictions or a metrics file told of them.
        """
        not_predicted = () if self.predictions is None else self.predictions.slices_lost
        gone = (".".join(parts) for parts in vanished(self.metrics) if self.baseline is not None)
        return tuple(sorted({*not_predicted, *gone}))

    @property
    def is_unchanged(self) -> bool:
        """Whether there was anything to compare, all of it was compared, and nothing differs."""
        there = (
            (len(self.metrics) > 0, sameness_of(self.metrics)),
            (self.predictions is not None, self.predictions and self.predictions.sameness),
            (self.model_files.files > 0, self.model_files.sameness),
            (self.data != DataDiff(), self.data.sameness),
            *(
                (values != Values(), values.sameness)
                for values in (self.params, self.packages, self.environment)
            ),
        )
        looked_at = [same for is_there, same in there if is_there]
        return bool(looked_at) and None not in looked_at and not self.partly_read
