from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assent.core.inspection import Field, Part, Tensor
from assent.measure.models import compare_weights, inspect

KERNEL = np.arange(6, dtype=np.float32)
BIAS = np.array([3, 4], dtype=np.int32)


def entry(name: str, values: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "shape": list(values.shape), "dtype": str(values.dtype), **more}


def description(*entries: dict[str, Any], paths: list[str], **more: Any) -> dict[str, Any]:
    return {
        "format": "graph-model",
        "generatedBy": "2.17.0",
        "convertedBy": "TensorFlow.js Converter v4",
        "modelTopology": {"node": [{"name": "x", "op": "Placeholder"}]},
        "weightsManifest": [{"paths": paths, "weights": list(entries)}],
        **more,
    }


def model(folder: Path, said: dict[str, Any], **shards: bytes) -> dict[str, Path]:
    folder.mkdir(exist_ok=True)
    files = {"model.json": folder / "model.json"}
    files["model.json"].write_text(json.dumps(said))
    for name, content in shards.items():
        files[f"{name}.bin"] = folder / f"{name}.bin"
        files[f"{name}.bin"].write_bytes(content)
    return files


def parts(files: dict[str, Path]) -> dict[str, Part]:
    return {part.path: part for part in inspect(files).parts}


def plain(folder: Path, kernel: Any = KERNEL, cut: int = 24) -> dict[str, Path]:
    said = description(entry("k", kernel), entry("b", BIAS), paths=["a.bin", "b.bin"])
    content = kernel.tobytes() + BIAS.tobytes()
    return model(folder, said, a=content[:cut], b=content[cut:])


def test_a_model_in_two_files_of_weights(tmp_path: Path) -> None:
    found = parts(plain(tmp_path))
    part = found["model.json"]
    assert (part.problem, part.format) == (None, "tfjs")
    assert part.tensors == (
        Tensor(name="b", dtype="int32", shape=(2,)),
        Tensor(name="k", dtype="float32", shape=(6,)),
    )
    assert part.parameters == 8
    assert part.beside == ("a.bin", "b.bin")
    assert part.versions["generatedBy"] == "2.17.0"
    assert found["a.bin"].settings == {"weights of": "model.json"}
    assert found["b.bin"].not_read is None


@pytest.mark.parametrize("cut", [24, 10, 25, 0])
def test_values_that_a_file_cuts_are_compared_all_the_same(tmp_path: Path, cut: int) -> None:
    moved = KERNEL.copy()
    moved[2] += 1  # the bytes 8 to 12
    found = compare_weights(plain(tmp_path / "o", cut=cut), plain(tmp_path / "n", moved, cut=cut))
    changes = {one.name: one.distance for one in found.changes}
    assert changes == {"b": 0.0, "k": pytest.approx(1 / np.linalg.norm(KERNEL))}
    assert found.not_compared == ()


def test_a_quantised_weight_is_its_numbers_and_their_scale(tmp_path: Path) -> None:
    numbers = np.array([1, 2], dtype=np.uint8)
    sides = [
        model(
            tmp_path / side,
            description(
                {
                    **entry("k", numbers),
                    "dtype": "float32",
                    "quantization": {"dtype": "uint8", "scale": scale, "min": 0.0},
                },
                paths=["a.bin"],
            ),
            a=numbers.tobytes(),
        )
        for side, scale in (("old", 0.5), ("new", 1.0))
    ]
    found = compare_weights(*sides)
    assert {one.name: one.distance for one in found.changes} == {
        "k": 0.0,
        "k (scale)": 1.0,
        "k (least value)": 0.0,
    }
    assert parts(sides[0])["model.json"].tensors[0].dtype == "uint8"


def test_a_small_scale_beside_a_large_least_value_has_its_own_distance(tmp_path: Path) -> None:
    numbers = np.array([0, 255], np.uint8)
    sides = [
        model(
            tmp_path / side,
            description(
                {
                    **entry("k", numbers),
                    "dtype": "float32",
                    "quantization": {"dtype": "uint8", "scale": scale, "min": -100.0},
                },
                paths=["a.bin"],
            ),
            a=numbers.tobytes(),
        )
        for side, scale in (("old", 0.5), ("new", 1.0))
    ]
    found = {one.name: one.distance for one in compare_weights(*sides).changes}
    assert found == {"k": 0.0, "k (scale)": 1.0, "k (least value)": 0.0}


def test_text_among_the_weights_ends_what_can_be_read(tmp_path: Path) -> None:
    said = description(
        entry("a", BIAS),
        {"name": "words", "shape": [2], "dtype": "string"},
        entry("z", BIAS),
        paths=["a.bin"],
    )
    files = model(tmp_path, said, a=BIAS.tobytes() + b"\2\0\0\0no\1\0\0\0x" + BIAS.tobytes())
    found = compare_weights(files, files)
    assert [one.name for one in found.changes] == ["a"]
    assert {one.name: one.reason for one in found.not_compared} == {
        "words": "it is text, or comes after text",
        "z": "it is text, or comes after text",
    }


