"""Intervals: against published formulas, and by simulation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from assent.compare.predictions import compare_predictions
from assent.compare.predictions.intervals import NO_SPREAD, TOO_HEAVY, Found, from_draws
from assent.compare.predictions.measures import Measured, intervals
from assent.compare.predictions.sides import Side, side_of
from assent.compare.predictions.table import PredictionTable
from assent.core.diff.metrics import Interval
from tests.compare.predictions.tables import binary, drawn

RUNS = 1_000
LEAST, MOST = 0.93, 0.97


def found(old: PredictionTable, new: PredictionTable, draws: int = 20_000) -> dict[str, Interval]:
    return {name: one for name, one in either(old, new, draws).items() if isinstance(one, Interval)}


def either(old: PredictionTable, new: PredictionTable, draws: int = 20_000) -> Found:
    sides = [Measured(side_of(one, one.classes)) for one in (old, new)]
    return intervals(sides[0], sides[1], is_paired=True, draws=draws)


@pytest.mark.parametrize(("rows", "wider"), [(80, 0.5), (3_000, 0.02)])
def test_roc_auc_is_delongs_but_for_a_part_of_a_row(rows: int, wider: float) -> None:
    label, left, right = drawn(np.random.default_rng(1), rows)
    positive, negative = label == 1, label == 0
    components: list[NDArray[Any]] = []
    areas = []
    for chosen in (positive, negative):
        parts = []
        for scores in (left, right):
            ahead = scores[positive][:, None] - scores[negative][None, :]
            kernel = (ahead > 0) + 0.5 * (ahead == 0)
            parts.append(kernel.mean(axis=1 if chosen is positive else 0))
            areas.append(kernel.mean())
        components.append(np.cov(np.array(parts)) / chosen.sum())
    covariance = components[0] + components[1]
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    interval = found(binary(label, left), binary(label, right))["roc_auc"]
    half = stats.norm.ppf(0.975) * math.sqrt(variance)
    assert 1 <= (interval.high - interval.low) / (2 * half) < 1 + wider
    assert interval.low < areas[1] - areas[0] < interval.high
    assert interval.method == "DeLong"


def test_means_reach_as_far_as_the_paired_t_interval() -> None:
    """And on the side of the skew a little further."""
    label, left, right = drawn(np.random.default_rng(2), 120)
    interval = found(binary(label, left), binary(label, right))["brier_score"]
    expected = stats.ttest_rel((right - label) ** 2, (left - label) ** 2)
    low, high = expected.confidence_interval(0.95)
    width = high - low
    assert low - 0.05 * width <= interval.low <= low + 1e-6
    assert high - 1e-6 <= interval.high <= high + 0.05 * width
    assert min(abs(interval.low - low), abs(interval.high - high)) < 1e-6
    assert interval.p == pytest.approx(expected.pvalue, rel=0.01)
    lower = expected.confidence_interval(0.9).low
    assert interval.lower == pytest.approx(lower, abs=0.05 * width)


def test_accuracy_is_the_interval_of_agresti_and_min() -> None:
    label, left, right = drawn(np.random.default_rng(3), 500)
    interval = found(binary(label, left), binary(label, right), draws=200_000)["accuracy"]
    was, now = (left > 0.5) == label, (right > 0.5) == label
    worse, better = (was & ~now).sum(), (now & ~was).sum()
    middle = (better - worse) / 502
    error = math.sqrt(worse + better + 1 - (better - worse) ** 2 / 502) / 502
    assert interval.low == pytest.approx(middle - 1.96 * error, abs=3e-3)
    assert interval.high == pytest.approx(middle + 1.96 * error, abs=3e-3)


def test_average_precision_agrees_with_a_plain_bootstrap() -> None:
    random = np.random.default_rng(4)
    label, left, right = drawn(random, 400)
    interval = found(binary(label, left), binary(label, right))["average_precision"]
    from sklearn.metrics import average_precision_score

    changes = []
    for _ in range(400):
        rows = random.integers(0, 400, 400)
        changes.append(
            average_precision_score(label[rows], right[rows])
            - average_precision_score(label[rows], left[rows])
        )
    width = np.std(changes) * 2 * 1.96
    assert interval.high - interval.low == pytest.approx(width, rel=0.15)


def test_agreement_in_a_few_rows_is_no_proof() -> None:
    label, scores, _ = drawn(np.random.default_rng(5), 50)
    interval = found(binary(label, scores), binary(label, scores))["accuracy"]
    assert interval.low < -0.01
    assert interval.high > 0.01


@pytest.mark.parametrize("rows", [1, 29])
def test_a_few_rows_have_no_interval(rows: int) -> None:
    label, left, right = drawn(np.random.default_rng(6), rows)
    assert found(binary(label, left), binary(label, right)) == {}


def test_few_of_one_class_have_no_area_interval() -> None:
    label = np.zeros(200, dtype=np.int64)
    label[:9] = 1
    scores = np.linspace(0.9, 0.1, 200)
    got = found(binary(label, scores), binary(label, scores[::-1].copy()))
    assert "roc_auc" not in got
    assert "accuracy" in got


def test_groups_widen_the_intervals() -> None:
    """Each row ten times, once as rows and once as groups: only groups know that they are one."""
    label, left, right = (np.repeat(one, 10) for one in drawn(np.random.default_rng(7), 200))
    alone = found(binary(label, left), binary(label, right))
    group = np.repeat(np.arange(200), 10)
    together = found(binary(label, left, group=group), binary(label, right, group=group))
    for name in ("accuracy", "f1", "roc_auc", "log_loss", "average_precision"):
        ratio = (together[name].high - together[name].low) / (alone[name].high - alone[name].low)
        assert ratio == pytest.approx(math.sqrt(10), rel=0.15), name


def test_different_rows_are_compared_unpaired() -> None:
    random = np.random.default_rng(8)
    label, left, _ = drawn(random, 2_000)
    others, _, right = drawn(random, 2_000)
    old = binary(label, left)
    new = binary(others, right, ids=np.arange(5_000, 7_000))
    diff, changes = compare_predictions(old, new)
    by_name = {change.name: change.interval for change in changes}
    assert not diff.is_paired
    assert diff.problem is not None
    loss = by_name["brier_score"]
    assert loss is not None
    assert (loss.method, loss.is_paired) == ("Welch's t", False)
    expected = stats.ttest_ind((right - others) ** 2, (left - label) ** 2, equal_var=False)
    low, high = expected.confidence_interval(0.95)
    assert (loss.low, loss.high) == pytest.approx((low, high), abs=1e-6)
    accuracy = by_name["accuracy"]
    assert accuracy is not None
    spread = math.sqrt(
        sum(
            np.var(((scores > 0.5) == truth), ddof=1) / 2_000
            for scores, truth in ((left, label), (right, others))
        )
    )
    assert accuracy.high - accuracy.low == pytest.approx(2 * 1.96 * spread, rel=0.03)


def test_a_ranking_is_drawn_by_query() -> None:
    random = np.random.default_rng(12)
    query = np.repeat(np.arange(150), 8)
    label = random.integers(0, 3, len(query)).astype(float)
    sides = [
        Measured(
            Side(
                task="ranking",
                label=label,
                scores=label + noise * random.normal(size=len(query)),
                group=query,
            )
        )
        for noise in (2.0, 1.0)
    ]
    got = intervals(sides[0], sides[1], is_paired=True)
    for name in ("ndcg_at_10", "mrr", "map"):
        expected = stats.ttest_rel(sides[1].by_query[name], sides[0].by_query[name])
        low, high = expected.confidence_interval(0.95)
        one = got[name]
        assert isinstance(one, Interval)
        assert one.low == pytest.approx(low, abs=0.1 * (high - low))
        assert one.high == pytest.approx(high, abs=0.1 * (high - low))
        assert one.p == pytest.approx(expected.pvalue, rel=0.1, abs=1e-9)
    few = [Measured(side.side.take(np.arange(9 * 8))) for side in sides]
    silent = intervals(few[0], few[1], is_paired=True)
    assert set(silent.values()) == {"there are fewer than 10 groups"}


def test_many_classes_agree_with_a_plain_bootstrap() -> None:
    random = np.random.default_rng(13)
    label = random.integers(0, 12, 600)
    tables = []
    for share in (0.6, 0.7):
        other = random.integers(0, 12, 600)
        said = np.where(random.random(600) < share, label, other)
        tables.append(
            PredictionTable(
                task="multiclass",
                ids=np.arange(600),
                label=label,
                prediction=said,
                classes=tuple("abcdefghijkl"),
            )
        )
    got = found(tables[0], tables[1], draws=4_000)
    sides = [side_of(one, one.classes) for one in tables]
    changes: dict[str, list[float]] = {}
    for _ in range(1_000):
        rows = random.integers(0, 600, 600)
        before, after = (Measured(side.take(rows)).values for side in sides)
        for name in after:
            changes.setdefault(name, []).append(after[name] - before[name])
    for name in ("accuracy", "f1_macro", "balanced_accuracy", "matthews_corrcoef"):
        low, high = np.quantile(changes[name], (0.025, 0.975))
        assert got[name].low == pytest.approx(low, abs=0.08 * (high - low)), name
        assert got[name].high == pytest.approx(high, abs=0.08 * (high - low)), name


def test_two_models_that_make_no_mistake_are_not_known_to_be_alike() -> None:
    label = np.arange(100) % 2
    perfect = binary(label, 0.1 + 0.8 * label)
    got = found(perfect, perfect)
    for name in ("roc_auc", "average_precision", "accuracy"):
        assert got[name].low < -0.01 < 0.01 < got[name].high, name
    assert either(perfect, perfect)["brier_score"] == NO_SPREAD
    sure = binary(label, 0.1 + 0.8 * label + 0.001 * np.arange(100))
    assert found(sure, sure)["brier_score"].low < 0


def test_the_interval_of_the_way_back_is_mirrored() -> None:
    label, left, right = drawn(np.random.default_rng(14), 60)
    tables = binary(label, left), binary(label, right**3)
    there, back = found(*tables), found(tables[1], tables[0])
    assert there.keys() == back.keys()
    for name, one in there.items():
        assert (one.low, one.high) == pytest.approx((-back[name].high, -back[name].low), abs=1e-12)


def test_the_precision_of_no_prediction_is_none() -> None:
    label = np.arange(200) % 2
    none = binary(label, prediction=np.zeros(200, dtype=np.int64))
    some = binary(label, prediction=(np.arange(200) < 9).astype(np.int64))
    for pair in ((none, none), (some, none), (none, some)):
        got = either(*pair)
        assert got["precision"] == "fewer than 10 rows are predicted as positive"
        assert isinstance(got["recall"], Interval)


def numbers(label: NDArray[Any], error: NDArray[Any], **more: Any) -> PredictionTable:
    return PredictionTable(
        task="regression",
        ids=np.arange(len(label)),
        label=label,
        prediction=label + error,
        **more,
    )


def test_errors_that_are_too_heavy_tailed_have_no_interval() -> None:
    random = np.random.default_rng(15)
    label = random.normal(size=500)
    heavy = random.standard_t(1.5, size=500)
    got = either(numbers(label, heavy), numbers(label, 1.2 * heavy))
    assert [got[name] for name in ("mse", "rmse", "r2")] == [TOO_HEAVY] * 3
    light = random.normal(size=500)
    got = either(numbers(label, light), numbers(label, 1.2 * light))
    assert all(isinstance(got[name], Interval) for name in ("mae", "mse", "rmse", "r2"))
    one = np.where(np.arange(500) == 7, 50.0, 0.01 * light)  # one row decides
    assert either(numbers(label, 0.01 * light), numbers(label, one))["mse"] == TOO_HEAVY


def test_few_groups_are_wider_than_many() -> None:
    """Of the same rows in ten groups the quantile is that of Student's t."""
    label, left, right = drawn(np.random.default_rng(16), 1_000, noise=2.0)
    wide = [
        found(binary(label, left, group=group), binary(label, right, group=group))["f1"]
        for group in (np.arange(1_000) % 10, np.arange(1_000) % 200)
    ]
    assert (wide[0].high - wide[0].low) > 0
    draws = np.random.default_rng(1).normal(size=100_000)
    few, many = (
        from_draws(draws, rows=9, method="", is_paired=True, groups=groups) for groups in (10, None)
    )
    assert isinstance(few, Interval)
    assert isinstance(many, Interval)
    stretch = stats.t.ppf(0.975, 9) / stats.norm.ppf(0.975) * math.sqrt(10 / 9)
    assert few.high / many.high == pytest.approx(stretch, rel=0.01)


