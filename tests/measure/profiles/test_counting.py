from __future__ import annotations

import itertools
import math
from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from assent.measure.profiles import counting
from assent.measure.profiles.counting import Partial, Values
from tests.effort import examples

FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=64)


def runs(values: Any, **more: Any) -> counting.Runs:
    return counting.sort(Values(numbers=np.array(values), **more))


def in_bins(values: list[float], edges: tuple[float, ...]) -> tuple[int, ...]:
    """The slow and plain way to count."""
    counts = [0] * (len(edges) + 1)
    for value in values:
        counts[sum(edge < value for edge in edges)] += 1
    return tuple(counts)


@given(values=st.lists(FLOATS, max_size=60), most=st.integers(1, 20))
def test_every_value_is_in_one_bin(values: list[float], most: int) -> None:
    found = runs(np.array(values, np.float64))
    finite = [value for value in values if math.isfinite(value)]
    edges = counting.choose_edges(found, most)
    assert len(edges) <= most
    assert list(edges) == sorted(set(edges))
    part = counting.count(found, edges, edges)
    assert part.nans == sum(math.isnan(value) for value in values)
    assert part.infinities == sum(math.isinf(value) for value in values)
    assert part.total == len(finite)
    assert part.distinct == len(set(finite))
    assert part.zeros == sum(value == 0 for value in finite)
    assert part.negatives == sum(value < 0 for value in finite)
    if edges:
        assert part.counts == part.in_bins == in_bins(finite, edges)


@given(
    values=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40)
    | st.lists(st.integers(-5, 5), max_size=400)
)
def test_whole_numbers_are_counted_like_floats(values: list[int]) -> None:
    found = runs(np.array(values, np.int64))
    assert found.distinct == len(set(values))
    edges = (-3.0, 0.0, 2.0**40)
    assert counting.count_at(found, edges) == in_bins([float(value) for value in values], edges)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint64", "int64"])
def test_the_ends_of_each_type_are_counted(dtype: str) -> None:
    ends = np.iinfo(dtype)
    values = np.array([ends.min, ends.max, ends.max, 1], dtype)
    found = counting.count(runs(values), (1.0,))
    assert (found.minimum, found.maximum) == (float(ends.min), float(ends.max))
    assert found.distinct == 3 if ends.min != 1 else 2


def test_each_of_few_values_is_an_edge() -> None:
    values = np.random.default_rng(0).choice([0.1 + 0.2, 1 / 3, -2.5, 1e15 + 1], 5_000)
    found = runs(values)
    edges = counting.choose_edges(found, 255)
    assert len(edges) == 4
    assert 0 not in counting.count_at(found, edges)[:-1]
    assert counting.count_at(found, edges)[-1] == 0
    assert all(edge == float(f"{edge:.12g}") for edge in edges)


def test_edges_are_quantiles_with_few_digits() -> None:
    values = np.random.default_rng(1).normal(1e6, 3, 200_000)
    edges = counting.choose_edges(runs(values), 255)
    assert len(edges) == 255
    shares = np.array(counting.count_at(runs(values), edges)) / len(values)
    assert shares.max() < 2 / 256
    assert max(len(repr(edge)) for edge in edges[20:-20]) <= len("1000000.123")


def test_edges_may_be_the_least_numbers() -> None:
    values = np.concatenate([np.arange(600) * 5e-324, [1.0]])
    edges = counting.choose_edges(runs(values), 255)
    assert all(one < other for one, other in itertools.pairwise(edges))


@settings(max_examples=examples(40))
@given(parts=st.lists(st.lists(st.floats(-1e6, 1e6), max_size=30), min_size=1, max_size=6))
def test_parts_merge_to_the_whole(parts: list[list[float]]) -> None:
    edges = (-10.0, 0.0, 10.0)
    counted = [counting.count(runs(np.array(p, float)), edges, edges, sketch=True) for p in parts]
    merged = reduce(counting.merge, counted, Partial())
    values = [value for part in parts for value in part]
    whole = counting.count(runs(np.array(values, float)), edges, edges, sketch=True)
    for name in ("total", "zeros", "negatives", "minimum", "maximum", "counts", "least"):
        assert getattr(merged, name) == getattr(whole, name)
    assert counting.distinct_of(merged) == len(set(values))
    assert merged.mean == pytest.approx(whole.mean, abs=1e-6)
    assert merged.m2 == pytest.approx(whole.m2, rel=1e-9, abs=1e-6)
    scale = (abs(whole.minimum) + abs(whole.maximum)) if values else 1.0
    assert merged.m3 == pytest.approx(whole.m3, rel=1e-7, abs=1e-9 * scale**3 + 1e-6)
    assert merged.m4 == pytest.approx(whole.m4, rel=1e-7, abs=1e-9 * scale**4 + 1e-6)


@pytest.mark.parametrize("values", ["normal", "lognormal", "integers"])
def test_moments_are_those_of_scipy(values: str) -> None:
    random = np.random.default_rng(2)
    drawn = {
        "normal": random.normal(5, 2, 20_000),
        "lognormal": random.lognormal(0, 1, 20_000),
        "integers": random.integers(0, 50, 20_000),
    }[values]
    part = counting.count(runs(drawn.copy()), ())
    assert part.mean == pytest.approx(drawn.mean())
    assert math.sqrt(part.m2 / part.total) == pytest.approx(drawn.std())
    variance = part.m2 / part.total
    assert part.m3 / part.total / variance**1.5 == pytest.approx(stats.skew(drawn))
    assert part.m4 / part.total / variance**2 - 3 == pytest.approx(stats.kurtosis(drawn))


def test_many_distinct_values_are_estimated() -> None:
    random = np.random.default_rng(3)
    for size in (5_000, 60_000, 500_000):
        halves = np.split(random.normal(size=size), 2)
        parts = [counting.count(runs(half), (), sketch=True) for half in halves]
        found = counting.distinct_of(counting.merge(*parts))
        assert found == pytest.approx(size, rel=0.05)


def test_what_may_not_be_written_to_stays_as_it_is() -> None:
    values = np.array([3.0, 1.0, 2.0])
    values.flags.writeable = False
    assert counting.sort(Values(numbers=values)).values.tolist() == [1, 2, 3]
    assert values.tolist() == [3, 1, 2]


def test_values_become_seconds() -> None:
    days = counting.sort(Values(numbers=np.array([1, 0], np.int32), times=86_400))
    assert days.values.tolist() == [0, 86_400]
    micros = counting.sort(Values(numbers=np.array([1_500_000], np.int64), per=1_000_000))
    assert micros.values.tolist() == [1.5]
