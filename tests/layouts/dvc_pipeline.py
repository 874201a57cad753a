"""A DVC pipeline: metrics and `dvc.lock` in Git, data behind a pointer."""

from __future__ import annotations

from tests.layouts.layout import LEARN, ROWS, Expected, Layout

PREPARE = """\
import csv
import yaml
from learn import rows

params = yaml.safe_load(open("params.yaml"))["prepare"]
table = rows("data/raw.csv")
cut = int(len(table) * params["split"])
for name, part in (("train", table[:cut]), ("test", table[cut:])):
    with open(f"data/prepared/{name}.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(part)
"""
TRAIN = """\
import pickle
import yaml
from learn import fit, rows

params = yaml.safe_load(open("params.yaml"))["train"]
model = fit(rows("data/prepared/train.csv"), params["rate"])
with open("model.pkl", "wb") as file:
    pickle.dump(model, file)
"""
EVALUATE = """\
import json
import pickle
from learn import accuracy, rows

model = pickle.load(open("model.pkl", "rb"))
table = rows("data/prepared/test.csv")
metrics = {"accuracy": accuracy(model, table), "rows": len(table)}
with open("metrics.json", "w") as file:
    json.dump(metrics, file)
with open("roc.csv", "w") as file:
    file.write("fpr,tpr\\n0,0\\n1,1\\n")
"""
PIPELINE = """\
stages:
  prepare:
    cmd: mkdir -p data/prepared && python src/prepare.py
    deps: [data/raw.csv, src/prepare.py, src/learn.py]
    params: [prepare.split]
    outs: [data/prepared/train.csv, data/prepared/test.csv]
  train:
    cmd: python src/train.py
    deps: [data/prepared/train.csv, src/train.py, src/learn.py]
    params: [train.rate]
    outs: [model.pkl]
  evaluate:
    cmd: python src/evaluate.py
    deps: [model.pkl, data/prepared/test.csv, src/evaluate.py, src/learn.py]
    metrics: [metrics.json: {cache: false}]
    plots: [roc.csv: {cache: false, x: fpr, y: tpr}]
"""
LOCK = """\
schema: '2.0'
stages:
  train:
    cmd: python src/train.py
    outs:
    - path: model.pkl
      hash: md5
      md5: 0123456789abcdef0123456789abcdef
      size: 40
"""
POINTER = """\
outs:
- md5: fedcba9876543210fedcba9876543210
  size: 1000
  hash: md5
  path: raw.csv
"""

LAYOUT = Layout(
    title="DVC pipeline, metrics in Git, data behind a pointer",
    files={
        ".gitignore": "/model.pkl\n",
        ".dvc/config": "[core]\n    remote = store\n",
        "data/.gitignore": "/raw.csv\n/prepared\n",
        "data/raw.csv.dvc": POINTER,
        "dvc.yaml": PIPELINE,
        "dvc.lock": LOCK,
        "metrics.json": '{"accuracy": 0.5, "rows": 1}',
        "params.yaml": "prepare: {split: 0.7}\ntrain: {rate: 1.0}\n",
        "roc.csv": "fpr,tpr\n",
        "src/requirements.txt": "pyyaml\n",
        "src/learn.py": LEARN,
        "src/prepare.py": PREPARE,
        "src/train.py": TRAIN,
        "src/evaluate.py": EVALUATE,
    },
    beside={"data/raw.csv": ROWS},
    models={
        ("", "work"): Expected(
            train="dvc repro",
            model="model.pkl",
            metrics=("metrics.json",),
            figures=("accuracy", "rows"),
            inputs=("data/raw.csv", "dvc.yaml", "src/train.py", "src/learn.py"),
            never_inputs=("model.pkl", "metrics.json", "dvc.lock", "data/prepared/train.csv"),
            data={"raw": "data/raw.csv"},
            params=("params.yaml",),
        )
    },
)
