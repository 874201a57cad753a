"""The place that verbs are tried on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.verbs.place import CONFIG, Place

WRITES = """\
import json, pathlib
pathlib.Path("model").mkdir(exist_ok=True)
accuracy = json.load(open("params.json"))["accuracy"]
pathlib.Path("model/model.bin").write_text(f"weights of {accuracy}")
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": accuracy}))
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "place")


@pytest.fixture
def trains(place: Place) -> Place:
    """The place with a command that writes a model."""
    config = CONFIG.replace("python train.py", f"{sys.executable} train.py")
    (place.folder / "assent.yaml").write_text(config)
    (place.folder / "train.py").write_text(WRITES)
    place.commit(0.8)
    return place
