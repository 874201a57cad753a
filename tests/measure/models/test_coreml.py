"""Models of Core ML by a small writer, with the field numbers of Apple's public `.proto` files. The
reader was tried on published packages as well.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from assent.core.inspection import Field, Part, Tensor
from assent.measure.models import compare_weights, inspect
from assent.measure.models.formats import coreml as reader
from assent.measure.models.reader import ModelSource
from tests.measure.models.looking import look_at
from tests.measure.models.reading import located
from tests.measure.models.wires import message, number

FLOAT16, FLOAT32 = 10, 11
FOLDER = "m.mlpackage/Data/com.apple.CoreML"
MODEL, WEIGHTS = f"{FOLDER}/model.mlmodel", f"{FOLDER}/weights/weight.bin"


def tensor_type(kind: int, *shape: int) -> bytes:
    sizes = (message(3, message(1, number(1, size))) for size in shape)
    return message(2, message(1, number(1, kind), number(2, len(shape)), *sizes))


def constant(name: str, value: bytes, operation: str = "const") -> bytes:
    outputs = message(3, message(1, name))
    return message(
        3, message(1, operation), outputs, message(5, message(1, "val"), message(2, value))
    )


def blob(kind: int, offset: int, *shape: int) -> bytes:
    place = message(1, "@model_path/weights/weight.bin") + number(2, offset)
    return tensor_type(kind, *shape) + message(5, place)


def immediate(*values: float) -> bytes:
    packed = struct.pack(f"<{len(values)}f", *values)
    return tensor_type(FLOAT32, len(values)) + message(
        3, message(1, message(1, message(1, packed)))
    )


def feature(field: int, name: str, *shape: int) -> bytes:
    sizes = b"".join(number(1, size) for size in shape)
    return message(field, message(1, name), message(3, message(5, sizes, number(2, 65568))))


def program(*operations: bytes, kind: int = 502) -> bytes:
    block = message(3, message(1, "CoreML7"), message(2, *operations))
    function = message(2, message(1, "main"), message(2, block))
    description = message(2, feature(1, "x", 1, 3), feature(10, "y", 1))
    return number(1, 8) + description + message(kind, number(1, 1) + function)


def weights(values: np.ndarray) -> bytes:
    raw = values.tobytes()
    head = struct.pack("<IIQQ", 0xDEADBEEF, 2, len(raw), 128) + bytes(40)
    return bytes(64) + head + raw


def files(tmp_path: Path, model: bytes, values: bytes | None) -> dict[str, Path]:
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "model").write_bytes(model)
    if values is None:
        return {MODEL: tmp_path / "model"}
    (tmp_path / "weight").write_bytes(values)
    return {MODEL: tmp_path / "model", WEIGHTS: tmp_path / "weight"}


def parts(found: dict[str, Path]) -> dict[str, Part]:
    return {part.path: part for part in inspect(found).parts}


VALUES = np.arange(4, dtype=np.float32)


def test_a_program_and_its_file_of_weights(tmp_path: Path) -> None:
    model = program(constant("w", blob(FLOAT32, 64, 2, 2)), constant("b", immediate(1.5, 2)))
    found = parts(files(tmp_path, model, weights(VALUES)))
    part = found[MODEL]
    assert (part.problem, part.left_out) == (None, None)
    assert part.tensors == (
        Tensor(name="b", dtype="float32", shape=(2,)),
        Tensor(name="w", dtype="float32", shape=(2, 2)),
    )
    assert part.parameters == 6
    assert part.beside == (WEIGHTS,)
    assert part.signature is not None
    assert part.signature.inputs == (Field(name="x", type="float32", shape=(1, 3)),)
    assert part.signature.outputs == (Field(name="y", type="float32", shape=(1,)),)
    assert part.settings["kind"] == "ML program"
    assert (found[WEIGHTS].format, found[WEIGHTS].not_read) == ("coreml", None)


def test_weights_beside_it_that_moved(tmp_path: Path) -> None:
    model = program(constant("w", blob(FLOAT32, 64, 4)), constant("b", immediate(1.5, 2)))
    sides = [
        files(tmp_path / side, model, weights(VALUES * factor))
        for side, factor in (("old", 1), ("new", 2))
    ]
    found = compare_weights(*sides)
    assert {one.name: one.distance for one in found.changes} == {"b": 0.0, "w": 1.0}
    assert found.not_compared == ()


def test_values_in_the_file_itself(tmp_path: Path) -> None:
    path = files(tmp_path, program(constant("b", immediate(1.5, -2))), None)[MODEL]
    source = ModelSource(
        name=MODEL, path=path, size_bytes=path.stat().st_size, head=b"", files={MODEL: path}
    )
    place = located(reader.locate(source))["b"]
    stored = np.frombuffer(path.read_bytes(), "<f4", 2, place.offset)
    assert stored.tolist() == [1.5, -2]


def test_the_order_of_a_map_is_no_change_and_another_operation_is(tmp_path: Path) -> None:
    def inputs(*names: str) -> bytes:
        maps = b"".join(message(2, message(1, name), message(2, name)) for name in names)
        return message(3, message(1, "add"), maps, message(3, message(1, "o")))

    one, turned, other = (
        look_at(tmp_path, program(operation), "m.mlmodel").settings["structure"]
        for operation in (inputs("x", "y"), inputs("y", "x"), inputs("x", "z"))
    )
    assert one == turned
    assert one != other


def test_other_kinds_say_what_is_not_looked_at(tmp_path: Path) -> None:
    part = look_at(tmp_path, program(kind=403), "m.mlmodel")
    assert part.left_out == "what a neural network classifier has learned"
    assert part.parameters is None
    custom = look_at(tmp_path, program(kind=555), "m.mlmodel")
    assert custom.code == ("custom model",)


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("model", "values", "problem"),
    [
        (program(constant("w", blob(FLOAT32, 64, 2, 2))), None, "is not there"),
        (program(constant("w", blob(FLOAT32, 64, 3))), weights(VALUES), "as many values"),
        (program(constant("w", blob(FLOAT32, 63, 4))), weights(VALUES), "impossible place"),
        (program(constant("w", blob(FLOAT32, 2**63, 4))), weights(VALUES), "beyond the end"),
        (program(constant("w", blob(FLOAT16, 64, 4))), weights(VALUES)[:-1], "impossible place"),
        (number(1, 8), None, "no model of Core ML"),
        (b"\xff" * 30, None, "more than ten bytes"),
    ],
)
def test_what_is_not_as_it_says(
    tmp_path: Path, model: bytes, values: bytes | None, problem: str
) -> None:
    found = parts(files(tmp_path, model, values))[MODEL].problem
    assert found is not None
    assert problem in found


@pytest.mark.threat(39)
def test_a_path_that_leaves_the_model_is_not_opened(tmp_path: Path) -> None:
    place = message(1, "@model_path/../../../../secret") + number(2, 64)
    model = program(constant("w", tensor_type(FLOAT32, 4) + message(5, place)))
    part = parts(files(tmp_path, model, weights(VALUES)))[MODEL]
    assert part.problem is not None
    assert "is not there" in part.problem


def described(*more: bytes) -> bytes:
    """A program whose description says more."""
    block = message(3, message(1, "CoreML7"), message(2, constant("b", immediate(1.5, 2))))
    description = message(2, feature(1, "x", 1, 3), feature(10, "y", 1), *more)
    function = message(2, message(1, "main"), message(2, block))
    return number(1, 8) + description + message(502, number(1, 1) + function)


def metadata(**texts: str) -> bytes:
    entries = (message(100, message(1, key), message(2, text)) for key, text in texts.items())
    return message(100, message(3, "me"), *entries)


def test_what_else_it_says_is_compared(tmp_path: Path) -> None:
    plain = described()
    models = [
        plain,
        plain + number(10, 1),  # may be trained on the phone
        described(message(11, "label")),  # the output that is predicted
        described(message(1, message(1, "z"), message(3, message(4, number(1, 224))))),
        described(message(1, message(1, "z"), message(3, message(4, number(1, 225))))),
        described(metadata(labels="a")),
        described(metadata(labels="b")),
        described(metadata(labels="a", author="you")),
        plain.replace(message(502), message(502)),
        number(1, 8) + message(2, feature(1, "x", 1, 3)) + message(502, message(3, "words")),
        number(1, 8) + message(2, feature(1, "x", 1, 3)) + message(502, message(3, "other words")),
    ]
    found = [look_at(tmp_path, model, "m.mlmodel") for model in models]
    assert {part.problem for part in found} == {None}
    assert found[0].settings == found[8].settings
    facts = {(tuple(sorted(part.settings.items())), part.signature) for part in found}
    assert len(facts) == len(models) - 1


def test_metadata_without_end_is_compared_by_its_digest(tmp_path: Path) -> None:
    many = {f"k{at:04}": "x" for at in range(2_500)}
    sides = [
        look_at(tmp_path, described(metadata(**said)), "m.mlmodel").settings
        for said in (many, many | {"k2499": "y"})
    ]
    assert len(sides[0]) == 2_000
    assert sides[0] != sides[1]
