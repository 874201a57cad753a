"""Values and changes as people read them: no real change is ever shown as none."""

from __future__ import annotations

import math
import re
from enum import StrEnum

import msgspec
from msgspec import UNSET, UnsetType

from assent.core.diff.metrics import Better, MetricChange
from assent.core.scalar import NonFinite, Scalar
from assent.core.scalar import number as finite
from assent.core.units import count as count  # part of how reports write numbers

MINUS = "\N{MINUS SIGN}"
_PLAIN = re.compile(r"-?[\d,]+(?:\.\d+)?")
_DIGITS = 4
_MOST_DIGITS = 17  # tells any two doubles apart
_CONFUSABLE = re.compile(
    r"[-+]?[\d.,]+(e[-+]?\d+)?|true|false|null|nan|missing|[-+]?∞|", re.IGNORECASE
)
_NONFINITE = {"nan": "NaN", "inf": "∞", "-inf": "-∞"}
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


class Shown(msgspec.Struct, frozen=True):
    """A value as text. `is_text`: it is the team's own text and untrusted."""

    text: str
    is_text: bool = False


class Effect(StrEnum):
    """What a change means, most important first."""

    MISSING = "missing"
    NO_NUMBER = "not a number"
    WORSE = "worse"
    NOT_COMPARED = "not compared"
    CHANGED = "changed"
    BETTER = "better"
    NEW = "new"
    UNCHANGED = "unchanged"


def effect(metric: MetricChange) -> Effect:
    """What a metric's change means. Better and worse need two numbers and a known direction; a
    number that is none any more is said to be that.
    """
    if metric.new is UNSET:
        return Effect.MISSING
    if metric.old is UNSET:
        return Effect.NEW
    if metric.not_compared:
        return Effect.NOT_COMPARED
    if not metric.is_changed:
        return Effect.UNCHANGED
    if finite(metric.new) is None and finite(metric.old) is not None:
        return Effect.NO_NUMBER
    if metric.better is None or not metric.change or math.isnan(metric.change):
        return Effect.CHANGED
    return _judged(metric.change, metric.better)


def show(value: Scalar | UnsetType) -> Shown:
    """A value for what it is. Text is told from the rest by `is_text`, and shown as code."""
    if value is UNSET:
        return Shown("missing")
    if value is None:
        return Shown("null")
    if isinstance(value, bool):
        return Shown("true" if value else "false")
    if isinstance(value, NonFinite):
        return Shown(_NONFINITE[value.nonfinite])
    if isinstance(value, str):
        return Shown(value, is_text=True)
    return Shown(number(value))


def show_apart(value: Scalar | UnsetType, bound: float | None) -> Shown:
    """As `show`, with as many digits as it takes to tell a number from the bound beside it."""
    known = finite(value)
    if known is None or bound is None or known == bound:
        return show(value)
    texts = (number(known, digits) for digits in range(_DIGITS, _MOST_DIGITS + 1))
    return Shown(next((text for text in texts if _is_apart(text, known, bound)), repr(known)))


def _is_apart(text: str, value: float, bound: float | None) -> bool:
    """Whether the text of a value is none of the bound, or the value is the bound."""
    return bound is None or value == bound or float(text.replace(",", "")) != bound


def show_both(
    old: Scalar | UnsetType, new: Scalar | UnsetType, bound: float | None = None
) -> tuple[Shown, Shown]:
    """Both values, with as many digits as it takes to tell them apart if they differ, and the new
    one from a `bound`. Text is quoted where the other side reads the same and is not text: `"1"`
    became 1.
    """
    if isinstance(old, str) != isinstance(new, str):
        return _quoted(old), _quoted(new)
    left, right = finite(old), finite(new)
    if left is None or right is None or left == right:
        return show(old), show(new)
    for digits in range(_DIGITS, _MOST_DIGITS + 1):
        texts = number(left, digits), number(right, digits)
        if texts[0] != texts[1] and _is_apart(texts[1], right, bound):
            return Shown(texts[0]), Shown(texts[1])
    return Shown(repr(left)), Shown(repr(right))


def number(value: float, digits: int = _DIGITS) -> str:
    """A number with at least `digits` significant digits, or exactly. Only an integer is shown
    as one: 0.99996 is not 1. Integers are complete, however long.
    """
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return _NONFINITE[str(value)]
    if value.is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    for more in range(digits, _MOST_DIGITS + 1):
        text = _rounded(value, more)
        if "." in text or "e" in text:
            return text
    return repr(value)


def signed(change: float) -> str:
    """A change with its sign, a minus being a real one: `+0.0089`. Zero has none."""
    if change == 0 or math.isnan(change):
        return number(change)
    return ("+" if change > 0 else MINUS) + _magnitude(abs(change), 3)


