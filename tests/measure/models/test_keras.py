"""Files of Keras, written by Keras where that is needed, else by zipfile and h5py as Keras does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from assent.core.inspection import Danger, Field, Part, Tensor
from assent.measure.models import compare_weights, inspect
from assent.measure.models.formats import hdf5
from assent.measure.models.reader import ModelSource
from tests.measure.models.reading import located as read_at
from tests.measure.models.reading import unread

WRITER = textwrap.dedent("""
    import sys, warnings
    warnings.simplefilter("ignore")
    import keras
    folder = sys.argv[1]
    x = keras.Input((4,), name="x")
    hidden = keras.layers.Dense(3, name="hidden", activation="relu")(x)
    y = keras.layers.Dense(1, name="y")(hidden)
    plain = keras.Model(x, y)
    plain.compile(optimizer=keras.optimizers.Adam(0.5), loss="mse")
    plain.save(folder + "/plain.keras")
    plain.save(folder + "/plain.h5")
    plain.get_layer("y").set_weights([w * 2 + 1 for w in plain.get_layer("y").get_weights()])
    plain.save(folder + "/moved.keras")

    @keras.saving.register_keras_serializable("acme")
    class Odd(keras.layers.Layer):
        def call(self, value):
            return value

    layers = [keras.Input((2,)), Odd(), keras.layers.Lambda(lambda v: v * 2, name="twice")]
    custom = keras.Sequential(layers)
    custom.save(folder + "/custom.keras")
    custom.save(folder + "/custom.h5")
""")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of the real library."""
    if not all(map(find_spec, ("keras", "torch"))):
        pytest.skip("keras and torch are not installed")
    folder = tmp_path_factory.mktemp("keras")
    subprocess.run(
        [sys.executable, "-c", WRITER, str(folder)],
        check=True,
        env=os.environ | {"KERAS_BACKEND": "torch", "KERAS_HOME": str(folder)},
        capture_output=True,
    )
    return folder


def inspected(path: Path) -> Part:
    (part,) = inspect({path.name: path}).parts
    return part


LAMBDA = Danger(
    what='custom code: Lambda layer "twice"', detail="runs Python code that the file carries"
)


def test_files_of_the_library(real: Path) -> None:
    part = inspected(real / "plain.keras")
    assert part.problem is None
    assert part.format == "keras"
    assert part.parameters == 4 * 3 + 3 + 3 + 1
    assert Tensor(name="layers/dense/vars/0", dtype="float32", shape=(4, 3)) in part.tensors
    assert part.settings["optimizer.class"] == "Adam"
    assert part.settings["optimizer.learning_rate"] == 0.5
    assert part.settings["layers.hidden.units"] == 3
    assert part.settings["loss"] == "mse"
    assert part.signature is not None
    assert part.signature.inputs == (Field(name="x", type="float32", shape=(None, 4)),)
    assert part.signature.outputs == (Field(name="y"),)
    assert list(part.versions) == ["keras"]
    assert (part.dangers, part.imports, part.code) == ((), (), ())

    legacy = inspected(real / "plain.h5")
    assert (legacy.problem, legacy.format) == (None, "hdf5")
    assert legacy.parameters == part.parameters
    assert legacy.signature == part.signature
    assert legacy.settings["optimizer.learning_rate"] == 0.5
    assert legacy.versions == part.versions | {"backend": "torch"}
    assert legacy.dangers == ()

    for name in ("custom.keras", "custom.h5"):
        custom = inspected(real / name)
        assert LAMBDA in custom.dangers
        assert "custom object acme>Odd" in {danger.what for danger in custom.dangers} or (
            name == "custom.h5"
        )

    old = {"m.keras": real / "plain.keras"}
    changes = compare_weights(old, {"m.keras": real / "moved.keras"}).changes
    moved = {change.name for change in changes if change.distance != 0}
    assert moved == {"layers/dense_1/vars/0", "layers/dense_1/vars/1"}


def archive(path: Path, config: Any, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        text = config if isinstance(config, bytes) else json.dumps(config).encode()
        file.writestr("metadata.json", b'{"keras_version": "3.9.0"}')
        file.writestr("config.json", text)
        for name, content in members.items():
            file.writestr(name.replace("__", "."), content)
    return path


def layer(kind: str, config: Any = None, **more: Any) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"layers": [_one(kind, config, **more)]}}


def _one(kind: str, config: Any, **more: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {} if config is None else config, **more}


