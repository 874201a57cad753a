"""Facts of model files as settings."""

from __future__ import annotations

import pytest

from assent.core.inspection import MORE_SETTINGS
from assent.core.scalar import NonFinite, Scalar
from assent.measure.models.facts import (
    MAX_SETTINGS,
    MAX_TEXT,
    digest_in_short,
    literal,
    setting,
    settings,
)
from assent.measure.models.reader import ReadError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-3", -3),
        ("0.5", 0.5),
        ("1E-1", 0.1),
        ("[4.4E-1]", 0.44),
        ("[1,2]", "[1,2]"),
        ("1" + "0" * 30, 1e30),
        ("1e9999", NonFinite("inf")),
        ("", ""),
        ("gbdt", "gbdt"),
        ("0x10", "0x10"),
        ("nan", "nan"),
    ],
)
def test_text_that_reads_as_a_number_is_one(text: str, value: Scalar) -> None:
    assert literal(text) == value


def test_long_text_is_told_by_its_digest() -> None:
    shown = setting("a" * (MAX_TEXT + 1))
    assert isinstance(shown, str)
    assert shown.endswith("(301 characters)")
    assert shown != setting("b" * (MAX_TEXT + 1))


def test_nested_facts_have_dotted_names_in_order() -> None:
    found = settings({"b": {"y": [1, {"z": None}], "x": True}, "a": None})
    assert list(found.items()) == [("a", None), ("b.x", True), ("b.y", '[1,{"z":null}]')]


def test_a_mapping_that_holds_nothing_is_a_fact() -> None:
    assert settings({"a": {"b": {}}, "c": {}}) == {"a.b": "{}", "c": "{}"}


def test_secrets_are_taken_out() -> None:
    found = settings({"note": "Authorization: Bearer abcdefghijklmnopqrstuvwx0123456789"})
    assert "abcdefghijkl" not in str(found)


def test_they_are_few() -> None:
    many = {f"k{at:05}": at for at in range(10_000)}
    found = settings(many)
    assert len(found) == MAX_SETTINGS
    assert str(found[MORE_SETTINGS]).startswith("8,001 more, sha256:")
    assert found == settings(dict(reversed(many.items())))
    changed = settings({**many, "k09999": 0})
    assert {name for name in found if found[name] != changed[name]} == {MORE_SETTINGS}
    assert MORE_SETTINGS not in settings({f"k{at}": at for at in range(MAX_SETTINGS)})


def test_what_json_has_no_word_for_is_not_null() -> None:
    said = [setting([value]) for value in (None, float("nan"), float("inf"), "NaN")]
    assert said == ["[null]", "[NaN]", "[Infinity]", '["NaN"]']
    assert len({digest_in_short(value) for value in (None, float("nan"), "NaN")}) == 3


@pytest.mark.threat(39)
def test_two_facts_of_one_name_are_refused() -> None:
    with pytest.raises(ReadError):
        settings({"a.b": 1, "a": {"b": 2}})
