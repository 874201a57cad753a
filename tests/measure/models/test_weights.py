from __future__ import annotations

import math
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from assent.core.diff.model import WeightChange
from assent.core.diff.sameness import NotCompared
from assent.measure.models.floats import decoder
from assent.measure.models.weights import (
    SEVERAL,
    TIME_WAS_UP,
    WHOLE_ON_ONE_SIDE,
    compare_weights,
)
from tests.effort import examples
from tests.measure.models.reading import weighed


def saved(path: Path, **arrays: Any) -> dict[str, Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(arrays, path)
    return {path.name: path}


def compared(tmp_path: Path, old: Any, new: Any) -> WeightChange:
    before = saved(tmp_path / "old/m.safetensors", w=np.asarray(old))
    after = saved(tmp_path / "new/m.safetensors", w=np.asarray(new))
    (change,), count = weighed(before, after)
    assert count == 1
    return change


def reference(old: Any, new: Any) -> tuple[float, float]:
    before, after = (np.asarray(side, dtype=np.float64).ravel() for side in (old, new))
    norms = np.linalg.norm(before), np.linalg.norm(after)
    return (
        float(np.linalg.norm(after - before) / norms[0]),
        float(before @ after / norms[0] / norms[1]),
    )


@pytest.mark.parametrize(
    "dtype",
    ["float64", "float32", "float16", "int8", "uint8", "int16", "uint16", "int32", "int64"],
)
@pytest.mark.parametrize("count", [1, 7, 65_537, 200_001])
def test_distance_and_cosine_are_those_of_the_definition(
    tmp_path: Path, dtype: str, count: int
) -> None:
    generator = np.random.default_rng(count)
    old = (generator.standard_normal(count) * 30 + 40).astype(dtype)
    new = (old + generator.standard_normal(count) * 5 + 1).astype(dtype)
    change = compared(tmp_path, old, new)
    distance, cosine = reference(old, new)
    assert change.distance == pytest.approx(distance, rel=1e-5)
    assert change.cosine == pytest.approx(cosine, abs=1e-6)
    assert change.nonfinite == 0


@pytest.mark.parametrize("step", [1e-1, 1e-3, 1e-6])
def test_small_movements_keep_their_digits(tmp_path: Path, step: float) -> None:
    generator = np.random.default_rng(1)
    old = generator.standard_normal(300_000).astype(np.float32)
    new = (old * (1 + step * generator.standard_normal(300_000))).astype(np.float32)
    change = compared(tmp_path, old, new)
    distance, cosine = reference(old, new)
    assert change.distance == pytest.approx(distance, rel=1e-4)
    assert change.cosine is not None
    assert 1 - change.cosine == pytest.approx(1 - cosine, rel=1e-3, abs=1e-12)


@pytest.mark.parametrize("factor", [-1.0, -1000.0, 1e6, 1e-6])
def test_far_movements(tmp_path: Path, factor: float) -> None:
    old = np.random.default_rng(2).standard_normal(1000)
    change = compared(tmp_path, old, old * factor)
    assert change.distance == pytest.approx(abs(factor - 1), rel=1e-9)
    assert change.cosine == pytest.approx(math.copysign(1, factor))


def test_orthogonal(tmp_path: Path) -> None:
    change = compared(tmp_path, [1.0, 0.0], [0.0, 1e5])
    assert change.cosine == 0


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e-18, 1e18, 1e30, 1e300])
def test_the_range_of_the_type_does_not_matter(tmp_path: Path, scale: float) -> None:
    dtype = np.float64 if not 1e-35 < scale < 1e35 else np.float32
    old = (np.array([1.0, 2, 3, 0]) * scale).astype(dtype)
    new = (np.array([1.0, 2, 4, 1]) * scale).astype(dtype)
    change = compared(tmp_path, old, new)
    assert change.distance == pytest.approx(math.sqrt(2 / 14), rel=1e-6)
    assert change.cosine == pytest.approx(17 / math.sqrt(14 * 22), rel=1e-6)


def test_blocks_of_very_different_size_are_added_right(tmp_path: Path) -> None:
    old = np.ones(200_000, dtype=np.float32)
    old[:65_536] *= 1e-28
    old[65_536:131_072] = 0
    new = old.copy()
    new[150_000] = 1e25
    change = compared(tmp_path, old, new)
    assert change.distance == pytest.approx(reference(old, new)[0], rel=1e-6)


