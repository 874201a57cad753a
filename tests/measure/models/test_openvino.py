from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assent.core.inspection import Field, Part, Tensor
from assent.measure.models import compare_weights, inspect
from assent.measure.models.formats import openvino as reader

WEIGHT = np.arange(6, dtype=np.float32)
BIAS = np.ones(2, dtype=np.float16)


def constant(name: str, kind: str, shape: str, offset: int, size: int) -> str:
    place = f'element_type="{kind}" shape="{shape}" offset="{offset}" size="{size}"'
    return f'<layer id="9" name="{name}" type="Const" version="opset1"><data {place}/></layer>'


CONSTANTS = constant("w", "f32", "2,3", 0, 24) + constant("b", "f16", "2", 24, 4)


def graph(layers: str = CONSTANTS, *, operator: str = "opset1", more: str = "") -> str:
    port = '<port id="0" precision="FP32" names="x"><dim>-1</dim><dim>3</dim></port>'
    takes = '<data shape="?,3" element_type="f32"/>'
    return (
        f'<?xml version="1.0"?>{more}<net name="g" version="11"><layers>'
        f'<layer id="0" name="in" type="Parameter" version="opset1">{takes}'
        f"<output>{port}</output></layer>"
        f'<layer id="1" name="mul" type="MatMul" version="{operator}"><data a="1"/></layer>'
        f'{layers}<layer id="2" name="out/sink" type="Result" version="opset1" '
        f'output_names="y"><input><port id="0" precision="FP32"><dim>2</dim></port></input>'
        "</layer></layers><edges/>"
        '<rt_info><info name="OpenVINO Runtime" value="2026"/></rt_info></net>'
    )


def files(folder: Path, said: str, values: bytes | None) -> dict[str, Path]:
    folder.mkdir(exist_ok=True)
    found = {"m.xml": folder / "m.xml"}
    found["m.xml"].write_text(said)
    if values is not None:
        found["m.bin"] = folder / "m.bin"
        found["m.bin"].write_bytes(values)
    return found


def parts(found: dict[str, Path]) -> dict[str, Part]:
    return {part.path: part for part in inspect(found).parts}


VALUES = WEIGHT.tobytes() + BIAS.tobytes()


def test_a_graph_and_its_weights(tmp_path: Path) -> None:
    found = parts(files(tmp_path, graph(), VALUES))
    part = found["m.xml"]
    assert (part.problem, part.format, part.code) == (None, "openvino", ())
    assert part.tensors == (
        Tensor(name="b", dtype="float16", shape=(2,)),
        Tensor(name="w", dtype="float32", shape=(2, 3)),
    )
    assert part.parameters == 8
    assert part.signature is not None
    assert part.signature.inputs == (Field(name="x", type="float32", shape=(None, 3)),)
    assert part.signature.outputs == (Field(name="y", type="float32", shape=(2,)),)
    assert (part.versions, part.beside) == ({"ir": "11"}, ("m.bin",))
    assert found["m.bin"].settings == {"weights of": "m.xml"}


def test_weights_that_moved(tmp_path: Path) -> None:
    moved = (WEIGHT * 3).tobytes() + BIAS.tobytes()
    found = compare_weights(
        files(tmp_path / "old", graph(), VALUES), files(tmp_path / "new", graph(), moved)
    )
    assert {one.name: one.distance for one in found.changes} == {"b": 0.0, "w": 2.0}


def test_where_values_lie_is_no_structure_and_an_attribute_is(tmp_path: Path) -> None:
    turned = constant("w", "f32", "2,3", 4, 24) + constant("b", "f16", "2", 0, 4)
    found = [
        parts(files(tmp_path, said, VALUES))["m.xml"].settings["structure"]
        for said in (graph(), graph(turned), graph().replace('a="1"', 'a="2"'))
    ]
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_weights_of_the_older_format(tmp_path: Path) -> None:
    blobs = '<blobs><weights offset="0" size="24" precision="FP32"/></blobs>'
    layer = f'<layer id="5" name="conv" type="Convolution" version="opset1">{blobs}</layer>'
    part = parts(files(tmp_path, graph(layer), VALUES))["m.xml"]
    assert part.tensors == (Tensor(name="conv.weights", dtype="float32", shape=(6,)),)


