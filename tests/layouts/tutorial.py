"""A tutorial: `Model/` and `Results/` are in Git, and the figures are text."""

from __future__ import annotations

from tests.layouts.layout import LEARN, ROWS, Expected, Layout

TRAIN = """\
import joblib

from learn import accuracy, fit, rows

## Loading the data
table = rows("Data/customers.csv")

## Training
pipe = fit(table)

## Evaluation
acc = accuracy(pipe, table)
print("Accuracy:", str(round(acc, 2) * 100) + "%")

## Write metrics to file
with open("./Results/metrics.txt", "w") as outfile:
    outfile.write(f"\\nAccuracy = {round(acc, 2)}, F1 Score = {round(acc, 2)}")

## Saving the model
joblib.dump(pipe, "./Model/customer_pipeline.joblib")
"""
MAKEFILE = """\
install:
\tpip install --upgrade pip &&\\
\t\tpip install -r requirements.txt

format:
\tblack *.py

train:
\tpython train.py

eval:
\techo "## Model Metrics" > report.md
\tcat ./Results/metrics.txt >> report.md
\tcml comment create report.md

update-branch:
\tgit config --global user.name $(USER_NAME)
\tgit commit -am "Update with new results"
\tgit push --force origin HEAD:update
"""
WORKFLOW = """\
name: Continuous Integration
on: [push]
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Install
        run: make install
      - name: Train
        run: make train
      - name: Evaluation
        env:
          REPO_TOKEN: ${{ secrets.GITHUB_TOKEN }}
        run: make eval
"""

LAYOUT = Layout(
    title="Tutorial with `Model/` and `Results/*.txt` in Git",
    files={
        ".github/workflows/ci.yml": WORKFLOW,
        "App/app.py": "import joblib\n\nmodel = joblib.load('./Model/customer_pipeline.joblib')\n",
        "Data/customers.csv": ROWS,
        "Makefile": MAKEFILE,
        "Model/customer_pipeline.joblib": "of an earlier run",
        "Results/metrics.txt": "\nAccuracy = 0.5, F1 Score = 0.5",
        "learn.py": LEARN,
        "requirements.txt": "joblib\n",
        "train.py": TRAIN,
    },
    models={
        ("", "work"): Expected(
            train="python train.py",
            model="Model/customer_pipeline.joblib",
            metrics=("Results/metrics.txt",),
            figures=("Accuracy", "F1 Score"),
            inputs=("train.py", "learn.py", "Data/customers.csv"),
            never_inputs=("Model/customer_pipeline.joblib", "Results/metrics.txt"),
            data={"customers": "Data/customers.csv"},
        )
    },
)
