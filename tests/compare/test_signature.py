"""Whether callers of the old model can call the new one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.compare.signature import accepts, compare_signature
from assent.core.diff.model import FieldChange, SignatureChange
from assent.core.inspection import Field, Inspection, Part, Signature

AGE = Field(name="age", type="double")
KIND = Field(name="kind", type="string")
SCORE = Field(name="score", type="double", shape=(None, 2))


def stating(
    inputs: tuple[Field, ...] = (AGE, KIND), outputs: tuple[Field, ...] = (SCORE,)
) -> Inspection:
    signature = Signature(inputs=inputs, outputs=outputs)
    return Inspection(
        parts=(Part(path="MLmodel", format="mlflow", size_bytes=1, signature=signature),)
    )


def naming(*features: str) -> Inspection:
    return Inspection(
        parts=(Part(path="m.ubj", format="xgboost", size_bytes=1, features=features),)
    )


def changed(field: Field, **values: Any) -> Field:
    said = {name: getattr(field, name) for name in ("name", "type", "shape", "is_optional")}
    return Field(**{**said, **values})


def verdict(old: Inspection, new: Inspection) -> str:
    change = compare_signature(old, new)
    assert change is not None
    return change.verdict


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ((AGE, KIND), "same"),
        ((KIND, AGE), "same"),
        ((AGE, KIND, Field(name="x", is_optional=True)), "compatible"),
        ((AGE, KIND, Field(name="x")), "breaking"),
        ((AGE,), "breaking"),
        ((AGE, changed(KIND, name="sort")), "breaking"),
        ((changed(AGE, type="float"), KIND), "breaking"),
        ((changed(AGE, is_optional=True), KIND), "compatible"),
    ],
)
def test_inputs(inputs: tuple[Field, ...], expected: str) -> None:
    assert verdict(stating(), stating(inputs)) == expected


def test_an_input_that_became_required_is_breaking() -> None:
    assert verdict(stating((changed(AGE, is_optional=True),)), stating((AGE,))) == "breaking"


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ((SCORE, Field(name="extra")), "compatible"),
        ((), "breaking"),
        ((changed(SCORE, type="long"),), "breaking"),
        ((changed(SCORE, shape=(None, 3)),), "breaking"),
        ((changed(SCORE, shape=(1, 2)),), "compatible"),
        ((changed(SCORE, shape=None),), "breaking"),
        ((changed(SCORE, is_optional=True),), "breaking"),
    ],
)
def test_outputs(outputs: tuple[Field, ...], expected: str) -> None:
    assert verdict(stating(), stating(outputs=outputs)) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ((None, 28), (None, 28), "same"),
        ((8, 28), (None, 28), "compatible"),
        ((None, 28), (8, 28), "breaking"),
        ((None, 28), (None, 32), "breaking"),
        ((None, 28), (None, 28, 1), "breaking"),
        ((None, 28), None, "compatible"),
        (None, (None, 28), "breaking"),
    ],
)
def test_the_shape_of_an_input_may_only_grow_wider(
    old: tuple[int | None, ...] | None, new: tuple[int | None, ...] | None, expected: str
) -> None:
    left, right = (stating((changed(AGE, shape=shape),)) for shape in (old, new))
    assert verdict(left, right) == expected


def test_fields_without_a_name_are_told_by_their_place() -> None:
    first, second = Field(name="", type="long"), Field(name="", type="double")
    change = compare_signature(stating((first, first)), stating((first, second)))
    assert change == SignatureChange(
        verdict="breaking",
        fields=(
            FieldChange(side="input", name="number 2", old=first, new=second, is_breaking=True),
        ),
    )


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (("a", "b"), "same"),
        (("b", "a"), "breaking"),
        (("a", "b", "c"), "breaking"),
        (("a",), "breaking"),
    ],
)
def test_features_are_needed_all_and_in_order(new: tuple[str, ...], expected: str) -> None:
    assert verdict(naming("a", "b"), naming(*new)) == expected


def test_only_what_moved_is_told() -> None:
    change = compare_signature(naming("a", "b", "c"), naming("b", "a", "c"))
    assert change is not None
    assert [(one.name, one.old == one.new) for one in change.fields] == [("a", True), ("b", True)]


def test_without_two_signatures_nothing_is_known() -> None:
    assert compare_signature(Inspection(), Inspection()) is None
    assert compare_signature(None, None) is None
    for old, new in (
        (stating(), Inspection()),
        (None, stating()),
        (stating(), naming("age", "kind")),
    ):
        assert compare_signature(old, new) == SignatureChange(verdict="unknown")


shapes = st.none() | st.lists(st.none() | st.integers(0, 3), max_size=3).map(tuple)
fields = st.builds(
    Field,
    name=st.sampled_from(["", "a", "b", "c"]),
    type=st.sampled_from(["float", "string"]),
    shape=shapes,
    is_optional=st.booleans(),
)
signatures = st.builds(
    stating, st.lists(fields, max_size=4).map(tuple), st.lists(fields, max_size=3).map(tuple)
)


@given(shapes, shapes, shapes)
def test_accepting_is_an_order(
    one: tuple[int | None, ...] | None,
    two: tuple[int | None, ...] | None,
    three: tuple[int | None, ...] | None,
) -> None:
    assert accepts(one, one)
    if accepts(one, two) and accepts(two, three):
        assert accepts(one, three)
    if accepts(one, two) and accepts(two, one):
        assert one == two


@given(signatures)
def test_a_signature_is_the_same_as_itself(one: Inspection) -> None:
    assert compare_signature(one, one) == SignatureChange(verdict="same")


@given(signatures, signatures)
def test_both_ways_name_the_same_fields(old: Inspection, new: Inspection) -> None:
    there, back = compare_signature(old, new), compare_signature(new, old)
    assert there is not None
    assert back is not None
    assert [(one.side, one.old, one.new) for one in there.fields] == [
        (one.side, one.new, one.old) for one in back.fields
    ]
    assert (there.verdict == "same") == (back.verdict == "same")
    assert (there.verdict == "breaking") == any(one.is_breaking for one in there.fields)


def test_a_hundred_thousand_columns() -> None:
    names = [f"c{at}" for at in range(100_000)]
    change = compare_signature(naming(*names), naming(*reversed(names)))
    assert change is not None
    assert len(change.fields) == 100_000
