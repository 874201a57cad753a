"""The served files side by side."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from assent.compare.model import compare_model
from assent.core.diff.model import FileChange, ModelDiff, TensorChange
from assent.core.diff.values import ValueChange, Values
from assent.core.inspection import MORE_SETTINGS, Danger, Inspection, Part, Tensor
from tests.compare.known import known


def test_files_differ_by_path_and_digest() -> None:
    old = known(files={"same": "x", "edited": "aa", "gone": "yyy"}).bundle
    new = known(files={"same": "x", "edited": "bb", "came": "zzzz"}).bundle
    diff = compare_model(old, new)
    assert diff.changes == (
        FileChange(path="came", old_size_bytes=UNSET, new_size_bytes=4),
        FileChange(path="edited", old_size_bytes=2, new_size_bytes=2),
        FileChange(path="gone", old_size_bytes=3, new_size_bytes=UNSET),
    )
    assert (diff.old_size_bytes, diff.new_size_bytes, diff.files) == (6, 7, 3)


def test_whether_a_file_may_be_run_is_a_difference() -> None:
    bundle = known(files={"same": "x", "serve.sh": "aa"}).bundle
    files = [replace(one, is_executable=one.path == "serve.sh") for one in bundle.files]
    runs = replace(bundle, files=tuple(files))
    change = FileChange(
        path="serve.sh",
        old_size_bytes=2,
        new_size_bytes=2,
        became="executable",
        has_other_bytes=False,
    )
    assert compare_model(bundle, runs).changes == (change,)
    assert compare_model(runs, bundle).changes == (replace(change, became="not executable"),)
    assert compare_model(runs, runs).changes == ()


def test_a_renamed_file_is_one_that_went_and_one_that_came() -> None:
    diff = compare_model(known(files={"a": "x"}).bundle, known(files={"b": "x"}).bundle)
    assert [change.path for change in diff.changes] == ["a", "b"]


def part(path: str = "m", format_: str = "safetensors", **values: Any) -> Part:
    return Part(path=path, format=format_, size_bytes=1, **values)


def tensor(name: str, *shape: int, dtype: str = "float32") -> Tensor:
    return Tensor(name=name, dtype=dtype, shape=shape)


def compared(
    old: tuple[Part, ...] | None,
    new: tuple[Part, ...],
    old_files: dict[str, str] | None = None,
    new_files: dict[str, str] | None = None,
) -> ModelDiff:
    """Parts with files of their names; the content differs if it is not said."""
    before = old_files or {one.path: "old" for one in old or ()} or {"m": "old"}
    after = new_files or {one.path: "new" for one in new} or {"m": "new"}
    return compare_model(
        None if old is None else known(files=before).bundle,
        known(files=after).bundle,
        old_inspection=None if old is None else Inspection(parts=old),
        new_inspection=Inspection(parts=new),
    )


def test_tensors() -> None:
    old = part(tensors=(tensor("a", 2), tensor("b", 2), tensor("c", 2), tensor("d", 2)))
    retyped = tensor("c", 2, dtype="int8")
    new = part(tensors=(tensor("d", 2, 1), retyped, tensor("a", 2), tensor("e")))
    (found,) = compared((old,), (new,)).parts
    assert found.tensors == (
        TensorChange(name="b", old=tensor("b", 2)),
        TensorChange(name="c", old=tensor("c", 2), new=retyped),
        TensorChange(name="d", old=tensor("d", 2), new=tensor("d", 2, 1)),
        TensorChange(name="e", new=tensor("e")),
    )
    assert found.same_tensors == 1
    assert found.is_changed


def test_other_shards_of_the_same_tensors_are_no_change_of_tensors() -> None:
    a, b, c = tensor("a", 1), tensor("b", 2), tensor("c", 3)
    old = (part("1-of-2", tensors=(a, b)), part("2-of-2", tensors=(c,)))
    new = (part("1-of-3", tensors=(a,)), part("2-of-3", tensors=(b,)), part("3-of-3", tensors=(c,)))
    found = compared(old, new).parts
    assert [one.tensors for one in found] == [()] * 4  # one is only called otherwise
    assert sum(one.same_tensors for one in found) == 3


def test_what_is_inside() -> None:
    old = part(
        format_="xgboost",
        trees=3,
        parameters=10,
        settings={"depth": 3, "eta": 0.1},
        versions={"xgboost": "2.0.0"},
        features=("a", "b", "c"),
        imports=("x.y", "x.z"),
    )
    danger = Danger(what="custom code")
    new = part(
        format_="xgboost",
        trees=5,
        parameters=20,
        settings={"depth": 4, "eta": 0.1},
        versions={"xgboost": "2.1.0"},
        features=("c", "a", "d"),
        unused=("d",),
        imports=("x.y", "os.system"),
        dangers=(danger,),
        code=("c.py",),
        compression="zlib",
        problem="cut off",
    )
    diff = compared((old,), (new,))
    (found,) = diff.parts
    assert (found.old_trees, found.new_trees) == (3, 5)
    assert (diff.old_parameters, diff.new_parameters) == (10, 20)
    assert found.settings == Values(
        changes=(ValueChange(name="depth", old=3, new=4, move="up"),), same=1
    )
    (version,) = found.versions.changes
    assert (version.move, version.matters) == ("up", True)
    assert (found.added_features, found.removed_features) == (("d",), ("b",))
    assert found.are_features_reordered
    assert found.unused == ("d",)
    assert (found.added_imports, found.removed_imports) == (("os.system",), ("x.z",))
    assert found.imports == 2
    assert (found.dangers, found.code) == ((danger,), ("c.py",))
    assert (found.compression, found.problem) == ("zlib", "cut off")
    assert diff.signature is not None
    assert diff.signature.verdict == "breaking"


def test_a_renamed_file_with_the_same_bytes_is_compared() -> None:
    old, new = part("a.bin", tensors=(tensor("t"),)), part("b.bin", tensors=(tensor("t"),))
    other = part("c.bin")
    (b, c) = compared(
        (old, other), (new, other), {"a.bin": "x", "c.bin": "c"}, {"b.bin": "x", "c.bin": "c"}
    ).parts
    assert (b.path, b.old_path, b.tensors, b.same_tensors) == ("b.bin", "a.bin", (), 1)
    assert (b.is_changed, c.is_changed) == (True, False)


def test_the_only_file_of_a_format_is_compared_under_another_name() -> None:
    old = (part("v1.ubj", "xgboost", trees=1), part("l.txt", "lightgbm", trees=1))
    new = (part("v2.ubj", "xgboost", trees=2), part("m.txt", "lightgbm", trees=2))
    found = {one.path: one for one in compared(old, new).parts}
    assert {path: one.old_path for path, one in found.items()} == {
        "m.txt": "l.txt",
        "v2.ubj": "v1.ubj",
    }
    assert (found["v2.ubj"].old_trees, found["v2.ubj"].new_trees) == (1, 2)


def test_two_files_of_a_format_are_not_guessed_at() -> None:
    old = (part("a", trees=1), part("b", trees=1))
    found = compared(old, (part("c", trees=1),)).parts
    assert [(one.path, one.old_format is None, one.new_format is None) for one in found] == [
        ("a", False, True),
        ("b", False, True),
        ("c", True, False),
    ]


@pytest.mark.parametrize("format_", ["unknown", "json", "text"])
def test_files_beside_the_model_are_not_paired(format_: str) -> None:
    found = compared((part("a", format_),), (part("b", format_),)).parts
    assert [one.old_path for one in found] == [None, None]


def test_a_folder_that_is_a_unit_differs_if_a_file_in_it_does() -> None:
    saved = part("m", "savedmodel")
    files = {"m/saved_model.pb": "x", "m/variables/v": "y"}
    (found,) = compared((saved,), (saved,), files, files).parts
    assert not found.is_changed
    (found,) = compared((saved,), (saved,), files, {**files, "m/variables/v": "z"}).parts
    assert found.is_changed


def test_without_a_baseline_or_an_inspection() -> None:
    diff = compared(None, (part(tensors=(tensor("a"),), imports=("os.system",)),))
    (found,) = diff.parts
    assert found.tensors == (TensorChange(name="a", new=tensor("a")),)
    assert found.added_imports == ("os.system",)
    assert diff.old_parameters is None
    plain = compare_model(known().bundle, known().bundle)
    assert (plain.parts, plain.signature, plain.is_inspected) == ((), None, False)


def test_a_model_with_a_hundred_thousand_tensors() -> None:
    old = part(tensors=tuple(tensor(f"t{at}", at) for at in range(100_000)))
    new = part(tensors=tuple(tensor(f"t{at}", at + 1) for at in range(100_000)))
    (found,) = compared((old,), (new,)).parts
    assert len(found.tensors) == 100_000


def test_a_setting_that_one_side_has_in_a_digest_is_neither_new_nor_gone() -> None:
    """A name that came first pushes the last one into the digest of what is too much."""
    old = {"b": 1, "c": 2, "d": 3, MORE_SETTINGS: "5 more, sha256:1"}
    new = {"a": 0, "b": 1, "c": 9, MORE_SETTINGS: "6 more, sha256:2"}
    short = {"b": 1, "c": 2}
    assert [one.name for one in _settings(old, new)] == [MORE_SETTINGS, "a", "c"]
    assert [one.name for one in _settings(new, old)] == [MORE_SETTINGS, "a", "c"]
    assert [one.name for one in _settings(short, old)] == [MORE_SETTINGS, "d"]
    assert [one.name for one in _settings({**short, "z": 1}, old)] == [MORE_SETTINGS, "d"]
    assert _settings(old, old) == ()


def _settings(old: dict[str, Any], new: dict[str, Any]) -> tuple[ValueChange, ...]:
    sides = [
        Inspection(parts=(Part(path="m", format="x", size_bytes=1, settings=values),))
        for values in (old, new)
    ]
    bundles = [known(files={"m": content}).bundle for content in "on"]
    diff = compare_model(*bundles, old_inspection=sides[0], new_inspection=sides[1])
    return diff.parts[0].settings.changes
