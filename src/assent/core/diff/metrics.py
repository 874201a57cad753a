"""What changed in the metrics."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from msgspec import UNSET, UnsetType

from assent.core.diff.sameness import NotCompared, Same, sameness
from assent.core.diff.shape import Struct
from assent.core.scalar import Scalar

Better = Literal["higher", "lower"]

MIN_SLICE_ROWS = 30
"""A slice with fewer rows is shown, and never judged."""


class Interval(Struct, frozen=True, kw_only=True):
    """A two-sided confidence interval. `n` is the number of rows it rests on, `method` the name
    of what computed it (`DeLong`, `paired t`, `multinomial bootstrap`), `is_paired` whether both
    models were measured on the same rows, `disagreement` the share of rows on which they differ.
    `lower` and `upper` are the two one-sided bounds of the same confidence, `p` the two-sided
    p-value of "no change", where there is a test. `is_stated`: put together from the standard
    errors that the metrics files of both sides give, as of different rows.
    """

    low: float
    high: float
    n: int
    method: str
    confidence: float = 0.95
    is_paired: bool = True
    disagreement: float | None = None
    lower: float | None = None
    upper: float | None = None
    p: float | None = None
    is_stated: bool = False


class Own(Struct, frozen=True, kw_only=True):
    """A metric as each side has measured it: on all of its own rows, with its own labels."""

    old: Scalar | UnsetType = UNSET
    new: Scalar | UnsetType = UNSET


class MeasuredOn(Struct, frozen=True, kw_only=True):
    """Whether both sides were measured on the same rows with the same labels, as far as predictions
    or the data sets of the test tell; `reason` says how it is known that they are others.
    """

    rows: Literal["same", "other", "unknown"] = "unknown"
    reason: str = ""


class MetricChange(Struct, frozen=True, kw_only=True):
    """One metric on both sides; `UNSET` is "not there". `change` and `relative` (a fraction of
    the baseline's absolute value) are None where there is no number to give. `better` is the
    direction that is an improvement, where it is known. `interval` is that of `change`, where
    predictions allow one or the files give standard errors; `rows` the size of the slice on the
    candidate's side, where it is known.
    `is_computed`: from the predictions, not from a metrics file. `is_disputed`: a metrics file and
    the predictions give different values, so this name is listed once for each.

    `old`, `new`, `change` and `interval` are of the same rows with the same labels wherever that
    can be. `own` is there if each side by itself has another value. `not_compared` says why `old`
    and `new` are not of the same thing: then `change` says nothing of the model. `no_interval` says
    why the predictions, or the standard errors, of both sides give none.
    """

    name: str
    old: Scalar | UnsetType = UNSET
    new: Scalar | UnsetType = UNSET
    change: int | float | None = None
    relative: float | None = None
    better: Better | None = None
    is_changed: bool = False
    interval: Interval | None = None
    rows: int | None = None
    is_computed: bool = False
    is_disputed: bool = False
    own: Own | None = None
    not_compared: NotCompared | None = None
    no_interval: str = ""

    @property
    def alone(self) -> Scalar | UnsetType:
        """The candidate's value by itself: on all of its rows, with its own labels."""
        return self.new if self.own is None else self.own.new

    @property
    def is_of_small_slice(self) -> bool:
        """Whether this is a metric of a slice that is known to have too few rows to be judged."""
        is_few = self.rows is not None and self.rows < MIN_SLICE_ROWS
        return is_few and slice_of(self.name) is not None


def sameness_of(metrics: Sequence[MetricChange]) -> Same | None:
    """Whether every metric is there on both sides with one value, which nobody disputes."""
    is_open = any(
        metric.is_changed or metric.is_disputed or metric.old is UNSET or metric.new is UNSET
        for metric in metrics
    )
    left = [metric.not_compared for metric in metrics if metric.not_compared is not None]
    return sameness(len(metrics), is_open, left)


def vanished(metrics: Sequence[MetricChange]) -> tuple[tuple[str, str], ...]:
    """Column and value of the slices of which the baseline has metrics and the candidate none,
    but for those that are known to have had too few rows.
    """
    there: dict[tuple[str, str], bool] = {}
    for metric in metrics:
        of_slice = slice_of(metric.name)
        if of_slice is not None and not metric.is_of_small_slice:
            slice_ = of_slice[:2]
            there[slice_] = there.get(slice_, False) or metric.alone is not UNSET
    return tuple(slice_ for slice_, is_there in there.items() if not is_there)


_OF_NO_ROWS = frozenset(
    """
    latency duration runtime throughput time memory ram vram size params parameters flops macs
    energy inference cpu gpu
    """.split()
)
"""A word in a name by which a metric is not of the rows that models are tested on."""

_OF_TRAINING = frozenset({"train", "training"})
_OF_PREDICTIONS = frozenset(
    """
    mae mse rmse rmsle mape smape wape medae error r2 loss accuracy acc auc roc ap f1 fbeta
    precision recall specificity sensitivity score logloss brier ndcg mcc kappa
    """.split()
)
"""A word by which it is all the same: `energy_mae` is how well an energy is predicted."""


def is_of_rows(name: str) -> bool:
    """Whether a metric of this name may depend on which rows a model is tested on, with which
    labels: all do but what training, time and size are measured by.
    """
    words = set(re.split(r"[^a-z0-9]+", name.lower()))
    if name.startswith("cost.") or words & _OF_TRAINING:
        return False
    return not words & _OF_NO_ROWS or bool(words & _OF_PREDICTIONS)


_OF_ANOTHER = re.compile(
    r"(?:.*\.)?(?:[^.]*_stderr(?:,[^.]*)?|n[-_]samples(?:\..*)?|best_at\..*)", re.DOTALL
)


def is_about_another(name: str) -> bool:
    """Whether this is a standard error, a number of rows as lm-eval writes it, or the epoch of a
    best value: it tells of another metric, and nothing of the model by itself.
    """
    return _OF_ANOTHER.fullmatch(name) is not None


def slice_of(name: str) -> tuple[str, str, str] | None:
    """Column, value and metric of `slices.<column>.<value>.<metric>`; None for any other name."""
    if not name.startswith("slices.") or name.count(".") < 3:
        return None
    _, column, rest = name.split(".", 2)
    value, metric = rest.rsplit(".", 1)
    return column, value, metric
