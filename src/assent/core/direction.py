"""Which way is better: known for common metric names, otherwise to be said."""

from __future__ import annotations

import re

from assent.core.diff.metrics import Better

_HIGHER = frozenset(
    """
    accuracy acc auc auroc roc_auc auprc pr_auc ap average_precision map ndcg mrr precision
    recall sensitivity specificity tpr tnr npv ppv f1 f1_score fbeta jaccard iou miou dice mcc
    kappa r2 r2_score explained_variance gini bleu rouge meteor spearman pearson kendall
    matthews_corrcoef cohen_kappa roc_auc_ovr roc_auc_ovo
    silhouette coverage throughput hit_rate lift score exact_match balanced_accuracy psnr ssim
    top1 top5 top_1 top_5 pass_rate win_rate
    """.split()
)
_LOWER = frozenset(
    """
    loss log_loss logloss cross_entropy nll mse rmse mae mape smape msle rmsle medae mdae wape
    mase error error_rate err brier brier_score ece mce hinge perplexity ppl wer cer fpr fnr
    fdr fid kl_divergence deviance latency duration cost memory size hallucination_rate
    toxicity pinball quantile_loss max_error bias_abs crps
    """.split()
)
_RATE = re.compile(r"(^|_)(per_(s|sec|secs|second|seconds|minute|minutes|hour)|throughput)(_|$)")
_LOWER_UNITS = re.compile(
    r"(^|_)(ms|s|sec|secs|seconds|minutes|hours|mb|gb|bytes|usd|eur|gbp|chf|jpy|wh|kwh|joules)$"
)
_AFFIXES = re.compile(
    r"^(train|valid|validation|val|test|eval|dev|holdout|cv|mean|avg|macro|micro|weighted|global)_"
    r"|_(train|valid|validation|val|test|eval|dev|holdout|cv|mean|avg|macro|micro|weighted"
    r"|at_[0-9]+|[0-9]+|p[0-9]+)$"
)


def direction(name: str) -> Better | None:
    """The direction that is an improvement for a metric of this name, or None if it is not known.

    Only the last part of a dotted name counts (`slices.region.north.roc_auc`), without the usual
    affixes (`val_loss`, `recall_at_5`, `latency_p95`). Less is better for all that `cost.` counts,
    whatever the currency.
    """
    if name.startswith("cost."):
        return "lower"
    last = re.sub(r"[^a-z0-9]+", "_", name.rsplit(".", 1)[-1].lower()).strip("_")
    while True:
        if last in _HIGHER or _RATE.search(last):
            return "higher"
        if last in _LOWER or _LOWER_UNITS.search(last) or last.startswith(("neg_", "latency_")):
            return "higher" if last.startswith("neg_") else "lower"
        shorter = _AFFIXES.sub("", last)
        if shorter == last:
            return None
        last = shorter
