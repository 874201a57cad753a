"""Sizes, spans of time, percentages and counts as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_SIZES = {
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_SPANS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z%]+)", re.IGNORECASE)


def size_bytes(text: str | int) -> int:
    """`500MB` (10^6), `2GiB` (2^30) or a number of bytes. Raises `ValueError`."""
    if isinstance(text, int):
        return text
    amount, unit = _amount(text, "a size such as 500MB or 2GiB")
    if unit not in _SIZES:
        raise ValueError(f"{text!r} is not a size such as 500MB or 2GiB")
    return round(amount * _SIZES[unit])


def span_s(text: str) -> float:
    """`90s`, `30m`, `24h`, `7d` or `2w` in seconds. Raises `ValueError`."""
    amount, unit = _amount(text, "a span of time such as 24h or 7d")
    if unit not in _SPANS_S:
        raise ValueError(f"{text!r} is not a span of time such as 24h or 7d")
    return amount * _SPANS_S[unit]


def fraction(text: str) -> float:
    """`10%` as 0.1. Raises `ValueError`."""
    amount, unit = _amount(text, "a percentage such as 10%")
    if unit != "%":
        raise ValueError(f"{text!r} is not a percentage such as 10%")
    return amount / 100


def show_span(seconds: float) -> str:
    """A span of time for people, rounded down to two units: `1d 3h`, `45m`, `12s`."""
    parts: list[str] = []
    left = int(seconds)
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, _SPANS_S[unit])
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def show_moment(seconds: float) -> str:
    """Seconds since 1970 as a moment in UTC, also one that a calendar has no day for."""
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError:
        return f"{seconds:.4g} s since 1970"
    return moment.strftime("%Y-%m-%d %H:%M:%S").removesuffix(" 00:00:00")


def count(amount: int, singular: str, many: str | None = None) -> str:
    """`1 row`, `2 rows`."""
    return f"{amount:,} {singular if amount == 1 else many or singular + 's'}"


def _amount(text: str, what: str) -> tuple[float, str]:
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not {what}")
    return float(match[1]), match[2].lower()
