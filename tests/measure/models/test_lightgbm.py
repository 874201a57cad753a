"""Models of LightGBM, written by LightGBM and by somebody who means harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.measure.models.reading import part_of, written

lightgbm = pytest.importorskip("lightgbm")

NAMES = ["age", "income", "noise", "constant"]


def trained(**params: Any) -> Any:
    random = np.random.default_rng(7)
    values = random.normal(size=(400, 4))
    label = (values[:, 0] + values[:, 1] > 0).astype(float)
    values[:, 2:] = 1.0
    data = lightgbm.Dataset(values, label, feature_name=NAMES)
    options = {"objective": "binary", "num_leaves": 5, "verbose": -1, "num_threads": 1}
    return lightgbm.train({**options, **params}, data, num_boost_round=6)


def test_trees(tmp_path: Path) -> None:
    model = trained(learning_rate=0.05, seed=3)
    model.save_model(tmp_path / "model.txt")
    part = part_of(tmp_path / "model.txt")
    assert part.problem is None
    assert (part.format, part.trees) == ("lightgbm", model.num_trees())
    assert part.features == tuple(NAMES)
    gains = dict(zip(NAMES, model.feature_importance("gain"), strict=True))
    assert part.unused == tuple(name for name in NAMES if gains[name] == 0)
    assert part.unused == ("noise", "constant")
    assert part.parameters == model.trees_to_dataframe().shape[0]
    assert part.settings["learning_rate"] == 0.05
    assert part.settings["seed"] == 3
    assert part.settings["objective"] == "binary sigmoid:1"
    assert "num_threads" not in part.settings
    assert part.versions == {"format": "v4"}


def test_classes(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    values = random.normal(size=(300, 2))
    label = random.integers(0, 3, 300)
    options = {"objective": "multiclass", "num_class": 3, "verbose": -1, "num_threads": 1}
    model = lightgbm.train(options, lightgbm.Dataset(values, label), num_boost_round=2)
    model.save_model(tmp_path / "m.txt")
    part = part_of(tmp_path / "m.txt")
    assert (part.trees, part.settings["num_class"]) == (6, 3)
    assert part.features == ("Column_0", "Column_1")


def test_a_feature_of_linear_leaves_is_used(tmp_path: Path) -> None:
    trained(linear_tree=True, objective="regression").save_model(tmp_path / "m.txt")
    part = part_of(tmp_path / "m.txt")
    assert part.unused == ("noise", "constant")
    plain = tmp_path / "plain.txt"
    trained(objective="regression").save_model(plain)
    assert (part.parameters or 0) > (part_of(plain).parameters or 0)


HEAD = "tree\nversion=v4\nfeature_names=a b\n\n"
HOSTILE = {
    "no end": HEAD + "Tree=0\nnum_leaves=2\n",
    "nothing behind the head": "tree\nversion=v4\n",
    "a tree of text": HEAD + "Tree=0\nnum_leaves=many\nend of trees\n",
    "no leaves stated": HEAD + "Tree=0\nnum_leaves=\nend of trees\n",
    "endless features": HEAD
    + "Tree=0\nleaf_features="
    + " ".join(map(str, range(100_002)))
    + "\nend of trees\n",
    "endless names": "tree\nversion=v4\nfeature_names=" + "a " * 100_002 + "\nend of trees\n",
    "a long line": HEAD + "Tree=0\nsplit_gain=" + "1" * (17 << 20) + "\nend of trees\n",
}


@pytest.mark.threat(39)
@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files(tmp_path: Path, what: str) -> None:
    part = written(tmp_path, "model.txt", HOSTILE[what])
    assert part.format == "lightgbm"
    assert part.problem
    assert part.features == ()


@pytest.mark.threat(39)
def test_many_trees_and_lines_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = HEAD + "".join(f"Tree={at}\nnum_leaves=1\n" for at in range(50_000))
    assert written(tmp_path, "m.txt", content + "end of trees\n").trees == 50_000
    monkeypatch.setattr("assent.measure.models.formats.lightgbm.MAX_STEPS", 10_000)
    part = written(tmp_path, "m.txt", content + "end of trees\n")
    assert part.problem == "it holds more than 10,000 lines of trees"