def test_what_is_not_finite_is_counted_and_left_out(tmp_path: Path) -> None:
    old = np.ones(100_000, dtype=np.float32)
    new = old.copy()
    old[5] = np.nan
    new[[7, 8, 99_999]] = [np.nan, np.inf, -np.inf]
    new[9] = 2
    change = compared(tmp_path, old, new)
    assert change.nonfinite == 3
    assert change.distance == pytest.approx(math.sqrt(1 / 99_996), rel=1e-6)


def test_all_of_it_not_finite(tmp_path: Path) -> None:
    change = compared(tmp_path, [np.nan, np.inf], [np.nan, np.nan])
    assert change == WeightChange(name="w", distance=None, cosine=None, nonfinite=2)


OTHERS: dict[str, tuple[Any, Any]] = {
    "NaN became a number": (np.array([np.nan, 1]), np.array([7.0, 1])),
    "all were NaN": (np.full(3, np.nan), np.ones(3)),
    "the other infinity": (np.array([np.inf, 1]), np.array([-np.inf, 1])),
    "too little to be squared": (np.array([1e300, 1e-300]), np.array([1e300, 2e-300])),
    "the last digit of a long number": (np.array([2**60, 3]), np.array([2**60 + 1, 3])),
    "the largest numbers": (
        np.array([2**64 - 1], dtype=np.uint64),
        np.array([2**64 - 2], dtype=np.uint64),
    ),
    "long numbers of another type": (np.array([2**60 + 1]), np.array([2**60], np.uint64)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_another_value_has_no_distance_of_nothing(tmp_path: Path, name: str) -> None:
    old, new = OTHERS[name]
    assert compared(tmp_path, old, new).distance is None
    assert compared(tmp_path / "itself", new, new).distance == 0


def test_little_that_moved_beside_a_block_of_large_values_is_not_lost(tmp_path: Path) -> None:
    old = np.full(200_000, 1e300)
    old[100_000:] = 1e-300
    new = old.copy()
    new[-1] = 2e-300
    assert compared(tmp_path, old, new).distance is None


def test_long_numbers_that_are_the_same_have_not_moved(tmp_path: Path) -> None:
    old = np.arange(2**60, 2**60 + 100_000)
    assert compared(tmp_path, old, old.copy()).distance == 0


@pytest.mark.parametrize(
    ("old", "new", "distance", "cosine"),
    [
        ([0.0, 0.0], [0.0, 0.0], 0.0, None),
        ([0.0, 0.0], [0.0, 1.0], None, None),
        ([0.0, 1.0], [0.0, 0.0], 1.0, None),
        ([], [], 0.0, None),
        ([1.0], [1.0], 0.0, 1.0),
    ],
)
def test_zeros(
    tmp_path: Path,
    old: list[float],
    new: list[float],
    distance: float | None,
    cosine: float | None,
) -> None:
    change = compared(tmp_path, np.array(old), np.array(new))
    assert (change.distance, change.cosine) == (distance, cosine)


TORCH_TYPES = ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"]


@pytest.mark.parametrize("name", [*TORCH_TYPES, "float8_e8m0fnu", "float16"])
def test_every_value_of_a_type_that_numpy_lacks(name: str) -> None:
    """And of one that it converts slowly: all bit patterns, against PyTorch."""
    torch = pytest.importorskip("torch")
    bits = 8 if name.startswith("float8") else 16
    patterns = np.arange(2**bits, dtype=np.uint16 if bits == 16 else np.uint8)
    signed = torch.from_numpy(patterns.view(np.int16 if bits == 16 else np.uint8))
    expected = signed.view(getattr(torch, name)).to(torch.float32).numpy()
    how = decoder(name, is_ordered=True)
    assert how is not None
    found = how.decode(patterns, np.empty(len(patterns), dtype=np.float32))
    np.testing.assert_array_equal(found, expected)
    finite = patterns[np.isfinite(expected)]  # float16 goes another way without the others
    found = how.decode(finite, np.empty(len(finite), dtype=np.float32))
    np.testing.assert_array_equal(found, expected[np.isfinite(expected)])


@pytest.mark.parametrize("name", TORCH_TYPES)
@pytest.mark.parametrize("count", [1, 2, 70_001])
def test_types_that_numpy_lacks(tmp_path: Path, name: str, count: int) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file as save_torch

    torch.manual_seed(0)
    sides = [torch.randn(count).to(getattr(torch, name)) for _ in range(2)]
    files: list[dict[str, Path]] = []
    for number, side in enumerate(sides):
        path = tmp_path / f"{number}.safetensors"
        save_torch({"w": side}, path)
        files.append({"m.safetensors": path})
    (change,), _ = weighed(*files)
    distance, cosine = reference(*(side.to(torch.float64).numpy() for side in sides))
    assert change.distance == pytest.approx(distance, rel=1e-5)
    assert change.cosine == pytest.approx(cosine, abs=1e-6)


def test_another_type_of_the_same_values(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file as save_torch

    values = torch.randn(70_001, generator=torch.Generator().manual_seed(0))
    save_torch({"w": values.to(torch.bfloat16)}, tmp_path / "new.safetensors")
    narrow = values.to(torch.bfloat16).to(torch.float64).numpy()
    for dtype in (torch.float32, torch.float64):
        save_torch({"w": values.to(dtype)}, tmp_path / "old.safetensors")
        (change,), _ = weighed(
            {"m": tmp_path / "old.safetensors"}, {"m": tmp_path / "new.safetensors"}
        )
        distance, _ = reference(values.numpy(), narrow)
        assert change.distance == pytest.approx(distance, rel=1e-4)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "bool"])
def test_what_is_quantised_on_one_side_has_no_distance(tmp_path: Path, dtype: str) -> None:
    """The cosine of weights and of their numbers is near 1, and their distance anything."""
    weights = np.linspace(-1, 1, 100, dtype=np.float32)
    sides = [saved(tmp_path / "float/m.safetensors", w=weights)]
    sides.append(saved(tmp_path / "whole/m.safetensors", w=np.round(weights * 100).astype(dtype)))
    for old, new in (sides, sides[::-1]):
        found = compare_weights(old, new)
        assert found.changes == ()
        assert found.not_compared == (NotCompared(name="w", reason=WHOLE_ON_ONE_SIDE),)


def test_only_what_both_have_in_one_shape_is_compared(tmp_path: Path) -> None:
    old = saved(
        tmp_path / "old/m.safetensors", a=np.ones(2), b=np.ones(3), c=np.ones(4), d=np.ones(1)
    )
    new = saved(
        tmp_path / "new/m.safetensors",
        a=np.ones(2) * 2,
        b=np.ones((3, 1)),
        d=np.ones(1),
        e=np.ones(4),
    )
    changes, count = weighed(old, new)
    assert [(change.name, change.distance) for change in changes] == [("a", 1.0), ("d", 0.0)]
    assert count == 2


def test_the_most_moved_first(tmp_path: Path) -> None:
    ones = np.ones(4)
    old = saved(tmp_path / "o.safetensors", a=ones, b=ones, nan=ones, same=ones, zero=ones * 0)
    new = saved(
        tmp_path / "n.safetensors",
        a=ones * 2,
        b=ones * 3,
        nan=ones * np.nan,
        same=ones,
        zero=ones,
    )
    changes, _ = weighed({"m": old["o.safetensors"]}, {"m": new["n.safetensors"]})
    assert [change.name for change in changes] == ["nan", "zero", "b", "a", "same"]


def test_a_model_in_other_pieces(tmp_path: Path) -> None:
    old = saved(tmp_path / "old/m.safetensors", a=np.ones(2), b=np.ones(2))
    new = saved(tmp_path / "new/m-1.safetensors", a=np.ones(2) * 2)
    new |= saved(tmp_path / "new/m-2.safetensors", b=np.ones(2) * 3)
    changes, _ = weighed(old, new)
    assert [(change.name, change.distance) for change in changes] == [("b", 2.0), ("a", 1.0)]


def test_one_name_in_two_files(tmp_path: Path) -> None:
    sides = [
        saved(tmp_path / side / "x.safetensors", w=np.ones(2) * factor)
        | saved(tmp_path / side / "y.safetensors", w=np.ones(2))
        for side, factor in (("old", 1), ("new", 2))
    ]
    changes, _ = weighed(*sides)
    assert [(change.name, change.distance) for change in changes] == [
        ("x.safetensors: w", 1.0),
        ("y.safetensors: w", 0.0),
    ]


def test_a_damaged_file_is_left_out(tmp_path: Path) -> None:
    good = saved(tmp_path / "m.safetensors", a=np.ones(2))
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"\xff" * 100)
    assert weighed(good, {"m.safetensors": bad}) == ((), 0)
    assert weighed({"x.txt": bad}, {"x.txt": bad}) == ((), 0)
    empty = tmp_path / "empty"
    empty.touch()
    assert weighed({"empty": empty}, {"empty": empty}) == ((), 0)