def test_one_score_of_rounding_does_not_take_the_loss_away() -> None:
    label, scores, _ = drawn(np.random.default_rng(17), 100)
    rounded = np.where(np.arange(100) == 3, 1.0000001, scores)
    beyond = np.where(np.arange(100) == 3, 1.01, scores)
    names = Measured(side_of(binary(label, rounded), ("0", "1"))).values.keys()
    assert {"log_loss", "brier_score"} <= names
    assert "log_loss" not in Measured(side_of(binary(label, beyond), ("0", "1"))).values


# 1,000 samples of a population in which the true change is known to a thousandth.


def _population(random: np.random.Generator, rows: int) -> tuple[Side, Side]:
    label, left, right = drawn(random, rows, shared=1.2)
    sides = [side_of(binary(label, one), ("0", "1")) for one in (left, 0.9 * right + 0.05)]
    return sides[0], sides[1]


def _coverage(
    old: Side, new: Side, names: tuple[str, ...], rows: int, draws: int = 1_000
) -> dict[str, float]:
    before, after = Measured(old).values, Measured(new).values
    truth = {name: after[name] - before[name] for name in names}
    random = np.random.default_rng(11)
    covered = dict.fromkeys(names, 0)
    for _ in range(RUNS):
        picked = random.integers(0, old.rows, rows)
        sample = Measured(old.take(picked)), Measured(new.take(picked))
        got = intervals(*sample, is_paired=True, draws=draws)
        for name in names:
            one = got[name]
            assert isinstance(one, Interval)
            covered[name] += one.low <= truth[name] <= one.high
    return {name: count / RUNS for name, count in covered.items()}


