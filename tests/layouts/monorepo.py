"""Three models in one repository, each in a folder of its own; two folders are called alike."""

from __future__ import annotations

from tests.layouts.layout import LEARN, ROWS, Expected, Layout

TRAIN = """\
import json
import os
import pickle

from learn import accuracy, fit, rows

DATA = os.path.join("data", "customers.csv")
table = rows(DATA)
model = fit(table)
os.makedirs("artifacts", exist_ok=True)
with open("artifacts/model.pkl", "wb") as file:
    pickle.dump(model, file)
with open("artifacts/metrics.json", "w") as file:
    json.dump(dict(accuracy=accuracy(model, table)), file)
"""
FOLDERS = {"services/churn": "churn", "services/price": "price", "legacy/churn": "legacy-churn"}


def project(folder: str) -> dict[str, str]:
    return {
        f"{folder}/requirements.txt": "# nothing\n",
        f"{folder}/.gitignore": "artifacts/\n",
        f"{folder}/data/customers.csv": ROWS,
        f"{folder}/learn.py": LEARN,
        f"{folder}/train.py": TRAIN,
    }


EXPECTED = Expected(
    train="python train.py",
    model="artifacts/model.pkl",
    metrics=("artifacts/metrics.json",),
    figures=("accuracy",),
    inputs=("train.py", "learn.py", "data/customers.csv", "requirements.txt"),
    data={"customers": "data/customers.csv"},
)

LAYOUT = Layout(
    title="Monorepo with three models",
    files={
        "README.md": "# Models\n",
        "tests/train.py": "raise SystemExit\n",
        **{path: text for folder in FOLDERS for path, text in project(folder).items()},
    },
    models={
        ("legacy/churn", "churn"): EXPECTED,
        ("services/churn", "services-churn"): EXPECTED,
        ("services/price", "price"): EXPECTED,
    },
)
