"""A Makefile whose targets run several scripts."""

from __future__ import annotations

from tests.layouts.layout import LEARN, ROWS, Expected, Layout

MAKEFILE = """\
PYTHON ?= python
RATE := 1.0
OUT = out

.PHONY: all train evaluate lint deploy

all: train evaluate

$(OUT):
\tmkdir -p $(OUT)

data/clean.csv: data/customers.csv clean.py
\t$(PYTHON) clean.py --input $< --output $@

train: $(OUT) data/clean.csv
\t$(PYTHON) fit.py \\
\t\t--data data/clean.csv --rate $(RATE) --model $(OUT)/model.pkl

evaluate:
\t@$(PYTHON) evaluate.py --model $(OUT)/model.pkl

lint:
\tflake8 .

deploy: train
\taws s3 cp $(OUT)/model.pkl s3://bucket/model.pkl
"""
CLEAN = """\
import argparse
import shutil

parser = argparse.ArgumentParser()
parser.add_argument("--input")
parser.add_argument("--output")
args = parser.parse_args()
with open(args.input) as source, open(args.output, "w") as target:
    shutil.copyfileobj(source, target)
"""
FIT = """\
import argparse
import pickle

from learn import fit, rows


def save(model, path):
    with open(path, "wb") as file:
        pickle.dump(model, file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--rate", type=float, default=0.5)
    parser.add_argument("--model", required=True)
    args = parser.parse_args()
    save(fit(rows(args.data), args.rate), args.model)


main()
"""
EVALUATE = """\
import argparse
import csv
import json
import pickle

from learn import accuracy, rows

parser = argparse.ArgumentParser()
parser.add_argument("--model")
args = parser.parse_args()
model = pickle.load(open(args.model, "rb"))
table = rows("data/test.csv")
json.dump({"accuracy": accuracy(model, table)}, open("out/scores.json", "w"))
with open("out/predictions.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["id", "label", "prediction"])
    for row in table:
        writer.writerow([row["id"], row["churned"], int(float(row["spend"]) <= model["threshold"])])
"""

LAYOUT = Layout(
    title="Makefile",
    files={
        ".gitignore": "out/\ndata/clean.csv\n",
        "Makefile": MAKEFILE,
        "data/customers.csv": ROWS,
        "data/test.csv": ROWS,
        "clean.py": CLEAN,
        "fit.py": FIT,
        "evaluate.py": EVALUATE,
        "learn.py": LEARN,
    },
    models={
        ("", "work"): Expected(
            train="make train",
            evaluate="make evaluate",
            model="out/model.pkl",
            metrics=("out/scores.json",),
            figures=("accuracy",),
            inputs=("Makefile", "clean.py", "fit.py", "learn.py", "data/customers.csv"),
            never_inputs=("data/clean.csv",),
            data={"customers": "data/customers.csv", "test": "data/test.csv"},
        )
    },
)
