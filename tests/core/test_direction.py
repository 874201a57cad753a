"""Which way is better, by the metric's name."""

from __future__ import annotations

import pytest

from assent.core.direction import direction

HIGHER = """
accuracy val_accuracy ACC auc AUC roc_auc ROC-AUC slices.region.north.roc_auc auroc pr_auc
average_precision f1 f1-score f1_macro macro_f1 precision recall recall_at_5 recall@10 ndcg@10
test_recall top-1 top_5 mcc r2 R2 iou mean_iou bleu exact_match win_rate balanced_accuracy
neg_log_loss neg_mean_squared_error throughput throughput_mb throughput_mb_s tokens_per_second
examples_per_sec requests_per_s queries.rows_per_minute
""".split()
LOWER = """
loss val_loss train.loss log_loss logloss cross_entropy nll perplexity mse rmse RMSE test_rmse mae
mape error error_rate wer brier_score ece fpr fid latency latency_ms latency_p95 p95_latency_ms
latency_p99_ms time_s training_seconds memory_mb model_bytes cost_usd energy_kwh
""".split()
UNKNOWN = "bias rows support epoch days weights dropout temperature p99 tokens things".split()


@pytest.mark.parametrize("name", HIGHER)
def test_higher_is_better(name: str) -> None:
    assert direction(name) == "higher"


@pytest.mark.parametrize("name", LOWER)
def test_lower_is_better(name: str) -> None:
    assert direction(name) == "lower"


@pytest.mark.parametrize("name", [*UNKNOWN, "", ".", "*", "loss.", "accuracy.rows"])
def test_a_direction_that_is_not_known_is_not_guessed(name: str) -> None:
    assert direction(name) is None
