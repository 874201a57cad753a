"""Who somebody is."""

from __future__ import annotations

import msgspec
import pytest

from tests.builders import person


@pytest.mark.threat(8)
def test_a_renamed_login_is_the_same_person() -> None:
    renamed = msgspec.structs.replace(person("7"), login="new-name", proof="signature")
    assert renamed.key == person("7").key


@pytest.mark.threat(8)
@pytest.mark.parametrize("field", ["id", "host", "forge"])
def test_a_recycled_login_is_another_person(field: str) -> None:
    other = msgspec.structs.replace(person("7"), **{field: "other"})
    assert other.login == person("7").login
    assert other.key != person("7").key
