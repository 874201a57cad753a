"""Laws of comparing predictions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from numpy.typing import NDArray

from assent.compare.predictions import compare_predictions
from assent.compare.predictions.table import PredictionTable, SliceColumn
from assent.core.diff.metrics import MetricChange
from tests.effort import examples

TASKS = ["binary", "multiclass", "regression", "ranking"]
CLASSES = {"binary": ("no", "yes"), "multiclass": ("a", "b", "c", "d")}


def table(task: str, truth: int, model: int, rows: int) -> PredictionTable:
    """Predictions of one of two models for the same rows."""
    random, own = np.random.default_rng(truth), np.random.default_rng(model)
    slices = {
        "s": SliceColumn(values=("x", "y"), codes=random.integers(0, 2, rows)),
    }
    base = PredictionTable(task="regression", ids=np.arange(rows), label=np.zeros(rows))
    group = random.integers(0, max(1, rows // 3), rows)
    if task == "binary":
        label = random.integers(0, 2, rows)
        scores = np.clip(0.3 * label + 0.7 * own.random(rows), 0, 1).round(2)
        return replace(
            base, task=task, label=label, scores=scores, classes=CLASSES[task], positive="yes",
            slices=slices,
        )  # fmt: skip
    if task == "multiclass":
        label = random.integers(0, 4, rows)
        said = np.where(own.random(rows) < 0.6, label, own.integers(0, 4, rows))
        return replace(
            base, task=task, label=label, prediction=said, classes=CLASSES[task], slices=slices
        )
    label = random.integers(0, 4, rows).astype(float)
    noisy = label + own.normal(size=rows)
    if task == "regression":
        return replace(base, label=label, prediction=noisy, slices=slices)
    group = np.unique(group, return_inverse=True)[1]
    return replace(base, task="ranking", label=label, scores=noisy, group=group)


def taken(old: PredictionTable, rows: NDArray[np.int64]) -> PredictionTable:
    return replace(
        old,
        ids=old.ids[rows],
        label=old.label[rows],
        prediction=None if old.prediction is None else old.prediction[rows],
        scores=None if old.scores is None else old.scores[rows],
        group=None if old.group is None else old.group[rows],
        slices={
            name: SliceColumn(values=column.values, codes=column.codes[rows])
            for name, column in old.slices.items()
        },
    )


def bounds(change: MetricChange) -> list[float]:
    interval = change.interval
    if interval is None:
        return []
    assert interval.lower is not None
    assert interval.upper is not None
    return [interval.low, interval.lower, interval.upper, interval.high]


cases = st.tuples(
    st.sampled_from(TASKS),
    st.integers(0, 1_000),
    st.integers(0, 1_000),
    st.integers(0, 1_000),
    st.integers(1, 120),
)


@settings(max_examples=examples(25))
@given(cases)
def test_the_same_predictions_have_not_changed(case: tuple[str, int, int, int, int]) -> None:
    task, truth, model, _, rows = case
    one = table(task, truth, model, rows)
    diff, changes = compare_predictions(one, one)
    assert not any(change.is_changed for change in changes)
    assert all(change.change == 0 for change in changes)
    assert diff.disagreement == 0
    assert (diff.examples, diff.slices, diff.problem) == ((), (), None)
    assert diff.flips is None or diff.flips.worse == diff.flips.better == 0
    for change in changes:
        low, *_, high = bounds(change) or [0.0, 0.0]
        assert low <= 0 <= high


@settings(max_examples=examples(25))
@given(cases)
def test_the_way_back_is_the_mirror_of_the_way_there(
    case: tuple[str, int, int, int, int],
) -> None:
    task, truth, model, other, rows = case
    old, new = table(task, truth, model, rows), table(task, truth, other, rows)
    there, changes = compare_predictions(old, new)
    back, reverse = compare_predictions(new, old)
    mirrored = {change.name: change for change in reverse}
    assert len(mirrored) == len(changes)
    for change in changes:
        other_way = mirrored[change.name]
        assert (change.old, change.new) == (other_way.new, other_way.old)
        expected = [-bound for bound in reversed(bounds(other_way))]
        assert bounds(change) == pytest.approx(expected, abs=1e-9)
    assert there.disagreement == back.disagreement
    if there.flips is not None and back.flips is not None:
        assert (there.flips.worse, there.flips.better) == (back.flips.better, back.flips.worse)


@settings(max_examples=examples(25))
@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    case: tuple[str, int, int, int, int], random: object
) -> None:
    task, truth, model, other, rows = case
    old, new = table(task, truth, model, rows), table(task, truth, other, rows)
    shuffle = np.random.default_rng(truth).permutation(rows)
    diff, changes = compare_predictions(old, new)
    moved, found = compare_predictions(old, taken(new, shuffle))
    assert [change.name for change in found] == [change.name for change in changes]
    for left, right in zip(changes, found, strict=True):
        assert left.new == pytest.approx(right.new, abs=1e-12)
        assert bounds(left) == pytest.approx(bounds(right), abs=1e-9)
    assert (moved.flips, moved.joined) == (diff.flips, diff.joined)
    assert [one.id for one in moved.examples] == [one.id for one in diff.examples]
