"""Metrics of slices, and which of them got worse."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import UNSET

from assent.compare.predictions import compare_predictions
from assent.compare.predictions.measures import Measured
from assent.compare.predictions.sides import side_of
from assent.core.diff.metrics import MetricChange
from tests.compare.predictions.tables import binary, drawn


def found(changes: tuple[MetricChange, ...], name: str) -> MetricChange:
    (one,) = [change for change in changes if change.name == name]
    return one


def test_a_slice_has_the_metrics_of_its_rows() -> None:
    label, left, right = drawn(np.random.default_rng(0), 400)
    region = ["north"] * 300 + ["south"] * 80 + ["e.ast"] * 20
    slices = {"region": region}
    diff, changes = compare_predictions(
        binary(label, left, slices=slices), binary(label, right, slices=slices)
    )
    south = binary(label[300:380], right[300:380])
    expected = Measured(side_of(south, south.classes)).values
    change = found(changes, "slices.region.south.roc_auc")
    assert change.new == expected["roc_auc"]
    assert change.rows == 80
    assert change.interval is not None
    small = found(changes, "slices.region.e.ast.roc_auc")
    assert (small.rows, small.interval) == (20, None)
    assert (diff.slices_judged, diff.slices_too_small, diff.slices_left_out) == (2, 1, 0)


def test_a_slice_that_got_worse_is_found_and_the_others_are_not() -> None:
    random = np.random.default_rng(1)
    label, left, right = drawn(random, 4_000, noise=0.2)
    region = [f"r{at % 20}" for at in range(4_000)]
    hurt = np.array([one == "r7" for one in region])
    right = np.where(hurt, 1 - right, right)
    slices = {"region": region}
    diff, _ = compare_predictions(
        binary(label, left, slices=slices), binary(label, right, slices=slices)
    )
    assert {one.value for one in diff.slices} == {"r7"}
    assert {"roc_auc", "log_loss"} <= {one.metric for one in diff.slices}
    assert all(one.rows == 200 and one.p < 0.05 for one in diff.slices)


def test_looking_at_many_slices_raises_no_alarm() -> None:
    alarms = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        label, left, right = drawn(random, 1_000)
        slices = {"region": [str(one) for one in random.integers(0, 12, 1_000)]}
        diff, _ = compare_predictions(
            binary(label, left, slices=slices), binary(label, right, slices=slices)
        )
        alarms += bool(diff.slices)
    assert alarms <= 3


def test_very_many_slices_are_bounded() -> None:
    label, left, right = drawn(np.random.default_rng(3), 2_000)
    slices = {"customer": [f"c{at % 900}" for at in range(2_000)]}
    diff, changes = compare_predictions(
        binary(label, left, slices=slices), binary(label, right, slices=slices)
    )
    named = {change.name.split(".")[2] for change in changes if change.name.startswith("slices.")}
    assert len(named) == 200
    assert diff.slices_left_out == 700


def test_a_slice_that_vanished_is_missing() -> None:
    label, left, right = drawn(np.random.default_rng(4), 200)
    before = {"region": ["north"] * 100 + ["south"] * 100}
    after = {"region": ["north"] * 200}
    diff, changes = compare_predictions(
        binary(label, left, slices=before), binary(label, right, slices=after)
    )
    assert diff.slices_lost == ("region.south",)
    gone = found(changes, "slices.region.south.accuracy")
    assert gone.new is UNSET
    assert isinstance(gone.old, float)
    assert gone.rows is None
    _, changes = compare_predictions(binary(label, left, slices=before), binary(label, right))
    assert found(changes, "slices.region.north.accuracy").new is UNSET


def test_a_slice_that_the_candidate_made_small_has_no_stated_size() -> None:
    label, left, right = drawn(np.random.default_rng(5), 200)
    before = {"region": ["north"] * 100 + ["south"] * 100}
    after = {"region": ["north"] * 180 + ["south"] * 20}
    _, changes = compare_predictions(
        binary(label, left, slices=before), binary(label, right, slices=after)
    )
    assert found(changes, "slices.region.south.accuracy").rows is None
    assert found(changes, "slices.region.north.accuracy").rows == 180


def test_without_a_baseline_slices_have_values() -> None:
    label, left, _ = drawn(np.random.default_rng(6), 100)
    slices = {"region": ["north"] * 60 + ["south"] * 40}
    diff, changes = compare_predictions(None, binary(label, left, slices=slices))
    change = found(changes, "slices.region.north.accuracy")
    assert change.old is UNSET
    assert change.rows == 60
    assert diff.slices == ()


def test_a_slice_that_nothing_can_be_said_of_is_not_judged() -> None:
    """Of the rows of eight groups no interval is known, although all of them are wrong now."""
    random = np.random.default_rng(9)
    label = random.integers(0, 2, 600)
    region = np.repeat(["a", "b", "c"], 200)
    group = np.repeat(np.arange(24), 25)
    right = np.where(random.random(600) < 0.9, label, 1 - label)
    wrong = np.where(region == "a", 1 - label, right)
    more: dict[str, Any] = {"slices": {"region": region.tolist()}, "group": group}
    diff, changes = compare_predictions(
        binary(label, prediction=right, **more), binary(label, prediction=wrong, **more)
    )
    assert found(changes, "slices.region.a.accuracy").new == 0
    assert (diff.slices, diff.slices_judged, diff.slices_untested) == ((), 0, 3)
    alone, _ = compare_predictions(None, binary(label, prediction=right, **more))
    assert (alone.slices_judged, alone.slices_untested) == (3, 0)


def test_a_new_slice_is_neither_judged_nor_left_untested() -> None:
    label, left, right = drawn(np.random.default_rng(5), 200)
    before = binary(label[:150], left[:150], slices={"region": ["north"] * 150})
    after = binary(label, right, slices={"region": ["north"] * 150 + ["south"] * 50})
    diff, _ = compare_predictions(before, after)
    assert (diff.slices_judged, diff.slices_untested, diff.slices_too_small) == (1, 0, 1)
