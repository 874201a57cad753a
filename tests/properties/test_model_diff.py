"""Laws of the diff of models."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from assent.compare.model import compare_model
from assent.core.bundle import Bundle
from assent.core.diff.model import (
    ModelDiff,
    PartChange,
    TensorChange,
    WeightChange,
    Weights,
)
from assent.core.inspection import Danger, Inspection, Part, Tensor
from assent.core.scalar import Scalar
from tests.compare.known import known, named_values

names = st.sampled_from(["a", "b", "c", "ü|x", "\n", "<img>"])
tensors = st.builds(
    Tensor,
    name=names,
    dtype=st.sampled_from(["float32", "int8"]),
    shape=st.lists(st.integers(0, 3), max_size=2).map(tuple),
)
formats = st.sampled_from(["safetensors", "xgboost", "pickle", "unknown"])
unique_names = st.lists(names, max_size=4, unique=True).map(tuple)


@st.composite
def parts(draw: st.DrawFn, path: str) -> Part:
    features = draw(unique_names)
    settings: dict[str, Scalar] = draw(named_values)
    return Part(
        path=path,
        format=draw(formats),
        size_bytes=1,
        parameters=draw(st.none() | st.integers(0, 9)),
        tensors=tuple(draw(st.lists(tensors, max_size=4, unique_by=lambda one: one.name))),
        trees=draw(st.none() | st.integers(0, 9)),
        settings=settings,
        versions=draw(st.dictionaries(names, st.sampled_from(["1", "1.0", "2", "x"]), max_size=3)),
        features=features,
        imports=tuple(sorted(draw(unique_names))),
        dangers=tuple(draw(st.lists(st.builds(Danger, what=names), max_size=1))),
    )


@st.composite
def models(draw: st.DrawFn) -> tuple[Bundle, Inspection]:
    paths = draw(st.lists(st.sampled_from(["m", "n", "o/p"]), min_size=1, max_size=3, unique=True))
    files = {path: draw(st.sampled_from(["x", "yy", "zzz"])) for path in paths}
    found = tuple(draw(parts(path)) for path in sorted(paths))
    return known(files=files).bundle, Inspection(parts=found)


def diff(old: tuple[Bundle, Inspection], new: tuple[Bundle, Inspection]) -> ModelDiff:
    return compare_model(old[0], new[0], old_inspection=old[1], new_inspection=new[1])


@given(models())
def test_a_model_does_not_differ_from_itself(model: tuple[Bundle, Inspection]) -> None:
    found = diff(model, model)
    assert found.changes == ()
    assert found.signature is None or found.signature.verdict == "same"
    for part in found.parts:
        assert not part.is_changed
        assert (part.tensors, part.settings.changes, part.versions.changes) == ((), (), ())
        assert (part.added_features, part.removed_features) == ((), ())
        assert (part.added_imports, part.removed_imports) == ((), ())
        assert not part.are_features_reordered
        assert part.old_path is None


@given(models(), models())
def test_both_ways_are_mirrors(
    old: tuple[Bundle, Inspection], new: tuple[Bundle, Inspection]
) -> None:
    there, back = diff(old, new), diff(new, old)
    assert (there.old_parameters, there.new_parameters) == (
        back.new_parameters,
        back.old_parameters,
    )
    mirrored = {_paths(part)[::-1]: part for part in back.parts}
    assert {_paths(part) for part in there.parts} == set(mirrored)
    moved = {one.name for part in there.parts for one in part.tensors}
    assert moved == {one.name for part in back.parts for one in part.tensors}
    for part in there.parts:
        other = mirrored[_paths(part)]
        assert (part.old_format, part.new_format) == (other.new_format, other.old_format)
        assert (part.old_trees, part.new_trees) == (other.new_trees, other.old_trees)
        assert (part.added_features, part.added_imports) == (
            other.removed_features,
            other.removed_imports,
        )
        assert part.are_features_reordered == other.are_features_reordered
        assert part.is_changed == other.is_changed
        assert part.settings.same == other.settings.same
    assert sorted(map(_sides, _all(there)), key=repr) == sorted(
        ((name, new, old) for name, old, new in map(_sides, _all(back))), key=repr
    )


@given(models(), models())
def test_every_tensor_is_counted_once(
    old: tuple[Bundle, Inspection], new: tuple[Bundle, Inspection]
) -> None:
    found = diff(old, new)
    after = sum(len(part.tensors) for part in new[1].parts)
    counted = sum(part.same_tensors for part in found.parts)
    assert after == counted + sum(one.new is not None for one in _all(found))


@given(models(), models(), st.randoms())
def test_the_order_of_parts_and_tensors_does_not_matter(
    old: tuple[Bundle, Inspection], new: tuple[Bundle, Inspection], random: Random
) -> None:
    shuffled = []
    for part in new[1].parts:
        some = list(part.tensors)
        random.shuffle(some)
        shuffled.append(replace(part, tensors=tuple(some)))
    random.shuffle(shuffled)
    there = diff(old, new).parts
    assert diff(old, (new[0], Inspection(parts=tuple(shuffled)))).parts == there


def _paths(part: PartChange) -> tuple[str | None, str | None]:
    old = None if part.old_format is None else part.old_path or part.path
    return old, None if part.new_format is None else part.path


def _all(found: ModelDiff) -> list[TensorChange]:
    return [one for part in found.parts for one in part.tensors]


def _sides(change: TensorChange) -> tuple[str, Tensor | None, Tensor | None]:
    return change.name, change.old, change.new


reasons = st.sampled_from([None, "x is not read"])


@st.composite
def partly_read(draw: st.DrawFn) -> tuple[Bundle, Inspection]:
    bundle, inspection = draw(models())
    found = tuple(
        replace(one, not_read=draw(reasons), left_out=draw(reasons), problem=draw(reasons))
        for one in inspection.parts
    )
    return bundle, Inspection(parts=found)


@given(partly_read(), partly_read(), st.data())
def test_what_is_on_both_sides_is_the_same_bytes_or_compared_or_said_not_to_be(
    old: tuple[Bundle, Inspection], new: tuple[Bundle, Inspection], data: st.DataObject
) -> None:
    digests = [{file.path: file.digest for file in side[0].files} for side in (old, new)]
    every = sorted({tensor.name for part in new[1].parts for tensor in part.tensors})
    read = data.draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    weights = Weights(changes=tuple(WeightChange(name=n, distance=0.0, cosine=1.0) for n in read))
    found = compare_model(
        old[0], new[0], old_inspection=old[1], new_inspection=new[1], weights=weights
    )
    told = {one.name for one in found.not_compared}
    had = {(tensor.name, tensor.shape) for part in old[1].parts for tensor in part.tensors}
    paths = {change.path: change.old_path or change.path for change in found.parts}
    for part in new[1].parts:
        before = paths[part.path]
        if digests[0].get(before) == digests[1][part.path]:
            continue
        is_on_both = before in digests[0]
        if is_on_both and (part.not_read or part.left_out or part.problem):
            assert part.path in told
        for tensor in part.tensors:
            if (tensor.name, tensor.shape) in had:
                assert tensor.name in {*told, *read}