DANGEROUS: dict[str, tuple[Any, str, tuple[str, ...]]] = {
    "a Lambda layer": (
        layer("Lambda", {"name": "l"}, module="keras.layers"),
        'custom code: Lambda layer "l"',
        (),
    ),
    "a function in the file": (
        layer("Dense", {"activation": _one("__lambda__", {"code": "4wEA"})}),
        "custom code: a Python function",
        (),
    ),
    "a module of PyTorch": (
        layer("TorchModuleWrapper", {"name": "t", "module": "gASV"}, module="keras.layers"),
        'custom code: TorchModuleWrapper layer "t"',
        (),
    ),
    "another SavedModel": (
        layer("TFSMLayer", {"name": "s", "filepath": "/x"}, module="keras.layers"),
        'custom code: TFSMLayer layer "s"',
        (),
    ),
    "a function of the system (CVE-2025-1550)": (
        layer("function", "system", module="os", registered_name="function"),
        "custom object system",
        ("os.system",),
    ),
    "a function of Keras that fetches files (CVE-2025-8747)": (
        layer("function", "get_file", module="keras.utils"),
        "custom object get_file",
        ("keras.utils.get_file",),
    ),
    "a switch of Keras": (
        layer("function", "enable_unsafe_deserialization", module="keras.config"),
        "custom object enable_unsafe_deserialization",
        ("keras.config.enable_unsafe_deserialization",),
    ),
    "a built-in function": (
        layer("function", "exec", module="builtins"),
        "custom object exec",
        ("builtins.exec",),
    ),
    "a class of somebody": (
        layer("Odd", module="acme.layers", registered_name="acme>Odd"),
        "custom object Odd",
        ("acme.layers.Odd",),
    ),
    "a registered class": (
        layer("Odd", module=None, registered_name="acme>Odd"),
        "custom object acme>Odd",
        (),
    ),
    "a vocabulary in a file (CVE-2025-12058)": (
        layer("StringLookup", {"name": "v", "vocabulary": "/etc/passwd"}, module="keras.layers"),
        'the layer "v" reads a file when it is loaded',
        (),
    ),
}


@pytest.mark.threat(39)
@pytest.mark.parametrize("case", DANGEROUS)
def test_what_runs_code_is_a_danger(tmp_path: Path, case: str) -> None:
    config, what, imports = DANGEROUS[case]
    part = inspected(archive(tmp_path / "m.keras", config))
    assert part.problem is None
    assert what in {danger.what for danger in part.dangers}
    assert part.imports == imports


def test_what_keras_itself_writes_is_none(tmp_path: Path) -> None:
    config = {"kernel_initializer": _one("GlorotUniform", {}, module="keras.initializers")}
    config |= {"activation": _one("function", "relu", module="keras.activations")}
    config |= {"shape": _one("__tuple__", None)}
    part = inspected(archive(tmp_path / "m.keras", layer("Dense", config, module="keras.layers")))
    assert (part.dangers, part.imports, part.code) == ((), (), ())


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 100_000,
        b'{"class_name": "\\ud800"}',
        b'{"a": 1, "a": 2}',
        b'{"config": "' + b"x" * (33 * 1024 * 1024) + b'"}',
    ],
    ids=["empty", "open", "list", "deep", "surrogate", "twice", "large"],
)
def test_a_description_that_cannot_be_read(tmp_path: Path, config: bytes) -> None:
    assert inspected(archive(tmp_path / "m.keras", config)).problem is not None


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    "config",
    [
        {
            "class_name": 1,
            "config": {"layers": [1, None, {"config": [1]}, {"config": {"name": 2}}]},
        },
        {"class_name": "X", "config": {"layers": {"a": 1}, "output_layers": {"a": [["o", 0]]}}},
        {
            "class_name": "X",
            "config": [{"config": {"batch_shape": "x"}, "class_name": "InputLayer"}],
        },
        {"compile_config": [], "config": {"layers": [layer("InputLayer", {"batch_shape": [-1]})]}},
        {"compile_config": {"optimizer": {"config": 1}, "loss": [1]}, "class_name": "X"},
    ],
)
def test_a_description_of_another_shape(tmp_path: Path, config: Any) -> None:
    part = inspected(archive(tmp_path / "m.keras", config))
    assert part.format == "keras"
    assert part.problem is None