def test_intervals_of_a_classification_cover_the_truth() -> None:
    names = ("accuracy", "f1", "roc_auc", "log_loss", "average_precision", "matthews_corrcoef")
    old, new = _population(np.random.default_rng(9), 300_000)
    coverage = _coverage(old, new, names, 300)
    assert all(LEAST <= share <= MOST for share in coverage.values()), coverage


def test_intervals_of_a_regression_cover_the_truth() -> None:
    random = np.random.default_rng(10)
    label = random.normal(size=200_000)
    sides = [
        Side(
            task="regression",
            label=label,
            prediction=label * slope + random.normal(size=200_000) * noise,
        )
        for slope, noise in ((0.9, 0.5), (0.95, 0.55))
    ]
    coverage = _coverage(sides[0], sides[1], ("mae", "mse", "rmse", "r2"), 400)
    assert all(LEAST <= share <= MOST for share in coverage.values()), coverage


def test_no_p_value_rules_out_what_its_interval_holds() -> None:
    """A test that knows nothing of skew, or of the end of the scale, would often be surer."""
    seen = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        label = 3 * random.normal(size=30)
        error = random.normal(size=30)
        sides = [
            Measured(Side(task="regression", label=label, prediction=label + one))
            for one in (error, 1.3 * error + 0.3 * random.normal(size=30))
        ]
        label, left, right = drawn(random, 90, shared=3.0)
        areas = [Measured(side_of(binary(label, one), ("0", "1"))) for one in (left, right)]
        for pair in (sides, areas):
            for one in intervals(pair[0], pair[1], is_paired=True, draws=1_000).values():
                if isinstance(one, Interval) and one.p is not None and one.low <= 0 <= one.high:
                    assert one.p >= 0.05
                    seen += 1
    assert seen
