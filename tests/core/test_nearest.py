"""What somebody may have meant."""

from __future__ import annotations

import pytest

from assent.core.nearest import meant, nearest


@pytest.mark.parametrize(
    ("name", "close"),
    [("prodution", "production"), ("STAGING", "staging"), ("xyz", None), ("", None)],
)
def test_the_one_that_is_most_like_it(name: str, close: str | None) -> None:
    assert nearest(name, ["production", "staging", "shadow"]) == close


def test_it_is_asked_and_not_taken() -> None:
    assert meant("prodution", ["production"]) == "; did you mean 'production'?"
    assert meant("prodution", []) == ""
    assert meant("revenue", ["recall"], least=0.8) == ""
