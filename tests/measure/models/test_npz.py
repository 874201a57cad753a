"""NumPy's files, written by NumPy, and headers that lie."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assent.core.inspection import Tensor
from assent.measure.models import compare_weights
from tests.measure.models.looking import look, look_at, whats

hostile = pytest.mark.threat(39)


class Hostile:
    def __reduce__(self) -> Any:
        return os.system, ("true",)


SYSTEM = f"{os.system.__module__}.system"


def npy(array: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 4)),
        np.zeros((3, 4), order="F", dtype=">f4"),
        np.array(5, dtype="i2"),
        np.zeros(0),
        np.array(["a", "bcd"]),
        np.array([b"x"]),
        np.array([True]),
        np.array([1j]),
        np.array(["2024-01-01"], dtype="M8[D]"),
    ],
)
def test_an_array_is_read(tmp_path: Path, array: Any) -> None:
    part = look_at(tmp_path, npy(array), "weights.npy")
    assert (part.problem, part.dangers, part.imports, part.format) == (None, (), (), "numpy")
    (tensor,) = part.tensors
    assert (tensor.name, tensor.shape) == ("weights", array.shape)
    assert tensor.dtype == array.dtype.name.partition("[")[0]
    is_number = array.dtype.kind in "fibc"
    assert part.parameters == (array.size if is_number else None)


def test_records_have_one_name(tmp_path: Path) -> None:
    part = look_at(tmp_path, npy(np.zeros(2, dtype=[("a", "f8"), ("b", "i4", (2,))])), "r.npy")
    assert (part.problem, part.tensors[0].dtype) == (None, "record")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_many_arrays_are_read(tmp_path: Path, save: Any) -> None:
    path = tmp_path / "m.npz"
    save(path, w=np.zeros((2, 3), "f4"), b=np.zeros(3, "f4"))
    part = look(path)
    assert (part.problem, part.dangers) == (None, ())
    assert part.tensors == (
        Tensor(name="w", dtype="float32", shape=(2, 3)),
        Tensor(name="b", dtype="float32", shape=(3,)),
    )
    assert part.parameters == 9


@hostile
def test_an_array_of_objects_is_a_pickle(tmp_path: Path) -> None:
    array = np.array([Hostile(), 1], dtype=object)
    assert SYSTEM in look_at(tmp_path, npy(array), "o.npy").imports
    record = np.array([(1, Hostile())], dtype=[("a", "i4"), ("b", "O")])
    assert SYSTEM in look_at(tmp_path, npy(record), "o.npy").imports
    np.savez(tmp_path / "m.npz", fine=np.zeros(3), objects=array)
    part = look(tmp_path / "m.npz")
    assert SYSTEM in part.imports
    assert {tensor.dtype for tensor in part.tensors} == {"float64", "object"}


@hostile
def test_what_hides_in_a_zip_of_arrays(tmp_path: Path) -> None:
    path = tmp_path / "m.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w.npy", npy(np.zeros(3)))
        archive.writestr("x.npy", pickle.dumps(Hostile()))
        archive.writestr("y.txt", b"?")
    part = look(path)
    assert SYSTEM in part.imports
    assert whats(part) == ["a pickle where there should be none", "a member that is no array"]


def header(text: str, version: int = 1) -> bytes:
    size = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + text.encode()


F8 = "{'descr': '<f8', 'fortran_order': False, 'shape': %s}"


@hostile
@pytest.mark.parametrize(
    "content",
    [
        header(F8 % "(1000000000000000000,)") + b"\0" * 8,
        header(F8 % "(4611686018427387904, 4611686018427387904)"),
        header(F8 % "(-1,)"),
        header(F8 % "(True,)"),
        header(F8 % "'x'"),
        header(F8 % "(1,)") + b"\0" * 9,
        header(F8 % "(1,)") + b"\0" * 7,
        header("{'descr': '<f8'}"),
        header("[]"),
        header("__import__('os').system('true')"),
        header("(" * 5000),
        header("-" * 60_000),
        header("1" * 60_000, 2),
        header("{'descr': '<q9?', 'fortran_order': False, 'shape': ()}"),
        header("{'descr': [('a', 5)], 'fortran_order': False, 'shape': ()}"),
        b"\x93NUMPY\x01\x00\xff\xff{",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff{",
        b"\x93NUMPY\x09\x00\x00\x00",
        b"\x93NUMPY",
    ],
)
def test_a_header_that_lies_is_a_problem(tmp_path: Path, content: bytes) -> None:
    part = look_at(tmp_path, content, "x.npy")
    assert part.problem is not None
    assert part.format == "numpy"


def test_arrays_are_compared(tmp_path: Path) -> None:
    values = np.arange(6.0).reshape(2, 3)
    for name, factor in (("old", 1), ("new", 2)):
        arrays: dict[str, Any] = {"c": values * factor, "f": np.asfortranarray(values * factor)}
        file = tmp_path / f"{name}.npz"
        np.savez(file, **arrays, high=values.astype(">f4"), text=np.array("x"))
        np.save(tmp_path / f"{name}.npy", values * factor)
    old, new = tmp_path / "old.npz", tmp_path / "new.npz"
    found = compare_weights({"m.npz": old}, {"m.npz": new})
    assert {one.name: one.distance for one in found.changes} == {"c": 1.0, "f": 1.0}
    assert {one.name for one in found.not_compared} == {"high", "text"}
    whole = compare_weights({"m.npy": tmp_path / "old.npy"}, {"m.npy": tmp_path / "new.npy"})
    assert [(one.name, one.distance) for one in whole.changes] == [("m", 1.0)]


def test_arrays_that_are_compressed_are_not_compared(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "m.npz", a=np.zeros(1000))
    files = {"m.npz": tmp_path / "m.npz"}
    found = compare_weights(files, files)
    assert [one.reason for one in found.not_compared] == ["its values are compressed"]
