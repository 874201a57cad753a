"""Which way is better, by the metric's name."""

from __future__ import annotations

import pytest

from assent.core.direction import direction, is_turned

HIGHER = """
accuracy val_accuracy ACC auc AUC roc_auc ROC-AUC slices.region.north.roc_auc auroc pr_auc
average_precision f1 f1-score f1_macro macro_f1 precision recall recall_at_5 recall@10 ndcg@10
test_recall top-1 top_5 mcc r2 R2 iou mean_iou bleu exact_match win_rate balanced_accuracy
neg_log_loss neg_mean_squared_error test_neg_root_mean_squared_error throughput throughput_mb
throughput_mb_s
accuracy_score precision_score recall_score f1_score fbeta_score roc_auc_score matthews_corrcoef
cohen_kappa_score average_precision_score r2_score explained_variance_score d2_pinball_score
top_k_accuracy_score balanced_accuracy_score jaccard_score ndcg_score silhouette_score
calinski_harabasz_score adjusted_rand_score v_measure_score
categorical_accuracy val_sparse_categorical_accuracy binary_io_u
validation_0.auc valid_0.ndcg@5 validation_0.aucpr NormalizedGini
eval_accuracy eval_f1 eval_samples_per_second train_steps_per_second eval_rouge1 eval_rougeL
eval_rougeLsum rouge2 sacrebleu chrF meteor overall_f1 overall_accuracy bertscore_f1
results.arc_easy.acc,none results.arc_challenge.acc_norm,none
results.gsm8k.exact_match,strict-match results.gsm8k.exact_match,flexible-extract
groups.mmlu.acc,none results.cola.mcc,none
metrics/precision(B) metrics/recall(B) metrics/mAP50(B) metrics/mAP50-95(B) metrics/mAP50-95(M)
metrics/mAP50(P) metrics/accuracy_top1 metrics/accuracy_top5 fitness
training_accuracy_score training_f1_score training_roc_auc precision_recall_auc
answer_similarity/v1/mean faithfulness/v1/p90 rougeL/v1/mean exact_match/v1
relevance_to_query/mean
faithfulness answer_relevancy context_precision context_recall context_entity_recall
answer_correctness semantic_similarity factual_correctness tool_call_accuracy topic_adherence
response_groundedness
pass@1 pass@10 hit@10 mrr map_50 mar_100 psnr ssim request_throughput best_accuracy
best.val_accuracy last.valid_0.auc test/accuracy accuracy.mean accuracy/test accuracy.value
""".split()
LOWER = """
loss val_loss train.loss log_loss logloss cross_entropy nll perplexity mse rmse RMSE test_rmse mae
mape error error_rate wer brier_score ece fpr fid latency latency_ms latency_p95 p95_latency_ms
latency_p99_ms cost_usd mae_usd rmse_kwh loss_eur neg_log_likelihood negative_log_likelihood
mean_squared_error mean_absolute_error root_mean_squared_error median_absolute_error max_error
mean_absolute_percentage_error mean_pinball_loss mean_tweedie_deviance hamming_loss zero_one_loss
brier_score_loss coverage_error label_ranking_loss davies_bouldin_score
binary_crossentropy val_categorical_crossentropy kl_divergence hinge
validation_0.logloss valid_0.binary_logloss multi_logloss mlogloss merror rmsle test_RMSE
Logloss MultiClass
eval_loss train_loss eval_runtime train_runtime cer ter toxicity/v1/mean toxicity/v1/p90
results.wikitext.word_perplexity,none results.wikitext.bits_per_byte,none
results.wikitext.byte_perplexity,none results.x.brier_score,none
train/box_loss val/box_loss val/cls_loss val/dfl_loss val/seg_loss
training_log_loss training_mean_squared_error latency/mean latency/p90
noise_sensitivity noise_sensitivity_relevant hallucination_rate
mase smape wape wql crps mean_wQuantileLoss nrmse
mean_ttft_ms p99_tpot_ms median_itl_ms lpips emissions energy_consumed
cost.train.wall_s cost.evaluate.peak_memory_bytes cost.model_bytes cost.energy_kwh cost.eur
""".split()
UNKNOWN = """
bias rows support epoch days weights dropout temperature p99 tokens things
revenue_usd uptime_s watch_minutes false_alarms_per_hour errors_per_second train_size test_size
model_size watch_seconds session_seconds tokens_per_second requests_per_s queries.rows_per_minute
revenue.mean profit_eur battery_hours memory_mb free_memory_gb map_mb ap_bytes size score gini lift
coverage time duration distance_m
accuracy_std std_accuracy std.accuracy accuracy/variance toxicity/v1/variance cv.std.test_accuracy
delta.accuracy thresholds.f1 threshold/precision baseline.accuracy weights.loss config.loss
acc_stderr,none results.arc_easy.acc_stderr,none higher_is_better.arc_easy.acc results.x.bypass,none
results.x.alias mean_ttft_std std_ttft_ms lr/pg0 weight_loss_kg customer_loss_ratio
cost.savings_usd cost.avoided.usd neg_pairs neg_things neg_accuracy negative_samples
best_at.val_loss best_at.valid_0.auc
not_accuracy inaccuracy lossless auction total_flos macro_avg.support n.accuracy
""".split()


def test_the_names_are_many() -> None:
    names = [*HIGHER, *LOWER, *UNKNOWN]
    assert len(set(names)) == len(names) > 200


@pytest.mark.parametrize("name", HIGHER)
def test_higher_is_better(name: str) -> None:
    assert direction(name) == "higher"


@pytest.mark.parametrize("name", LOWER)
def test_lower_is_better(name: str) -> None:
    assert direction(name) == "lower"


@pytest.mark.parametrize("name", [*UNKNOWN, "", ".", "*", "loss.", "accuracy.rows"])
def test_a_direction_that_is_not_known_is_not_guessed(name: str) -> None:
    assert direction(name) is None


@pytest.mark.parametrize(
    ("name", "value", "turned"),
    [
        ("rmse", -1.5, True),
        ("test_mean_absolute_error", -1, True),
        ("rmse", 0.0, False),
        ("neg_log_loss", -0.3, False),
        ("neg_log_loss", 0.3, True),
        ("loss", -3.0, False),  # of an energy, say
        ("val_nll", -3.0, False),
        ("r2", -3.0, False),
        ("revenue_usd", -3.0, False),
        ("rmse", "text", False),
        ("rmse", True, False),
    ],
)
def test_a_sign_that_a_metric_cannot_have_is_seen(name: str, value: object, turned: bool) -> None:
    assert is_turned(name, value) is turned