@pytest.mark.threat(39)
def test_a_zip_bomb(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", b" " * (64 * 1024 * 1024))
    assert path.stat().st_size < 100_000
    assert inspected(path).problem == "config.json is larger than 32 MiB"


@pytest.mark.threat(39)
def test_a_path_that_leads_out_of_the_zip(tmp_path: Path) -> None:
    path = archive(tmp_path / "m.keras", layer("Dense"))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("../../outside", b"x")
    assert "a path that leads out of the zip" in {one.what for one in inspected(path).dangers}
    assert not (tmp_path.parent.parent / "outside").exists()


def test_weights_that_are_compressed(tmp_path: Path) -> None:
    weights = tmp_path / "w.h5"
    with h5py.File(weights, "w") as file:
        file["layers/dense/vars/0"] = np.ones((2, 3), dtype=np.float32)
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", json.dumps(layer("Dense")))
        file.writestr("model.weights.h5", weights.read_bytes())
    part = inspected(path)
    assert (part.problem, part.parameters) == (None, 6)


@pytest.mark.threat(39)
def test_weights_that_are_damaged_leave_the_description(tmp_path: Path) -> None:
    config = layer("Lambda", {"name": "l"})
    part = inspected(archive(tmp_path / "m.keras", config, model__weights__h5=b"\x89HDF" * 100))
    assert part.problem is not None
    assert len(part.dangers) == 1


@pytest.mark.threat(39)
def test_links_of_hdf5_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["hidden"] = np.ones(3)
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file["kept"] = np.ones(2)
        file["outside"] = h5py.ExternalLink(str(secret), "/hidden")
        file["model_weights"] = h5py.ExternalLink(str(secret), "/")
        file["soft"] = h5py.SoftLink("/kept")
        file["again"] = file["kept"]
        file["loop/inner"] = np.ones(1)
        file["loop/loop"] = file["loop"]
        layout = h5py.VirtualLayout(shape=(3,), dtype="f8")
        layout[:] = h5py.VirtualSource(str(secret), "hidden", shape=(3,))
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("passwd", (4,), "u1", external=[("/etc/passwd", 0, 4)])
    part = inspected(path)
    assert part.problem is None
    assert [(danger.what, danger.detail.split(" ")[0]) for danger in part.dangers] == [
        ("a link to another file", "model_weights"),
        ("a link to another file", "outside"),
        ("values in another file", "passwd"),
        ("values in another file", "virtual"),
    ]
    names = {tensor.name for tensor in part.tensors}
    assert {"loop/inner", "passwd", "virtual"} < names
    assert len(names & {"kept", "again"}) == 1
    source = ModelSource(name="m.h5", path=path, size_bytes=path.stat().st_size, head=b"", files={})
    assert not {"passwd", "virtual", "hidden"} & set(read_at(hdf5.locate(source)))


@pytest.mark.threat(39)
def test_damaged_hdf5_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file["a/b"] = np.arange(1000, dtype=np.float32)
        file.attrs["model_config"] = json.dumps(layer("Dense"))
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    for size in (8, 100, len(content) // 2):
        path.write_bytes(content[:size])
        assert inspected(path).problem is not None
    for _ in range(3):
        broken = bytearray(content)
        for at in generator.integers(8, 2000, 60):
            broken[at] = generator.integers(256)
        path.write_bytes(broken)
        inspected(path)  # raises nothing, and comes back


@pytest.mark.threat(39)
def test_a_huge_array_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("huge", (2**40,), "f4", chunks=(1024,))
    part = inspected(path)
    assert part.tensors == (Tensor(name="huge", dtype="float32", shape=(2**40,)),)
    found = compare_weights({"m.h5": path}, {"m.h5": path})
    assert (found.changes, [one.name for one in found.not_compared]) == ((), ["huge"])


@pytest.mark.parametrize(
    "change", ["of the file", "of an array", "names", "empty", "link", "alias"]
)
def test_other_attributes_and_names_are_a_change(tmp_path: Path, change: str) -> None:
    parts = []
    for at in (0, 1):
        path = tmp_path / f"{at}.h5"
        with h5py.File(path, "w") as file:
            array = file.create_dataset("g/w", data=np.arange(4.0))
            file.create_dataset("g/v", data=np.arange(4.0))
            match change:
                case "of the file":
                    file.attrs["x"] = at
                case "of an array":
                    array.attrs["scale"] = np.array([1.0, at])
                case "names":
                    file["g"].attrs["names"] = [b"a", b"bc"[at : at + 1]]
                case "empty":
                    file.attrs["x"] = np.zeros(0) if at else h5py.Empty("f8")
                case "link":
                    file["z"] = h5py.SoftLink("/g/v" if at else "/g/w")
                case "alias":
                    file["z"] = file["g/v" if at else "g/w"]
        parts.append(inspected(path))
    assert [part.problem for part in parts] == [None, None]
    assert parts[0].settings != parts[1].settings or parts[0].tensors != parts[1].tensors


def test_other_files_in_the_archive_are_said_to_be_left_out(real: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    path.write_bytes((real / "plain.keras").read_bytes())
    assert inspected(path).left_out is None
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("assets/vocabulary.txt", "a")
    assert "assets/vocabulary.txt" in (inspected(path).left_out or "")


def test_how_layers_are_wired_is_compared(tmp_path: Path) -> None:
    """What a description says that no setting shows."""
    said: tuple[dict[str, Any], ...] = (
        *({}, {"inbound_nodes": ["a"]}, {"inbound_nodes": ["b"]}),
        {"build_config": {}},
    )
    found = [
        inspected(archive(tmp_path / "m.keras", layer("Dense", {"units": 3}, **more))).settings
        for more in said
    ]
    assert len({tuple(sorted(one.items())) for one in found}) == 4


def test_what_is_said_of_how_it_was_written(tmp_path: Path) -> None:
    path = archive(tmp_path / "m.keras", layer("Dense"))
    plain = inspected(path)
    assert (plain.versions, plain.settings["metadata.keras_version"]) == (
        {"keras": "3.9.0"},
        "3.9.0",
    )
    found = []
    for said in (b'{"date_saved": "2026-01-01"}', b"no JSON", b"[1]"):
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("metadata.json", said)
            file.writestr("config.json", json.dumps(layer("Dense")))
        found.append(inspected(path).settings)
    assert found[0]["metadata.date_saved"] == "2026-01-01"
    assert found[1]["metadata.as it stands"] == "no JSON"
    assert found[2]["metadata.as it stands"] == "[1]"


def test_why_values_of_hdf5_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file["text"] = np.array([b"ab", b"c"])
        file["words"] = ["ab", "c"]
        file["high"] = np.arange(3, dtype=">f4")
        file.create_dataset("chunks", data=np.arange(9.0), chunks=(3,))
        file.create_dataset("nothing", (3,), "f4")
        file["complex"] = np.ones(2, dtype=np.complex128)
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_layout(h5py.h5d.COMPACT)
        space, kind = h5py.h5s.create_simple((2,)), h5py.h5t.NATIVE_FLOAT
        h5py.h5d.create(file.id, b"compact", kind, space, plan)
        file.create_dataset("outside", (4,), "u1", external=[("/etc/passwd", 0, 4)])
        file["plain"] = np.arange(3.0)
    source = ModelSource(name="m.h5", path=path, size_bytes=path.stat().st_size, head=b"", files={})
    places = hdf5.locate(source)
    assert list(read_at(places)) == ["plain"]
    assert unread(places) == {
        "text": "values of the type |S2 are not read",
        "words": "values of the type object are not read",
        "high": "its values have the highest byte first",
        "chunks": "its values are compressed or in chunks",
        "nothing": "its values were never written",
        "complex": "values of the type complex128 are not read",
        "compact": "its values lie among what is said of it",
        "outside": "its values lie in another file",
    }


@pytest.mark.parametrize("change", ["deep", "twice", "reference", "an empty group", "a type"])
def test_attributes_that_are_easily_missed(tmp_path: Path, change: str) -> None:
    parts = []
    for at in (0, 1):
        path = tmp_path / f"{at}.h5"
        with h5py.File(path, "w") as file:
            file["g/w"] = np.arange(4.0)
            file["g/v"] = np.arange(4.0)
            match change:
                case "deep":  # a name that says something of the whole model elsewhere
                    file["g"].attrs["backend"] = "torch" if at else "jax"
                case "twice":
                    file.attrs["backend"] = "jax"
                    file.create_group("model_weights").attrs["backend"] = "torch" if at else "jax"
                case "reference":
                    file.attrs["first"] = file["g/v" if at else "g/w"].ref
                case "an empty group":
                    file.create_group("a" if at else "b")
                case "a type":
                    file["a" if at else "b"] = np.dtype("f4")
        parts.append(inspected(path))
    assert [part.problem for part in parts] == [None, None]
    assert parts[0].settings != parts[1].settings
