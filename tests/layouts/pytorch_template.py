"""A PyTorch template: `model/` holds source code, what is trained goes below `saved/`."""

from __future__ import annotations

from tests.layouts.layout import LEARN, ROWS, Edit, Expected, Layout

TRAIN = """\
import argparse
import json

from data_loader.data_loaders import CustomerLoader
from model.model import Threshold
from trainer import Trainer


def main(config):
    loader = CustomerLoader(config["data_loader"]["path"])
    trainer = Trainer(Threshold(), loader, config)
    accuracy = trainer.train()
    print("    val_accuracy : {}".format(accuracy))


if __name__ == "__main__":
    args = argparse.ArgumentParser(description="template")
    args.add_argument("-c", "--config", default="config.json", type=str)
    parsed = args.parse_args()
    with open(parsed.config) as handle:
        config = json.load(handle)
    main(config)
"""
TRAINER = """\
from pathlib import Path

import torch

from base.base_trainer import BaseTrainer
from learn import accuracy, fit


class Trainer(BaseTrainer):
    def __init__(self, model, loader, config):
        super().__init__(model, config)
        self.loader = loader

    def train(self):
        self.model.state = fit(self.loader.table)
        self._save_checkpoint()
        return accuracy(self.model.state, self.loader.table)
"""
BASE = """\
from pathlib import Path

import torch


class BaseTrainer:
    def __init__(self, model, config):
        self.model = model
        save_dir = Path(config["trainer"]["save_dir"])
        self.checkpoint_dir = save_dir / "models" / config["name"]

    def _save_checkpoint(self):
        self.checkpoint_dir.mkdir(parents=True, exist_ok=True)
        torch.save(self.model.state, str(self.checkpoint_dir / "model_best.pth"))
"""
CONFIG = """\
{
  "name": "Churn_Threshold",
  "data_loader": {"path": "data/customers.csv"},
  "trainer": {"save_dir": "saved/", "epochs": 1}
}
"""
TEST = """\
import torch

from learn import accuracy, rows

if __name__ == "__main__":
    state = torch.load("saved/models/Churn_Threshold/model_best.pth")
    print("accuracy:", accuracy(state, rows("data/customers.csv")))
"""

LAYOUT = Layout(
    title="PyTorch template, source code in `model/`, figures only printed",
    files={
        ".gitignore": "saved/\n",
        "config.json": CONFIG,
        "requirements.txt": "torch\n",
        "data/customers.csv": ROWS,
        "base/__init__.py": "",
        "base/base_trainer.py": BASE,
        "data_loader/data_loaders.py": "from learn import rows\n\n\nclass CustomerLoader:\n"
        "    def __init__(self, path):\n        self.table = rows(path)\n",
        "learn.py": LEARN,
        "model/model.py": "class Threshold:\n    state = None\n",
        "model/metric.py": "def accuracy(output, target):\n    return 0\n",
        "trainer/__init__.py": "from .trainer import *\n",
        "trainer/trainer.py": TRAINER,
        "train.py": TRAIN,
        "test.py": TEST,
    },
    edits=(
        Edit(
            "train.py",
            'print("    val_accuracy : {}".format(accuracy))',
            (
                "    import json",
                '    json.dump({"accuracy": accuracy}, open("metrics.json", "w"))',
            ),
        ),
    ),
    models={
        ("", "work"): Expected(
            train="python train.py",
            model="saved/models/Churn_Threshold/model_best.pth",
            metrics=("metrics.json",),
            figures=("accuracy",),
            inputs=("train.py", "learn.py", "model/model.py", "base/**", "trainer/**"),
            data={"customers": "data/customers.csv"},
            params=("config.json",),
        )
    },
)
