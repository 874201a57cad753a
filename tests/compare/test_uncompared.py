"""What of a model was not compared is a value of its own."""

from __future__ import annotations

from typing import Any

from assent.compare.model import compare_model
from assent.core.diff.model import ModelDiff, WeightChange, Weights
from assent.core.diff.sameness import NotCompared
from assent.core.inspection import Inspection, Part, Tensor
from tests.compare.known import known

_LOOKED = Weights()
W = Tensor(name="w", dtype="q8_0", shape=(2, 32))


def part(path: str = "m", **values: Any) -> Part:
    return Part(path=path, format="gguf", size_bytes=1, **values)


def diff(
    old: Part | tuple[Part, ...],
    new: Part | tuple[Part, ...],
    *,
    weights: Weights | None = _LOOKED,
    same: tuple[str, ...] = (),
) -> ModelDiff:
    """Both models, all of whose files but the `same` ones have other bytes."""
    sides = [one if isinstance(one, tuple) else (one,) for one in (old, new)]
    bundles = [
        known(
            files={one.path: one.path if one.path in same else f"{name} {one.path}" for one in side}
        ).bundle
        for name, side in zip(("old", "new"), sides, strict=True)
    ]
    return compare_model(
        *bundles,
        old_inspection=Inspection(parts=sides[0]),
        new_inspection=Inspection(parts=sides[1]),
        weights=weights,
    )


def test_a_tensor_whose_values_nobody_read() -> None:
    told = NotCompared(name="w", reason="values of the type q8_0 are not read")
    found = diff(part(tensors=(W,)), part(tensors=(W,)), weights=Weights(not_compared=(told,)))
    assert found.not_compared == (told,)


def test_a_tensor_that_was_compared_is_not_listed() -> None:
    change = WeightChange(name="w", distance=0.1, cosine=1.0)
    found = diff(
        part(tensors=(W,)), part(tensors=(W,)), weights=Weights(changes=(change,), compared=1)
    )
    assert found.not_compared == ()
    assert found.weights == (change,)


def test_a_tensor_that_no_reader_can_locate_is_listed_all_the_same() -> None:
    found = diff(part(tensors=(W,)), part(tensors=(W,)))
    assert found.not_compared == (
        NotCompared(name="w", reason="where its values lie is not known"),
    )


def test_a_tensor_of_another_shape_has_changed_and_needs_no_values() -> None:
    other = Tensor(name="w", dtype="q8_0", shape=(4, 32))
    assert diff(part(tensors=(W,)), part(tensors=(other,))).not_compared == ()


def test_nobody_looked_at_values() -> None:
    found = diff(part(tensors=(W,)), part(tensors=(W,)), weights=None)
    assert found.not_compared == (
        NotCompared(name="the values of all tensors", reason="nobody asked for it"),
    )
    found = diff(part(tensors=(W,)), part(tensors=(W,)), weights=Weights(problem="no NumPy"))
    assert [one.reason for one in found.not_compared] == ["no NumPy"]


def test_equal_bytes_are_the_same_whatever_was_read_of_them() -> None:
    told = Weights(not_compared=(NotCompared(name="w", reason="values of q8_0 are not read"),))
    unread = part("unread", not_read="its format is not known")
    old = (part(tensors=(W,)), unread, part("other"))
    found = diff(old, old, weights=told, same=("m", "unread", "other"))
    assert found.not_compared == ()


def test_values_in_a_file_beside_the_part() -> None:
    graph, values = part("m.xml", tensors=(W,), beside=("m.bin",)), part("m.bin")
    same_graph = diff((graph, values), (graph, values), same=("m.xml",))
    assert [one.name for one in same_graph.not_compared] == ["w"]
    all_same = diff((graph, values), (graph, values), same=("m.xml", "m.bin"))
    assert all_same.not_compared == ()


_UNSEEN = "its bytes differ, though nothing that was compared does"


def moved(distance: float, *names: str) -> Weights:
    changes = tuple(WeightChange(name=name, distance=distance, cosine=1.0) for name in names)
    return Weights(changes=changes, compared=len(changes))


