"""Sets of named values side by side: parameters, packages, environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import UNSET, UnsetType

from assent.core.diff.values import ValueChange, Values
from assent.core.evidence import Environment
from assent.core.scalar import NonFinite, Scalar, number, same


def compare_values(old: Mapping[str, Scalar] | None, new: Mapping[str, Scalar]) -> Values:
    """What differs, by name. Types are kept apart: text that looks like a number is text."""
    before = old or {}
    changes: list[ValueChange] = []
    for name in sorted(before.keys() | new.keys()):
        left, right = before.get(name, UNSET), new.get(name, UNSET)
        if not same(left, right):
            changes.append(ValueChange(name=name, old=left, new=right, move=_move(left, right)))
    return Values(changes=tuple(changes), same=len(before.keys() | new.keys()) - len(changes))


def environment_values(environment: Environment) -> dict[str, Scalar]:
    """The environment without its packages, as named values, as far as they are known."""
    gpus = environment.gpus
    values: dict[str, Scalar] = {
        "python": environment.python,
        "platform": environment.platform,
        "machine": environment.machine,
        "cpu": environment.cpu,
        "cpu_count": environment.cpu_count,
        "memory_bytes": environment.memory_bytes,
        "gpus": None if gpus is None else ", ".join(gpus) or "none seen",
        "cuda": environment.cuda,
        "driver": environment.driver,
    }
    return {name: value for name, value in values.items() if value not in (None, "")}


def _move(old: Scalar | UnsetType, new: Scalar | UnsetType) -> Literal["up", "down", "type"] | None:
    """How a value moved. Null is of no type: a value that was set or unset did not change it."""
    if old is UNSET or new is UNSET or old is None or new is None:
        return None
    if _type(old) is not _type(new):
        return "type"
    left, right = number(old), number(new)
    if left is None or right is None:
        return None
    return "up" if left < right else "down"


def _type(value: Scalar) -> type:
    """The type that a person means: integers, other numbers and those that are not finite are
    all numbers.
    """
    if isinstance(value, int | float | NonFinite) and not isinstance(value, bool):
        return float
    return type(value)
