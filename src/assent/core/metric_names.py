"""Names of metrics whose direction is documented, each below the document that says so.

Names are lower case, and every run of other signs than letters and digits is one `_`:
`metrics/mAP50-95(B)` of Ultralytics is `map50_95`. What is not here is not known. A name that
means two things in different places (`score`, `gini`, `lift`, `coverage`, `size`) is left out.
"""

from __future__ import annotations

from typing import NamedTuple


class Source(NamedTuple):
    """A document, and the names that it gives a direction. `negative` are numbers whose sign was
    turned, so that more is better and none is above zero. `signed` are those of `lower` that may
    well be below zero; any other is not, and if it is, somebody has turned its sign.
    """

    url: str
    higher: str = ""
    lower: str = ""
    negative: str = ""
    signed: str = ""


SOURCES = (
    Source(
        "https://scikit-learn.org/stable/modules/model_evaluation.html#string-name-scorers",
        higher="""
        accuracy balanced_accuracy top_k_accuracy average_precision f1 f1_micro f1_macro
        f1_weighted f1_samples precision precision_micro precision_macro precision_weighted
        precision_samples recall recall_micro recall_macro recall_weighted recall_samples jaccard
        jaccard_micro jaccard_macro jaccard_weighted jaccard_samples roc_auc roc_auc_ovr
        roc_auc_ovo roc_auc_ovr_weighted roc_auc_ovo_weighted d2_brier_score d2_log_loss_score
        matthews_corrcoef adjusted_mutual_info_score adjusted_rand_score completeness_score
        fowlkes_mallows_score homogeneity_score mutual_info_score normalized_mutual_info_score
        rand_score v_measure_score explained_variance r2 d2_absolute_error_score
        positive_likelihood_ratio
        """,
        negative="""
        neg_brier_score neg_log_loss neg_max_error neg_mean_absolute_error
        neg_mean_squared_error neg_root_mean_squared_error neg_mean_squared_log_error
        neg_root_mean_squared_log_error neg_median_absolute_error neg_mean_poisson_deviance
        neg_mean_gamma_deviance neg_mean_absolute_percentage_error
        neg_negative_likelihood_ratio
        """,
    ),
    Source(
        "https://scikit-learn.org/stable/api/sklearn.metrics.html",
        higher="""
        accuracy_score average_precision_score balanced_accuracy_score cohen_kappa_score f1_score
        fbeta_score jaccard_score precision_score recall_score roc_auc_score top_k_accuracy_score
        r2_score explained_variance_score d2_pinball_score d2_tweedie_score dcg_score ndcg_score
        label_ranking_average_precision_score silhouette_score calinski_harabasz_score
        consensus_score sensitivity specificity fbeta
        """,
        lower="""
        brier_score_loss log_loss hamming_loss hinge_loss zero_one_loss mean_absolute_error
        mean_squared_error root_mean_squared_error mean_squared_log_error
        root_mean_squared_log_error median_absolute_error mean_absolute_percentage_error max_error
        mean_pinball_loss mean_poisson_deviance mean_gamma_deviance mean_tweedie_deviance
        coverage_error label_ranking_loss davies_bouldin_score fit_time score_time
        """,
    ),
    Source(
        "https://en.wikipedia.org/wiki/Evaluation_of_binary_classifiers",
        higher="acc auc auroc auprc pr_auc tpr tnr npv ppv true_positive_rate true_negative_rate",
        lower="""
        error error_rate fpr fnr fdr false_positive_rate false_negative_rate false_discovery_rate
        misclassification_rate eer equal_error_rate
        """,
    ),
    Source(
        "https://developers.google.com/machine-learning/glossary",
        lower="""
        loss mse rmse mae mape cross_entropy binary_cross_entropy perplexity cost
        negative_log_likelihood neg_log_likelihood nll
        """,
        signed="""
        loss train_loss cross_entropy binary_cross_entropy negative_log_likelihood
        neg_log_likelihood nll cost
        """,
    ),
    Source(
        "https://lightning.ai/docs/torchmetrics/stable/all-metrics.html",
        higher="""
        binary_accuracy multiclass_accuracy multilabel_accuracy binary_auroc multiclass_auroc
        multilabel_auroc binary_f1score multiclass_f1score binary_average_precision
        multiclass_average_precision cohen_kappa kappa mcc matthews_corr_coef jaccard_index iou
        miou mean_iou dice dice_score psnr ssim ms_ssim peak_signal_noise_ratio
        structural_similarity_index_measure
        multi_scale_structural_similarity_index_measure inception_score pearson spearman kendall
        pearson_corrcoef pearsonr spearmanr concordance_corrcoef si_sdr si_snr snr pesq stoi
        retrieval_map retrieval_mrr retrieval_normalized_dcg map mar ap mean_average_precision
        map_small map_medium map_large mar_small mar_medium mar_large ndcg mrr clip_score
        panoptic_quality
        """,
        lower="""
        calibration_error expected_calibration_error ece mce brier brier_score hamming_distance
        fid frechet_inception_distance kid kernel_inception_distance lpips
        learned_perceptual_image_patch_similarity kl_divergence
        symmetric_mean_absolute_percentage_error weighted_mean_absolute_percentage_error
        mean_squared_logarithmic_error msle rmsle log_cosh_error wer cer mer wil
        word_error_rate char_error_rate match_error_rate edit_distance
        translation_edit_rate extended_edit_distance
        """,
    ),
    Source(
        "https://keras.io/api/metrics/",
        higher="""
        categorical_accuracy sparse_categorical_accuracy top_k_categorical_accuracy
        sparse_top_k_categorical_accuracy precision_at_recall recall_at_precision
        sensitivity_at_specificity specificity_at_sensitivity binary_io_u one_hot_io_u
        one_hot_mean_io_u mean_io_u f1_score cosine_similarity
        """,
        lower="""
        binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy poisson hinge
        squared_hinge categorical_hinge logcosh mean_absolute_percentage_error
        """,
        signed="poisson",
    ),
    Source(
        "https://xgboost.readthedocs.io/en/stable/parameter.html#learning-task-parameters",
        higher="aucpr",
        lower="""
        logloss mlogloss merror mphe poisson_nloglik gamma_nloglik cox_nloglik gamma_deviance
        tweedie_nloglik aft_nloglik
        """,
        signed="poisson_nloglik gamma_nloglik cox_nloglik tweedie_nloglik aft_nloglik",
    ),
    Source(
        "https://lightgbm.readthedocs.io/en/stable/Parameters.html#metric-parameters",
        higher="auc_mu",
        lower="binary_logloss binary_error multi_logloss multi_error cross_entropy_lambda",
    ),
    Source(
        "https://catboost.ai/docs/en/references/custom-metric__supported-metrics",
        higher="normalizedgini prauc wkappa totalf1 balancedaccuracy querauc",
        lower="multiclass multiclassonevsall crossentropy zerooneloss balancederrorrate smape",
    ),
    Source(
        "https://auto.gluon.ai/stable/tutorials/timeseries/forecasting-metrics.html",
        lower="mase rmsse wape wql sql",
    ),
    Source(
        "https://ts.gluon.ai/stable/api/gluonts/gluonts.evaluation.html",
        lower="nrmse nd mean_wquantileloss quantile_loss abs_error crps pinball_loss",
    ),
    Source(
        "https://huggingface.co/docs/transformers/main_classes/trainer",
        lower="""
        train_loss eval_loss train_runtime eval_runtime predict_runtime test_runtime
        """,
        higher="""
        train_samples_per_second eval_samples_per_second predict_samples_per_second
        test_samples_per_second train_steps_per_second eval_steps_per_second
        test_steps_per_second predict_steps_per_second train_tokens_per_second
        """,
    ),
    Source(
        "https://huggingface.co/docs/evaluate/index",
        higher="""
        bleu sacrebleu google_bleu chrf rouge rouge1 rouge2 rougel rougelsum meteor bertscore_f1
        bertscore_precision bertscore_recall exact_match seqeval_f1 overall_accuracy overall_f1
        overall_precision overall_recall bleurt comet mauve squad_f1
        throughput samples_per_second
        """,
        lower="ter toxicity total_time_in_seconds latency_in_seconds latency",
    ),
    Source(
        "https://github.com/EleutherAI/lm-evaluation-harness/blob/main/lm_eval/api/metrics.py",
        higher="acc_norm acc_all acc_mutual_info mcc",
        lower="word_perplexity byte_perplexity bits_per_byte ppl",
    ),
    Source(
        "https://docs.ultralytics.com/guides/yolo-performance-metrics/",
        higher="map50 map75 map50_95 fitness accuracy_top1 accuracy_top5",
        lower="box_loss cls_loss dfl_loss seg_loss pose_loss kobj_loss obj_loss",
    ),
    Source(
        "https://github.com/huggingface/pytorch-image-models/blob/main/validate.py",
        higher="top1 top5 top_1 top_5 acc1 acc5",
        lower="top1_err top5_err",
    ),
    Source(
        "https://mlflow.org/docs/latest/ml/evaluation/",
        higher="""
        precision_recall_auc ndcg_at_k training_accuracy_score training_f1_score
        training_precision_score training_recall_score training_roc_auc answer_similarity
        relevance relevance_to_query correctness groundedness retrieval_relevance
        retrieval_groundedness retrieval_sufficiency
        """,
        lower="training_log_loss training_mean_absolute_error training_mean_squared_error",
    ),
    Source(
        "https://docs.ragas.io/en/stable/concepts/metrics/available_metrics/",
        higher="""
        faithfulness answer_relevancy response_relevancy answer_correctness semantic_similarity
        answer_semantic_similarity context_precision context_recall context_entity_recall
        context_relevancy context_relevance context_utilization
        llm_context_precision_with_reference llm_context_precision_without_reference
        llm_context_recall non_llm_context_recall non_llm_context_precision_with_reference
        factual_correctness answer_accuracy response_groundedness nv_accuracy
        nv_context_relevance nv_response_groundedness tool_call_accuracy agent_goal_accuracy
        agent_goal_accuracy_with_reference topic_adherence multimodal_faithful_rate
        multimodal_relevance bleu_score rouge_score non_llm_string_similarity
        """,
        lower="noise_sensitivity noise_sensitivity_relevant noise_sensitivity_irrelevant",
    ),
    Source(
        "https://deepeval.com/docs/metrics-hallucination",
        lower="hallucination hallucination_rate",
    ),
    Source(
        "https://github.com/tatsu-lab/alpaca_eval",
        higher="win_rate length_controlled_winrate",
    ),
    Source(
        "https://github.com/openai/human-eval",
        higher="pass_1 pass_10 pass_100 pass_at_1 pass_at_10 pass_at_100 pass_rate",
    ),
    Source(
        "https://www.recbole.io/docs/user_guide/usage/running_new_model.html", higher="hit hit_rate"
    ),
    Source(
        "https://docs.vllm.ai/en/stable/benchmarking/cli/",
        higher="request_throughput output_throughput total_token_throughput request_goodput",
        lower="ttft tpot itl e2el time_to_first_token time_per_output_token inter_token_latency",
    ),
    Source(
        "https://mlco2.github.io/codecarbon/output.html",
        lower="emissions energy_consumed",
    ),
)
