from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from assent.core.inspection import Danger, Field, Part, Tensor
from assent.measure.models import inspect
from assent.measure.models.formats import onnx as reader
from assent.measure.models.formats import onnx_tensors
from assent.measure.models.reader import ModelSource
from tests.measure.models.reading import located as read_at
from tests.measure.models.reading import unread


def inspected(path: Path, **others: Path) -> Part:
    return next(
        part for part in inspect({path.name: path} | others).parts if part.path == path.name
    )


def source(path: Path, files: dict[str, Path] | None = None) -> ModelSource:
    return ModelSource(
        name=path.name,
        path=path,
        size_bytes=path.stat().st_size,
        head=path.read_bytes()[:4096],
        files=files or {path.name: path},
    )


def saved(path: Path, model: Any) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


def graph(nodes: Any = (), initializers: Any = (), **more: Any) -> Any:
    inputs = more.pop("inputs", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])])
    outputs = more.pop("outputs", [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])])
    return helper.make_graph(list(nodes), "g", inputs, outputs, list(initializers))


def model(nodes: Any = (), initializers: Any = (), **more: Any) -> Any:
    opsets = more.pop("opsets", [helper.make_opsetid("", 17)])
    functions = more.pop("functions", [])
    return helper.make_model(
        graph(nodes, initializers, **more),
        opset_imports=opsets,
        functions=functions,
        producer_name="me",
        producer_version="1.2",
        ir_version=8,
    )


WEIGHT = np.arange(12, dtype=np.float32).reshape(4, 3)


def linear() -> Any:
    return model(
        [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Add", ["h", "b"], ["y"])],
        [numpy_helper.from_array(WEIGHT, "w"), numpy_helper.from_array(np.ones(3, np.int8), "b")],
    )


def test_a_file_of_the_library(tmp_path: Path) -> None:
    made = linear()
    helper.set_model_props(made, {"author": "a|b", "long": "x" * 10_000})
    onnx.checker.check_model(made)
    path = saved(tmp_path / "m.onnx", made)
    part = inspected(path)
    assert part.problem is None
    assert part.format == "onnx"
    assert part.parameters == 15
    assert part.tensors == (
        Tensor(name="b", dtype="int8", shape=(3,)),
        Tensor(name="w", dtype="float32", shape=(4, 3)),
    )
    assert part.versions == {"ir": "8", "opset ai.onnx": "17", "me": "1.2"}
    assert part.settings["graph"] == "g"
    assert part.settings["nodes"] == 2
    assert part.settings["metadata.author"] == "a|b"
    assert len(str(part.settings["metadata.long"])) < 400
    assert part.signature is not None
    assert part.signature.inputs == (Field(name="x", type="tensor(float)", shape=(None, 4)),)
    assert part.signature.outputs == (Field(name="y", type="tensor(float)", shape=(None, 3)),)
    assert part.features == ("x",)
    assert (part.dangers, part.code) == ((), ())
    located = read_at(reader.locate(source(path)))
    content = path.read_bytes()
    place = located["w"]
    assert content[place.offset : place.offset + place.size_bytes] == WEIGHT.tobytes()


def test_every_type_is_spelled_as_the_library_spells_it(tmp_path: Path) -> None:
    kinds = [kind for kind in TensorProto.DataType.values() if kind != TensorProto.UNDEFINED]
    inputs = [helper.make_tensor_value_info(str(kind), kind, [1]) for kind in kinds]
    part = inspected(saved(tmp_path / "m.onnx", model(inputs=inputs)))
    assert part.signature is not None
    names = {int(field.name): field.type for field in part.signature.inputs}
    for kind in kinds:
        spelled = TensorProto.DataType.Name(kind).lower()
        assert names[kind] == f"tensor({spelled})"


def test_types_that_are_no_tensors(tmp_path: Path) -> None:
    number = helper.make_tensor_type_proto(TensorProto.FLOAT, [2])
    labels = helper.make_map_type_proto(TensorProto.INT64, number)
    inputs = [
        helper.make_value_info("seq", helper.make_sequence_type_proto(labels)),
        helper.make_value_info("opt", helper.make_optional_type_proto(number)),
        helper.make_value_info(
            "sparse", helper.make_sparse_tensor_type_proto(TensorProto.DOUBLE, [5])
        ),
        helper.make_tensor_value_info("any", TensorProto.STRING, None),
        helper.make_tensor_value_info("scalar", TensorProto.STRING, []),
    ]
    part = inspected(saved(tmp_path / "m.onnx", model(inputs=inputs)))
    assert part.signature is not None
    assert part.signature.inputs == (
        Field(name="seq", type="seq(map(int64,tensor(float)))"),
        Field(name="opt", type="optional(tensor(float))", is_optional=True),
        Field(name="sparse", type="sparse_tensor(double)", shape=(5,)),
        Field(name="any", type="tensor(string)"),
        Field(name="scalar", type="tensor(string)", shape=()),
    )


@pytest.mark.parametrize(("ir", "names"), [(3, ["x"]), (8, ["x", "w"])])
def test_an_input_with_a_value_is_optional_or_none(
    tmp_path: Path, ir: int, names: list[str]
) -> None:
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1]),
        helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 3]),
    ]
    made = model([], [numpy_helper.from_array(WEIGHT, "w")], inputs=inputs)
    made.ir_version = ir
    part = inspected(saved(tmp_path / "m.onnx", made))
    assert part.signature is not None
    assert [field.name for field in part.signature.inputs] == names
    assert [field.is_optional for field in part.signature.inputs] == [False, True][: len(names)]
    assert part.features == ("x",)


