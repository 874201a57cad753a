from __future__ import annotations

from assent.core.evidence import Problem
from assent.measure.names import unique


def test_a_name_that_two_sources_give_has_no_value() -> None:
    values, problems = unique([("a", "x", 1), ("a", "y", 2), ("b", "x", 1), ("c", "x", 3)])
    assert values == {"y": 2}
    assert problems == [
        Problem(source="b", problem="the name 'x' is given by a as well"),
        Problem(source="c", problem="the name 'x' is given by a as well"),
    ]
