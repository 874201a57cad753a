"""Names become names of files that no two names share and that lead nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.bundle import is_safe_path
from assent.core.identity import PersonKey
from assent.report.site.addresses import (
    file_name,
    linked,
    of_entry,
    of_model,
    of_person,
    root_from,
)
from tests.report.nasty import TEXTS, texts

names = st.one_of(texts, st.text(alphabet="aA_-.5f/\\ \u0130i\u0307", max_size=8))


@pytest.mark.threat(33)
@given(left=names, right=names)
def test_no_two_names_share_a_file(left: str, right: str) -> None:
    assert (file_name(left) == file_name(right)) is (left == right)
    assert (file_name(left).lower() == file_name(right).lower()) is (left == right)


@pytest.mark.threat(33)
@pytest.mark.parametrize("name", [*TEXTS, "..", ".", "../../etc", "con", "nul", "a" * 5_000, "é"])
def test_a_name_is_one_folder_that_every_file_system_takes(name: str) -> None:
    shown = file_name(name)
    assert set(shown) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    assert 0 < len(shown) <= 120
    assert shown not in ("con", "nul")
    assert is_safe_path(of_model(name))
    assert is_safe_path(of_person(PersonKey(name)))


def test_ordinary_names_stay_readable() -> None:
    assert file_name("churn-2") == "churn-2"
    assert of_model("churn", "v12") == "models/churn/v12.html"
    assert of_entry("churn", 250) == "models/churn/timeline-1.html#e250"
    assert root_from(of_model("churn")) == "../../"
    assert root_from("index.html") == ""


def test_a_long_name_is_not_another_one_that_is_spelled_like_its_file() -> None:
    long = "x" * 400
    assert file_name(file_name(long)) != file_name(long)


@pytest.mark.threat(33)
@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        " https://a.example",
        "https://a.example/\n",
        "https://a.example/\u202egnp",
        "data:text/html,x",
        "//a.example",
        "file:///etc/passwd",
        "https://",
        "https://user@a.example/",
        'https://a.example"onclick=x',
        "ftp://a.example",
        "",
    ],
)
def test_only_plain_addresses_are_linked(address: str) -> None:
    assert linked(address) is None


@pytest.mark.parametrize(
    "address",
    ["https://a.example", "http://127.0.0.1:8080/x?y=1#z", "https://a.example/a(b)~c%20d"],
)
def test_an_address_of_the_web_is_linked_as_it_is(address: str) -> None:
    assert linked(address) == address
