"""One value per name, from all the files that give one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from assent.core.evidence import Problem

T = TypeVar("T")


def unique(given: Iterable[tuple[str, str, T]]) -> tuple[dict[str, T], list[Problem]]:
    """The values by name, out of (source, name, value).

    A name that two sources give has no value, and is a problem: nobody knows which one counts.
    """
    values: dict[str, T] = {}
    sources: dict[str, str] = {}
    problems: list[Problem] = []
    for source, name, value in given:
        if name in sources:
            problem = f"the name {name!r} is given by {sources[name]} as well"
            problems.append(Problem(source=source, problem=problem))
            values.pop(name, None)
        else:
            sources[name] = source
            values[name] = value
    return values, problems
