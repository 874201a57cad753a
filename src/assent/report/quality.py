"""How many metrics got better and worse, of which that can be said."""

from __future__ import annotations

from collections import Counter

import msgspec

from assent.core.diff import Diff
from assent.core.diff.metrics import MetricChange, is_about_another, sameness_of
from assent.core.diff.predictions import ClassChange
from assent.core.diff.sameness import Same
from assent.core.units import count
from assent.report.numbers import Effect
from assent.report.sections.metrics import effect_of
from assent.report.sections.shapes import UNCHANGED

_CHANCE = 0.05


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """Metrics by what their change means, those of slices among them; costs and slices that are too
    small are left out. `chance` are those whose interval holds 0, `unsure` those that changed and
    of which nothing says which way is better, or how sure the change is. `classes` are those of
    which the recall fell beyond chance.
    """

    has_baseline: bool = True
    better: int = 0
    worse: int = 0
    chance: int = 0
    unsure: int = 0
    equal: int = 0
    gone: int = 0
    not_compared: int = 0
    classes: int = 0
    same: Same | None = None

    @property
    def compared(self) -> int:
        """All of which can be said whether they are better or worse."""
        return self.better + self.worse + self.chance + self.equal

    @property
    def words(self) -> str:
        """What a person would say; empty where there are no metrics at all."""
        if not self.has_baseline:
            return "no baseline to compare with"
        fallen = [f"recall fell in {count(self.classes, 'class', 'classes')}"]
        parts = self._of_metrics + (fallen if self.classes else [])
        return ", ".join(parts) or "no metric to compare"

    @property
    def is_worse(self) -> bool:
        """Whether something got worse, and nothing better."""
        return bool(self.worse or self.gone or self.classes) and not self.better

    @property
    def is_better(self) -> bool:
        """Whether something got better, and nothing worse."""
        return bool(self.better) and not (self.worse or self.gone or self.classes)

    @property
    def _of_metrics(self) -> list[str]:
        if self.same is not None:
            return [f"{count(self.same.things, 'metric')} {UNCHANGED}"]
        parts = [self._of_compared] if self.compared else []
        parts += [f"{self.unsure:,} changed without a verdict"] if self.unsure else []
        parts += [f"{self.gone:,} missing or not a number"] if self.gone else []
        parts += [f"{self.not_compared:,} not compared"] if self.not_compared else []
        return parts

    @property
    def _of_compared(self) -> str:
        of = f"of {count(self.compared, 'metric')}"
        if self.better and self.worse:
            return f"better in {self.better:,} and worse in {self.worse:,} {of}"
        if self.better or self.worse:
            word = "better" if self.better else "worse"
            return f"{word} in {self.better or self.worse:,} {of}"
        return f"none {of} better or worse beyond chance"


def quality_of(diff: Diff) -> Quality:
    """What the metrics of a diff say of the model."""
    if diff.baseline is None:
        return Quality(has_baseline=False)
    counts = Counter(effect_of(metric) for metric in diff.metrics if is_of_quality(metric))
    unsure = sum(is_of_quality(metric) and _is_unsure(metric) for metric in diff.metrics)
    return Quality(
        better=counts[Effect.BETTER],
        worse=counts[Effect.WORSE],
        chance=counts[Effect.CHANGED] - unsure,
        unsure=unsure,
        equal=counts[Effect.UNCHANGED],
        gone=counts[Effect.MISSING] + counts[Effect.NO_NUMBER],
        not_compared=counts[Effect.NOT_COMPARED],
        classes=len(worse_classes(diff)),
        same=sameness_of(diff.metrics),
    )


def is_of_quality(metric: MetricChange) -> bool:
    """Whether a metric is of the model, and not of what it took to make it or of another one."""
    is_other = metric.name.startswith("cost.") or is_about_another(metric.name)
    return not is_other and not metric.is_of_small_slice


def _is_unsure(metric: MetricChange) -> bool:
    """Whether it changed, and nobody knows whether that is better, or more than chance."""
    is_open = metric.better is None or metric.interval is None
    return is_open and effect_of(metric) is Effect.CHANGED


def worse_classes(diff: Diff) -> list[ClassChange]:
    """The classes of which the recall fell beyond chance."""
    classes = () if diff.predictions is None else diff.predictions.classes
    return [
        class_
        for class_ in classes
        if class_.p is not None and class_.p < _CHANCE and fallen(class_) > 0
    ]


def fallen(class_: ClassChange) -> float:
    """By how much the recall of a class fell."""
    if class_.old_recall is None or class_.new_recall is None:
        return 0.0
    return class_.old_recall - class_.new_recall
