"""Hydra: where things go stands in `conf/`, and the script must stay in its folder."""

from __future__ import annotations

from tests.layouts.layout import LEARN, ROWS, Expected, Layout

TRAIN = """\
import json
import pickle
from pathlib import Path

import hydra

from learn import accuracy, fit, rows


@hydra.main(version_base=None, config_path="../conf", config_name="config")
def main(cfg):
    table = rows(cfg.data.path)
    model = fit(table, cfg.model.rate)
    out = Path(cfg.paths.output)
    out.mkdir(exist_ok=True)
    with open(out / cfg.model.file, "wb") as file:
        pickle.dump(model, file)
    with open(out / "metrics.json", "w") as file:
        json.dump({"accuracy": accuracy(model, table)}, file)


if __name__ == "__main__":
    main()
"""

LAYOUT = Layout(
    title="Hydra",
    files={
        ".gitignore": "outputs/\nresults/\n",
        "requirements.txt": "hydra-core\n",
        "conf/config.yaml": "defaults:\n  - _self_\n  - model: threshold\n"
        "data: {path: data/customers.csv}\npaths: {output: results}\n",
        "conf/model/threshold.yaml": "rate: 1.0\nfile: threshold_model.pkl\n",
        "data/customers.csv": ROWS,
        "src/learn.py": LEARN,
        "src/train.py": TRAIN,
    },
    models={
        ("", "work"): Expected(
            train="python src/train.py",
            model="results/threshold_model.pkl",
            metrics=("results/metrics.json",),
            figures=("accuracy",),
            inputs=("src/train.py", "src/learn.py", "data/customers.csv"),
            data={"customers": "data/customers.csv"},
            params=("conf/config.yaml", "conf/model/threshold.yaml"),
        )
    },
)
