"""Facts that profiles know exactly, on both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from assent.compare.facts import LOOKS, Looked, fact_changes, has_moved
from assent.core.diff.data import FactChange
from assent.core.profile import ColumnProfile
from tests.compare.profiling import number
from tests.effort import more_in_soak

ROWS = 20_000
NORMAL = np.random.default_rng(3).normal(0, 1, ROWS)


def facts(old: ColumnProfile, new: ColumnProfile, rows: int = ROWS) -> dict[str, FactChange]:
    looked = Looked(old=rows, new=rows, looks=LOOKS)
    found = fact_changes(old, new, looked, is_stand_in=old.kind == "text")
    return {one.fact: one for one in found}


def numbers(values: np.ndarray[Any, Any]) -> ColumnProfile:
    missing = int(np.isnan(values).sum())
    return replace(number("x", values), nulls=0, nans=missing)


def spoilt(how: Callable[[np.ndarray[Any, Any]], None]) -> ColumnProfile:
    values = np.random.default_rng(4).normal(0, 1, ROWS)
    how(values)
    return numbers(values)


def one_percent(values: np.ndarray[Any, Any]) -> None:
    values[::100] = -999.0


def in_pence(values: np.ndarray[Any, Any]) -> None:
    values[: ROWS * 3 // 1000] *= 1000


def a_spike(values: np.ndarray[Any, Any]) -> None:
    values[:400] = 0.0


def one_giant(values: np.ndarray[Any, Any]) -> None:
    values[7] = 1e12


def clipped(values: np.ndarray[Any, Any]) -> None:
    np.clip(values, -2.5, 2.5, out=values)


def not_numbers(values: np.ndarray[Any, Any]) -> None:
    values[:40] = np.nan


def one_sign(values: np.ndarray[Any, Any]) -> None:
    np.abs(values, out=values)


def shifted(values: np.ndarray[Any, Any]) -> None:
    values += 0.2


def spread(values: np.ndarray[Any, Any]) -> None:
    values *= 1.2


@pytest.mark.parametrize(
    ("how", "fact"),
    [
        (one_percent, "minimum"),
        (in_pence, "maximum"),
        (a_spike, "zeros"),
        (one_giant, "maximum"),
        (clipped, "maximum"),
        (not_numbers, "NaN"),
        (one_sign, "negatives"),
        (shifted, "mean"),
        (spread, "deviation"),
    ],
)
def test_what_no_bin_shows_is_seen(how: Callable[[np.ndarray[Any, Any]], None], fact: str) -> None:
    assert fact in facts(numbers(NORMAL), spoilt(how))


@pytest.mark.parametrize("rows", [50, 1_000, *more_in_soak(20_000)])
@pytest.mark.parametrize("kind", ["normal", "lognormal", "student", "rare zeros", "integers"])
def test_no_change_is_seldom_one(kind: str, rows: int) -> None:
    """At most 5% of columns tell a fact where both sides come from one source; 200 draws."""
    random = np.random.default_rng(5)

    def draw() -> np.ndarray[Any, Any]:
        match kind:
            case "normal":
                return random.normal(0, 1, rows)
            case "lognormal":
                return random.lognormal(0, 2, rows)
            case "student":
                return random.standard_t(3, rows)
            case "rare zeros":
                return random.normal(5, 1, rows) * (random.random(rows) > 0.01)
        return random.poisson(3, rows).astype(float)

    alarms = sum(bool(facts(numbers(draw()), numbers(draw()), rows)) for _ in range(200))
    assert alarms <= 10


def test_a_value_that_became_frequent_is_named() -> None:
    text = ColumnProfile(name="x", type="string", kind="text", frequent=(), distinct=5_000)
    new = replace(text, frequent=(("bot", ROWS // 2),), distinct=2_500)
    found = facts(text, new)
    assert (found["frequent"].value, found["frequent"].old, found["frequent"].new) == (
        "bot",
        None,
        0.5,
    )
    assert found["distinct"].new == 2_500
    assert facts(text, text) == {}
    near = replace(text, frequent=(("bot", ROWS // 100),))
    assert facts(text, near) == {}


def test_words_that_say_that_there_is_no_value_are_counted() -> None:
    text = ColumnProfile(name="x", type="string", kind="category")
    assert facts(text, replace(text, tokens=400))["missing tokens"].new == 0.02


@pytest.mark.parametrize(("before", "after"), [(50, 50), (50, 2_000), (1_000, 1_000)])
def test_shares_are_told_apart_no_sooner_than_by_fishers_test(before: int, after: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    for left in (0, 1, 2, 5, 20, 45):
        for right in range(0, after, max(1, after // 40)):
            if has_moved((left, before), (right, after), 1):
                table = [[left, before - left], [right, after - right]]
                assert stats.fisher_exact(table).pvalue <= 0.05, (left, right)


def test_impossible_counts_are_no_change() -> None:
    assert not has_moved((5, 0), (0, 10), 1)
    assert not has_moved((50, 10), (0, 10), 1)


@pytest.mark.parametrize("deviation", [1.3407807929942597e154, 1e300])
def test_deviations_whose_squares_are_too_large_for_a_float(deviation: float) -> None:
    old = numbers(NORMAL)
    assert old.numbers is not None
    old = replace(old, numbers=replace(old.numbers, deviation=deviation))
    new = numbers(NORMAL + 1)
    assert "deviation" in facts(old, new)
    assert "mean" not in facts(old, new), "one beside a spread of this size is nothing"
