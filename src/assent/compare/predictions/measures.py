"""The metrics of a task: their values, and the intervals of their changes."""

from __future__ import annotations

import math

import numpy as np

from assent.compare.predictions import joint, queries, ranks
from assent.compare.predictions.distributions import mcnemar_mid_p, two_sided_p
from assent.compare.predictions.intervals import (
    MIN_GROUPS,
    MIN_ROWS,
    Floats,
    from_draws,
    of_influences,
    squared_error,
)
from assent.compare.predictions.resampling import SEED, draw_sums, sums_by_group
from assent.compare.predictions.sides import Side
from assent.core.diff.metrics import Interval

DRAWS = 20_000
FEW_DRAWS = 2_000
"""For what costs more, and for slices."""

_TABLE = "multinomial bootstrap"
_GROUPS = "bootstrap of groups"
_ROWS = "bootstrap of rows"
_MAX_SORTED = 50_000_000
_Linear = dict[str, tuple[float, Floats]]


class Measured:
    """A side with its metrics. What a value and its interval both need is computed once."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.values: dict[str, float] = {}
        self.linear: _Linear = {}
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
            found = joint.metrics_of(tally, side.positive)
            self.values |= {name: float(value) for name, value in found.items()}
        if side.scores is None:
            return
        if side.scores.ndim == 2:
            self._measure_class_scores(side.scores)
        elif side.positive is not None:
            self._measure_score(side.scores, side.positive)

    def _measure_score(self, scores: Floats, positive: int) -> None:
        is_positive = self.side.label == positive
        order = ranks.Order(scores)
        for name, one in (
            ("roc_auc", ranks.roc_auc(order, is_positive)),
            ("average_precision", ranks.average_precision(order, is_positive)),
        ):
            if one is not None:
                self.linear[name] = one
        if self.side.are_probabilities:
            likelihood = np.where(is_positive, scores, 1 - scores)
            self.linear["log_loss"] = _mean(-np.log(_clipped(likelihood)))
            self.linear["brier_score"] = _mean((scores - is_positive) ** 2)

    def _measure_class_scores(self, scores: Floats) -> None:
        label = self.side.label
        counts = np.bincount(label, minlength=self.side.classes)
        if counts.all() and scores.size <= _MAX_SORTED and self.side.classes > 1:
            areas = [
                ranks.roc_auc(ranks.Order(scores[:, one]), label == one)
                for one in range(self.side.classes)
            ]
            known = [area for area in areas if area is not None]
            influence = np.mean([one for _, one in known], axis=0)
            self.linear["roc_auc_ovr"] = float(np.mean([area for area, _ in known])), influence
        if self.side.are_probabilities and np.abs(scores.sum(axis=1) - 1).max() < 1e-3:
            likelihood = scores[np.arange(len(label)), label]
            self.linear["log_loss"] = _mean(-np.log(_clipped(likelihood)))

    def _measure_numbers(self) -> None:
        prediction = self.side.prediction
        assert prediction is not None
        error = prediction - self.side.label
        self.linear["mae"] = _mean(np.abs(error))
        self.linear["mse"] = _mean(error**2)
        size = np.abs(self.side.label)
        if size.min() > 0:
            self.linear["mape"] = _mean(np.abs(error) / size)
        center = float(self.side.label.mean())
        columns = _columns(self.side.label - center, error)
        self.values |= {
            name: float(value) for name, value in _from_sums(columns.sum(axis=0)).items()
        }

    def _measure_queries(self) -> None:
        side = self.side
        assert side.scores is not None
        assert side.group is not None
        self.by_query = queries.rankings(side.label, side.scores, side.group)
        self.values |= {name: float(values.mean()) for name, values in self.by_query.items()}


def intervals(
    old: Measured, new: Measured, *, is_paired: bool, draws: int = DRAWS
) -> dict[str, Interval]:
    """The interval of each metric's change that has one. Paired sides have the same rows in the
    same order, with the same labels and groups; fewer than `MIN_ROWS` have none.
    """
    if min(old.side.rows, new.side.rows) < MIN_ROWS:
        return {}
    for one in (old.side.group, new.side.group):
        if one is not None and int(one.max()) + 1 < MIN_GROUPS:
            return {}
    found: dict[str, Interval | None] = {}
    with np.errstate(all="ignore"):
        for name in old.linear.keys() & new.linear.keys():
            if not _are_enough(name, old.side, new.side):
                continue
            (before, left), (after, right) = old.linear[name], new.linear[name]
            groups = old.side.group, new.side.group
            found[name] = of_influences(
                name, after - before, left, right, groups, is_paired=is_paired
            )
        if old.side.prediction is not None and new.side.prediction is not None:
            if new.side.task == "regression":
                found |= _of_sums(old.side, new.side, is_paired, min(draws, FEW_DRAWS))
            elif new.side.classes:
                found |= _of_tables(old.side, new.side, is_paired, draws)
        if new.by_query:
            found |= _of_queries(old, new, is_paired, min(draws, FEW_DRAWS))
    return {name: interval for name, interval in found.items() if interval is not None}


def disagreement(old: Side, new: Side) -> float | None:
    """The share of rows, the same on both sides, whose prediction (else score) is another one."""
    left, right = old.prediction, new.prediction
    if left is None or right is None:
        left, right = old.scores, new.scores
    if left is None or right is None or left.ndim != right.ndim or not len(left):
        return None
    differs = left != right
    return float((differs if differs.ndim == 1 else differs.any(axis=1)).mean())


def _of_tables(old: Side, new: Side, is_paired: bool, draws: int) -> dict[str, Interval | None]:
    assert old.prediction is not None
    assert new.prediction is not None
    size, positive = new.classes, new.positive
    most = joint.MAX_TABLE if draws > FEW_DRAWS else joint.MAX_TABLE // 10
    if not _are_drawable(old, new, is_paired, most):
        return _of_accuracy(old, new, is_paired)
    share = None
    p: float | None = None
    method = _TABLE
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
            p = _p_of_mean(sums_by_group(moved[:, None], new.group)[:, 0])
            method = _GROUPS
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
        return {}
    else:
        before = joint.draw_alone(old.label, old.prediction, size, positive, draws, SEED)
        after = joint.draw_alone(new.label, new.prediction, size, positive, draws, SEED + 1)
        shortest = min(len(after["accuracy"]), len(before["accuracy"]))
        drawn = {name: after[name][:shortest] - before[name][:shortest] for name in after}
    return {
        name: from_draws(
            changes,
            rows=new.rows,
            method=method,
            is_paired=is_paired,
            disagreement=share,
            p=p if name == "accuracy" else None,
        )
        for name, changes in drawn.items()
    }


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


def _of_accuracy(old: Side, new: Side, is_paired: bool) -> dict[str, Interval | None]:
    """The one metric of a table that is a mean of rows: what is left where it cannot be drawn."""
    assert old.prediction is not None
    assert new.prediction is not None
    before, left = _mean((old.prediction == old.label).astype(np.float64))
    after, right = _mean((new.prediction == new.label).astype(np.float64))
    groups = old.group, new.group
    found = of_influences("accuracy", after - before, left, right, groups, is_paired=is_paired)
    return {"accuracy": found}


def _of_sums(old: Side, new: Side, is_paired: bool, draws: int) -> dict[str, Interval | None]:
    assert old.prediction is not None
    assert new.prediction is not None
    if is_paired:
        label = new.label - new.label.mean()
        columns = np.column_stack(
            [
                _columns(label, old.prediction - new.label),
                (new.prediction - new.label) ** 2,
            ]
        )
        drawn = draw_sums(sums_by_group(columns, new.group), draws)
        before, after = drawn[:, :4], drawn[:, (0, 1, 2, 4)]
    elif old.group is not None or new.group is not None:
        return {}
    else:
        before, after = (
            draw_sums(
                _columns(side.label - side.label.mean(), side.prediction - side.label), draws, seed
            )
            for side, seed in ((old, SEED), (new, SEED + 1))
            if side.prediction is not None
        )
    was, now = _from_sums(before), _from_sums(after)
    return {
        name: from_draws(
            now[name] - was[name],
            rows=new.rows,
            method=_ROWS if new.group is None else _GROUPS,
            is_paired=is_paired,
        )
        for name in now
    }


def _of_queries(
    old: Measured, new: Measured, is_paired: bool, draws: int
) -> dict[str, Interval | None]:
    found: dict[str, Interval | None] = {}
    for name, after in new.by_query.items():
        before = old.by_query[name]
        if is_paired:
            changes = _mean_draws(after - before, draws)
            p = _p_of_mean(after - before)
        else:
            changes, p = _mean_draws(after, draws, SEED + 1) - _mean_draws(before, draws), None
        found[name] = from_draws(
            changes, rows=new.side.rows, method=_GROUPS, is_paired=is_paired, p=p
        )
    return found


def _mean_draws(values: Floats, draws: int, seed: int = SEED) -> Floats:
    drawn = draw_sums(np.column_stack([np.ones(len(values)), values]), draws, seed)
    return drawn[:, 1] / drawn[:, 0]


def _p_of_mean(values: Floats) -> float:
    mean = float(values.mean())
    square, degrees = squared_error((values - mean) * _unbiased(len(values)), None)
    return two_sided_p(mean / math.sqrt(square), degrees) if square else float(mean == 0)


def _are_enough(name: str, old: Side, new: Side) -> bool:
    """Whether there are enough rows of each class for what depends on the order of scores."""
    if name not in ("roc_auc", "roc_auc_ovr", "average_precision"):
        return True
    return all(
        np.bincount(side.label, minlength=side.classes).min() >= ranks.MIN_OF_EACH
        for side in (old, new)
    )


def _mean(values: Floats) -> tuple[float, Floats]:
    mean = float(values.mean())
    return mean, (values - mean) * _unbiased(len(values))


def _unbiased(rows: int) -> float:
    return math.sqrt(rows / (rows - 1)) if rows > 1 else 1.0


def _clipped(likelihood: Floats) -> Floats:
    """A probability of 0 is taken for the smallest step from 1, as scikit-learn does."""
    step = float(np.finfo(np.float64).eps)
    return np.clip(likelihood, step, 1 - step)


def _columns(label: Floats, error: Floats) -> Floats:
    """What root mean squared error and R² are functions of, when added up."""
    return np.column_stack([np.ones(len(label)), label, label**2, error**2])


def _from_sums(sums: Floats) -> dict[str, Floats]:
    rows, label, squares, errors = np.moveaxis(sums, -1, 0)
    spread = squares - label**2 / rows
    # Of equal labels, R² is 1 if all are met and 0 if not, as in scikit-learn.
    is_flat = spread <= 1e-12 * np.abs(squares)
    safe = np.where(is_flat, 1.0, spread)
    flat = np.where(errors == 0, 1.0, 0.0)
    return {"rmse": np.sqrt(errors / rows), "r2": np.where(is_flat, flat, 1 - errors / safe)}