def test_a_file_of_pytorch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    for number, name in ((1, "old.pt"), (2, "new.pt")):
        torch.save({"w": torch.ones(5) * number, "b": torch.ones(2)}, tmp_path / name)
    changes, _ = weighed({"m.pt": tmp_path / "old.pt"}, {"m.pt": tmp_path / "new.pt"})
    assert [(change.name, change.distance) for change in changes] == [("w", 1.0), ("b", 0.0)]


def test_weights_of_onnx_in_the_file_and_beside_it(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")

    def files(folder: Path, factor: float) -> dict[str, Path]:
        folder.mkdir()
        initializers = [
            onnx.numpy_helper.from_array(np.full(size, factor, dtype=np.float32), name)
            for name, size in (("small", 3), ("large", 5000))
        ]
        graph = onnx.helper.make_graph([], "g", [], [], initializers)
        onnx.save_model(
            onnx.helper.make_model(graph),
            folder / "m.onnx",
            save_as_external_data=True,
            location="m.data",
            size_threshold=1024,
        )
        return {name: folder / name for name in ("m.onnx", "m.data")}

    changes, _ = weighed(files(tmp_path / "old", 1), files(tmp_path / "new", 3))
    assert {change.name: change.distance for change in changes} == {"large": 2.0, "small": 2.0}


def test_weights_in_gguf_that_are_not_quantised(tmp_path: Path) -> None:
    from gguf import GGUFWriter

    for name, factor in (("old", 1), ("new", 2)):
        writer = GGUFWriter(tmp_path / name, "llama")
        writer.add_tensor("w", np.full((2, 32), factor, dtype=np.float16))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    (change,), _ = weighed({"m.gguf": tmp_path / "old"}, {"m.gguf": tmp_path / "new"})
    assert change == WeightChange(name="w", distance=1.0, cosine=1.0)


def test_weights_in_hdf5(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    for name, factor in (("old.h5", 1), ("new.h5", 2)):
        with h5py.File(tmp_path / name, "w") as file:
            file["layer/kernel"] = np.full((3, 4), factor, dtype=np.float32)
            file.create_dataset("packed", data=np.ones(1000), compression="gzip")
    found = compare_weights({"m": tmp_path / "old.h5"}, {"m": tmp_path / "new.h5"})
    assert [(change.name, change.distance) for change in found.changes] == [("layer/kernel", 1.0)]
    why = "its values are compressed or in chunks"
    assert found.not_compared == (NotCompared(name="packed", reason=why),)


def test_progress_counts_every_byte(tmp_path: Path) -> None:
    files = saved(tmp_path / "m.safetensors", a=np.ones(1000), b=np.ones(9, dtype=np.int8))
    seen: list[int] = []
    weighed(files, files, progress=seen.append)
    assert sum(seen) == 2 * (8000 + 9)


ARRAYS = st.lists(
    st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=50
).map(lambda values: np.array(values, dtype=np.float32))


@settings(max_examples=examples(60))
@given(arrays=st.lists(ARRAYS, min_size=1, max_size=4))
def test_a_model_is_no_distance_from_itself(
    tmp_path_factory: pytest.TempPathFactory, arrays: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("same")
    files = saved(folder / "m.safetensors", **{str(at): one for at, one in enumerate(arrays)})
    changes, count = weighed(files, files)
    assert count == len(arrays)
    assert all(change.distance == 0 for change in changes)
    assert all(change.cosine in (1, None) for change in changes)


@settings(max_examples=examples(60))
@given(pair=ARRAYS.flatmap(lambda one: st.tuples(st.just(one), st.permutations(list(one)))))
def test_the_cosine_is_mirrored_and_distances_fit(
    tmp_path_factory: pytest.TempPathFactory, pair: tuple[Any, list[float]]
) -> None:
    """A permutation has the same norm, so that the distance is mirrored too."""
    folder = tmp_path_factory.mktemp("mirror")
    old = saved(folder / "a/m.safetensors", w=pair[0])
    new = saved(folder / "b/m.safetensors", w=np.array(pair[1], dtype=np.float32))
    ((there,), _), ((back,), _) = weighed(old, new), weighed(new, old)
    assert there.cosine == pytest.approx(back.cosine, abs=1e-6)
    assert there.distance == pytest.approx(back.distance, rel=1e-5)


def test_the_order_of_files_does_not_matter(tmp_path: Path) -> None:
    files = saved(tmp_path / "a.safetensors", w=np.ones(3)) | saved(
        tmp_path / "b.safetensors", w=np.ones(3), v=np.ones(2)
    )
    turned = dict(reversed(files.items()))
    assert weighed(files, files) == weighed(turned, turned)


PROGRAM = textwrap.dedent("""
    import sys
    from pathlib import Path
    from assent.measure.models import compare_weights
    old, new = (Path(argument) for argument in sys.argv[1:])
    compare_weights({"m.safetensors": old}, {"m.safetensors": new})
    status = Path("/proc/self/status").read_text()
    print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
""")


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """Two files of 256 MiB are compared within 150 MiB, modules included."""
    count = 64 * 1024 * 1024
    paths = [tmp_path / "old.safetensors", tmp_path / "new.safetensors"]
    for path in paths:
        save_file({"w": np.zeros(count, dtype=np.float32)}, path)
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, paths)], capture_output=True, check=True
    )
    assert int(ran.stdout) < 150 * 1024


