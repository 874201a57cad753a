"""Models of CatBoost, written by CatBoost and by somebody who means harm."""

from __future__ import annotations

import json
import random as randomness
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.measure.models.reading import part_of, written

catboost = pytest.importorskip("catboost")

NAMES = ["age", "income", "constant", "kind", "same"]


def trained(folder: Path, **params: Any) -> tuple[Any, Any]:
    """A model with numbers and categories, of which two are of no use, and its data."""
    random = np.random.default_rng(7)
    ages, incomes = random.normal(size=(2, 400))
    kinds = random.choice(["a", "b", "c", "d"], 400)
    label = (ages + incomes + (kinds == "a") * 2 > 0).astype(int)
    rows = [[a, i, 1.0, k, "x"] for a, i, k in zip(ages, incomes, kinds, strict=True)]
    pool = catboost.Pool(rows, label, cat_features=[3, 4], feature_names=NAMES)
    options = {"iterations": 6, "depth": 3, "verbose": 0, "thread_count": 1, "random_seed": 5}
    model = catboost.CatBoostClassifier(
        **{**options, **params}, train_dir=str(folder), allow_writing_files=False
    )
    model.fit(pool)
    return model, pool


@pytest.mark.parametrize("encoding", ["cbm", "json"])
@pytest.mark.parametrize("grow", ["SymmetricTree", "Lossguide", "Depthwise"])
def test_trees(tmp_path: Path, encoding: str, grow: str) -> None:
    model, pool = trained(tmp_path, grow_policy=grow, learning_rate=0.25)
    path = tmp_path / f"model.{encoding}"
    model.save_model(str(path), format=encoding, pool=pool)
    part = part_of(path)
    assert part.problem is None
    assert (part.format, part.trees) == ("catboost", model.tree_count_)
    assert part.features == tuple(NAMES)
    importance = dict(zip(NAMES, model.get_feature_importance(pool), strict=True))
    assert part.unused == tuple(name for name in NAMES if importance[name] == 0)
    assert set(part.unused) >= {"constant", "same"}
    assert part.settings["boosting_options.learning_rate"] == 0.25
    assert part.settings["tree_learner_options.grow_policy"] == grow
    assert part.settings["random_seed"] == 5
    assert part.versions == {"catboost": catboost.__version__, "encoding": encoding}


@pytest.mark.parametrize("grow", ["SymmetricTree", "Lossguide"])
def test_both_encodings_say_the_same(tmp_path: Path, grow: str) -> None:
    model, pool = trained(tmp_path, grow_policy=grow)
    for encoding in ("cbm", "json"):
        model.save_model(str(tmp_path / f"model.{encoding}"), format=encoding, pool=pool)
    left, right = (part_of(tmp_path / f"model.{one}") for one in ("cbm", "json"))
    assert left.parameters == right.parameters
    assert left.unused == right.unused
    assert left.trees == right.trees
    shared = left.settings.keys() & right.settings.keys()
    assert len(shared) > 40
    assert {key: left.settings[key] for key in shared} == {
        key: right.settings[key] for key in shared
    }


@pytest.mark.parametrize("encoding", ["cbm", "json"])
def test_what_the_sum_of_the_trees_becomes(tmp_path: Path, encoding: str) -> None:
    model, pool = trained(tmp_path)
    path = tmp_path / f"model.{encoding}"
    model.save_model(str(path), format=encoding, pool=pool)
    before = part_of(path).settings
    assert (before["scale"], before["bias"]) == (1, 0)
    model.set_scale_and_bias(0.0, 2.5)
    model.save_model(str(path), format=encoding, pool=pool)
    after = part_of(path).settings
    assert (after["scale"], after["bias"]) == (0, 2.5)
    assert {key for key in before if before[key] != after[key]} == {"scale", "bias"}


def test_without_names_and_of_several_classes_both_encodings_say_the_same(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=(60, 3))
    model = catboost.CatBoostClassifier(
        iterations=2, depth=2, verbose=0, thread_count=1, loss_function="MultiClass",
        train_dir=str(tmp_path), allow_writing_files=False,
    )  # fmt: skip
    model.fit(values, np.array(["c", "a", "b"] * 20))
    model.set_scale_and_bias(1.0, [1.0, 2.0, 3.0])
    for encoding in ("cbm", "json"):
        model.save_model(str(tmp_path / f"model.{encoding}"), format=encoding)
    left, right = (part_of(tmp_path / f"model.{one}") for one in ("cbm", "json"))
    assert left.features == right.features == ("0", "1", "2")
    for key in ("scale", "bias", "class_names", "class_to_label", "class_label_type"):
        assert left.settings[key] == right.settings[key]
    assert left.settings["bias"] == "[1.0,2.0,3.0]"


def binary(folder: Path) -> bytes:
    model, _ = trained(folder)
    model.save_model(str(folder / "whole.cbm"))
    return (folder / "whole.cbm").read_bytes()


@pytest.mark.threat(39)
def test_hostile_binaries(tmp_path: Path) -> None:
    whole = binary(tmp_path)
    hostile = [
        b"CBM1",
        b"CBM1" + struct.pack("<I", 0xFFFFFFFF) + whole[8:],
        whole[:200],
        whole[:8] + struct.pack("<I", 0xFFFFFFF0) + whole[12:],
        b"CBM1" + struct.pack("<I", 64) + b"\xff" * 64,
        b"CBM1" + struct.pack("<I", 64) + b"\0" * 64,
    ]
    for content in hostile:
        part = written(tmp_path, "model.cbm", content)
        assert part.format == "catboost"
        assert part.problem


@pytest.mark.threat(39)
def test_any_damage_is_a_problem_or_harmless(tmp_path: Path) -> None:
    whole = bytearray(binary(tmp_path))
    random = randomness.Random(3)
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(random.randint(1, 8)):
            damaged[random.randrange(4, len(damaged))] = random.choice([0, 1, 127, 128, 255])
        part = written(tmp_path, "model.cbm", bytes(damaged))
        assert part.format == "catboost"
        assert sum(map(len, part.features)) <= len(whole)


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "content",
    [
        '{"oblivious_trees":' + "[" * 200_000,
        '{"oblivious_trees":[{"splits":[{"float_feature_index":',
        '{"trees_are_missing":[]',
        '{"model_info":{"params":' + '{"a":' * 100_000,
        '{"features_info":{"float_features":[' + "{}," * 100_002,
    ],
)
def test_hostile_json(tmp_path: Path, content: str) -> None:
    part = written(tmp_path, "model.json", content)
    assert part.problem or part.format == "json"


@pytest.mark.threat(39)
def test_many_trees_are_not_all_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assent.measure.models.formats.catboost.MAX_TREES", 1_000)
    tree = {"leaf_values": [1, 2], "splits": [{"float_feature_index": 0}]}
    content = json.dumps({"oblivious_trees": [tree] * 5_000})
    part = written(tmp_path, "m.json", content)
    assert (part.trees, part.problem) == (5_000, "only the first 1,000 trees were looked at")