def test_weights_inside_branches_and_of_every_spelling(tmp_path: Path) -> None:
    inner = helper.make_graph(
        [],
        "then",
        [],
        [helper.make_tensor_value_info("o", TensorProto.FLOAT, [3])],
        [numpy_helper.from_array(np.ones(3, np.float32), "w")],
    )
    typed = helper.make_tensor("typed", TensorProto.FLOAT, [2], [1.0, 2.0])  # float_data
    nodes = [helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)]
    path = saved(tmp_path / "m.onnx", model(nodes, [numpy_helper.from_array(WEIGHT, "w"), typed]))
    part = inspected(path)
    assert part.parameters == 12 + 2 + 3 + 3
    assert [tensor.name for tensor in part.tensors] == ["typed", "w", "w (2)", "w (3)"]
    assert set(read_at(reader.locate(source(path)))) == {"w", "typed"}


def test_operators_of_others(tmp_path: Path) -> None:
    function = helper.make_function(
        "mine",
        "Local",
        ["a"],
        ["b"],
        [helper.make_node("Secret", ["a"], ["b"], domain="com.acme")],
        [helper.make_opsetid("", 17), helper.make_opsetid("com.acme", 1)],
    )
    nodes = [
        helper.make_node("Local", ["x"], ["y"], domain="mine"),
        helper.make_node("Fast|er", ["x"], ["z"], domain="com.acme"),
        helper.make_node("Gelu", ["x"], ["u"], domain="com.microsoft"),
        helper.make_node("PyOp", ["x"], ["v"], domain="ai.onnx.contrib"),
    ]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.acme", 3)]
    part = inspected(saved(tmp_path / "m.onnx", model(nodes, functions=[function], opsets=opsets)))
    assert part.problem is None
    assert part.code == (
        "custom operator ai.onnx.contrib::PyOp",
        "custom operator com.acme::Fast|er",
        "custom operator com.acme::Secret",
    )
    assert part.dangers == (Danger(what="operator PyOp", detail="calls Python"),)
    assert part.versions["opset com.acme"] == "3"
    assert part.settings["functions"] == 1


def external(location: str, **more: str) -> Any:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 3])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **more}.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def test_weights_beside_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.onnx", model([], [external("w.bin", offset="8")]))
    (tmp_path / "w.bin").write_bytes(bytes(8) + WEIGHT.tobytes())
    files = {"sub/m.onnx": path, "sub/w.bin": tmp_path / "w.bin"}
    part = inspect(files).parts[0]
    assert part.problem is None
    beside = ModelSource(
        name="sub/m.onnx", path=path, size_bytes=path.stat().st_size, head=b"", files=files
    )
    place = read_at(reader.locate(beside))["w"]
    assert (place.path, place.offset, place.size_bytes) == (tmp_path / "w.bin", 8, 48)


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "location",
    ["/etc/passwd", "../secret", "a/../../secret", "..", "..\\secret", "C:\\x", "a/../../m.onnx"],
)
@pytest.mark.parametrize("place", ["initializer", "constant"])
def test_weights_outside_the_model_are_a_danger(tmp_path: Path, location: str, place: str) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "secret").write_bytes(bytes(48))
    tensor = external(location)
    constant = helper.make_node("Constant", [], ["y"], value=tensor)
    made = model([], [tensor]) if place == "initializer" else model([constant])
    path = saved(tmp_path / "model/m.onnx", made)
    part = inspected(path)
    assert [danger.what for danger in part.dangers] == ["weights outside the model"]
    assert unread(reader.locate(source(path))) == {
        "w" if place == "initializer" else "y": "its values are outside the model"
    }


