"""A Kedro project: the catalog says where everything lies, models in `data/06_models`."""

from __future__ import annotations

from tests.layouts.layout import LEARN, ROWS, Expected, Layout

CATALOG = """\
customers:
  type: pandas.CSVDataset
  filepath: data/01_raw/customers.csv

prepared:
  type: pandas.CSVDataset
  filepath: data/02_intermediate/prepared.csv

classifier:
  type: pickle.PickleDataset
  filepath: data/06_models/classifier.pkl
  versioned: true

scores:
  type: json.JSONDataset
  filepath: data/08_reporting/metrics.json
"""
NODES = """\
from churn.learn import accuracy, fit


def prepare(customers):
    return [row for row in customers if row["spend"]]


def train(prepared, rate):
    return fit(prepared, rate)


def evaluate(classifier, prepared):
    return {"accuracy": accuracy(classifier, prepared)}
"""
REGISTRY = """\
from kedro.pipeline import node, pipeline

from .nodes import evaluate, prepare, train


def register_pipelines():
    whole = pipeline(
        [
            node(func=prepare, inputs="customers", outputs="prepared"),
            node(func=train, inputs=["prepared", "params:rate"], outputs="classifier_in_memory"),
            node(func=train, inputs=["prepared", "params:rate"], outputs="classifier"),
            node(func=evaluate, inputs=["classifier_in_memory", "prepared"], outputs="scores"),
        ]
    )
    return {"__default__": whole}
"""

LAYOUT = Layout(
    title="Kedro project",
    files={
        ".gitignore": "data/02_intermediate/\ndata/06_models/\ndata/08_reporting/\n",
        "pyproject.toml": '[project]\nname = "churn"\n\n[tool.kedro]\npackage_name = "churn"\n'
        'project_name = "churn"\n',
        "requirements.txt": "kedro\n",
        "conf/base/catalog.yml": CATALOG,
        "conf/base/parameters.yml": "rate: 1.0\n",
        "conf/local/.gitkeep": "",
        "data/01_raw/customers.csv": ROWS,
        "data/06_models/.gitkeep": "",
        "src/churn/__init__.py": "",
        "src/churn/learn.py": LEARN,
        "src/churn/nodes.py": NODES,
        "src/churn/pipeline_registry.py": REGISTRY,
    },
    models={
        ("", "work"): Expected(
            train="kedro run",
            model="data/06_models/classifier.pkl/",
            metrics=("data/08_reporting/metrics.json",),
            figures=("accuracy",),
            inputs=("data/01_raw/customers.csv", "src/churn/**", "conf/base/catalog.yml"),
            never_inputs=("data/06_models/.gitkeep", "data/02_intermediate/prepared.csv"),
            data={"customers": "data/01_raw/customers.csv"},
            params=("conf/base/parameters.yml",),
        )
    },
)
