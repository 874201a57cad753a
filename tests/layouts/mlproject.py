"""An MLflow project: figures go to the tracking store alone."""

from __future__ import annotations

from tests.layouts.layout import LEARN, ROWS, Edit, Expected, Layout

TRAIN = """\
import sys

import mlflow
from learn import accuracy, fit, rows

if __name__ == "__main__":
    rate = float(sys.argv[1]) if len(sys.argv) > 1 else 0.5
    data = sys.argv[2] if len(sys.argv) > 2 else "customers.csv"
    table = rows(data)
    with mlflow.start_run():
        model = fit(table, rate)
        score = accuracy(model, table)
        print(f"  accuracy: {score}")
        mlflow.log_param("rate", rate)
        mlflow.log_metric("accuracy", score)
        mlflow.sklearn.save_model(model, "model")
"""
PROJECT = """\
name: churn
conda_env: conda.yaml
entry_points:
  main:
    parameters:
      rate: {type: float, default: 1.0}
      data: {type: path, default: data/customers.csv}
    command: "python train.py {rate} {data}"
"""

LAYOUT = Layout(
    title="MLflow project (`MLproject`), figures in MLflow's store alone",
    files={
        ".gitignore": "mlruns/\nmodel/\n",
        "MLproject": PROJECT,
        "conda.yaml": "name: churn\ndependencies: [python=3.11, pip, {pip: [mlflow]}]\n",
        "data/customers.csv": ROWS,
        "learn.py": LEARN,
        "train.py": TRAIN,
    },
    edits=(
        Edit(
            "train.py",
            'mlflow.sklearn.save_model(model, "model")',
            (
                "        import json",
                '        json.dump({"accuracy": score}, open("metrics.json", "w"))',
            ),
        ),
    ),
    models={
        ("", "work"): Expected(
            train="python train.py 1.0 data/customers.csv",
            model="model/",
            metrics=("metrics.json",),
            figures=("accuracy",),
            inputs=("train.py", "learn.py", "data/customers.csv", "conda.yaml"),
            never_inputs=("MLproject",),
            data={"customers": "data/customers.csv"},
        )
    },
)
