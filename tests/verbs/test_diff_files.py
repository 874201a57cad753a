"""`diff --files`: two models on this machine, without running them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from assent.errors import UsageError
from assent.verbs.diff_files import diff_files


def model(folder: Path, name: str, shift: float = 0.0) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"w": np.arange(6, dtype=np.float32) + np.float32(shift)}, path)
    return str(path)


def test_the_same_bytes_are_the_same(tmp_path: Path) -> None:
    old, new = model(tmp_path, "a/m.safetensors"), model(tmp_path, "b/m.safetensors")
    found = diff_files(old, new).diff
    assert found.sameness is not None
    assert found.files == 1


def test_other_weights_are_measured_unless_nobody_wants_that(tmp_path: Path) -> None:
    old, new = model(tmp_path, "a/m.safetensors"), model(tmp_path, "b/m.safetensors", 1.0)
    found = diff_files(old, new).diff
    assert found.sameness is None
    [change] = found.weights
    assert (change.name, found.weights_compared) == ("w", 1)
    without = diff_files(old, new, weights=False).diff
    assert without.weights == ()
    assert without.sameness is None
    assert without.not_compared


def test_folders_by_the_paths_within(tmp_path: Path) -> None:
    model(tmp_path, "a/m.safetensors")
    (tmp_path / "a/gone.json").write_text("{}")
    model(tmp_path, "b/m.safetensors")
    (tmp_path / "b/new.json").write_text("{}")
    found = diff_files(str(tmp_path / "a"), str(tmp_path / "b")).diff
    assert found.sameness is None
    paths = {change.path for change in found.changes}
    assert paths == {"gone.json", "new.json"}


def test_nothing_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        diff_files(str(tmp_path / "a"), model(tmp_path, "m.safetensors"))
