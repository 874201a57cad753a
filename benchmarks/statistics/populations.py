"""Populations of which the true change is known, and samples of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from assent.compare.predictions.sides import Side

Array = NDArray[Any]
Random = np.random.Generator
Pair = tuple[Side, Side]
LARGE = 400_000
"""Rows by which the truth is known."""


class Population(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """`draw` gives so many rows of both models; `unit` rows belong together. `metrics` are those
    whose intervals are looked at. `note` says what is hard about it.
    """

    name: str
    rows: int
    metrics: tuple[str, ...]
    draw: Callable[[Random, int], Pair]
    unit: int = 1
    note: str = ""


def binary(label: Array, scores: tuple[Array, Array], group: Array | None = None) -> Pair:
    """Two models of two classes, by their scores."""
    truth = label.astype(np.int64)
    old, new = (
        Side(
            task="binary",
            label=truth,
            classes=2,
            positive=1,
            prediction=(score > 0.5).astype(np.int64),
            scores=score,
            group=group,
        )
        for score in scores
    )
    return old, new


def numbers(label: Array, old: Array, new: Array) -> Pair:
    """Two models of a number, by their errors."""
    left, right = (
        Side(task="regression", label=label, prediction=label + error) for error in (old, new)
    )
    return left, right


def _logistic(values: Array) -> Array:
    return 1 / (1 + np.exp(-values))


def usual(random: Random, rows: int, *, share: float = 0.4, slope: float = 1.2) -> Pair:
    """Two models that see the same signal with noise of their own; the second sees a bit less."""
    label = random.random(rows) < share
    signal = label + random.normal(size=rows)
    first, second = (signal + 0.5 * random.normal(size=rows) for _ in range(2))
    return binary(label, (_logistic(slope * first - 0.6), _logistic(0.9 * slope * second - 0.5)))


def nearly_perfect(random: Random, rows: int) -> Pair:
    """Classes far apart, but for rare gross errors, half of them of both models."""
    label = random.random(rows) < 0.5
    both = random.random(rows) < 0.005
    scores = []
    for share in (0.005, 0.02):
        is_wrong = both | (random.random(rows) < share)
        near = np.where(is_wrong, ~label, label) * 0.6 + 0.4 * random.random(rows)
        scores.append(np.clip(near, 0.0, 1.0))
    return binary(label, (scores[0], scores[1]))


def rare(random: Random, rows: int) -> Pair:
    """One row in twenty is positive."""
    label = random.random(rows) < 0.05
    signal = 2.2 * label + random.normal(size=rows)
    first, second = (signal + 0.5 * random.normal(size=rows) for _ in range(2))
    return binary(label, (_logistic(2 * first - 3), _logistic(2 * second - 3.2)))


def grouped(groups: int) -> Callable[[Random, int], Pair]:
    """Rows of groups that are alike, of very different sizes."""

    def draw(random: Random, rows: int) -> Pair:
        count = max(1, rows * groups // 500)
        sizes = random.gamma(2.0, size=count) + 0.2
        group = np.sort(random.choice(count, size=rows, p=sizes / sizes.sum()))
        group = np.unique(group, return_inverse=True)[1]
        ease = random.normal(size=(3, count))[:, group]
        label = random.random(rows) < _logistic(ease[0])
        signal = 1.2 * label + random.normal(size=rows)
        first, second = (signal + 0.6 * part + 0.4 * random.normal(size=rows) for part in ease[1:])
        return binary(label, (_logistic(first - 0.6), _logistic(second - 0.6)), group)

    return draw


def errors(kind: str, growth: float = 1.1) -> Callable[[Random, int], Pair]:
    """Errors of this kind, of the second model larger by `growth` and with noise of their own."""

    def draw(random: Random, rows: int) -> Pair:
        shared, own = (_errors(random, kind, rows) for _ in range(2))
        label = 3 * random.normal(size=rows)
        return numbers(label, shared, growth * shared + 0.3 * own)

    return draw


def outliers(share: float, size: float, *, of_both: bool) -> Callable[[Random, int], Pair]:
    """Ordinary errors, but for a share of the rows that is so many times as far off: the same rows
    in both models, or some of the second alone.
    """

    def draw(random: Random, rows: int) -> Pair:
        shared, own = (random.normal(size=rows) for _ in range(2))
        far = np.where(random.random(rows) < share, size, 1.0)
        label = 3 * random.normal(size=rows)
        if of_both:
            return numbers(label, far * shared, far * (1.1 * shared + 0.3 * own))
        return numbers(label, shared, far * (1.1 * shared + 0.3 * own))

    return draw


def _errors(random: Random, kind: str, rows: int) -> Array:
    match kind:
        case "normal":
            return random.normal(size=rows)
        case "Laplace":
            return random.laplace(size=rows)
        case _:  # t5: five degrees of freedom
            return random.standard_t(int(kind[1:]), size=rows)


def many_classes(random: Random, rows: int) -> Pair:
    """Six classes, of which the last one is rare."""
    shares = np.array([0.3, 0.25, 0.2, 0.12, 0.09, 0.04])
    label = random.choice(6, size=rows, p=shares)
    sides = []
    hard = random.random(rows)
    for right in (0.75, 0.72):
        is_right = 0.7 * hard + 0.3 * random.random(rows) < right * 0.85
        predicted = np.where(is_right, label, random.choice(6, size=rows, p=shares))
        sides.append(Side(task="multiclass", label=label, classes=6, prediction=predicted))
    return sides[0], sides[1]


def queries(random: Random, rows: int) -> Pair:
    """Queries of eight rows."""
    query = np.arange(rows) // 8
    label = random.integers(0, 3, size=rows).astype(np.float64)
    sides = [
        Side(
            task="ranking",
            label=label,
            scores=label + noise * random.normal(size=rows),
            group=query,
        )
        for noise in (1.5, 1.7)
    ]
    return sides[0], sides[1]


_OF_TABLES = ("accuracy", "precision", "recall", "f1", "matthews_corrcoef")
_OF_SCORES = ("roc_auc", "average_precision", "log_loss", "brier_score")
_OF_NUMBERS = ("mae", "mse", "rmse", "r2")

POPULATIONS = (
    Population(name="two classes", rows=300, metrics=(*_OF_TABLES, *_OF_SCORES), draw=usual),
    Population(
        name="near perfect",
        rows=100,
        metrics=("accuracy", "roc_auc", "average_precision"),
        draw=nearly_perfect,
        note="areas near 1",
    ),
    Population(
        name="near perfect, more rows",
        rows=1_000,
        metrics=("accuracy", "roc_auc", "average_precision"),
        draw=nearly_perfect,
        note="areas near 1",
    ),
    Population(
        name="5% positive",
        rows=600,
        metrics=("precision", "recall", "f1", *_OF_SCORES),
        draw=rare,
        note="few of one class",
    ),
    Population(
        name="12 groups",
        rows=500,
        metrics=("accuracy", "f1", "roc_auc", "log_loss"),
        draw=grouped(12),
        unit=500 // 12,
        note="few groups of different sizes",
    ),
    Population(
        name="40 groups",
        rows=500,
        metrics=("accuracy", "f1", "roc_auc", "log_loss"),
        draw=grouped(40),
        unit=500 // 40,
        note="groups of different sizes",
    ),
    Population(
        name="six classes",
        rows=300,
        metrics=("accuracy", "balanced_accuracy", "f1_macro", "matthews_corrcoef"),
        draw=many_classes,
        note="one class of 4%",
    ),
    Population(
        name="25 queries",
        rows=200,
        metrics=("ndcg_at_10", "mrr", "map"),
        draw=queries,
        unit=8,
        note="few queries",
    ),
    Population(name="normal errors, few", rows=40, metrics=_OF_NUMBERS, draw=errors("normal")),
    Population(name="normal errors", rows=400, metrics=_OF_NUMBERS, draw=errors("normal")),
    Population(
        name="Laplace errors",
        rows=400,
        metrics=_OF_NUMBERS,
        draw=errors("Laplace"),
        note="heavier tails",
    ),
    Population(
        name="t errors, 5 degrees",
        rows=400,
        metrics=_OF_NUMBERS,
        draw=errors("t5"),
        note="heavy tails",
    ),
    Population(
        name="t errors, 3 degrees",
        rows=400,
        metrics=_OF_NUMBERS,
        draw=errors("t3"),
        note="squares without a variance",
    ),
    Population(
        name="outliers of both models",
        rows=400,
        metrics=_OF_NUMBERS,
        draw=outliers(0.02, 10, of_both=True),
        note="2% ten times as far off",
    ),
    Population(
        name="outliers of the candidate",
        rows=400,
        metrics=_OF_NUMBERS,
        draw=outliers(0.02, 10, of_both=False),
        note="2% ten times as far off",
    ),
    Population(
        name="rare outliers",
        rows=400,
        metrics=_OF_NUMBERS,
        draw=outliers(0.005, 10, of_both=False),
        note="1 in 200 of the candidate's ten times as far off",
    ),
)
