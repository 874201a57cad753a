"""What the gates of a policy look at."""

from __future__ import annotations

from typing import Any

import pytest

from assent.compare.bundles import compare
from assent.core.diff import Diff
from assent.core.diff.data import ColumnChange, DataChange, DataDiff
from assent.policy.gates import Gate
from assent.policy.gates.data import DataGate
from assent.policy.gates.metric import MetricGate
from assent.policy.gates.model import ModelGate
from assent.policy.gates.predictions import PredictionsGate
from assent.policy.rules import Policy
from assent.policy.scope import scope_of
from tests.compare.known import known

NAMES = ("accuracy", "cost.train.wall_s", "f1", "latency_ms", "slices.region.north.f1", "things")
MIN = PredictionsGate(predictions="negative_flips", max="2%")


def policy(*gates: Gate, **more: Any) -> Policy:
    return Policy(gates=gates or (MIN,), **more)


def diff(*columns: str) -> Diff:
    found = compare(
        known(metrics=dict.fromkeys(NAMES, 0.5)), known(metrics=dict.fromkeys(NAMES, 0.6))
    )
    changes = tuple(ColumnChange(name=name) for name in columns)
    data = DataDiff(changes=(DataChange(name="train", columns=changes),))
    return Diff(
        model="churn",
        candidate=found.candidate,
        baseline=found.baseline,
        metrics=found.metrics,
        data=data,
    )


@pytest.mark.parametrize(
    ("policy", "deciding"),
    [
        (policy(MetricGate(metric="f1", min=0.1), MetricGate(metric="accuracy", min=0.1)), "f1 a"),
        (policy(MetricGate(metric="f1", min=0.1), primary="things"), "f1"),
        (policy(MetricGate(metric="*", better="higher", max_drop=1)), "a f1 latency things"),
        (policy(primary="things", directions={"latency_ms": "lower"}), "things"),
        (policy(primary="gone", directions={"latency_ms": "lower"}), "latency"),
        (policy(directions={"latency_ms": "lower"}), "latency"),
        (policy(MetricGate(metric="f1", slice="region", max_drop=0.1)), "a"),
        (policy(), "a"),
    ],
)
def test_what_decides(policy: Policy, deciding: str) -> None:
    short = {"accuracy": "a", "latency_ms": "latency"}
    found = scope_of(policy, diff()).deciding
    assert " ".join(short.get(one, one) for one in found) == deciding


def test_only_a_bound_on_the_change_bounds_the_change() -> None:
    gates = (MetricGate(metric="f1", min=0.1), MetricGate(metric="accuracy", max_drop="5%"))
    assert scope_of(policy(*gates), diff()).bounded == ("accuracy",)


@pytest.mark.parametrize(
    ("gate", "is_judged"),
    [
        (MetricGate(metric="f1", slice="region", max_drop=0.1), False),
        (MetricGate(metric="f1", max_drop=0.1), False),
        (PredictionsGate(predictions="worse_slices", max=0), True),
        (MIN, False),
    ],
)
def test_whether_every_slice_is_judged(gate: Gate, is_judged: bool) -> None:
    assert scope_of(policy(gate), diff()).slices is is_judged


@pytest.mark.parametrize(
    ("gate", "bounded"),
    [
        (MetricGate(metric="f1", slice="region", max_drop=0.1), ("slices.region.north.f1",)),
        (MetricGate(metric="f1", slice="device", max_drop=0.1), ()),
        (MetricGate(metric="f1", slice="region", min=0.1), ()),
    ],
)
def test_which_slices_are_judged(gate: Gate, bounded: tuple[str, ...]) -> None:
    assert scope_of(policy(gate), diff()).bounded_slices == bounded


def test_which_columns_are_judged_and_what_of_them() -> None:
    gates = (
        DataGate(data="train", drift="severe", columns=("a*",)),
        DataGate(data="train", schema="same", new_categories="warn", leave_out=("b",)),
        DataGate(data="other", drift="severe"),
        DataGate(data="train", new_categories="allow", nulls=0.1),
    )
    assert set(scope_of(policy(*gates), diff("age", "b")).columns) == {
        ("train", "age", "drift"),
        ("train", "age", "schema"),
        ("train", "age", "new categories"),
    }


def test_what_of_the_model_and_of_pairs_is_judged() -> None:
    leakage = DataGate(data="leakage", between=("train", "test"), max=0)
    found = scope_of(policy(ModelGate(model="safe"), leakage), diff())
    assert (found.imports, found.signature, found.leakage) == (True, False, (("train", "test"),))
    other = scope_of(policy(ModelGate(model="any", signature="same")), diff())
    assert (other.imports, other.signature, other.leakage) == (False, True, ())