def percent(relative: float) -> str:
    """A fraction as a signed percentage: `+1.2%`; never 0% unless it is zero."""
    if relative == 0 or math.isnan(relative):
        return number(relative * 100) + "%"
    size = abs(relative) * 100
    coarse = f"{size:,.1f}" if size < 1e6 else _magnitude(size, 3)
    text = coarse if coarse != "0.0" else _magnitude(size, 2)
    return ("+" if relative > 0 else MINUS) + text + "%"


def share(fraction: float) -> str:
    """A fraction that is no change as a percentage: `1.2%`; never 0% unless it is zero."""
    return percent(fraction).lstrip("+") if fraction else "0%"


def size(size_bytes: int) -> str:
    """A size in decimal units: `1.2 MB`."""
    return _sized(size_bytes, 1)


def sizes(old_bytes: int, new_bytes: int) -> tuple[str, str]:
    """Two sizes, to the byte if nothing less tells them apart."""
    for decimals in (1, 2, 3):
        texts = _sized(old_bytes, decimals), _sized(new_bytes, decimals)
        if texts[0] != texts[1] or old_bytes == new_bytes:
            return texts
    return f"{old_bytes:,} B", f"{new_bytes:,} B"


def duration(seconds: float) -> str:
    """A length of time in its two largest units: `2.5 s`, `3 min 20 s`, `1 h 5 min`."""
    if seconds < 0.95:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    hours = round(seconds / 3600)
    return f"{hours // 24} d {hours % 24} h"


def aligned(
    values: tuple[float, float], changes: tuple[float, ...], bound: float | None = None
) -> list[str] | None:
    """Two values and their changes, all to the same decimal: three digits of the largest change,
    and as many as it takes for none that is there to read as none, and for the new value not to
    read like a `bound` that it is not. None for numbers so large or so small that no decimal says
    both.
    """
    scale = max(map(abs, changes))
    if not (scale > 1e-9 and max(map(abs, (*values, *changes))) < 1e15):
        return None
    least = max(0, 2 - math.floor(math.log10(scale)))
    for decimals in range(least, _MOST_DIGITS):
        left, right = (f"{value:,.{decimals}f}" for value in values)
        moved = [_at(change, decimals) for change in changes]
        is_said = bool(round(changes[0], decimals)) or not changes[0]
        is_said = is_said and _is_apart(right, values[1], bound)
        if is_said and (left != right or values[0] == values[1]):
            return [left, right, *moved]
    return None


def _at(change: float, decimals: int) -> str:
    sign = "+" if change > 0 else MINUS if change < 0 else ""
    return f"{sign}{abs(change):,.{decimals}f}"


def level(old: Shown, new: Shown, change: float) -> tuple[Shown, Shown, str]:
    """Two values as they are shown, and the change of them, with as many decimals as each other:
    `0.5000`, `0.5001`, `+0.0001`. Those of which one needs an exponent stay as they are.
    """
    sides, own = (old, new), signed(change)
    if any(side.is_text or not _PLAIN.fullmatch(side.text) for side in sides):
        return old, new, own
    decimals = max(len(side.text.partition(".")[2]) for side in sides)
    moved = _at(change, decimals)
    if not float(moved.strip("+" + MINUS).replace(",", "")):
        return old, new, own
    padded = (Shown(f"{float(side.text.replace(',', '')):,.{decimals}f}") for side in sides)
    left, right = sides if not decimals else padded
    return left, right, moved


def arrow(change: float) -> str:
    """The direction in which a number moved; empty if it did not."""
    if change > 0:
        return "▲"
    return "▼" if change < 0 else ""


def _quoted(value: Scalar | UnsetType) -> Shown:
    is_confusable = isinstance(value, str) and _CONFUSABLE.fullmatch(value)
    return Shown(f'"{value}"', is_text=True) if is_confusable else show(value)


def _judged(change: float, better: Better) -> Effect:
    return Effect.BETTER if (change > 0) == (better == "higher") else Effect.WORSE


def _magnitude(value: float, digits: int) -> str:
    if isinstance(value, int) or not math.isfinite(value) or value.is_integer():
        return number(value)
    return _rounded(value, digits)


def _rounded(value: float, digits: int) -> str:
    if not 1e-4 <= abs(value) < 1e15:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{_trimmed(mantissa)}e{int(exponent)}"
    exponent_of_ten = math.floor(math.log10(abs(value)))
    return _trimmed(f"{value:,.{max(0, digits - 1 - exponent_of_ten)}f}")


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _sized(size_bytes: int, decimals: int) -> str:
    value, unit = float(size_bytes), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{size_bytes:,} B" if unit == 0 else f"{value:,.{decimals}f} {_UNITS[unit]}"