def test_operators_of_others_are_code(tmp_path: Path) -> None:
    part = parts(files(tmp_path, graph(operator="extension"), VALUES))["m.xml"]
    assert part.code == ("custom operator extension::MatMul",)


def test_other_xml_is_none_of_its(tmp_path: Path) -> None:
    assert parts(files(tmp_path, "<nets/>", None))["m.xml"].format == "xml"


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (graph(constant("w", "f32", "2,3", 8, 24)), "beyond the end"),
        (graph(constant("w", "f32", "2,4", 0, 24)), "as many values"),
        (graph(constant("w", "f32", "-1", 0, 24)), "impossible shape"),
        (graph(constant("w", "f32", "9" * 30, 0, 24)), "impossible shape"),
        (graph(constant("w", "f32", "6", -4, 24)), "impossible place"),
        (graph()[:-20], "no XML"),
        (graph(more='<!DOCTYPE net [<!ENTITY a "b">]>'), "document type"),
        (graph("<a>" * 100 + "</a>" * 100), "inside each other"),
    ],
)
def test_what_is_not_as_it_says(tmp_path: Path, said: str, problem: str) -> None:
    found = parts(files(tmp_path, said, VALUES))["m.xml"].problem
    assert found is not None
    assert problem in found


def test_a_graph_without_its_weights(tmp_path: Path) -> None:
    part = parts(files(tmp_path, graph(), None))["m.xml"]
    assert part.problem == "the file 'm.bin' with its weights is not there"


def test_too_many_elements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_ELEMENTS", 10)
    part = parts(files(tmp_path, graph(), VALUES))["m.xml"]
    assert part.problem is not None
    assert "too many elements" in part.problem


def test_a_number_that_comes_in_pieces_is_one_number(tmp_path: Path) -> None:
    said = graph().replace("<dim>3</dim>", "<dim>2&#50;4</dim>", 1)
    part = parts(files(tmp_path, said, None))["m.xml"]
    assert part.signature is not None
    assert part.signature.inputs[0].shape == (None, 224)


INFO = '<info name="OpenVINO Runtime" value="2026"/>'


@pytest.mark.parametrize(
    "other",
    [
        graph().replace('value="2026"', 'value="2027"'),
        graph().replace(INFO, "<model_info><labels value='a b'/></model_info>"),
        graph().replace(INFO, f"{INFO}<model_info>text</model_info>"),
        graph().replace("<edges/>", "<meta_data><MO_version value='1'/></meta_data><edges/>"),
        graph().replace("<data a=", '<rt_info><attribute name="p" value="1"/></rt_info><data a='),
        graph().replace('name="g"', 'name="h"'),
        graph().replace("<edges/>", "<edges>text</edges>"),
        graph().replace("<edges/>", '<edges><edge from-layer="0"/></edges>'),
        graph().replace('version="11"', 'version="10"'),
    ],
)
def test_what_stands_beside_the_graph_is_compared(tmp_path: Path, other: str) -> None:
    first, second = (parts(files(tmp_path, said, VALUES))["m.xml"] for said in (graph(), other))
    assert other != graph()
    assert (first.problem, second.problem) == (None, None)
    assert (first.settings, first.versions) != (second.settings, second.versions)


def test_how_it_was_made_is_shown_by_name(tmp_path: Path) -> None:
    said = graph().replace(INFO, f'{INFO}{INFO}<conversion><input value="a.onnx"/></conversion>')
    settings = parts(files(tmp_path, said, VALUES))["m.xml"].settings
    assert settings["rt_info.info.OpenVINO Runtime"] == "2026"
    assert settings["rt_info.conversion.input"] == "a.onnx"


def test_white_space_is_no_difference(tmp_path: Path) -> None:
    spaced = graph().replace("><", ">\n  <")
    first, second = (parts(files(tmp_path, said, VALUES))["m.xml"] for said in (graph(), spaced))
    assert first.settings == second.settings


def test_notes_without_end_are_compared_by_their_digest(tmp_path: Path) -> None:
    many = "".join(f'<n{at} value="1"/>' for at in range(3_000))
    first, second = (
        parts(files(tmp_path, graph().replace(INFO, said), VALUES))["m.xml"].settings
        for said in (many, many.replace('<n2999 value="1"', '<n2999 value="2"'))
    )
    assert len(first) < 2_100
    assert first != second
