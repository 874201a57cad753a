"""A layout as cookiecutter-data-science makes it: paths in `config.py`, modules of a package."""

from __future__ import annotations

from tests.layouts.layout import LEARN, ROWS, Expected, Layout

CONFIG = """\
from pathlib import Path

PROJ_ROOT = Path(__file__).resolve().parents[1]

DATA_DIR = PROJ_ROOT / "data"
RAW_DATA_DIR = DATA_DIR / "raw"
PROCESSED_DATA_DIR = DATA_DIR / "processed"
MODELS_DIR = PROJ_ROOT / "models"
REPORTS_DIR = PROJ_ROOT / "reports"
"""
DATASET = """\
import csv
from pathlib import Path

from churn.config import PROCESSED_DATA_DIR, RAW_DATA_DIR
from churn.learn import rows


def main(
    input_path: Path = RAW_DATA_DIR / "customers.csv",
    output_path: Path = PROCESSED_DATA_DIR / "features.csv",
):
    table = rows(input_path)
    with open(output_path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)


if __name__ == "__main__":
    main()
"""
TRAIN = """\
from pathlib import Path

import joblib

from churn.config import MODELS_DIR, PROCESSED_DATA_DIR
from churn.learn import fit, rows


def main(
    features_path: Path = PROCESSED_DATA_DIR / "features.csv",
    model_path: Path = MODELS_DIR / "model.pkl",
):
    joblib.dump(fit(rows(features_path)), model_path)


if __name__ == "__main__":
    main()
"""
PREDICT = """\
import csv
import json
from pathlib import Path

import joblib

from churn.config import MODELS_DIR, PROCESSED_DATA_DIR, REPORTS_DIR
from churn.learn import accuracy, rows


def main(
    features_path: Path = PROCESSED_DATA_DIR / "features.csv",
    model_path: Path = MODELS_DIR / "model.pkl",
    metrics_path: Path = REPORTS_DIR / "metrics.json",
):
    model, table = joblib.load(model_path), rows(features_path)
    metrics_path.write_text(json.dumps({"accuracy": accuracy(model, table)}))


if __name__ == "__main__":
    main()
"""
MAKEFILE = """\
PYTHON_INTERPRETER = python

## Install Python dependencies
.PHONY: requirements
requirements:
\t$(PYTHON_INTERPRETER) -m pip install -U pip
\t$(PYTHON_INTERPRETER) -m pip install -r requirements.txt

## Delete all compiled Python files
.PHONY: clean
clean:
\tfind . -type f -name "*.py[co]" -delete

## Make dataset
.PHONY: data
data: requirements
\t$(PYTHON_INTERPRETER) churn/dataset.py
"""

LAYOUT = Layout(
    title="cookiecutter-data-science",
    files={
        ".gitignore": "/data/processed/*\n/models/*\n!.gitkeep\n/reports/metrics.json\n",
        "Makefile": MAKEFILE,
        "requirements.txt": "joblib\n",
        "pyproject.toml": '[project]\nname = "churn"\nversion = "0.1"\n',
        "data/raw/customers.csv": ROWS,
        "data/processed/.gitkeep": "",
        "models/.gitkeep": "",
        "reports/figures/.gitkeep": "",
        "notebooks/.gitkeep": "",
        "churn/__init__.py": "from churn import config\n",
        "churn/config.py": CONFIG,
        "churn/dataset.py": DATASET,
        "churn/learn.py": LEARN,
        "churn/modeling/__init__.py": "",
        "churn/modeling/train.py": TRAIN,
        "churn/modeling/predict.py": PREDICT,
    },
    models={
        ("", "work"): Expected(
            train="python -m churn.dataset && python -m churn.modeling.train",
            evaluate="python -m churn.modeling.predict",
            model="models/model.pkl",
            metrics=("reports/metrics.json",),
            figures=("accuracy",),
            inputs=("churn/**", "data/raw/customers.csv", "requirements.txt"),
            never_inputs=("data/processed/features.csv",),
            data={"customers": "data/raw/customers.csv"},
        )
    },
)