class Clock:
    """A clock that stands still for some questions, and then says that a day has passed."""

    def __init__(self, questions: int) -> None:
        self._left = questions

    def __call__(self) -> float:
        self._left -= 1
        return 0.0 if self._left >= 0 else 86_400.0


@pytest.mark.threat(39)
def test_what_is_not_compared_when_time_is_up_is_said(tmp_path: Path) -> None:
    sides = [
        saved(tmp_path / side / "m.safetensors", **{name: np.ones(3) * at for name in "abcd"})
        for at, side in ((1, "old"), (2, "new"))
    ]
    everything = compare_weights(*sides)
    assert (everything.compared, everything.not_compared) == (4, ())
    seen = set()
    for questions in range(1, 10):
        found = compare_weights(*sides, clock=Clock(questions))
        seen.add(found.compared)
        if found.problem is not None:
            assert (found.problem, found.compared) == (TIME_WAS_UP, 0)
            continue
        assert {one.reason for one in found.not_compared} <= {TIME_WAS_UP}
        names = {one.name for one in found.changes} | {one.name for one in found.not_compared}
        assert names == set("abcd")
        assert found.compared == len(found.changes) == 4 - len(found.not_compared)
    assert {0, 2, 4} <= seen


def test_a_tensor_that_was_compared_in_part_was_not_compared(tmp_path: Path) -> None:
    """It is cut into two tasks, and time is up between them."""
    size = 5_000_000
    sides = [saved(tmp_path / side / "m.safetensors", w=np.ones(size, "i1")) for side in "on"]
    found = compare_weights(*sides, clock=Clock(4))
    assert found.changes == ()
    assert [(one.name, one.reason) for one in found.not_compared] == [("w", TIME_WAS_UP)]
    assert compare_weights(*sides, clock=Clock(5)).compared == 1


def test_a_name_in_several_files_of_other_names_has_no_partner(tmp_path: Path) -> None:
    sides = [
        {path.name: path for path in (tmp_path / name for name in names)}
        for names in (("a.safetensors", "b.safetensors"), ("c.safetensors", "d.safetensors"))
    ]
    for path in (*sides[0].values(), *sides[1].values()):
        save_file({"w": np.ones(2)}, path)
    found = compare_weights(*sides)
    assert found.changes == ()
    assert found.not_compared == tuple(
        NotCompared(name=f"{file}.safetensors: w", reason=SEVERAL) for file in "cd"
    )
