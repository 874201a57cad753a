"""Names of classes: one name for what formats, and both sides, write in different ways."""

from __future__ import annotations

import math
from collections.abc import Iterable

_BOOLEANS = {"true": "1", "false": "0"}


def same_names(*columns: Iterable[str]) -> dict[str, str]:
    """A name for every class of the columns. `1`, `1.0` and `01` are one class if no column
    tells them apart; `True` is `true`, and is 1 if another column has numbers.
    """
    kinds = [set(column) for column in columns]
    known = [kind for kind in kinds if kind]
    are_boolean = [all(name.lower() in _BOOLEANS for name in kind) for kind in known]
    names = {name for kind in kinds for name in kind}
    if all(are_boolean):
        return {name: name.lower() for name in names}
    numbers = {
        name: _BOOLEANS[name.lower()] if name.lower() in _BOOLEANS else number_of(name)
        for name in names
    }
    plain = {name: number for name, number in numbers.items() if number is not None}
    is_told_apart = any(len({plain.get(name) for name in kind}) < len(kind) for kind in known)
    has_text_truth = any(are_boolean) and not all(
        boolean or {plain.get(name) for name in kind} <= {"0", "1"}
        for boolean, kind in zip(are_boolean, known, strict=True)
    )
    if len(plain) < len(names) or is_told_apart or has_text_truth:
        return {name: name for name in names}
    return plain


def number_of(name: str) -> str | None:
    """The one spelling of a class that is a number; None for any other."""
    try:
        value = float(name)
    except ValueError:
        return None
    if not math.isfinite(value) or "_" in name:
        return None
    if value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return repr(value) if abs(value) < 2**53 else None
