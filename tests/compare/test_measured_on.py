"""Whether both models were measured on the same rows, where only files give a metric."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from assent.compare.bundles import compare
from assent.compare.measured_on import measured_on
from assent.core.diff.data import ColumnChange, DataChange, DataDiff
from assent.core.diff.metrics import Interval
from assent.core.diff.predictions import PredictionsDiff
from tests.compare.known import file_set, known


def predicted(**facts: Any) -> PredictionsDiff:
    ordinary: dict[str, Any] = {
        "task": "binary",
        "new_rows": 100,
        "old_rows": 100,
        "joined": 100,
        "is_paired": True,
    }
    return PredictionsDiff(**{**ordinary, **facts})


def changed(name: str = "test", rows: tuple[int, int] = (9, 9), **facts: Any) -> DataDiff:
    old, new = (replace(file_set(name, f"{n}"), rows=n) for n in rows)
    return DataDiff(changes=(DataChange(name=name, old=old, new=new, **facts),))


@pytest.mark.parametrize(
    ("predictions", "data", "expected"),
    [
        (predicted(), DataDiff(), "same"),
        (predicted(labels_changed=1), DataDiff(), "same"),
        (predicted(labels_changed=2), DataDiff(), "other"),
        (predicted(is_paired=False, joined=40, problem="only 40 rows"), DataDiff(), "other"),
        (predicted(task="ranking", is_regrouped=True), DataDiff(), "other"),
        (predicted(old_rows=None), DataDiff(), "unknown"),
        (None, DataDiff(), "unknown"),
        (None, DataDiff(same=(file_set("test", "x"),)), "same"),
        (None, DataDiff(same=(file_set("train", "x"),)), "unknown"),
        (None, changed(rows=(9, 8)), "other"),
        (None, changed(name="my_holdout.v2", rows=(9, 8)), "other"),
        (None, changed(name="held-out", rows=(9, 8)), "other"),
        (None, changed(name="testset", rows=(9, 8)), "other"),
        (None, changed(name="tests.2024", rows=(9, 8)), "other"),
        (None, changed(name="contest", rows=(9, 8)), "unknown"),
        (None, changed(name="train", rows=(9, 8)), "unknown"),
        (None, changed(), "unknown"),
        (None, changed(is_profiled=True), "unknown"),
        (None, changed(is_profiled=True, close_columns=1), "other"),
        (None, changed(is_profiled=True, columns=(ColumnChange(name="y"),)), "other"),
        (predicted(), changed(rows=(9, 8)), "same"),
    ],
)
def test_what_tells_whether_the_rows_are_the_same(
    predictions: PredictionsDiff | None, data: DataDiff, expected: str
) -> None:
    found = measured_on(predictions, data)
    assert found.rows == expected
    assert bool(found.reason) is (expected == "other")


@pytest.mark.parametrize(
    ("name", "is_compared"),
    [
        ("f1", False),
        ("val/box_loss", False),
        ("slices.region.north.f1", False),
        ("mae_minutes", False),
        ("energy_mae", False),
        ("delivery_time.rmse", False),
        ("energy_kwh", True),
        ("latency_ms", True),
        ("train_loss", True),
        ("cost.train.wall_s", True),
        ("model.size_mb", True),
    ],
)
def test_what_is_of_no_test_rows_is_compared_all_the_same(name: str, is_compared: bool) -> None:
    sides = [
        known(metrics={name: value}, data=(replace(file_set("test", f"{value}"), rows=rows),))
        for value, rows in ((0.5, 90), (0.4, 80))
    ]
    (found,) = compare(*sides).metrics
    assert (found.not_compared is None) is is_compared


def test_nor_are_standard_errors_of_other_rows() -> None:
    def side(value: float, rows: int) -> Any:
        task = {"acc,none": value, "acc_stderr,none": 0.01}
        named: Any = {f"results.arc.{name}": one for name, one in task.items()}
        return known(
            metrics={**named, "n-samples.arc.effective": 1_000},
            data=(replace(file_set("test", f"{rows}"), rows=rows),),
        )

    for rows, expected in ((90, True), (80, False)):
        changes = {one.name: one for one in compare(side(0.5, 90), side(0.4, rows)).metrics}
        found = changes["results.arc.acc,none"]
        assert isinstance(found.interval, Interval) is expected
        assert (found.not_compared is None) is expected
