"""The index of a model in shards against the shards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from assent.core.inspection import Part
from assent.measure.models import inspect

INDEX = "model.safetensors.index.json"
ONE, TWO = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
STATED = {"a": ONE, "b": ONE, "c": TWO}


def index(folder: Path, weight_map: dict[str, str], total: Any = 4 * (2 + 3 + 4)) -> Part:
    save_file({"a": np.ones(2, np.float32), "b": np.ones(3, np.float32)}, folder / ONE)
    save_file({"c": np.ones(4, np.float32)}, folder / TWO)
    said = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / INDEX).write_text(json.dumps(said))
    files = {path.name: path for path in folder.iterdir()}
    return next(part for part in inspect(files).parts if part.path == INDEX)


def test_an_index_that_fits(tmp_path: Path) -> None:
    part = index(tmp_path, STATED)
    assert (part.problem, part.notes, part.left_out) == (None, (), None)


@pytest.mark.parametrize(
    ("weight_map", "problem"),
    [
        ({**STATED, "c": ONE}, "it names another shard than the one that holds the tensor: c"),
        ({**STATED, "d": TWO}, "it names tensors that no shard holds: d"),
        (
            {**STATED, "c": "model-00003.safetensors"},
            "it names shards that the model does not have: model-00003.safetensors",
        ),
        ({**STATED, "c": "../x"}, "it names shards that the model does not have: ../x"),
    ],
)
def test_an_index_that_does_not_fit_is_a_problem(
    tmp_path: Path, weight_map: dict[str, str], problem: str
) -> None:
    assert index(tmp_path, weight_map).problem == problem


def test_what_is_odd_is_a_note(tmp_path: Path) -> None:
    assert index(tmp_path, STATED, total=35).notes == (
        "it states 35 bytes of values, and its shards hold 36",
    )
    part = index(tmp_path, {"a": ONE, "c": TWO})
    assert part.notes == ("its shards hold tensors that it does not name: b",)
    assert part.problem is None


def test_shards_that_are_damaged_are_said_not_to_be_checked(tmp_path: Path) -> None:
    index(tmp_path, STATED)
    (tmp_path / TWO).write_bytes(b"\xff" * 20)
    files = {path.name: path for path in tmp_path.iterdir()}
    part = next(part for part in inspect(files).parts if part.path == INDEX)
    assert part.left_out is not None
    assert part.problem is None


def test_an_index_of_pytorch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    for name, tensor in (("1.bin", "a"), ("2.bin", "b")):
        torch.save({tensor: torch.ones(3)}, tmp_path / name)
    name = "pytorch_model.bin.index.json"
    for stated, problem in (
        ({"a": "1.bin", "b": "2.bin"}, None),
        (
            {"a": "2.bin", "b": "2.bin"},
            "it names another shard than the one that holds the tensor: a",
        ),
    ):
        (tmp_path / name).write_text(json.dumps({"weight_map": stated}))
        files = {path.name: path for path in tmp_path.iterdir()}
        part = next(part for part in inspect(files).parts if part.path == name)
        assert part.problem == problem
