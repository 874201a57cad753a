"""Evaluate model/ on the test patients: the metrics, and the prediction for each of them."""

import csv
import json
from pathlib import Path

import joblib
from patients import read
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

features, labels, ages = read("data/test.csv")
scores = joblib.load("model/model.joblib").predict_proba(features)[:, 1]
metrics = {
    "roc_auc": roc_auc_score(labels, scores),
    "accuracy": accuracy_score(labels, scores > 0.5),
    "log_loss": log_loss(labels, scores),
}
Path("reports").mkdir(exist_ok=True)
Path("reports/metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")


def band(age):
    return "under 40" if age < 40 else "40 to 54" if age < 55 else "55 and over"


with Path("data/test.csv").open(newline="") as file:
    patients = list(csv.DictReader(file))
with Path("reports/predictions.csv").open("w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["id", "fast", "predicted", "score", "age", "bmi"])
    for patient, score, age in zip(patients, scores, ages, strict=True):
        row = [patient["id"], patient["fast"], int(score > 0.5), f"{score:.6f}", band(age)]
        writer.writerow([*row, patient["bmi"]])
print(f"roc_auc {metrics['roc_auc']:.3f} on {len(labels)} patients")