@pytest.mark.threat(39)
def test_weights_in_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(bytes(48))  # there, but no file of the model
    part = inspected(saved(tmp_path / "m.onnx", model([], [external("other")])))
    assert part.problem == "the file 'other' with its weights is not there"


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "more",
    [
        {"offset": "-8"},
        {"offset": "48"},
        {"length": "-1"},
        {"length": "47"},
        {"length": str(10**30)},
        {"offset": "x"},
        {"offset": "9" * 4000},
    ],
)
def test_a_place_that_lies(tmp_path: Path, more: dict[str, str]) -> None:
    (tmp_path / "w").write_bytes(bytes(48))
    path = saved(tmp_path / "m.onnx", model([], [external("w", **more)]))
    assert inspected(path, w=tmp_path / "w").problem is not None


def nested(depth: int) -> Any:
    inner = helper.make_graph([], "inner", [], [])
    for _ in range(depth):
        inner = helper.make_graph(
            [helper.make_node("If", ["c"], [], then_branch=inner)], "g", [], []
        )
    return helper.make_model(inner)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


@pytest.mark.threat(39)
def test_graphs_in_graphs(tmp_path: Path) -> None:
    assert inspected(saved(tmp_path / "m.onnx", nested(20))).problem is None
    content = b""
    for _ in range(2000):
        content = field(1, field(5, field(6, content)))
    path = tmp_path / "m.onnx"
    path.write_bytes(field(7, content))
    assert "inside each other" in str(inspected(path).problem)


@pytest.mark.threat(39)
def test_types_in_types(tmp_path: Path) -> None:
    kind = b""
    for _ in range(2000):
        kind = field(4, field(1, kind))
    path = tmp_path / "m.onnx"
    path.write_bytes(field(7, field(11, field(2, kind))))
    assert "inside each other" in str(inspected(path).problem)


@pytest.mark.threat(39)
@pytest.mark.parametrize("dims", [[-1], [2**62, 2**62], [1] * 1000, [5]])
def test_a_shape_that_lies(tmp_path: Path, dims: list[int]) -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, raw_data=bytes(48))
    tensor.dims.extend(dims)
    assert inspected(saved(tmp_path / "m.onnx", model([], [tensor]))).problem is not None


