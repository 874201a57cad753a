"""Evaluate model/ on the test patients, as a whole and by age."""

import json
from pathlib import Path

import joblib
from patients import read
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

features, labels, ages = read("data/test.csv")
scores = joblib.load("model/model.joblib").predict_proba(features)[:, 1]
bands = {"under 40": ages < 40, "40 to 54": (ages >= 40) & (ages < 55), "55 and over": ages >= 55}
metrics = {
    "roc_auc": roc_auc_score(labels, scores),
    "accuracy": accuracy_score(labels, scores > 0.5),
    "log_loss": log_loss(labels, scores),
    "slices": {
        "age": {
            band: {"roc_auc": roc_auc_score(labels[chosen], scores[chosen])}
            for band, chosen in bands.items()
        }
    },
}
Path("reports").mkdir(exist_ok=True)
Path("reports/metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
print(f"roc_auc {metrics['roc_auc']:.3f} on {len(labels)} patients")