def test_other_bytes_that_nothing_explains_are_said() -> None:
    """Whatever the format: what differs is something that its reader does not look at."""
    assert diff(part(), part()).not_compared == (NotCompared(name="m", reason=_UNSEEN),)
    alike = diff(part(tensors=(W,)), part(tensors=(W,)), weights=moved(0.0, "w"))
    assert alike.not_compared == (NotCompared(name="m", reason=_UNSEEN),)
    assert alike.sameness is None
    for other in ({"settings": {"a": 1}}, {"templates": {"default": "x"}}, {"imports": ("os.x",)}):
        assert diff(part(), part(**other)).not_compared == ()
    assert diff(part(tensors=(W,)), part(tensors=(W,)), weights=moved(0.1, "w")).not_compared == ()
    assert diff(part(tensors=(W,)), part(tensors=(W,)), weights=moved(0.1, "m: w")).sameness is None


def test_true_that_became_1_explains_other_bytes() -> None:
    found = diff(part(settings={"tied": True}), part(settings={"tied": 1}))
    assert [change.name for change in found.parts[0].settings.changes] == ["tied"]
    assert found.not_compared == ()


def test_bytes_in_files_beside_that_nothing_explains() -> None:
    graph, values = part("m.xml", tensors=(W,), beside=("m.bin",)), part("m.bin")
    sides = (graph, values)

    def told(weights: Weights, *same: str) -> list[tuple[str, str]]:
        found = diff(sides, sides, weights=weights, same=same).not_compared
        return [(one.name, one.reason) for one in found]

    assert told(moved(0.1, "w"), "m.xml") == []
    assert told(moved(0.0, "w"), "m.xml") == [("m.bin", _UNSEEN)]
    assert told(moved(0.0, "w")) == [("m.bin", _UNSEEN), ("m.xml", _UNSEEN)]
    (both,) = told(moved(0.1, "w"))
    assert both == (
        "m.xml",
        "its own bytes differ, which the values in other files do not explain",
    )
    assert told(moved(0.1, "w"), "m.bin") == []  # then the values lie in the graph


def test_parts_that_were_not_read_or_not_wholly() -> None:
    for values, reason in (
        ({"not_read": "PMML is not read"}, "PMML is not read"),
        ({"left_out": "the values of its trees"}, "not looked at: the values of its trees"),
        ({"problem": "it ends too early"}, "the candidate's cannot be read: it ends too early"),
    ):
        found = diff(part(), part(**values))
        assert found.not_compared == (NotCompared(name="m", reason=reason),)
    broken = diff(part(problem="it ends too early"), part())
    assert broken.not_compared[0].reason == "the baseline's cannot be read: it ends too early"


def test_a_file_of_one_side_has_nothing_to_be_compared_with() -> None:
    found = diff(part("a", not_read="x"), part("b", not_read="x"))
    assert found.not_compared == ()
    assert [one.path for one in found.changes] == ["a", "b"]


def test_one_name_in_two_files() -> None:
    sides = (part("a", tensors=(W,)), part("b", tensors=(W,)))
    told = Weights(changes=(WeightChange(name="a: w", distance=1.0, cosine=1.0),), compared=1)
    found = diff(sides, sides, weights=told)
    assert [one.name for one in found.not_compared] == ["w"]  # the one in b


def test_the_same_tensors_under_the_words_of_a_checkpoint() -> None:
    names = ("conv.weight", "conv.bias", "norm.weight")
    plain = tuple(Tensor(name=name, dtype="float32", shape=(2,)) for name in names)
    wrapped = tuple(
        Tensor(name=f"state_dict.{name}", dtype="float32", shape=(2,)) for name in names
    )
    found = diff(part("a.ckpt", tensors=wrapped), part("b.safetensors", tensors=plain))
    (change,) = found.parts
    assert (change.path, change.old_path) == ("b.safetensors", "a.ckpt")
    assert (change.tensors, change.same_tensors) == ((), 3)
    assert [one.name for one in found.not_compared] == list(names)


def test_a_class_that_moved_between_files_is_no_new_import() -> None:
    old = (part("m.pkl", imports=("a.B", "c.D")), part("other.pkl", imports=("x.Y",)))
    new = (part("m.skops", imports=("a.B", "x.Y", "e.F")),)
    found = {one.path: one for one in diff(old, new).parts}
    assert found["m.skops"].added_imports == ("e.F",)
    assert found["m.skops"].kept_imports == ("a.B", "x.Y")
    assert found["m.pkl"].removed_imports == ("c.D",)
    assert found["other.pkl"].removed_imports == ()
