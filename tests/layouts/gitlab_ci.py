"""A GitLab project whose CI trains already, in four ways of writing that."""

from __future__ import annotations

from tests.layouts.layout import LEARN, ROWS, Expected, Layout

TRAIN = """\
import argparse
import json
import pickle
from pathlib import Path

import yaml

from learn import accuracy, fit, rows

parser = argparse.ArgumentParser()
parser.add_argument("--config", default="configs/dev.yaml")
args = parser.parse_args()
config = yaml.safe_load(Path(args.config).open())
table = rows(config["data"])
model = fit(table, config["rate"])
out = Path(config["output_dir"])
out.mkdir(parents=True, exist_ok=True)
pickle.dump(model, open(out / "model.pkl", "wb"))
(out / "metrics.json").write_text(json.dumps({"accuracy": accuracy(model, table)}))
"""
CONFIG = "data: data/customers.csv\nrate: 1.0\noutput_dir: artifacts/{}\n"

PLAIN = """\
train:
  image: python:3.11
  script:
    - pip install -r requirements.txt
    - python src/train.py --config configs/prod.yaml
  artifacts: {paths: [artifacts/]}
"""
ONLY = """\
stages: [test, train, deploy]
lint:
  stage: test
  script: ruff check
train-model:
  stage: train
  only: [main, merge_requests]
  script: "python src/train.py --config configs/prod.yaml"
deploy:
  stage: deploy
  only: [main]
  script: [echo deploy]
"""
EXTENDS = """\
workflow:
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
.python:
  image: python:3.11
  before_script: [pip install -r requirements.txt]
train:
  extends: .python
  script:
    - !reference [.python, before_script]
    - |
      echo "training on $CI_RUNNER_ID"
      python src/train.py \\
        --config configs/prod.yaml
"""
CHILD = """\
include:
  - local: .gitlab/train.yml
build:
  script: [echo build]
"""


def layout(how: str, files: dict[str, str]) -> Layout:
    return Layout(
        title=f"Existing GitLab CI: {how}",
        files={
            **files,
            ".gitignore": "artifacts/\n",
            "configs/dev.yaml": CONFIG.format("dev"),
            "configs/prod.yaml": CONFIG.format("prod"),
            "data/customers.csv": ROWS,
            "requirements.txt": "pyyaml\n",
            "src/learn.py": LEARN,
            "src/train.py": TRAIN,
        },
        models={
            ("", "work"): Expected(
                train="python src/train.py --config configs/prod.yaml",
                model="artifacts/prod/model.pkl",
                metrics=("artifacts/prod/metrics.json",),
                figures=("accuracy",),
                inputs=("src/train.py", "src/learn.py", "data/customers.csv"),
                data={"customers": "data/customers.csv"},
                params=("configs/prod.yaml",),
            )
        },
    )


LAYOUTS = {
    "gitlab_plain": layout("one job", {".gitlab-ci.yml": PLAIN}),
    "gitlab_only": layout("own stages and `only`", {".gitlab-ci.yml": ONLY}),
    "gitlab_extends": layout("own `workflow` and `extends`", {".gitlab-ci.yml": EXTENDS}),
    "gitlab_include": layout(
        "the job in an included file", {".gitlab-ci.yml": CHILD, ".gitlab/train.yml": PLAIN}
    ),
}