@pytest.mark.threat(39)
def test_very_many_tensors(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(field(7, field(5, b"") * 10**6))
    assert inspected(path).problem == "more than 100,000 tensors"


@pytest.mark.threat(39)
def test_very_many_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assent.measure.models.wire.protobuf.MAX_FIELDS", 10_000)
    path = tmp_path / "m.onnx"
    path.write_bytes(field(7, b"\x08\x01" * 20_000))
    assert "fields" in str(inspected(path).problem)


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"\xff" * 100,
        b"\x08" + b"\xff" * 11,
        varint(7 << 3 | 2) + varint(2**60),
        b"\x0b\x0c",
        field(7, b"") * 2,
        field(7, field(1, field(4, b"\xff\xfe"))),
        field(7, field(5, field(8, b"a" * 5000))),
        b"PK\x03\x04",
    ],
)
def test_no_graph_at_all(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    assert inspected(path).problem is not None


@pytest.mark.threat(39)
def test_every_truncation_is_a_problem(tmp_path: Path) -> None:
    made = linear()
    content = saved(tmp_path / "m.onnx", made).read_bytes()
    path = tmp_path / "n.onnx"
    inside = made.graph.SerializeToString()
    for size in range(content.index(inside) + len(inside)):
        path.write_bytes(content[:size])
        part = inspected(path)
        assert part.problem is not None, size
        json.dumps(part.problem)


# Weights that are no initializers


def constant(name: str, **value: Any) -> Any:
    return helper.make_node("Constant", [], [name], **value)


def test_weights_of_constants_are_weights(tmp_path: Path) -> None:
    tensor = numpy_helper.from_array(WEIGHT, "ignored")
    spelled = helper.make_tensor("", TensorProto.FLOAT16, [2], [1.0, 2.5])  # int32_data
    longs = helper.make_tensor("", TensorProto.INT64, [3], [1, -1, 2**40])  # int64_data
    doubles = helper.make_tensor("", TensorProto.DOUBLE, [2], [0.5, -4])  # double_data
    nodes = [
        constant("w", value=tensor),
        constant("half", value=spelled),
        constant("long", value=longs),
        constant("double", value=doubles),
        constant("fs", value_floats=[1.0, 2.0, 3.0]),
        constant("f", value_float=0.25),
        constant("is", value_ints=[1, -1]),
        constant("i", value_int=7),
    ]
    path = saved(tmp_path / "m.onnx", model(nodes))
    part = inspected(path)
    assert (part.problem, part.parameters) == (None, 12 + 2 + 3 + 2 + 3 + 1 + 2 + 1)
    assert {tensor.name: (tensor.dtype, tensor.shape) for tensor in part.tensors} == {
        "w": ("float32", (4, 3)),
        "half": ("float16", (2,)),
        "long": ("int64", (3,)),
        "double": ("float64", (2,)),
        "fs": ("float32", (3,)),
        "f": ("float32", (1,)),
        "is": ("int64", (2,)),
        "i": ("int64", (1,)),
    }
    expected: dict[str, list[float]] = {
        "w": WEIGHT.ravel().tolist(),
        "half": [1.0, 2.5],
        "long": [1, -1, 2**40],
        "double": [0.5, -4],
        "fs": [1, 2, 3],
        "f": [0.25],
        "is": [1, -1],
        "i": [7],
    }
    for name, place in read_at(reader.locate(source(path))).items():
        raw = path.read_bytes() if place.held is None else bytes(place.held)
        count = len(expected[name])
        assert np.frombuffer(raw, place.dtype, count, place.offset).tolist() == expected.pop(name)
    assert expected == {}


def test_constants_in_branches_and_functions(tmp_path: Path) -> None:
    inner = helper.make_graph(
        [constant("inner", value_floats=[1.0, 2.0])],
        "then",
        [],
        [helper.make_tensor_value_info("inner", TensorProto.FLOAT, [2])],
    )
    function = helper.make_function(
        "mine", "f", [], ["out"], [constant("out", value_floats=[3.0])], []
    )
    nodes = [helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)]
    part = inspected(saved(tmp_path / "m.onnx", model(nodes, functions=[function])))
    assert sorted(tensor.name for tensor in part.tensors) == ["inner", "inner (2)", "out"]
    assert part.parameters == 5


def test_sparse_weights_are_their_values_and_places(tmp_path: Path) -> None:
    values = numpy_helper.from_array(np.array([1, 2], np.float32), "s")
    places = numpy_helper.from_array(np.array([0, 7], np.int64), "at")
    sparse = helper.make_sparse_tensor(values, places, [10])
    made = model([constant("c", sparse_value=sparse)])
    made.graph.sparse_initializer.append(sparse)
    part = inspected(saved(tmp_path / "m.onnx", made))
    assert [tensor.name for tensor in part.tensors] == ["c", "c (places)", "s", "s (places)"]
    assert part.parameters == 4  # places are none


def test_a_constant_does_not_make_an_input_optional(tmp_path: Path) -> None:
    part = inspected(saved(tmp_path / "m.onnx", model([constant("x", value_float=1.0)])))
    assert part.signature is not None
    assert [(one.name, one.is_optional) for one in part.signature.inputs] == [("x", False)]


