"""Sets of named values side by side: parameters, packages, environment."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET

from assent.core.diff.values import ValueChange, Values
from assent.core.evidence import Environment
from assent.core.scalar import Scalar, same


def compare_values(old: Mapping[str, Scalar] | None, new: Mapping[str, Scalar]) -> Values:
    """What differs, by name. Types are kept apart: text that looks like a number is text."""
    before = old or {}
    changes: list[ValueChange] = []
    for name in sorted(before.keys() | new.keys()):
        left, right = before.get(name, UNSET), new.get(name, UNSET)
        if not same(left, right):
            changes.append(ValueChange(name=name, old=left, new=right))
    return Values(changes=tuple(changes), same=len(before.keys() | new.keys()) - len(changes))


def environment_values(environment: Environment | None) -> dict[str, Scalar]:
    """The environment without its packages, as named values."""
    if environment is None:
        return {}
    values: dict[str, Scalar] = {
        "python": environment.python,
        "platform": environment.platform,
        "machine": environment.machine,
        "cpu": environment.cpu,
        "cpu_count": environment.cpu_count,
        "memory_bytes": environment.memory_bytes,
        "gpus": ", ".join(environment.gpus) or None,
        "packages_from": environment.packages_from,
    }
    return {name: value for name, value in values.items() if value is not None}
