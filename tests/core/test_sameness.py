"""What is called the same."""

from __future__ import annotations

import pytest

from assent.core.diff.sameness import NotCompared, Same, sameness

UNREAD = NotCompared(name="q8", reason="its values are not read")


@pytest.mark.parametrize(
    ("things", "changes", "not_compared", "expected"),
    [
        (3, False, (), Same(things=3)),
        (3, True, (), None),
        (3, False, (UNREAD,), None),
        (0, False, (), None),
    ],
)
def test_the_same_is_what_was_compared_and_is_equal(
    things: int, changes: bool, not_compared: tuple[NotCompared, ...], expected: Same | None
) -> None:
    assert sameness(things, changes, not_compared) == expected
