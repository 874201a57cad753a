"""Reviews whose first screen has to say it: made as they come out of the comparison."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec.structs import replace

from assent.core.approval import Approvals
from assent.core.diff import Diff
from assent.core.diff.data import ColumnChange, ColumnFacts, DataChange, DataDiff, Drift
from assent.core.diff.metrics import Interval, MetricChange
from assent.core.diff.model import ModelDiff, PartChange
from assent.core.diff.predictions import ClassChange, Example, PredictionsDiff, SliceChange
from assent.core.diff.values import ValueChange, Values
from assent.core.scope import Scope
from assent.core.verdict import Verdict
from assent.report.review import ReviewReport

from . import samples


def sure(
    name: str, old: float, new: float, ends: tuple[float, float], better: str = "higher"
) -> MetricChange:
    interval = Interval(low=ends[0], high=ends[1], n=2_000, method="DeLong")
    return replace(samples.metric(name, old, new, better), interval=interval)


def compared(**parts: Any) -> Diff:
    """A diff with nothing in it but the two sides, and what is given."""
    sides = samples.diff()
    return Diff(model="churn", candidate=sides.candidate, baseline=sides.baseline, **parts)


def facts() -> ColumnFacts:
    return ColumnFacts(type="int64", kind="number", nulls=0.0)


def drift(level: Any = "severe", shift: float | None = 0.75) -> Drift:
    return Drift(
        outcome="shown", level=level, psi=0.3, distance=0.2, variation=0.2, p=0.0, shift=shift
    )


def all_worse() -> ReviewReport:
    """The candidate is worse in every metric, and every gate has passed."""
    metrics = [
        sure("rmse", 4.951, 5.893, (0.84, 1.03), "lower"),
        sure("r2", 0.9387, 0.9133, (-0.0281, -0.0219)),
        *(
            sure(f"slices.region.r{at}.rmse", 5.0, 5.0 + at, (at / 2, at * 1.5), "lower")
            for at in range(1, 4)
        ),
    ]
    slices = tuple(
        SliceChange(column="region", value=f"r{at}", metric="rmse", rows=300, change=at, p=0.001)
        for at in range(1, 4)
    )
    columns = (
        ColumnChange(name="col_005", old=facts()),
        ColumnChange(name="brand_new", new=facts()),
        ColumnChange(name="cat", old=facts(), new=facts(), added=(("zzz", 250),)),
        ColumnChange(name="col_004", old=facts(), new=facts(), drift=drift()),
    )
    train = DataChange(
        name="train",
        old=samples.data("train", 1_000, b"1"),
        new=samples.data("train", 1_000, b"2"),
        is_profiled=True,
        columns=columns,
    )
    return samples.review(
        samples.PASS,
        samples.WAIT,
        approvals=Approvals(required=1, of=("grace", "@leads")),
        scope=Scope(deciding=("rmse", "r2")),
        diff=compared(
            metrics=tuple(metrics),
            predictions=PredictionsDiff(
                task="regression",
                new_rows=2_000,
                old_rows=2_000,
                joined=2_000,
                is_paired=True,
                slices=slices,
                slices_judged=3,
            ),
            data=DataDiff(changes=(train,)),
        ),
    )


def collapse() -> ReviewReport:
    """One class of thirty is hardly found any more, and the accuracy is as before."""
    classes = (
        ClassChange(name="cat", rows=60, old_recall=0.92, new_recall=0.03, p=0.0),
        ClassChange(name="dog", rows=60, old_recall=0.8, new_recall=0.78, p=0.9),
    )
    return samples.review(
        samples.PASS,
        scope=Scope(deciding=("accuracy",), bounded=("accuracy",)),
        approvals=Approvals(required=0, of=()),
        diff=compared(
            metrics=(sure("accuracy", 0.91, 0.908, (-0.012, 0.008)),),
            predictions=PredictionsDiff(
                task="multiclass",
                new_rows=1_800,
                old_rows=1_800,
                joined=1_800,
                is_paired=True,
                classes=classes,
                classes_changed=2,
            ),
        ),
    )


def blocked_by_five() -> ReviewReport:
    """Five gates have failed, and the model is better."""
    failed = [
        replace(samples.FAIL, rule=f"m{at} min 0.9", metric=f"m{at}", remedy=f"do {at}")
        for at in range(5)
    ]
    metrics = tuple(sure(f"m{at}", 0.5, 0.6, (0.05, 0.15)) for at in range(6))
    return samples.review(
        *failed,
        samples.PASS,
        approvals=Approvals(required=0, of=()),
        scope=Scope(deciding=tuple(f"m{at}" for at in range(6))),
        diff=compared(metrics=metrics),
    )


def new_code() -> ReviewReport:
    """Loading the model imports more than before, and a library has another major version."""
    part = PartChange(path="model.pkl", added_imports=("os.system",), is_changed=True)
    packages = Values(
        changes=(
            ValueChange(name="scikit-learn", old="1.5.2", new="2.0.0", matters=True),
            ValueChange(name="rich", old="13.1", new="13.2"),
        )
    )
    return samples.review(
        samples.PASS,
        approvals=Approvals(required=0, of=()),
        diff=compared(
            metrics=samples.SAME_METRICS, model_files=ModelDiff(parts=(part,)), packages=packages
        ),
    )


def crowded() -> ReviewReport:
    """200 metrics on 40 slices, and 120 columns that have drifted."""
    metrics = [samples.metric(f"m{at}", 0.5, 0.5 + at / 10_000, "higher") for at in range(200)]
    metrics += [
        samples.metric(f"slices.region.r{at}.m{n}", 0.5, 0.49, "higher")
        for n in range(200)
        for at in range(40)
    ]
    columns = tuple(
        ColumnChange(name=f"c{at}", old=facts(), new=facts(), drift=drift()) for at in range(120)
    )
    change = DataChange(
        name="train",
        old=samples.data("train", 1_000, b"1"),
        new=samples.data("train", 1_000, b"2"),
        is_profiled=True,
        columns=columns,
    )
    return samples.review(
        samples.PASS,
        scope=Scope(deciding=tuple(f"m{at}" for at in range(200))),
        diff=compared(metrics=tuple(metrics), data=DataDiff(changes=(change,))),
    )


def two_missing() -> ReviewReport:
    """Two people have to approve on a forge; the author did, which does not count."""
    return samples.review(
        samples.PASS,
        replace(samples.WAIT, rule="approvals: 2 of grace or @acme/ml"),
        approvals=Approvals(
            required=2, of=("grace", "@acme/ml#7"), heard=(samples.NO,), authors=("bob",)
        ),
        diff=compared(metrics=(sure("auc", 0.80, 0.85, (0.02, 0.08)),)),
        change_address="https://github.com/acme/churn/pull/128",
        repository="https://github.com/acme/churn",
        scope=Scope(deciding=("auc",)),
    )


def regression() -> ReviewReport:
    """A regression of which nothing is beyond chance, with the examples that changed most."""
    examples = tuple(
        Example(id=f"r{at}", label=10.0, old=10.5, new=13.0 - at, change=2.5 - at, effect="worse")
        for at in range(2)
    )
    return samples.review(
        samples.PASS,
        approvals=Approvals(required=0, of=()),
        scope=Scope(deciding=("mae",), bounded=("mae",)),
        diff=compared(
            metrics=(sure("mae", 2.0, 2.04, (-0.07, 0.14), "lower"),),
            predictions=PredictionsDiff(
                task="regression",
                new_rows=500,
                old_rows=500,
                joined=500,
                is_paired=True,
                disagreement=1.0,
                scores_changed=500,
                examples=examples,
            ),
        ),
    )


def crowded_and_blocked() -> ReviewReport:
    """All that can be long at once: gates that failed, rules that change, notes, columns."""
    failed = [
        replace(samples.FAIL, rule=f"m{at} min 0.9", metric=f"m{at}", remedy=f"do {at}")
        for at in range(60)
    ]
    return replace(
        crowded(),
        verdict=Verdict(findings=(*failed, samples.WAIT, samples.PASS)),
        rule_changes=tuple(f"`data.d{at}` is counted by Spark" for at in range(30)),
        notes=tuple(f"Something to note of column {at}." for at in range(30)),
        approvals=Approvals(required=2, of=("alice", "@acme/ml"), heard=(samples.NO,)),
    )


PANEL: dict[str, Callable[[], ReviewReport]] = {
    "first": samples.first,
    "unchanged": samples.unchanged,
    "all worse": all_worse,
    "collapse": collapse,
    "blocked by five": blocked_by_five,
    "new code": new_code,
    "crowded": crowded,
    "two missing": two_missing,
    "regression": regression,
    "crowded and blocked": crowded_and_blocked,
    "hostile": partial(samples.hostile, "</details><img src=x>@team `|"),
}
