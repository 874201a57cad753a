"""The metrics of a task: their values, and the intervals of their changes."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from assent.compare.predictions import joint, queries, ranks
from assent.compare.predictions.distributions import mcnemar_mid_p, two_sided_p
from assent.compare.predictions.intervals import (
    MIN_GROUPS,
    MIN_ROWS,
    Floats,
    Found,
    Ints,
    from_draws,
    influence_of,
    of_area,
    of_mean,
)
from assent.compare.predictions.resampling import SEED
from assent.compare.predictions.sides import Side
from assent.core.diff.metrics import Interval

DRAWS = 20_000
FEW_DRAWS = 2_000
"""For what costs more, and for slices."""

_TABLE = "multinomial bootstrap"
_GROUPS = "bootstrap of groups"
_MAX_SORTED = 50_000_000
_AREAS = {"roc_auc": 0.1, "roc_auc_ovr": 0.1, "average_precision": 1.0}
"""The share of a row that goes into the variance of each."""
_LEAST_OF_A_CLASS = 5
_ROUNDING = 1e-12
_BOUNDED = frozenset({"brier_score"})
_Linear = dict[str, tuple[float, Floats]]


class Measured:
    """A side with its metrics. What a value and its interval both need is computed once."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.values: dict[str, float] = {}
        self.linear: _Linear = {}
        self.losses: dict[str, Floats] = {}
        self.by_query: dict[str, Floats] = {}
        if not side.rows:
            return
        with np.errstate(all="ignore"):  # of 1e308 the square is infinite, and is said to be
            match side.task:
                case "binary" | "multiclass":
                    self._measure_classes()
                case "regression":
                    self._measure_numbers()
                case "ranking":
                    self._measure_queries()
        self.values |= {name: value for name, (value, _) in self.linear.items()}

    def _measure_classes(self) -> None:
        side = self.side
        if side.prediction is not None:
            tally = joint.tally(side.label, side.prediction, side.classes)
            metrics = joint.metrics_of(tally, side.positive)
            self.values |= {name: float(value) for name, value in metrics.items()}
        if side.scores is None:
            return
        if side.scores.ndim == 2:
            self._measure_class_scores(side.scores)
        elif side.positive is not None:
            self._measure_score(side.scores, side.positive)

    def _measure_score(self, scores: Floats, positive: int) -> None:
        is_positive = self.side.label == positive
        order = ranks.Order(scores)
        for name, estimate in (
            ("roc_auc", ranks.roc_auc(order, is_positive)),
            ("average_precision", ranks.average_precision(order, is_positive)),
        ):
            if estimate is not None:
                self.linear[name] = estimate
        if self.side.are_probabilities:
            scores = np.clip(scores, 0.0, 1.0)
            likelihood = np.where(is_positive, scores, 1 - scores)
            self._add_loss("log_loss", -np.log(_clipped(likelihood)))
            self.linear["brier_score"] = _mean((scores - is_positive) ** 2)

    def _measure_class_scores(self, scores: Floats) -> None:
        label = self.side.label
        counts = np.bincount(label, minlength=self.side.classes)
        if counts.all() and scores.size <= _MAX_SORTED and self.side.classes > 1:
            areas = [
                ranks.roc_auc(ranks.Order(scores[:, class_]), label == class_)
                for class_ in range(self.side.classes)
            ]
            known = [area for area in areas if area is not None]
            influence = np.mean([influence for _, influence in known], axis=0)
            self.linear["roc_auc_ovr"] = float(np.mean([area for area, _ in known])), influence
        if self.side.are_probabilities and np.abs(scores.sum(axis=1) - 1).max() < 1e-3:
            likelihood = scores[np.arange(len(label)), label]
            self._add_loss("log_loss", -np.log(_clipped(likelihood)))

    def _add_loss(self, name: str, losses: Floats) -> None:
        self.losses[name] = losses
        self.linear[name] = _mean(losses)

    def _measure_numbers(self) -> None:
        prediction = self.side.prediction
        assert prediction is not None
        error = prediction - self.side.label
        square = error**2
        self._add_loss("mae", np.abs(error))
        self._add_loss("mse", square)
        size = np.abs(self.side.label)
        if size.min() > 0:
            self._add_loss("mape", np.abs(error) / size)
        self.losses |= {"rmse": square, "r2": square}
        self.linear |= {"rmse": _root(square), "r2": _explained(self.side.label, square)}

    def _measure_queries(self) -> None:
        side = self.side
        assert side.scores is not None
        assert side.group is not None
        self.by_query = queries.rankings(side.label, side.scores, side.group)
        self.values |= {name: float(values.mean()) for name, values in self.by_query.items()}


def intervals(old: Measured, new: Measured, *, is_paired: bool, draws: int = DRAWS) -> Found:
    """The interval of each metric's change, or why there is none. Paired sides have the same rows
    in the same order, with the same labels and groups.
    """
    names = old.values.keys() & new.values.keys()
    why_none = _too_few(old.side, new.side)
    if why_none:
        return dict.fromkeys(sorted(names), why_none)
    by_metric: Found = {}
    with np.errstate(all="ignore"):
        for name in old.linear.keys() & new.linear.keys():
            by_metric[name] = _of_linear(name, old, new, is_paired)
        has_classes = old.side.prediction is not None and new.side.prediction is not None
        if has_classes and new.side.classes:
            by_metric |= _of_tables(old.side, new.side, is_paired, draws)
        if new.by_query:
            by_metric |= _of_queries(old, new, is_paired)
    return by_metric


