"""Files of TensorFlow Lite by a small writer, with the field numbers of its public schema. The
reader was compared with the package `tflite` on published models as well.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assent.core.inspection import Field, Tensor
from assent.measure.models import compare_weights
from assent.measure.models.formats import tflite as reader
from tests.measure.models.flatbuffers import Again, Fields, Raw, numbers, u32, written
from tests.measure.models.looking import look, look_at
from tests.measure.models.reading import located, source_of, unread

WEIGHT = np.arange(6, dtype=np.float32).reshape(2, 3)
QUANTISED = np.array([1, -2, 3], dtype=np.int8)
INT8 = 9


def tensor(name: str, buffer: int, *shape: int, kind: int = 0) -> Fields:
    return {0: numbers(*shape), 1: bytes([kind]), 2: u32(buffer), 3: name}


def model(
    weight: Any = WEIGHT,
    scale: float = 0.5,
    custom: str | None = None,
    signatures: list[Fields] | None = None,
) -> bytes:
    quantization: Fields = {2: Raw(struct.pack("<f", scale), 4), 3: Raw(struct.pack("<q", 7), 8)}
    graph: Fields = {
        0: [
            {**tensor("x", 0, 1, 2), 7: numbers(-1, 2)},
            tensor("w", 1, 2, 3),
            {**tensor("q", 2, 3, kind=INT8), 4: quantization},
            tensor("y", 0, 1, 3),
        ],
        1: numbers(0),
        2: numbers(3),
        3: [{0: u32(0), 1: numbers(0, 1, 2), 2: numbers(3), 3: b"\x08", 4: {0: b"\1"}}],
    }
    code: Fields = {0: b"\x09", **({} if custom is None else {1: custom}), 2: u32(1), 3: u32(9)}
    fields: Fields = {
        0: u32(3),
        1: [code],
        2: [graph],
        3: "made by hand",
        4: [{}, {0: Raw(weight.tobytes(), 1)}, {0: Raw(QUANTISED.tobytes(), 1)}],
        7: signatures or [],
    }
    return written(fields, b"TFL3")


@pytest.mark.parametrize("name", ["m.tflite", "m.bin", "weights"])
def test_a_model_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    part = look_at(tmp_path, model(), name)
    assert (part.problem, part.not_read, part.format) == (None, None, "tflite")
    assert part.tensors == (
        Tensor(name="q", dtype="int8", shape=(3,)),
        Tensor(name="q (scale)", dtype="float32", shape=(1,)),
        Tensor(name="q (zero point)", dtype="int64", shape=(1,)),
        Tensor(name="w", dtype="float32", shape=(2, 3)),
    )
    assert part.parameters == 6 + 3  # what scales are is said apart
    assert part.signature is not None
    assert part.signature.inputs == (Field(name="x", type="float32", shape=(None, 2)),)
    assert part.signature.outputs == (Field(name="y", type="float32", shape=(1, 3)),)
    assert part.versions == {"schema": "3"}
    assert part.settings["nodes"] == 1


def test_the_values_are_where_they_are_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(model())
    found = located(reader.locate(source_of(path)))
    for name, expected in (("w", WEIGHT), ("q", QUANTISED)):
        place = found[name]
        stored = np.frombuffer(path.read_bytes(), place.dtype, expected.size, place.offset)
        assert np.array_equal(stored.reshape(place.shape), expected)


def test_names_of_a_signature_stand_for_those_of_tensors(tmp_path: Path) -> None:
    signature: Fields = {0: [{0: "pixels", 1: u32(0)}], 1: [{0: "scores", 1: u32(3)}]}
    found = look_at(tmp_path, model(signatures=[signature]), "m.tflite").signature
    assert found is not None
    assert [one.name for one in (*found.inputs, *found.outputs)] == ["pixels", "scores"]


def test_another_scale_is_another_model_of_the_same_whole_numbers(tmp_path: Path) -> None:
    for name, scale in (("old", 0.5), ("new", 1.0)):
        (tmp_path / name).write_bytes(model(scale=scale))
    found = compare_weights({"m": tmp_path / "old"}, {"m": tmp_path / "new"})
    assert {one.name: one.distance for one in found.changes} == {
        "q": 0.0,
        "q (scale)": 1.0,
        "q (zero point)": 0.0,
        "w": 0.0,
    }


def test_other_operators_are_another_structure(tmp_path: Path) -> None:
    plain = look_at(tmp_path, model(), "a.tflite")
    custom = look_at(tmp_path, model(custom="Mine"), "b.tflite")
    assert plain.settings["structure"] != custom.settings["structure"]
    assert (plain.code, custom.code) == ((), ("custom operator Mine",))


def test_weights_that_are_packed_in_another_way_are_not_compared(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(model(weight=WEIGHT[:1]))  # three values where the shape says six
    assert unread(reader.locate(source_of(path))) == {"w": "it is sparse, or packed in another way"}


def test_a_file_that_is_none_but_for_its_name(tmp_path: Path) -> None:
    part = look_at(tmp_path, b"anything", "m.tflite")
    assert part.problem == "it does not begin as TensorFlow Lite does"


@pytest.mark.threat(39)
def test_every_truncation_is_a_problem_or_a_part(tmp_path: Path) -> None:
    content = model()
    path = tmp_path / "m.tflite"
    for size in range(8, len(content), 3):
        path.write_bytes(content[:size])
        assert not (look(path).problem or "").startswith("it cannot be read (")


@pytest.mark.threat(39)
@pytest.mark.parametrize("again", ["tensors", "lists of numbers"])
def test_what_stands_there_again_and_again_is_not_read_for_ever(tmp_path: Path, again: str) -> None:
    """A small file can name 100,000 times a graph that names 100,000 times a tensor."""
    graph: Fields = {0: Again({}, 10_000)}
    if again == "lists of numbers":
        graph = {3: Again({1: numbers(*range(1_000_000))}, 1_000)}
    content = written({2: Again(graph, 10_000), 4: [{}]}, b"TFL3")
    part = look_at(tmp_path, content, "m.tflite")
    assert "lists" in (part.problem or "")
    assert len(content) < 5_000_000


def test_a_long_description_is_compared_to_its_end(tmp_path: Path) -> None:
    found = []
    for end in "ab":
        content = model().replace(b"made by hand", b"made by hand")
        long = written({0: u32(3), 3: "x" * 400 + end}, b"TFL3")
        found.append(look_at(tmp_path, long, "m.tflite").settings["description"])
        assert look_at(tmp_path, content, "m.tflite").settings["description"] == "made by hand"
    assert found[0] != found[1]
