"""A folder of files, and what is seen in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from assent.setup.detection import look
from assent.setup.scripts import read_script
from assent.setup.seen import ModelSeen, Step
from assent.setup.source import Sources
from assent.setup.tree import Tree


def written(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def only_model(folder: Path, files: Mapping[str, str | bytes]) -> ModelSeen:
    """The one model of the one project that these files are."""
    (project,) = look(written(folder, files), "churn").projects
    (model,) = project.models
    return model


def step(folder: Path, files: Mapping[str, str | bytes], *arguments: str) -> Step:
    """What `train.py` among these files does."""
    tree = Tree(written(folder, files))
    return read_script(Sources(tree), "train.py", arguments)
