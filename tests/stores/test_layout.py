"""Names in a store: what is made out of a model and a version or stage is of them alone."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from assent.config.settings import NAME
from assent.stores.layout import STAGES, VERSIONS, Place, model_of_tag, pointer_place


def is_name(name: str) -> bool:
    """Whether it is the name of a model or a stage, and not written as a version is."""
    return name[0].isalnum() and ".." not in name and not re.fullmatch(r"v[0-9]+", name)


NAMES = st.from_regex(re.compile(NAME.replace("$", r"\Z"), re.ASCII)).filter(is_name)
NEAR = st.lists(st.sampled_from(["churn", "eu", "v1", "-", "--", "1"]), min_size=1, max_size=6).map(
    "".join
)
"""Names that only hyphens tell apart."""
WORDS = st.one_of(NAMES, NEAR.filter(is_name))
PLACES = st.one_of(
    st.builds(lambda model, label: f"{model}/{STAGES}/{label}", WORDS, WORDS),
    st.builds(lambda model, number: f"{model}/{VERSIONS}/{number}", WORDS, st.integers(1, 12)),
).map(pointer_place)


@given(st.lists(PLACES, max_size=30))
def test_no_two_pointers_have_one_tag(places: list[Place]) -> None:
    names = {place.name for place in places}
    assert len({place.tag for place in places}) == len(names)


@given(PLACES)
def test_the_model_of_a_tag_is_known_again(place: Place) -> None:
    assert model_of_tag(place.tag) == place.model


@given(st.text(alphabet="ab-", max_size=8))
def test_what_no_pointer_has_as_its_tag_is_of_no_model(tag: str) -> None:
    model = model_of_tag(tag)
    if model is not None:
        label = tag[len(model.replace("-", "--")) + 1 :].replace("--", "-")
        assert Place(model=model, kind=STAGES, label=label).tag == tag