def _too_few(old: Side, new: Side) -> str:
    if min(old.rows, new.rows) < MIN_ROWS:
        return f"there are fewer than {MIN_ROWS} rows"
    groups = [int(group.max()) + 1 for group in (old.group, new.group) if group is not None]
    if groups and min(groups) < MIN_GROUPS:
        return f"there are fewer than {MIN_GROUPS} groups"
    return ""


def _of_linear(name: str, old: Measured, new: Measured, is_paired: bool) -> Interval | str:
    (before, left), (after, right) = old.linear[name], new.linear[name]
    groups = old.side.group, new.side.group
    if name not in _AREAS:
        losses = None if name in _BOUNDED else (old.losses[name], new.losses[name])
        return of_mean(after - before, left, right, groups, is_paired=is_paired, losses=losses)
    why_none = _too_few_of_a_class(old.side, new.side)
    if why_none:
        return why_none
    return of_area(
        (before, after),
        left,
        right,
        groups,
        (_rests_on(name, old.side), _rests_on(name, new.side)),
        method="delta method" if name == "average_precision" else "DeLong",
        share=_AREAS[name],
        is_paired=is_paired,
    )


def _too_few_of_a_class(old: Side, new: Side) -> str:
    least = min(int(np.bincount(side.label, minlength=side.classes).min()) for side in (old, new))
    if least >= ranks.MIN_OF_EACH:
        return ""
    return f"a class has fewer than {ranks.MIN_OF_EACH} rows"


def _rests_on(name: str, side: Side) -> float:
    """How many rows an area rests on: those of the smaller class, as many times as there are areas
    that it is the mean of; of groups, their number.
    """
    counts = np.bincount(side.label, minlength=side.classes)
    rows = float(counts.min())
    if name == "roc_auc_ovr":
        rows = min(rows * side.classes, float(counts.sum()))
    if name == "average_precision" and side.positive is not None:
        rows = float(counts[side.positive])
    return rows if side.group is None else min(rows, float(side.group.max() + 1))


def disagreement(old: Side, new: Side) -> float | None:
    """The share of rows, the same on both sides, whose prediction (else score) is another one."""
    left, right = old.prediction, new.prediction
    if left is None or right is None:
        left, right = old.scores, new.scores
    if left is None or right is None or left.ndim != right.ndim or not len(left):
        return None
    differs = left != right
    return float((differs if differs.ndim == 1 else differs.any(axis=1)).mean())


def scores_changed(old: Side, new: Side) -> int | None:
    """How many rows have another score; None where only one side has scores, or other ones."""
    left, right = old.scores, new.scores
    if left is None and right is None:
        return 0
    if left is None or right is None or left.shape != right.shape:
        return None
    differs = left != right
    return int((differs if differs.ndim == 1 else differs.any(axis=1)).sum())


def _of_tables(old: Side, new: Side, is_paired: bool, draws: int) -> Found:
    assert old.prediction is not None
    assert new.prediction is not None
    size, positive = new.classes, new.positive
    most = joint.MAX_TABLE if draws > FEW_DRAWS else joint.MAX_TABLE // 10
    if not _are_drawable(old, new, is_paired, most):
        return _of_accuracy(old, new, is_paired)
    share = None
    p: float | None = None
    method = _TABLE
    groups = None
    if is_paired:
        share = disagreement(old, new)
        was, now = old.prediction == new.label, new.prediction == new.label
        if new.group is None:
            p = mcnemar_mid_p(int((was & ~now).sum()), int((now & ~was).sum()))
            drawn = joint.draw_paired(
                new.label, old.prediction, new.prediction, size, positive, draws
            )
        else:
            moved = now.astype(np.float64) - was
            p = _p_of_mean(moved, new.group)
            method = _GROUPS
            groups = int(new.group.max()) + 1
            drawn = joint.draw_groups(
                new.label,
                old.prediction,
                new.prediction,
                size,
                positive,
                new.group,
                min(draws, FEW_DRAWS),
            )
    elif old.group is not None or new.group is not None:
        return dict.fromkeys(_names_of_tables(new), "the groups are of different rows")
    else:
        before = joint.draw_alone(old.label, old.prediction, size, positive, draws, SEED)
        after = joint.draw_alone(new.label, new.prediction, size, positive, draws, SEED + 1)
        shortest = min(len(after["accuracy"]), len(before["accuracy"]))
        drawn = {name: after[name][:shortest] - before[name][:shortest] for name in after}
    return {
        name: _why_undefined(name, old, new)
        or from_draws(
            changes,
            rows=new.rows,
            method=method,
            is_paired=is_paired,
            groups=groups,
            least=0.0 if groups is None else _least_of_groups(name, new, groups),
            disagreement=share,
            p=p if name == "accuracy" else None,
        )
        for name, changes in drawn.items()
    }


