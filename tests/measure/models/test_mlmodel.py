"""`MLmodel` files as MLflow's documentation describes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from assent.core.inspection import Field
from tests.measure.models.reading import parts_of, written

COLUMNS = """\
artifact_path: model
flavors:
  python_function:
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: mlflow.sklearn
    model_path: model.pkl
    predict_fn: predict
    python_version: 3.11.4
  sklearn:
    code: null
    pickled_model: model.pkl
    serialization_format: cloudpickle
    sklearn_version: 1.5.0
mlflow_version: 2.14.1
model_size_bytes: 1024
model_uuid: 0a1b2c
run_id: e13da8ac
signature:
  inputs: '[{"type": "double", "name": "age", "required": true}, {"type": "string", "name":
    "kind", "required": false}, {"type": "array", "items": {"type": "long"}, "name": "visits"}]'
  outputs: '[{"type": "long"}]'
  params: '[{"name": "threshold", "type": "double", "default": 0.5, "shape": null}]'
utc_time_created: '2026-01-01 00:00:00.000000'
"""
TENSORS = """\
flavors:
  fastai: {data: model.fastai, fastai_version: 2.4.1}
signature:
  inputs: '[{"name": "image", "type": "tensor", "tensor-spec": {"dtype": "uint8", "shape":
    [-1, 300, 300, 3]}}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}]'
"""


def test_flavors_versions_and_columns(tmp_path: Path) -> None:
    part = written(tmp_path, "MLmodel", COLUMNS)
    assert part.problem is None
    assert part.format == "mlflow"
    assert part.settings["flavors"] == "python_function, sklearn"
    assert part.settings["model_uuid"] == "0a1b2c"
    assert part.settings["sklearn.serialization_format"] == "cloudpickle"
    assert part.settings["python_function.env.conda"] == "conda.yaml"
    assert part.versions == {
        "mlflow": "2.14.1",
        "python": "3.11.4",
        "sklearn": "1.5.0",
    }
    assert part.imports == ("mlflow.sklearn._load_pyfunc",)
    assert (part.dangers, part.code) == ((), ())
    assert part.signature is not None
    assert part.signature.inputs == (
        Field(name="age", type="double"),
        Field(name="kind", type="string", is_optional=True),
        Field(name="visits", type='array{"items":{"type":"long"}}'),
        Field(name="params.threshold", type="double", is_optional=True),
    )
    assert part.signature.outputs == (Field(name="", type="long"),)


def test_tensors(tmp_path: Path) -> None:
    part = written(tmp_path, "MLmodel", TENSORS)
    assert part.versions == {"fastai": "2.4.1"}
    assert part.signature is not None
    assert part.signature.inputs == (Field(name="image", type="uint8", shape=(None, 300, 300, 3)),)
    assert part.signature.outputs == (Field(name="", type="float32", shape=(None, 2)),)


def test_code_that_comes_with_the_model_is_a_danger(tmp_path: Path) -> None:
    said = "flavors:\n  python_function:\n    code: code\n    loader_module: wrapper.loading\n"
    files = {
        "m/MLmodel": said,
        "m/code/wrapper/__init__.py": "",
        "m/code/wrapper/loading.py": "",
        "code/other.py": "",
    }
    part = parts_of(tmp_path, files)["m/MLmodel"]
    assert part.code == ("m/code/wrapper/__init__.py", "m/code/wrapper/loading.py")
    assert part.imports == ("wrapper.loading._load_pyfunc",)
    assert [danger.what for danger in part.dangers] == [
        "custom code: loader wrapper.loading",
        "custom code: 2 files",
    ]


def test_a_model_that_is_a_script_is_a_danger(tmp_path: Path) -> None:
    said = "flavors:\n  python_function:\n    loader_module: mlflow.pyfunc.model\n"
    part = written(tmp_path, "MLmodel", said + "    model_code_path: agent.py\n")
    assert [danger.what for danger in part.dangers] == ["custom code: agent.py"]


def test_a_loader_that_is_no_module_is_a_danger(tmp_path: Path) -> None:
    said = "flavors:\n  python_function: {loader_module: '../../evil; import os'}\n"
    part = written(tmp_path, "MLmodel", said)
    assert [danger.what for danger in part.dangers] == ["loads ../../evil; import os"]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + at)}: &{chr(98 + at)} [{','.join(['*' + chr(97 + at)] * 9)}]\n" for at in range(12)
)


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "content",
    [
        BOMB,
        "flavors: " + "[" * 100_000,
        "flavors: !!python/object/apply:os.system ['touch ran']",
        "flavors: [a, b]",
        "- a list",
        "",
        "flavors: {python_function: {}}\nsignature: {inputs: '" + "[" * 100_000 + "'}",
        "flavors: {python_function: {}}\nsignature: {inputs: '[1, 2]'}",
        "flavors: {python_function: {}}\nflavors: {sklearn: {}}",
        b"\xff\xfe\x00",
        b'flavors: {python_function: {loader_module: "\\ud800"}}',
    ],
)
def test_hostile_files(tmp_path: Path, content: str | bytes) -> None:
    part = written(tmp_path, "MLmodel", content)
    assert part.format == "mlflow"
    assert part.problem
    assert not (tmp_path / "ran").exists()


@pytest.mark.threat(39)
@pytest.mark.parametrize("folder", ["..", "/etc", ".", "a/../..", ""])
def test_a_code_folder_outside_names_nothing(tmp_path: Path, folder: str) -> None:
    files = {"m/MLmodel": f"flavors:\n  f:\n    code: '{folder}'\n", "x.py": ""}
    assert parts_of(tmp_path, files)["m/MLmodel"].code == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("model_size_bytes: 1024", "model_size_bytes: 1025"),
        ("utc_time_created: '2026", "utc_time_created: '2027"),
        ('"default": 0.5', '"default": 0.6'),
        ("artifact_path: model", "artifact_path: model\nmetadata: {threshold: 1}"),
        ("artifact_path: model", "artifact_path: model\nsklearn: 1"),
        ("python_version: 3.11.4", "python_version: {version: {major: 3}}"),
    ],
)
def test_what_else_it_says_is_compared(tmp_path: Path, old: str, new: str) -> None:
    first, second = (
        written(tmp_path, "MLmodel", said) for said in (COLUMNS, COLUMNS.replace(old, new))
    )
    assert (first.problem, second.problem) == (None, None)
    assert first.settings != second.settings
