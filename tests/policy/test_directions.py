"""Directions that the policy states."""

from __future__ import annotations

from typing import Any

import pytest

from assent.compare.bundles import compare
from assent.core.scalar import Scalar
from assent.policy.directions import directed
from assent.policy.gates.metric import MetricGate
from assent.policy.gates.model import ModelGate
from assent.policy.rules import Policy
from tests.compare.known import known

ANY = ModelGate(model="any", max_size=1)
NORTH = "slices.region.north.revenue"


def better(name: str, *gates: Any, **directions: Any) -> str | None:
    old: dict[str, Scalar] = {name: 2.0}
    policy = Policy(gates=(ANY, *gates), directions=directions)
    (change,) = directed(policy, compare(known(metrics=old), known(metrics={name: 1.0}))).metrics
    return change.better


def test_what_nobody_states_stays_as_it_is_known() -> None:
    assert better("revenue", other="higher") is None
    assert better("loss", other="higher") == "lower"


def test_what_is_stated_counts_more_than_the_name() -> None:
    assert better("revenue", revenue="higher") == "higher"
    assert better("loss", loss="higher") == "higher"


def test_a_gate_states_it_too_and_less_than_directions() -> None:
    gate = MetricGate(metric="revenue", better="lower", max=3)
    assert better("revenue", gate) == "lower"
    assert better("revenue", gate, revenue="higher") == "higher"
    assert better("loss", MetricGate(metric="loss", max=3)) == "lower"


@pytest.mark.parametrize("name", ["revenue", NORTH, "slices.*.*.revenue", "slices.**", "**"])
def test_a_direction_is_that_of_slices_too(name: str) -> None:
    assert better(NORTH, **{name: "higher"}) == "higher"


@pytest.mark.parametrize("name", ["*", "rev", "revenu*.x", "slices.*.revenue", "north.revenue"])
def test_other_names_are_not_meant(name: str) -> None:
    assert better(NORTH, **{name: "higher"}) is None


def test_a_gate_on_a_slice_says_nothing_of_the_whole() -> None:
    gate = MetricGate(metric="revenue", slice="region", better="lower", max=3)
    assert better(NORTH, gate) == "lower"
    assert better("revenue", gate) is None