def _names_of_tables(side: Side) -> list[str]:
    tally = joint.tally(np.zeros(0, np.int64), np.zeros(0, np.int64), side.classes)
    return list(joint.metrics_of(tally, side.positive))


def _why_undefined(name: str, old: Side, new: Side) -> str:
    """Why a metric of the table says nothing of other rows: it is a share of hardly any. Of no row
    that is predicted as positive, the precision is a definition and no measurement.
    """
    if name == "accuracy":
        return ""
    for side in (old, new):
        assert side.prediction is not None
        labels, predicted = (
            np.bincount(column, minlength=side.classes) for column in (side.label, side.prediction)
        )
        if side.positive is None or name in ("balanced_accuracy", "matthews_corrcoef"):
            if labels[labels > 0].min() < _LEAST_OF_A_CLASS:
                return f"a class has fewer than {_LEAST_OF_A_CLASS} rows"
        elif name == "precision" and predicted[side.positive] < ranks.MIN_OF_EACH:
            return f"fewer than {ranks.MIN_OF_EACH} rows are predicted as positive"
        elif name != "precision" and labels[side.positive] < ranks.MIN_OF_EACH:
            return f"fewer than {ranks.MIN_OF_EACH} rows are positive"
    return ""


def _least_of_groups(name: str, side: Side, groups: int) -> float:
    """The variance of one group of rows on which the models differ, of those that the metric is a
    share of.
    """
    rows = side.rows
    if name != "accuracy":
        counts = np.bincount(side.label, minlength=side.classes)
        rows = int(counts[counts > 0].min())
    return side.rows / groups / rows**2 / groups if rows else 0.0


def _are_drawable(old: Side, new: Side, is_paired: bool, most: int) -> bool:
    assert old.prediction is not None
    assert new.prediction is not None
    if is_paired and new.group is not None:
        return True  # of blocks of groups, however many
    triples = (
        [(new.label, old.prediction, new.prediction)]
        if is_paired
        else [(side.label, side.prediction, side.prediction) for side in (old, new)]
    )
    return all(
        joint.is_drawable(label, before, after, new.classes, most=most)
        for label, before, after in triples
        if before is not None and after is not None
    )


def _of_accuracy(old: Side, new: Side, is_paired: bool) -> Found:
    """The one metric of a table that is a mean of rows: what is left where it cannot be drawn."""
    assert old.prediction is not None
    assert new.prediction is not None
    before, left = _mean((old.prediction == old.label).astype(np.float64))
    after, right = _mean((new.prediction == new.label).astype(np.float64))
    groups = old.group, new.group
    reasons: Found = dict.fromkeys(_names_of_tables(new), "there are too many classes")
    return reasons | {"accuracy": of_mean(after - before, left, right, groups, is_paired=is_paired)}


def _of_queries(old: Measured, new: Measured, is_paired: bool) -> Found:
    by_metric: Found = {}
    for name in new.by_query:
        (before, left), (after, right) = (_mean(measured.by_query[name]) for measured in (old, new))
        interval = of_mean(after - before, left, right, (None, None), is_paired=is_paired)
        if isinstance(interval, Interval):
            interval = msgspec.structs.replace(
                interval,
                n=new.side.rows,
                method="paired t by query" if is_paired else interval.method,
            )
        by_metric[name] = interval
    return by_metric


def _p_of_mean(values: Floats, group: Ints) -> float:
    mean = float(values.mean())
    influence = influence_of(values - mean, group)
    error = math.sqrt(influence.square)
    return two_sided_p(mean / error, influence.degrees) if error else float(mean == 0)


def _mean(values: Floats) -> tuple[float, Floats]:
    mean = float(values.mean())
    if np.ptp(values) <= _ROUNDING * abs(mean):  # which would pass for a spread
        return mean, np.zeros(len(values))
    return mean, (values - mean) * _unbiased(len(values))


def _unbiased(rows: int) -> float:
    return math.sqrt(rows / (rows - 1)) if rows > 1 else 1.0


def _clipped(likelihood: Floats) -> Floats:
    """A probability of 0 is taken for the smallest step from 1, as scikit-learn does."""
    step = float(np.finfo(np.float64).eps)
    return np.clip(likelihood, step, 1 - step)


def _root(square: Floats) -> tuple[float, Floats]:
    """The root of a mean, and the influence of every row (its derivative in the row's weight)."""
    mean, influence = _mean(square)
    root = math.sqrt(mean)
    return root, influence / (2 * root) if root else np.zeros(len(square))


def _explained(label: Floats, square: Floats) -> tuple[float, Floats]:
    """R² and the influence of every row. Of equal labels it is 1 if all are met and 0 if not, as
    in scikit-learn.
    """
    rows = len(label)
    away = label - float(label.mean())
    spread = float((away**2).mean())
    error = float(square.mean())
    if not np.ptp(label):
        return (0.0 if error else 1.0), np.zeros(rows)
    share = error / spread
    influence = (share * away**2 - square) / spread
    return 1 - share, influence * _unbiased(rows)
