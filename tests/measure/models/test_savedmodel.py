"""TensorFlow is not installed for these tests. The bytes are made by a small writer, by the field
numbers of TensorFlow's public `.proto` files (saved_model, meta_graph, graph, node_def, function,
saved_object_graph).
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from assent.core.inspection import Danger, Field, Part, Tensor
from assent.measure.models import inspect
from tests.measure.models.wires import message, number

FLOAT, STRING, RESOURCE = 1, 7, 20


def shape(*sizes: int) -> bytes:
    return b"".join(message(2, number(1, size) if size else b"") for size in sizes)


def node(name: str, operation: str, **attributes: bytes) -> bytes:
    entries = (message(5, message(1, key), message(2, at)) for key, at in attributes.items())
    return message(1, name) + message(2, operation) + b"".join(entries)


def tensor_info(kind: int, sizes: bytes) -> bytes:
    return message(1, "node:0") + number(2, kind) + message(3, sizes)


def entry(key: str, value: bytes) -> bytes:
    return message(1, key) + message(2, value)


def variable(name: str, *sizes: int, trainable: int = 1) -> bytes:
    content = number(1, FLOAT) + message(2, shape(*sizes)) + number(3, trainable)
    return message(1, message(7, content, message(6, name)))


def saved(
    folder: Path,
    nodes: list[bytes] | None = None,
    *,
    inside: list[bytes] | None = None,
    objects: bytes = b"",
    signatures: dict[str, bytes] | None = None,
) -> Path:
    info = message(1, message(4, "serve") + message(5, "2.17.0"))
    function = message(1, message(1, "f")) + b"".join(message(3, one) for one in inside or [])
    graph = b"".join(message(1, one) for one in nodes or [])
    graph += message(2, message(1, function)) + message(4, number(1, 1987))
    served = b"".join(message(5, entry(key, one)) for key, one in (signatures or {}).items())
    meta = info + message(2, graph) + served + (message(7, objects) if objects else b"")
    path = folder / "saved_model.pb"
    path.write_bytes(number(1, 1) + message(2, meta))
    return path


def inspected(path: Path) -> Part:
    (part,) = inspect({path.name: path}).parts
    return part


def test_a_model(tmp_path: Path) -> None:
    serving = (
        message(1, entry("x", tensor_info(FLOAT, shape(-1, 4))))
        + message(1, entry("a", tensor_info(STRING, number(3, 1))))
        + message(2, entry("y", tensor_info(FLOAT, shape(-1, 1))))
        + message(3, "tensorflow/serving/predict")
    )
    objects = (
        message(1, message(4, message(1, "_generic_user_object")))
        + variable("kernel", 4, 3)
        + variable("bias", 3)
        + variable("iterations", trainable=0)
    )
    part = inspected(
        saved(
            tmp_path,
            [node("x", "Placeholder"), node("s", "SaveV2"), node("p", "StatefulPartitionedCall")],
            inside=[node("m", "MatMul")],
            objects=objects,
            signatures={"serving_default": serving, "__saved_model_init_op": b""},
        )
    )
    assert part.problem is None
    assert part.format == "savedmodel"
    assert part.parameters == 15
    assert part.tensors == (
        Tensor(name="bias", dtype="float32", shape=(3,)),
        Tensor(name="iterations", dtype="float32", shape=()),
        Tensor(name="kernel", dtype="float32", shape=(4, 3)),
    )
    assert part.signature is not None
    assert part.signature.inputs == (
        Field(name="a", type="string"),
        Field(name="x", type="float32", shape=(None, 4)),
    )
    assert part.signature.outputs == (Field(name="y", type="float32", shape=(None, 1)),)
    assert part.versions == {"graph": "1987", "schema": "1", "tensorflow": "2.17.0"}
    assert part.settings == {
        "functions": 1,
        "graphs": 1,
        "nodes": 4,
        "signatures": "__saved_model_init_op, serving_default",
        "tags": "serve",
    }
    assert (part.dangers, part.code, part.imports) == ((), (), ())


def test_variables_of_tensorflow_1(tmp_path: Path) -> None:
    attributes = {"dtype": number(6, FLOAT), "shape": message(7, shape(2, 5))}
    nodes = [
        node("v", "VariableV2", **attributes),
        node("h", "VarHandleOp", shared_name=message(2, "w"), **attributes),
        node("u", "VarHandleOp", dtype=number(6, FLOAT), shape=message(7, shape(-1))),
    ]
    part = inspected(saved(tmp_path, nodes))
    assert part.parameters == 20
    assert [tensor.name for tensor in part.tensors] == ["v", "w"]


@pytest.mark.threat(39)
@pytest.mark.parametrize("is_inside", [False, True])
@pytest.mark.parametrize(
    ("operation", "detail"),
    [
        ("ReadFile", "reads files"),
        ("WriteFile", "writes files"),
        ("MatchingFiles", "lists files"),
        ("PyFunc", "calls Python"),
        ("PyFuncStateless", "calls Python"),
        ("EagerPyFunc", "calls Python"),
    ],
)
def test_operations_that_reach_out(
    tmp_path: Path, operation: str, detail: str, is_inside: bool
) -> None:
    nodes = [node("n", operation)] * 2
    path = saved(tmp_path, inside=nodes) if is_inside else saved(tmp_path, nodes)
    part = inspected(path)
    assert part.dangers == (Danger(what=f"operation {operation}", detail=detail),)


@pytest.mark.threat(39)
def test_printing_into_a_file(tmp_path: Path) -> None:
    quiet = node("a", "PrintV2", output_stream=message(2, "stderr"))
    loud = node("b", "PrintV2", output_stream=message(2, "file:///root/.ssh/authorized_keys"))
    (danger,) = inspected(saved(tmp_path, [quiet, loud])).dangers
    assert danger.detail == "writes the file 'file:///root/.ssh/authorized_keys'"


def test_custom_operations(tmp_path: Path) -> None:
    part = inspected(saved(tmp_path, [node("n", "Addons>Resampler"), node("m", "Add")]))
    assert part.code == ("custom operation Addons>Resampler",)


@pytest.mark.threat(39)
def test_a_lambda_layer_of_keras(tmp_path: Path) -> None:
    said = json.dumps({"class_name": "Lambda", "config": {"name": "l", "function": ["4wEA"]}})
    objects = message(1, message(4, message(1, "_tf_keras_layer"), message(3, said)))
    what = 'custom code: Lambda layer "l"'
    assert [one.what for one in inspected(saved(tmp_path, objects=objects)).dangers] == [what]

    path = tmp_path / "keras_metadata.pb"
    path.write_bytes(message(1, message(4, "_tf_keras_layer"), message(5, said)))
    assert [one.what for one in inspected(path).dangers] == [what]
    path.write_bytes(message(1, message(5, "[" * 100_000)))
    assert inspected(path).problem is not None


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        number(1, 1),
        message(2) + b"\x12\xff\xff\xff\xff\x0f",
        message(2, message(7, variable("v", *[2**62] * 3))),
        message(2, message(7, variable("v", *[1] * 100))),
        message(2, message(7, variable("v" * 5000, 1))),
        None,  # more variables than are listed; made when it is needed: that takes a second
        message(2, message(1, message(4, b"\xff"))),
        b"\x0b" * 10,
    ],
    ids=range(10),
)
def test_a_hostile_graph_is_a_problem(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "saved_model.pb"
    many = (variable(str(at), 1) for at in range(100_001))
    path.write_bytes(message(2, message(7, b"".join(many))) if content is None else content)
    assert inspected(path).problem is not None


@pytest.mark.threat(39)
def test_values_of_any_kind_in_any_field_raise_nothing(tmp_path: Path) -> None:
    """Numbers where messages must be, and messages where numbers must be."""
    path = tmp_path / "saved_model.pb"
    levels = [b""]
    for _ in range(4):
        fields = [number(at, 5) + message(at, *levels[-1:]) for at in range(1, 9)]
        levels.append(b"".join(fields))
    path.write_bytes(levels[-1])
    inspected(path)


@pytest.mark.threat(39)
def test_every_truncation_is_a_problem(tmp_path: Path) -> None:
    content = saved(tmp_path, [node("n", "ReadFile")], objects=variable("v", 3)).read_bytes()
    path = tmp_path / "cut/saved_model.pb"
    path.parent.mkdir()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        assert inspected(path).problem is not None, size


def test_files_beside_a_graph_are_data_of_it(tmp_path: Path) -> None:
    graph = saved(tmp_path)
    data = tmp_path / "data"
    data.write_bytes(bytes(range(200)))
    names = (
        "m/variables/variables.index",
        "m/variables/variables.data-00000-of-00001",
        "m/fingerprint.pb",
    )
    files = {"m/saved_model.pb": graph, **dict.fromkeys(names, data)}
    parts = {part.path: part for part in inspect(files).parts}
    for name in names:
        part = parts[name]
        assert (part.format, part.not_read, part.problem) == ("savedmodel", None, None)
        assert "m/saved_model.pb" in part.settings.values()
        assert part.left_out is not None  # so nobody calls other values the same
    assert parts["m/saved_model.pb"].beside == names[1::-1]


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("other/variables/variables.index", b"x" * 50),  # beside no graph
        ("m/variables/variables.so", b"x" * 50),
        ("m/variables/more.data-00000-of-00001", b"x" * 50),
        ("m/assets/variables.index", b"x" * 50),
        ("m/variables/variables.index", pickle.dumps(print)),
        ("m/variables/variables.data-00000-of-00001", b"\x7fELF" + bytes(50)),
    ],
    ids=range(6),
)
def test_what_only_looks_like_data_of_a_graph(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "data").write_bytes(content)
    files = {"m/saved_model.pb": saved(tmp_path), name: tmp_path / "data"}
    parts = {part.path: part for part in inspect(files).parts}
    part = parts[name]
    assert part.not_read or part.dangers or part.imports or part.code
