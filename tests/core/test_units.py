"""Sizes, spans of time and percentages as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.core.units import fraction, show_span, size_bytes, span_s


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0B", 0),
        ("500MB", 500_000_000),
        ("500 mb", 500_000_000),
        (" 2GiB ", 2 * 2**30),
        ("1.5kB", 1_500),
        ("1KiB", 1024),
        ("3TB", 3 * 10**12),
        (12, 12),
    ],
)
def test_sizes(text: str | int, size: int) -> None:
    assert size_bytes(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1_800),
        ("24h", 86_400),
        ("7d", 604_800),
        ("2w", 1_209_600),
        ("1.5H", 5_400),
    ],
)
def test_spans(text: str, seconds: float) -> None:
    assert span_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "share"), [("10%", 0.1), ("0%", 0), ("2.5 %", 0.025), ("100%", 1), ("250%", 2.5)]
)
def test_percentages(text: str, share: float) -> None:
    assert fraction(text) == share


@pytest.mark.parametrize(
    "text",
    ["", "5", "MB", "-5MB", "5XB", "5%", "5h", "1e3MB", "5MB 5MB", ".5MB", "\u0665MB", "5M\nB"],
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size such as 500MB or 2GiB"):
        size_bytes(text)


@pytest.mark.parametrize("text", ["", "24", "h", "-24h", "24x", "24%", "1h30m", "inf h", "5MB"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a span of time such as 24h or 7d"):
        span_s(text)


@pytest.mark.parametrize("text", ["", "10", "%", "-1%", "10%%", "10h", "nan%"])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a percentage such as 10%"):
        fraction(text)


@given(st.integers(0, 10**9))
def test_whole_amounts_are_exact(amount: int) -> None:
    assert size_bytes(f"{amount}KiB") == amount * 1024
    assert span_s(f"{amount}m") == amount * 60
    assert fraction(f"{amount}%") == amount / 100


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.9, "0s"),
        (12.7, "12s"),
        (45 * 60, "45m"),
        (3_599, "59m 59s"),
        (27 * 3_600, "1d 3h"),
        (86_400 + 61, "1d 1m"),
        (90_061, "1d 1h"),
        (10 * 86_400, "10d"),
    ],
)
def test_spans_are_shown_in_two_units(seconds: float, text: str) -> None:
    assert show_span(seconds) == text


@given(st.integers(0, 10**8))
def test_a_shown_span_is_never_longer_than_the_span(seconds: int) -> None:
    shown = sum(span_s(part) for part in show_span(seconds).split())
    assert shown <= seconds
    assert seconds - shown < max(1, seconds) / 2 + 1