def test_what_it_takes_and_gives(tmp_path: Path) -> None:
    dims = {"dim": [{"size": "-1"}, {"size": "3"}]}
    said = description(
        paths=[], signature={"inputs": {"x:0": {"dtype": "DT_FLOAT", "tensorShape": dims}}}
    )
    signature = parts(model(tmp_path, said))["model.json"].signature
    assert signature is not None
    assert signature.inputs == (Field(name="x:0", type="DT_FLOAT", shape=(None, 3)),)


def test_another_graph_is_another_structure(tmp_path: Path) -> None:
    first, second = (
        parts(model(tmp_path, description(paths=[], modelTopology={"node": [name]})))
        for name in ("a", "b")
    )
    key = "structure"
    assert first["model.json"].settings[key] != second["model.json"].settings[key]


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (description(entry("k", BIAS), paths=["c.bin"]), "does not have: c.bin"),
        (description(entry("k", BIAS), paths=["../a.bin"]), "does not have: ../a.bin"),
        (description(entry("k", KERNEL), paths=["a.bin"]), "need 24 bytes"),
        (description(entry("k", BIAS), entry("k", BIAS), paths=["a.bin"]), "twice"),
        (description({"name": "k"}, paths=["a.bin"]), "without name, shape or type"),
        (description(entry("k", BIAS) | {"shape": [-1]}, paths=["a.bin"]), "impossible shape"),
        (description(entry("k", BIAS) | {"shape": [2**60, 9]}, paths=["a.bin"]), "impossible"),
        (description(paths=[]) | {"weightsManifest": 1}, "names no files"),
    ],
)
def test_what_is_not_as_it_says(tmp_path: Path, said: dict[str, Any], problem: str) -> None:
    found = parts(model(tmp_path, said, a=BIAS.tobytes()))["model.json"].problem
    assert found is not None
    assert problem in found


@pytest.mark.parametrize(
    "quantization", ['{"dtype": []}', '{"dtype": "uint8", "scale": 1%s}' % ("0" * 400)]
)
def test_a_quantization_that_is_none_ends_nothing(tmp_path: Path, quantization: str) -> None:
    """The file of weights asks the description whether it belongs to it."""
    said = description({**entry("w", np.zeros(1)), "quantization": "?"}, paths=["a.bin"])
    files = model(tmp_path, said, a=bytes(8))
    text = files["model.json"].read_text().replace('"?"', quantization)
    files["model.json"].write_text(text)
    assert all(part.problem or part.not_read for part in inspect(files).parts)
    assert compare_weights(files, files).compared == 0


class Counted(type(Path())):  # type: ignore[misc]  # the class of paths of this system
    """A path that counts how often its file is opened."""

    opened = 0

    def open(self, *args: Any, **named: Any) -> Any:
        type(self).opened += 1
        return super().open(*args, **named)


def opened(folder: Path, shards: int, look: Callable[[dict[str, Path]], object]) -> int:
    """How often a description is opened that names one of so many small files beside it."""
    said = description(entry("b", BIAS), paths=["s0.bin"])
    content = {f"s{number}": BIAS.tobytes() for number in range(shards)}
    files = model(folder, said, **content)
    Counted.opened = 0
    look({**files, "model.json": Counted(files["model.json"])})
    return Counted.opened


@pytest.mark.threat(39)
@pytest.mark.parametrize("look", [inspect, lambda files: compare_weights(files, {})])
def test_a_description_is_read_once_for_all_files_beside_it(tmp_path: Path, look: Any) -> None:
    few, many = (opened(tmp_path / str(shards), shards, look) for shards in (2, 40))
    assert few == many > 0


def test_a_description_that_cannot_be_read_is_not_read_again(tmp_path: Path) -> None:
    files = model(tmp_path, description(paths=[]) | {"weightsManifest": 1})
    shards = {f"s{number}.bin": files["model.json"] for number in range(40)}
    Counted.opened = 0
    found = parts({**shards, "model.json": Counted(files["model.json"])})
    assert found["model.json"].problem is not None
    assert Counted.opened < 10


@pytest.mark.parametrize(
    "more",
    [
        {"userDefinedMetadata": {"labels": ["a"]}},
        {"signature": {"inputs": {"x": {"resourceId": "1"}}}},
        {"trainingConfig": {"loss": "mse"}},
        {"something new": [float("nan")]},
    ],
)
def test_what_else_it_says_is_compared(tmp_path: Path, more: dict[str, Any]) -> None:
    plain, other = (
        parts(model(tmp_path, description(paths=[], **said)))["model.json"].settings
        for said in ({}, more)
    )
    assert plain != other


def test_what_a_weight_says_beside_its_shape_is_compared(tmp_path: Path) -> None:
    plain, other = (
        parts(model(tmp_path, description(entry("b", BIAS, **said), paths=["a.bin"])))
        for said in ({}, {"group": "mean"})
    )
    assert plain["model.json"].settings != other["model.json"].settings
