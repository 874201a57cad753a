"""A DVC pipeline with `foreach`: a model for each region."""

from __future__ import annotations

from tests.layouts.layout import LEARN, ROWS, Expected, Layout

TRAIN = """\
import os
import pickle
import sys
from learn import fit, rows

region = sys.argv[1]
table = [row for row in rows("data/customers.csv") if row["region"] == region]
os.makedirs("models", exist_ok=True)
pickle.dump(fit(table), open(f"models/{region}.pkl", "wb"))
"""
EVALUATE = """\
import json
import os
import pickle
import sys
from learn import accuracy, rows

region = sys.argv[1]
model = pickle.load(open(f"models/{region}.pkl", "rb"))
table = [row for row in rows("data/customers.csv") if row["region"] == region]
os.makedirs("metrics", exist_ok=True)
json.dump({"accuracy": accuracy(model, table)}, open(f"metrics/{region}.json", "w"))
"""
PIPELINE = """\
stages:
  train:
    foreach: ${regions}
    do:
      cmd: python train.py ${item}
      deps: [data/customers.csv, train.py, learn.py]
      outs: ['models/${item}.pkl']
  evaluate:
    foreach: ${regions}
    do:
      cmd: python evaluate.py ${item}
      deps: ['models/${item}.pkl', data/customers.csv, evaluate.py, learn.py]
      metrics: ['metrics/${item}.json': {cache: false}]
"""


def expected(region: str) -> Expected:
    return Expected(
        train=f"dvc repro evaluate@{region}",
        model=f"models/{region}.pkl",
        metrics=(f"metrics/{region}.json",),
        figures=("accuracy",),
        inputs=("data/customers.csv", "train.py", "evaluate.py", "learn.py", "dvc.yaml"),
        never_inputs=(f"models/{region}.pkl",),
        data={"customers": "data/customers.csv"},
    )


LAYOUT = Layout(
    title="DVC pipeline with `foreach` stages",
    files={
        ".gitignore": "/models\n",
        "data/customers.csv": ROWS,
        "dvc.yaml": PIPELINE,
        "params.yaml": "regions: [north, south]\n",
        "learn.py": LEARN,
        "train.py": TRAIN,
        "evaluate.py": EVALUATE,
    },
    models={("", f"work-{region}"): expected(region) for region in ("north", "south")},
)
