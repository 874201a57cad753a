from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from assent.core.inspection import Part, Tensor
from assent.measure.models import inspect
from assent.measure.models.formats import safetensors
from assent.measure.models.reader import ModelSource
from tests.measure.models.reading import located as read_at


def inspected(path: Path) -> Part:
    (part,) = inspect({path.name: path}).parts
    return part


def source(path: Path) -> ModelSource:
    with path.open("rb") as file:
        head = file.read(4096)
    return ModelSource(
        name=path.name,
        path=path,
        size_bytes=path.stat().st_size,
        head=head,
        files={path.name: path},
    )


def written(path: Path, header: Any, values: bytes = b"", *, length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + values)
    return path


def entry(begin: int, end: int, shape: list[Any], dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_a_file_of_the_library(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    arrays: dict[str, Any] = {
        "b": np.arange(6, dtype=np.float32).reshape(2, 3),
        "a": np.array(7, dtype=np.int64),
        "empty": np.zeros((0, 4), dtype=np.float16),
        "é|\n": np.ones(3, dtype=bool),
    }
    save_file(arrays, path, metadata={"format": "np", "epoch": "3"})
    part = inspected(path)
    assert part == Part(
        path="model.safetensors",
        format="safetensors",
        size_bytes=path.stat().st_size,
        parameters=10,
        tensors=(
            Tensor(name="a", dtype="int64", shape=()),
            Tensor(name="b", dtype="float32", shape=(2, 3)),
            Tensor(name="empty", dtype="float16", shape=(0, 4)),
            Tensor(name="é|\n", dtype="bool", shape=(3,)),
        ),
        settings={"epoch": "3", "format": "np"},
        counted="all values of its tensors, buffers included",
    )
    content = path.read_bytes()
    for name, located in read_at(safetensors.locate(source(path))).items():
        values = content[located.offset : located.offset + located.size_bytes]
        assert values == arrays[name].tobytes()
        assert located.shape == arrays[name].shape


def test_types_of_pytorch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file as save_torch

    path = tmp_path / "model.safetensors"
    tensors = {
        "bf16": torch.ones(2, dtype=torch.bfloat16),
        "e4m3": torch.ones(2).to(torch.float8_e4m3fn),
        "e5m2": torch.ones(2).to(torch.float8_e5m2),
    }
    save_torch(tensors, path)
    assert {tensor.name: tensor.dtype for tensor in inspected(path).tensors} == {
        "bf16": "bfloat16",
        "e4m3": "float8_e4m3fn",
        "e5m2": "float8_e5m2",
    }


def test_metadata_of_null_is_none_as_to_the_library(tmp_path: Path) -> None:
    header = {"__metadata__": None, "w": entry(0, 8, [2])}
    path = written(tmp_path / "model.safetensors", header, bytes(8))
    with safe_open(path, "np") as opened:
        assert opened.metadata() is None
        assert opened.keys() == ["w"]
    part = inspected(path)
    assert (part.problem, part.parameters, part.settings) == (None, 2, {})
    assert list(safetensors.locate(source(path))) == ["w"]


def test_another_suffix_is_recognized_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    save_file({"a": np.ones(2)}, path)
    assert inspected(path).format == "safetensors"


def test_a_header_as_long_as_a_pickle_begins(tmp_path: Path) -> None:
    """A length of 0x0280 spells the first bytes of a pickle."""
    header = json.dumps({"a": entry(0, 4, [1])}).encode().ljust(0x0280)
    path = written(tmp_path / "model.safetensors", header, bytes(4))
    assert path.read_bytes()[:2] == b"\x80\x02"
    part = inspected(path)
    assert (part.format, part.problem, part.parameters) == ("safetensors", None, 1)


HOSTILE: dict[str, tuple[Any, bytes, str]] = {
    "overlap": ({"a": entry(0, 8, [2]), "b": entry(4, 12, [2])}, bytes(12), "overlaps"),
    "same place": ({"a": entry(0, 8, [2]), "b": entry(0, 8, [2])}, bytes(8), "overlaps"),
    "gap": ({"a": entry(0, 4, [1]), "b": entry(8, 12, [1])}, bytes(12), "gap"),
    "gap at the beginning": ({"a": entry(4, 8, [1])}, bytes(8), "gap"),
    "beyond the end": ({"a": entry(0, 4000, [1000])}, bytes(8), "beyond the end"),
    "bytes that belong to nothing": ({"a": entry(0, 4, [1])}, bytes(8), "do not fill"),
    "negative shape": ({"a": entry(0, 4, [-1, -1])}, bytes(4), "impossible shape"),
    "shape of true": ({"a": entry(0, 4, [True])}, bytes(4), "impossible shape"),
    "shape of a fraction": ({"a": entry(0, 4, [1.0])}, bytes(4), "impossible shape"),
    "huge shape": ({"a": entry(0, 4, [2**62, 2**62])}, bytes(4), "impossible shape"),
    "huge shape that is empty": ({"a": entry(0, 0, [2**80, 0])}, b"", "impossible shape"),
    "many dimensions": ({"a": entry(0, 4, [1] * 1000)}, bytes(4), "dimensions"),
    "negative place": ({"a": entry(-4, 0, [1])}, bytes(4), "impossible place"),
    "backwards": ({"a": entry(4, 0, [1])}, bytes(4), "not as large"),
    "too small for its shape": ({"a": entry(0, 4, [2])}, bytes(4), "not as large"),
    "unknown type": ({"a": entry(0, 4, [1], "F33")}, bytes(4), "unknown type"),
    "another key": ({"a": entry(0, 4, [1]) | {"x": 1}}, bytes(4), "unknown type"),
    "no type": ({"a": {"shape": [1], "data_offsets": [0, 4]}}, bytes(4), "no type"),
    "text": ({"a": "x"}, b"", "no type"),
    "metadata that is no text": ({"__metadata__": {"a": 1}}, b"", "metadata"),
    "metadata with a null in it": ({"__metadata__": {"a": None}}, b"", "metadata"),
    "metadata that is a list": ({"__metadata__": [1]}, b"", "metadata"),
    "a list": (b"[]", b"", "not an object"),
    "spaces first": (b"  {}", b"", "not an object"),
    "a name twice": (b'{"a":%s,"a":%s}' % ((b'{"dtype":"F32"}',) * 2), b"", "twice"),
    "not UTF-8": (b'{"\xff":1}', b"", "UTF-8"),
    "half a surrogate pair": (b'{"\\ud800":1}', b"", "surrogate"),
    "deep": (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b"", "nested"),
    "long name": ({"a" * 5000: entry(0, 4, [1])}, bytes(4), "5,000 characters"),
}


@pytest.mark.threat(39)
@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_header_is_a_problem(tmp_path: Path, case: str) -> None:
    header, values, problem = HOSTILE[case]
    part = inspected(written(tmp_path / "m.safetensors", header, values))
    assert part.problem is not None
    assert problem in part.problem
    assert part.tensors == ()


@pytest.mark.threat(39)
@pytest.mark.parametrize("length", [3, 2**31, 2**63, 2**64 - 1])
def test_a_length_that_lies(tmp_path: Path, length: int) -> None:
    part = inspected(written(tmp_path / "m.safetensors", {"a": 1}, length=length))
    assert part.problem is not None


@pytest.mark.threat(39)
def test_a_huge_header_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", 2**40))
        file.truncate(2**40 + 100)  # a hole that takes no room
    assert inspected(path).problem == "a header of 1,099,511,627,776 bytes"


@pytest.mark.threat(39)
@pytest.mark.parametrize(
    ("count", "problem"), [(101_000, "more than 100,000 tensors"), (10**6, "a header of")]
)
def test_very_many_tensors(tmp_path: Path, count: int, problem: str) -> None:
    one = b'":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
    header = b"{" + b",".join(b'"%d' % number + one for number in range(count)) + b"}"
    part = inspected(written(tmp_path / "m.safetensors", header))
    assert part.problem is not None
    assert problem in part.problem


@pytest.mark.threat(39)
def test_every_truncation_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_file({"a": np.ones(3, dtype=np.float32), "b": np.ones(2)}, path)
    content = path.read_bytes()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        assert inspected(path).problem is not None, size
