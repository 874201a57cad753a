"""The values of metrics, against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics

from assent.compare.predictions.measures import Measured
from assent.compare.predictions.sides import side_of
from assent.compare.predictions.table import PredictionTable
from tests.compare.predictions.tables import binary, drawn

SEEDS = range(4)


def values(table: PredictionTable) -> dict[str, float]:
    return Measured(side_of(table, table.classes)).values


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("decimals", [1, 12])
def test_a_binary_classification(seed: int, decimals: int) -> None:
    label, scores, _ = drawn(np.random.default_rng(seed), 200)
    scores = scores.round(decimals)  # of one decimal, nearly all scores are ties
    found = values(binary(label, scores))
    said = scores > 0.5
    expected = {
        "accuracy": metrics.accuracy_score(label, said),
        "balanced_accuracy": metrics.balanced_accuracy_score(label, said),
        "precision": metrics.precision_score(label, said),
        "recall": metrics.recall_score(label, said),
        "f1": metrics.f1_score(label, said),
        "matthews_corrcoef": metrics.matthews_corrcoef(label, said),
        "roc_auc": metrics.roc_auc_score(label, scores),
        "average_precision": metrics.average_precision_score(label, scores),
        "log_loss": metrics.log_loss(label, scores),
        "brier_score": metrics.brier_score_loss(label, scores),
    }
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_many_classes(seed: int) -> None:
    random = np.random.default_rng(seed)
    label = random.integers(0, 5, 300)
    scores = random.dirichlet(np.ones(5), 300) + 0.4 * np.eye(5)[label]
    scores /= scores.sum(axis=1, keepdims=True)
    classes = ("a", "b", "c", "d", "e")
    table = PredictionTable(
        task="multiclass", ids=np.arange(300), label=label, scores=scores, classes=classes
    )
    said = scores.argmax(axis=1)
    expected = {
        "accuracy": metrics.accuracy_score(label, said),
        "balanced_accuracy": metrics.balanced_accuracy_score(label, said),
        "precision_macro": metrics.precision_score(label, said, average="macro"),
        "recall_macro": metrics.recall_score(label, said, average="macro"),
        "f1_macro": metrics.f1_score(label, said, average="macro"),
        "matthews_corrcoef": metrics.matthews_corrcoef(label, said),
        "roc_auc_ovr": metrics.roc_auc_score(label, scores, multi_class="ovr"),
        "log_loss": metrics.log_loss(label, scores),
    }
    assert values(table) == pytest.approx(expected, abs=1e-12)


@pytest.mark.filterwarnings("ignore:Precision is ill-defined", "ignore:F-score is ill-defined")
def test_a_class_that_is_never_predicted_counts_as_nothing() -> None:
    label, said = np.array([0, 1, 2, 2, 1]), np.array([0, 0, 1, 1, 1])
    table = PredictionTable(
        task="multiclass",
        ids=np.arange(5),
        label=label,
        prediction=said,
        classes=("a", "b", "c", "never"),
    )
    found = values(table)
    assert found["f1_macro"] == pytest.approx(metrics.f1_score(label, said, average="macro"))
    assert found["precision_macro"] == pytest.approx(
        metrics.precision_score(label, said, average="macro", zero_division=0)
    )
    assert found["matthews_corrcoef"] == pytest.approx(metrics.matthews_corrcoef(label, said))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_regression(seed: int) -> None:
    random = np.random.default_rng(seed)
    label = random.normal(50, 3, 200)
    said = label + random.normal(size=200)
    table = PredictionTable(task="regression", ids=np.arange(200), label=label, prediction=said)
    expected = {
        "mae": metrics.mean_absolute_error(label, said),
        "mse": metrics.mean_squared_error(label, said),
        "rmse": metrics.root_mean_squared_error(label, said),
        "r2": metrics.r2_score(label, said),
        "mape": metrics.mean_absolute_percentage_error(label, said),
    }
    assert values(table) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("said", "expected"), [(2.0, 1.0), (3.0, 0.0)])
def test_r2_of_equal_labels_is_scikit_learns(said: float, expected: float) -> None:
    label, prediction = np.full(40, 2.0), np.full(40, said)
    table = PredictionTable(
        task="regression", ids=np.arange(40), label=label, prediction=prediction
    )
    assert values(table)["r2"] == expected == metrics.r2_score(label, prediction)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("decimals", [0, 12])
def test_a_ranking(seed: int, decimals: int) -> None:
    random = np.random.default_rng(seed)
    queries = np.repeat(np.arange(20), random.integers(2, 30, 20))
    label = random.integers(0, 4, len(queries)).astype(float)
    label[queries == 3] = 0
    scores = (label + 2 * random.normal(size=len(queries))).round(decimals)
    shuffled = random.permutation(len(queries))
    table = PredictionTable(
        task="ranking",
        ids=np.arange(len(queries)),
        label=label[shuffled],
        scores=scores[shuffled],
        group=queries[shuffled],
    )
    ndcg, precision, first = [], [], []
    for query in range(20):
        truth, said = label[queries == query], scores[queries == query]
        ndcg.append(metrics.ndcg_score([truth], [said], k=10))
        relevant = truth > 0
        precision.append(metrics.average_precision_score(relevant, said) if relevant.any() else 0.0)
        worst = (said >= said[relevant].max()).sum() if relevant.any() else math.inf
        first.append(1 / worst)
    expected = {"ndcg_at_10": np.mean(ndcg), "map": np.mean(precision), "mrr": np.mean(first)}
    assert values(table) == pytest.approx(expected, abs=1e-12)


def test_scores_that_are_no_probabilities_have_an_order_only() -> None:
    label, scores, _ = drawn(np.random.default_rng(0), 100)
    found = values(binary(label, 10 * scores - 3))
    assert found.keys() == {"roc_auc", "average_precision"}
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(label, scores))


def test_one_class_alone_has_no_area() -> None:
    found = values(binary(np.ones(40), np.full(40, 0.7)))
    assert "roc_auc" not in found
    assert found["accuracy"] == 1
    assert found["log_loss"] == pytest.approx(-math.log(0.7))


def test_huge_numbers_are_no_exception() -> None:
    label = np.full(40, 1e308)
    table = PredictionTable(task="regression", ids=np.arange(40), label=label, prediction=-label)
    assert values(table)["mse"] == math.inf