def test_what_scikit_learns_converter_writes_has_its_weights_in_lists(tmp_path: Path) -> None:
    linear_node = helper.make_node(
        "LinearRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        coefficients=[0.5, 1.5],
        intercepts=[2.0],
        targets=1,
    )
    trees = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["z"],
        domain="ai.onnx.ml",
        nodes_featureids=[0, 1],
        nodes_values=[0.1, 0.2],
        nodes_modes=["BRANCH_LEQ", "LEAF"],
    )
    part = inspected(saved(tmp_path / "m.onnx", model([linear_node, trees])))
    assert {tensor.name: tensor.shape for tensor in part.tensors} == {
        "y.coefficients": (2,),
        "y.intercepts": (1,),
        "z.nodes_featureids": (2,),
        "z.nodes_values": (2,),
    }
    assert part.parameters == 2 + 1 + 2  # which feature a split looks at is no parameter


def test_the_structure_is_all_but_the_weights(tmp_path: Path) -> None:
    def structure(alpha: float, weight: float, mode: str = "a") -> Any:
        nodes = [
            constant("w", value_floats=[weight]),
            helper.make_node("LeakyRelu", ["x"], ["y"], alpha=alpha),
            helper.make_node("Mode", ["x"], ["z"], mode=mode),
        ]
        part = inspected(saved(tmp_path / "m.onnx", model(nodes)))
        return part.settings["structure"]

    assert structure(0.1, 1) == structure(0.1, 2)
    assert len({structure(0.1, 1), structure(0.2, 1), structure(0.1, 1, "b")}) == 3


def test_too_many_values_that_are_spelled_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_tensors, "MAX_HELD", 10)
    nodes = [constant("few", value_ints=[1] * 8), constant("many", value_ints=[1] * 8)]
    path = saved(tmp_path / "m.onnx", model(nodes))
    places = reader.locate(source(path))
    assert set(read_at(places)) == {"few"}
    assert set(unread(places)) == {"many"}
    assert inspected(path).problem is None


def _said(change: str) -> Any:
    """A model that says one thing more."""
    made = linear()
    match change:
        case "words":
            made.doc_string = "x"
        case "version":
            made.model_version = 2
        case "domain":
            made.domain = "org.acme"
        case "words of the graph":
            made.graph.doc_string = "x"
        case "shape inside":
            inside = helper.make_tensor_value_info("h", TensorProto.FLOAT, [None, 3])
            made.graph.value_info.append(inside)
        case "name of a dimension":
            made.graph.output[0].type.tensor_type.shape.dim[0].dim_param = "batch"
        case "words of an input":
            made.graph.input[0].doc_string = "x"
        case "scale of a tensor":
            made.graph.quantization_annotation.add(tensor_name="h")
        case "words of a weight":
            made.graph.initializer[0].doc_string = "x"
        case "words of a node":
            made.graph.node[0].doc_string = "x"
        case "metadata twice":
            for value in ("a", "b"):
                made.metadata_props.add(key="k", value=value)
        case "metadata twice, the other way":
            for value in ("b", "a"):
                made.metadata_props.add(key="k", value=value)
        case "metadata":
            made.metadata_props.add(key="k", value="b")
    return made


def test_what_else_it_says_is_compared(tmp_path: Path) -> None:
    changes = (
        *("nothing", "words", "version", "domain", "words of the graph", "shape inside"),
        *("name of a dimension", "words of an input", "scale of a tensor", "words of a weight"),
        *("words of a node", "metadata", "metadata twice", "metadata twice, the other way"),
    )
    found = [inspected(saved(tmp_path / "m.onnx", _said(change))) for change in changes]
    assert {part.problem for part in found} == {None}
    settings = [tuple(sorted(part.settings.items())) for part in found]
    assert len(set(settings)) == len(changes)


def test_where_the_values_lie_is_no_difference(tmp_path: Path) -> None:
    made = linear()
    inside = inspected(saved(tmp_path / "m.onnx", made))
    (tmp_path / "w.bin").write_bytes(bytes(4) + WEIGHT.tobytes())
    weight = made.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    for key, value in {"location": "w.bin", "offset": "4"}.items():
        weight.external_data.add(key=key, value=value)
    paths = {"w.bin": tmp_path / "w.bin"}
    outside = inspected(saved(tmp_path / "m.onnx", made), **paths)
    assert outside.problem is None
    assert outside.settings == inside.settings
    weight.external_data.add(key="checksum", value="x")
    assert inspected(saved(tmp_path / "m.onnx", made), **paths).settings != inside.settings
