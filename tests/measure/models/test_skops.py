"""skops' files, written by skops, and schemas that ask for more than a model."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.measure.models.looking import look, look_at, whats

sio = pytest.importorskip("skops.io")
hostile = pytest.mark.threat(39)


@pytest.fixture(scope="module")
def fitted() -> dict[str, Any]:
    import pandas as pd
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    random = np.random.default_rng(0)
    data = pd.DataFrame(random.random((100, 2)), columns=["age", "bmi"])
    data["never"] = 0.0
    label = (data.age > 0.5) * 1
    return {
        "forest": RandomForestClassifier(3, random_state=0).fit(data, label),
        "pipeline": make_pipeline(StandardScaler(), LogisticRegression(C=2.5)).fit(data, label),
        "function": FunctionTransformer(np.log1p),
    }


def test_a_pipeline_and_a_forest(tmp_path: Path, fitted: dict[str, Any]) -> None:
    sio.dump(fitted["pipeline"], tmp_path / "m.skops")
    part = look(tmp_path / "m.skops")
    assert (part.problem, part.dangers, part.format) == (None, (), "skops")
    assert part.settings["logisticregression__C"] == 2.5
    assert part.features == ("age", "bmi", "never")
    assert part.unused == ("never",)
    assert part.versions["skops"]
    assert part.parameters == 4  # not what the scaler learned
    assert {
        "sklearn.pipeline.Pipeline",
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.preprocessing._data.StandardScaler",
    } <= set(part.imports)

    sio.dump(fitted["forest"], tmp_path / "m.skops")
    part = look(tmp_path / "m.skops")
    assert (part.problem, part.trees, part.unused[-1:]) == (None, 3, ("never",))


def test_what_skops_does_not_trust_is_among_the_imports(
    tmp_path: Path, fitted: dict[str, Any]
) -> None:
    for model in fitted.values():
        sio.dump(model, tmp_path / "m.skops")
        untrusted = sio.get_untrusted_types(file=tmp_path / "m.skops")
        assert set(untrusted) <= set(look(tmp_path / "m.skops").imports)
    assert "numpy.log1p" in look(tmp_path / "m.skops").imports


def skops(schema: Any, **members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        text = schema if isinstance(schema, str) else json.dumps(schema)
        archive.writestr("schema.json", text)
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return buffer.getvalue()


def node(loader: str, module: str, name: str, **more: Any) -> dict[str, Any]:
    return {"__class__": name, "__module__": module, "__loader__": loader, "content": {}, **more}


@hostile
@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (node("ObjectNode", "os", "system"), "os.system"),
        (node("TypeNode", "os", "system"), "os.system"),
        (node("OperatorFuncNode", "operator", "methodcaller"), "operator.methodcaller"),
        (
            node(
                "FunctionNode",
                "builtins",
                "function",
                content={"module_path": "os", "function": "system"},
            ),
            "os.system",
        ),
        (
            node(
                "MethodNode", "a", "b", content={"obj": node("ObjectNode", "c", "D"), "func": "e"}
            ),
            "c:D.e",
        ),
        (
            node(
                "DictNode",
                "builtins",
                "dict",
                content={
                    "x": node(
                        "ListNode", "builtins", "list", content=[node("TypeNode", "os", "system")]
                    )
                },
            ),
            "os.system",
        ),
        (
            node(
                "RandomGeneratorNode",
                "numpy.random",
                "Generator",
                content={"bit_generator": "f2py"},
            ),
            "numpy.random.f2py",
        ),
        (node("ObjectNode", "os", "path.join"), "os:path.join"),
    ],
)
def test_every_name_of_the_schema_is_shown(
    tmp_path: Path, schema: dict[str, Any], expected: str
) -> None:
    assert expected in look_at(tmp_path, skops(schema), "m.skops").imports


@hostile
def test_what_skops_does_not_write(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> Any:
            return os.system, ("true",)

    schema = node("ObjectNode", "a", "b")
    part = look_at(tmp_path, skops(schema, x_npy=pickle.dumps(Hostile())), "m.skops")
    assert "a pickle where there should be none" in whats(part)
    buffer = io.BytesIO()
    np.save(buffer, np.array([Hostile()], dtype=object))
    part = look_at(tmp_path, skops(schema, x_npy=buffer.getvalue()), "m.skops")
    assert "a pickle where there should be none" in whats(part)
    assert f"{os.system.__module__}.system" in part.imports
    part = look_at(tmp_path, skops(node("NewNode", "a", "b")), "m.skops")
    assert whats(part) == ["a node of the schema that is not known"]
    part = look_at(tmp_path, skops({**schema, "__module__": 3}), "m.skops")
    assert whats(part) == ["a type of the schema without a name"]


@hostile
@pytest.mark.parametrize(
    "schema",
    ["[" * 100_000, "{}", "[]", "not json", '{"__class__": 1, "__class__": 2}', '{"a": 1}'],
)
def test_a_schema_that_is_none_is_a_problem(tmp_path: Path, schema: str) -> None:
    assert look_at(tmp_path, skops(schema), "m.skops").problem is not None


@hostile
def test_an_array_that_lies_is_a_problem(tmp_path: Path) -> None:
    schema = node("NdArrayNode", "numpy", "ndarray", type="numpy", file="x.npy")
    lie = b"\x93NUMPY\x01\x00\x46\x00" + (
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}".ljust(70)
    )
    assert look_at(tmp_path, skops(schema, x_npy=lie), "m.skops").problem is not None
