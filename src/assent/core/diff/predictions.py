"""What changed in the predictions, example by example."""

from __future__ import annotations

from typing import Literal

import msgspec

from assent.core.diff.sameness import NotCompared, Same, sameness
from assent.core.diff.shape import Struct
from assent.core.evidence import Task
from assent.core.scalar import Scalar

MAX_OTHER_LABELS = 0.01
"""With more rows than this share under another label, the two models were asked other questions."""


class Flips(Struct, frozen=True, kw_only=True):
    """Rows by who was right, of those that both models have predicted. Counts."""

    both_right: int
    both_wrong: int
    worse: int
    better: int

    @property
    def rows(self) -> int:
        """All of them."""
        return self.both_right + self.both_wrong + self.worse + self.better

    @property
    def negative(self) -> float:
        """The share of rows that were right and are now wrong (negative flip rate, Yan et al.,
        "Positive-Congruent Training", 2020, arXiv:2011.09161).
        """
        return self.worse / self.rows if self.rows else 0.0

    @property
    def positive(self) -> float:
        """The share of rows that were wrong and are now right."""
        return self.better / self.rows if self.rows else 0.0

    @property
    def compatibility(self) -> float | None:
        """The share of what was right that still is (backward trust compatibility, Srivastava et
        al., "An Empirical Analysis of Backward Compatibility in Machine Learning Systems", 2020,
        arXiv:2008.04572); None if nothing was right.
        """
        right = self.both_right + self.worse
        return self.both_right / right if right else None


class CalibrationBin(Struct, frozen=True, kw_only=True):
    """Rows whose score lies between `low` and `high`: how many, their mean score, and the share
    of them that are positive.
    """

    low: float
    high: float
    rows: int
    score: float
    observed: float


class Confusion(Struct, frozen=True, kw_only=True):
    """Rows by label (outer) and prediction (inner), in the order of `classes`. With very many
    classes, the last one stands for so many `others`: their rows are neither right nor wrong.
    """

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    others: int = 0


class ClassChange(Struct, frozen=True, kw_only=True):
    """How well one class is told from the others: `rows` are of it. Recall is the share of these
    that is found, precision the share of what is taken for it that is it; None without such rows.
    `p` says whether the recall changed by chance, adjusted for all classes (Holm); None where that
    is not known.
    """

    name: str
    rows: int
    old_recall: float | None = None
    new_recall: float | None = None
    old_precision: float | None = None
    new_precision: float | None = None
    p: float | None = None


class Example(Struct, frozen=True, kw_only=True):
    """A row whose prediction changed much. `change` is of the score, of the place in a ranking, or
    in a regression of how far the prediction is off; `shown` are the columns that the configuration
    allows people to see.
    """

    id: str
    label: Scalar
    old: Scalar
    new: Scalar
    old_score: float | None = None
    new_score: float | None = None
    change: float | None = None
    effect: Literal["better", "worse", "other"] = "other"
    shown: dict[str, Scalar] = msgspec.field(default_factory=dict)


class SliceChange(Struct, frozen=True, kw_only=True):
    """One metric in one slice that got worse beyond chance: `p` is adjusted for all the slices
    that were looked at (Holm).
    """

    column: str
    value: str
    metric: str
    rows: int
    change: float
    p: float


class Residuals(Struct, frozen=True, kw_only=True):
    """Prediction minus label of a regression: shares of rows (0-1) in bins between `edges`."""

    edges: tuple[float, ...]
    old: tuple[float, ...]
    new: tuple[float, ...]


class PredictionsDiff(Struct, frozen=True, kw_only=True):
    """Both models on the rows that both have predicted. `joined` counts those; below 99% of
    the baseline's rows `is_paired` is False: then the sides are different samples. Without a
    baseline `old_rows` is None. `labels_changed` counts joined rows whose label is another one
    now; `is_regrouped` says that other rows belong together; `scores_changed` those with another
    score (None: one side has none). Both models are measured by the candidate's labels.
    `slices_untested` counts slices with enough rows of which nothing says how sure their change
    is, `slices_left_out` those that were too many to be looked at, the smallest; `slices_lost` are
    those of the baseline that are gone or have next to no rows left. `classes` are those of
    `classes_changed` that changed most. `problem` says why nothing could be compared.
    """

    task: Task
    new_rows: int
    old_rows: int | None = None
    joined: int = 0
    is_paired: bool = False
    flips: Flips | None = None
    disagreement: float | None = None
    scores_changed: int | None = None
    old_calibration: tuple[CalibrationBin, ...] = ()
    new_calibration: tuple[CalibrationBin, ...] = ()
    old_confusion: Confusion | None = None
    new_confusion: Confusion | None = None
    residuals: Residuals | None = None
    examples: tuple[Example, ...] = ()
    classes: tuple[ClassChange, ...] = ()
    classes_changed: int = 0
    slices: tuple[SliceChange, ...] = ()
    slices_judged: int = 0
    slices_untested: int = 0
    slices_too_small: int = 0
    slices_left_out: int = 0
    slices_lost: tuple[str, ...] = ()
    labels_changed: int = 0
    is_regrouped: bool = False
    problem: str | None = None

    @property
    def not_compared(self) -> tuple[NotCompared, ...]:
        """What of the predictions could not be compared."""
        if self.old_rows is None:
            return ()
        if self.problem is not None:
            return (NotCompared(reason=self.problem),)
        skipped = []
        if self.has_other_labels:
            labels = f"{self.labels_changed:,} of {self.joined:,} rows have another label"
            skipped.append(NotCompared(name="who is right", reason=labels))
        if self.is_regrouped and self.task == "ranking":
            reason = "other rows belong to one query than in the baseline"
            skipped.append(NotCompared(name="rankings", reason=reason))
        if self.disagreement is None or self.scores_changed is None:
            reason = "one of the models has none, or of other classes"
            skipped.append(NotCompared(name="scores or predictions", reason=reason))
        return tuple(skipped)

    @property
    def sameness(self) -> Same | None:
        """That all of the baseline's rows are predicted as before, with its labels and groups."""
        is_changed = bool(self.disagreement or self.scores_changed or self.labels_changed)
        is_whole = self.joined == self.old_rows == self.new_rows and not self.is_regrouped
        return sameness(self.joined, is_changed or not is_whole, self.not_compared)

    @property
    def has_other_labels(self) -> bool:
        """Whether so many labels are others that nothing which depends on them is compared."""
        return self.labels_changed > MAX_OTHER_LABELS * self.joined
