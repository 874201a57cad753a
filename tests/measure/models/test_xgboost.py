"""Models of XGBoost, written by XGBoost and by somebody who means harm."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.measure.models.reading import part_of, written

xgboost = pytest.importorskip("xgboost")

NAMES = ["age", "income", "noise", "constant"]
PARAMS = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.3, "nthread": 1, "verbosity": 0}


def trained(names: list[str] | None = NAMES, **params: Any) -> Any:
    """A model in which the third feature is never of use, and the fourth never varies."""
    random = np.random.default_rng(7)
    values = random.normal(size=(400, 4))
    values[:, 3] = 1.0
    label = (values[:, 0] + values[:, 1] > 0).astype(int)
    values[:, 2] = 0.0
    data = xgboost.DMatrix(values, label, feature_names=names)
    return xgboost.train({**PARAMS, **params}, data, num_boost_round=5)


@pytest.mark.parametrize("encoding", ["json", "ubj"])
@pytest.mark.parametrize("booster", ["gbtree", "dart"])
def test_trees(tmp_path: Path, encoding: str, booster: str) -> None:
    model = trained(booster=booster)
    model.set_attr(best_iteration="3")
    path = tmp_path / f"model.{encoding}"
    model.save_model(path)
    part = part_of(path)
    assert part.problem is None
    assert (part.format, part.trees) == ("xgboost", len(model.get_dump()))
    assert part.parameters == model.trees_to_dataframe().shape[0]
    assert part.features == tuple(NAMES)
    assert set(NAMES) - set(part.unused) == set(model.get_score(importance_type="gain"))
    assert part.unused == ("noise", "constant")
    assert part.settings["objective"] == "binary:logistic"
    assert part.settings["booster"] == booster
    assert part.settings["num_feature"] == 4
    assert part.settings["rounds"] == 5
    assert part.settings["attributes.best_iteration"] == 3
    assert part.versions == {"xgboost": xgboost.__version__, "encoding": encoding}


def test_both_encodings_say_the_same(tmp_path: Path) -> None:
    model = trained()
    for encoding in ("json", "ubj"):
        model.save_model(tmp_path / f"model.{encoding}")
    left, right = (part_of(tmp_path / f"model.{one}") for one in ("json", "ubj"))
    assert left.settings == right.settings
    assert (left.trees, left.parameters, left.unused) == (
        right.trees,
        right.parameters,
        right.unused,
    )


@pytest.mark.parametrize("encoding", ["json", "ubj"])
def test_a_linear_model(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / f"model.{encoding}"
    trained(booster="gblinear").save_model(path)
    part = part_of(path)
    assert (part.parameters, part.trees) == (5, None)
    assert "noise" in part.unused
    assert "age" not in part.unused
    assert part.settings["booster"] == "gblinear"


def test_features_without_a_name_are_numbered(tmp_path: Path) -> None:
    trained(names=None).save_model(tmp_path / "model.ubj")
    part = part_of(tmp_path / "model.ubj")
    assert (part.features, part.unused) == ((), ("f2", "f3"))


@pytest.mark.parametrize("name", ["model.ubj", "model.json", "model.bin", "weights"])
def test_the_name_of_the_file_does_not_matter(tmp_path: Path, name: str) -> None:
    assert written(tmp_path, name, bytes(trained().save_raw("ubj"))).trees == 5
    assert written(tmp_path, name, bytes(trained().save_raw("json"))).trees == 5


def old_binary() -> bytes:
    """The head of the format before JSON: parameters of 136 bytes, then names."""
    names = b"".join(struct.pack("<Q", len(one)) + one for one in (b"reg:linear", b"gbtree"))
    return struct.pack("<fIiii", 0.5, 4, 0, 0, 0) + b"\0" * 116 + names


@pytest.mark.parametrize("content", [old_binary(), b"binf" + old_binary(), b"bs64\tAAAA"])
def test_the_old_binary_format_is_said_plainly(tmp_path: Path, content: bytes) -> None:
    part = written(tmp_path, "model.model", content)
    assert part.format == "xgboost"
    assert part.problem is not None
    assert "old binary format" in part.problem


# Hostile files. UBJSON: {L<7>learner{ …
def key(name: bytes) -> bytes:
    return b"L" + struct.pack(">q", len(name)) + name


LEARNER = b"{" + key(b"learner") + b"{" + key(b"attributes")
EXABYTE = struct.pack(">q", 1 << 60)
HOSTILE_UBJ = {
    "a text of an exabyte": LEARNER + b"SL" + EXABYTE + b"x",
    "a key of an exabyte": LEARNER + b"{L" + EXABYTE,
    "an array of exabytes": LEARNER + b"[$D#L" + EXABYTE + b"\0" * 64,
    "an array of nothing, exabytes long": LEARNER + b"[$Z#L" + EXABYTE,
    "an object of exabytes": LEARNER + b"{#L" + EXABYTE,
    "a negative length": LEARNER + b"SL" + struct.pack(">q", -1),
    "an array in arrays": LEARNER + b"[" * 1_000_000,
    "arrays of one type in arrays": LEARNER + b"[$[#L" + EXABYTE,
    "objects in objects": LEARNER + (b"{" + key(b"a")) * 100_000,
    "a type without a count": LEARNER + b"[$D" + b"\0" * 64,
    "no operations without end": LEARNER + b"[" + b"N" * 6_000_000,
    "cut off": b"",
}


@pytest.mark.threat(39)
@pytest.mark.parametrize("what", HOSTILE_UBJ)
def test_hostile_ubjson(tmp_path: Path, what: str) -> None:
    content = HOSTILE_UBJ[what] or bytes(trained().save_raw("ubj"))[:900]
    part = written(tmp_path, "model.ubj", content)
    assert part.format == "xgboost"
    assert part.problem
    assert part.trees is None


HOSTILE_JSON = {
    "deep arrays": '{"learner":{"attributes":{},"gradient_booster":' + "[" * 3_000_000,
    "deep objects": '{"learner":{"attributes":{},"gradient_booster":' + '{"model":' * 100_000,
    "an open text": '{"learner":{"attributes":{},"x":"' + "a" * 3_000_000,
    "a number of a megabyte": '{"learner":{"attributes":{"a":' + "9" * 1_000_000 + "}}}",
    "half a character": '{"learner":{"attributes":{"a":"\\ud800"}}}',
    "text where numbers are": '{"learner":{"attributes":{},"gradient_booster":{"model":{"trees":'
    '[{"left_children":["a"]}]}}}}',
    "arrays that differ": '{"learner":{"attributes":{},"gradient_booster":{"model":{"trees":'
    '[{"left_children":[1,-1,-1],"split_indices":[0],"loss_changes":[1]}]}}}}',
    "cut off": '{"learner":{"attributes":{}, "feature_names":["a"',
    "no learner": '{"version":[3,2,0],"attributes":{}}',
}


@pytest.mark.threat(39)
@pytest.mark.parametrize("what", HOSTILE_JSON)
def test_hostile_json(tmp_path: Path, what: str) -> None:
    part = written(tmp_path, "model.json", HOSTILE_JSON[what])
    assert part.format == "xgboost"
    assert part.problem


@pytest.mark.threat(39)
def test_a_million_trees_are_not_all_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assent.measure.models.formats.xgboost.MAX_TREES", 2_000)
    tree = '{"left_children":[1,-1,-1],"loss_changes":[1,0,0],"split_indices":[1,0,0]}'
    content = (
        '{"learner":{"attributes":{},"feature_names":["a","b"],"gradient_booster":{"model":'
        '{"gbtree_model_param":{"num_trees":"1000000"},"trees":[' + ",".join([tree] * 20_000)
    )
    part = written(tmp_path, "model.json", content + "]}}}}")
    assert part.trees == 1_000_000
    assert part.problem == "only the first 2,000 trees were looked at"
    assert part.unused == ()


@pytest.mark.threat(39)
def test_a_stated_number_of_trees_must_be_there(tmp_path: Path) -> None:
    model = json.loads(trained().save_raw("json"))
    model["learner"]["gradient_booster"]["model"]["gbtree_model_param"]["num_trees"] = "7"
    part = written(tmp_path, "model.json", json.dumps(model))
    assert part.problem == "it states 7 trees and holds 5"


@pytest.mark.threat(39)
def test_a_claimed_number_of_features_makes_nothing(tmp_path: Path) -> None:
    model = json.loads(trained(names=None).save_raw("json"))
    model["learner"]["learner_model_param"]["num_feature"] = str(10**18 - 1)
    part = written(tmp_path, "model.json", json.dumps(model))
    assert part.unused == ()
    assert part.settings["num_feature"] == 10**18 - 1


def test_the_form_in_memory_is_read_as_well(tmp_path: Path) -> None:
    """A model that was not saved but serialised holds its configuration beside it."""
    content = bytes(trained().__getstate__()["handle"])
    part = written(tmp_path, "model.raw", content)
    assert (part.format, part.problem, part.trees) == ("xgboost", None, 5)
    assert part.features == tuple(NAMES)


def test_a_key_in_any_width_is_a_model(tmp_path: Path) -> None:
    """XGBoost writes lengths of 64 bits; other writers of UBJSON shorter ones."""
    for length in (b"i\x07", b"U\x07", b"I\x00\x07", b"l\x00\x00\x00\x07"):
        content = b"{" + length + b"learner{" + length + b"version[i\x01]}}"
        part = written(tmp_path, "m.ubj", content)
        assert (part.format, part.problem) == ("xgboost", None)
