"""One leaf of a metrics or parameters file, kept for what it is."""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from assent.parsing import plain


class NonFinite(msgspec.Struct, frozen=True):
    """NaN or an infinity, which JSON cannot say. Equal to itself, unlike `float("nan")`."""

    nonfinite: Literal["nan", "inf", "-inf"]


Scalar = bool | int | float | str | NonFinite | None
"""A boolean, a number, a non-finite number, a text or null. Missing is `msgspec.UNSET`."""


def scalar(value: Any) -> Scalar:
    """`value` as a `Scalar`: non-finite floats become `NonFinite`, dates and the like text."""
    leaf = plain(value)
    if isinstance(leaf, float) and not math.isfinite(leaf):
        if math.isnan(leaf):
            return NonFinite("nan")
        return NonFinite("inf" if leaf > 0 else "-inf")
    result: Scalar = leaf
    return result


def number(value: object) -> float | int | None:
    """`value` if it is a finite number (booleans are not), else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # an integer of hundreds of digits, from a file that somebody made
        return None


def same(left: object, right: object) -> bool:
    """Equality that keeps types apart: `True` is not 1 and `1` is not `"1"`; 1 equals 1.0."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return left == right


def show(value: object) -> str:
    """A scalar in the few characters that a sentence has room for."""
    if isinstance(value, NonFinite):
        return {"nan": "NaN", "inf": "∞", "-inf": "-∞"}[value.nonfinite]
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, float):
        return _rounded(value, _DIGITS)
    return str(value)


def show_about(value: float) -> str:
    """An estimate, whose other digits say nothing."""
    return _rounded(float(value), _FEW_DIGITS)


def show_exactly(value: object) -> str:
    """As `show`, with all digits of a number: a bound is shown as somebody wrote it."""
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return show(value)


def show_apart(value: object, other: object, *, is_estimate: bool = False) -> tuple[str, str]:
    """Both, with as many digits as it takes to tell two different numbers apart: of an estimate,
    no more than that.
    """
    least = _FEW_DIGITS if is_estimate else _DIGITS
    if number(value) is not None and number(other) is not None and value != other:
        for digits in range(least, _MOST_DIGITS + 1):
            texts = _rounded(value, digits), _rounded(other, digits)
            if texts[0] != texts[1]:
                return texts
    return show(value), show(other)


def is_whole(value: float | int) -> bool:
    """Whether a number is a whole one, and exact: a float is up to 2^53."""
    return isinstance(value, int) or (value.is_integer() and abs(value) < 2**53)


def difference(old: float | int, new: float | int) -> float | int:
    """`new` - `old`, exact between whole numbers, however large: floats would lose the last digits
    of integers beyond 2^53.
    """
    return int(new) - int(old) if is_whole(old) and is_whole(new) else new - old


def _rounded(value: object, digits: int) -> str:
    return f"{value:.{digits}g}" if isinstance(value, float) else show(value)


_FEW_DIGITS = 4
_DIGITS = 6
_MOST_DIGITS = 17  # tells any two floats apart
