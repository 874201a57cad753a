"""Curves of counted numbers, against their definition in fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.compare.curves import Curve, area_between, curve, widest_gap
from assent.core.profile import Numbers

VALUES = st.one_of(
    st.floats(-1e150, 1e150),
    st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1e-310, 1.0, 1.0 + 2**-52, 3.25, 2.0**53]),
)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    edges = sorted(draw(st.sets(VALUES, min_size=1, max_size=6)))
    size = len(edges) + 1
    counts = draw(st.lists(st.integers(0, 50), min_size=size, max_size=size).filter(any))
    within = draw(st.lists(st.floats(0, 1), min_size=size, max_size=size))
    found = curve(
        Numbers(
            minimum=draw(st.none() | VALUES),
            maximum=draw(st.none() | VALUES),
            edges=tuple(edges),
            counts=tuple(counts),
            within=tuple(within) if draw(st.booleans()) else (),
        ),
        are_edges_values=draw(st.booleans()),
    )
    assert found is not None
    return found


def heights(of: Curve, place: float) -> tuple[Fraction, Fraction]:
    """Just before and at a place."""
    at = [height for known, height in zip(of.places, of.heights, strict=True) if known == place]
    if at:
        return Fraction(at[0]), Fraction(at[-1])
    knots = list(zip(of.places, of.heights, strict=True))
    below = [knot for knot in knots if knot[0] < place]
    above = [knot for knot in knots if knot[0] > place]
    if not below or not above:
        end = Fraction(of.heights[-1] if below else 0)
        return end, end
    (left, low), (right, high) = below[-1], above[0]
    share = (Fraction(place) - Fraction(left)) / (Fraction(right) - Fraction(left))
    between = Fraction(low) + share * (Fraction(high) - Fraction(low))
    return between, between


def area(one: Curve, other: Curve) -> Fraction:
    total = Fraction(0)
    for left, right in pairwise(sorted({*one.places, *other.places})):
        start = heights(one, left)[1] - heights(other, left)[1]
        end = heights(one, right)[0] - heights(other, right)[0]
        crosses = start * end < 0
        mean = (start**2 + end**2) / (2 * abs(start - end)) if crosses else abs(start + end) / 2
        total += mean * (Fraction(right) - Fraction(left))
    return total


@given(curves())
def test_places_do_not_descend(one: Curve) -> None:
    assert list(one.places) == sorted(one.places)
    assert list(one.heights) == sorted(one.heights)


@given(curves(), curves())
def test_the_distance_is_the_area_between(one: Curve, other: Curve) -> None:
    widest = max(map(abs, (*one.places, *other.places)))
    assert area_between(one, other) == pytest.approx(
        float(area(one, other)), rel=1e-9, abs=1e-12 * widest + 1e-320
    )


@given(curves(), curves())
def test_the_gap_is_the_widest_where_it_is_known(one: Curve, other: Curve) -> None:
    places = {*(other.edges if one.is_exact else ()), *(one.edges if other.is_exact else ())}
    gaps = [abs(heights(one, at)[1] - heights(other, at)[1]) for at in places]
    assert widest_gap(one, other) == pytest.approx(float(max(gaps, default=0)), abs=1e-9)


def test_the_mean_of_a_bin_of_one_value_is_that_value() -> None:
    """3.25 · 0.7 + 3.25 · 0.3 is more than 3.25 in floats."""
    one = curve(
        Numbers(minimum=3.25, maximum=3.25, edges=(3.25,), counts=(5, 1), within=(0.3, 0.3)),
        are_edges_values=False,
    )
    assert one is not None
    assert set(one.places) == {3.25}
