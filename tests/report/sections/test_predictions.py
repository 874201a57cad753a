"""The sections of metrics with intervals, and of predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec.structs import replace

from assent.compare.metrics import compare_metrics
from assent.compare.predictions import compare_predictions
from assent.compare.predictions.table import PredictionTable
from assent.core.diff import Diff
from assent.core.diff.metrics import Interval, MetricChange
from assent.core.diff.predictions import Example, Flips, PredictionsDiff, SliceChange
from assent.core.scalar import NonFinite
from assent.report.markdown import to_markdown
from assent.report.numbers import MINUS
from assent.report.parts import Section, Words
from assent.report.sections.metrics import metrics_section
from assent.report.sections.predictions import predictions_section
from assent.report.text import to_text
from tests.compare.predictions.tables import binary, drawn
from tests.report import nasty, samples


def changed(**changes: Any) -> Diff:
    return samples.diff(**changes)


def shown(section: Section | None) -> str:
    assert section is not None
    return to_text([section])


def compared(old: PredictionTable | None, new: PredictionTable, **more: Any) -> Diff:
    diff, changes = compare_predictions(old, new)
    return changed(predictions=diff, metrics=compare_metrics({}, {}, changes), **more)


def metric(low: float, high: float, **more: Any) -> MetricChange:
    change = samples.metric("roc_auc", 0.85, 0.838, "higher")
    interval = Interval(low=low, high=high, n=1234, method="DeLong")
    return replace(change, interval=interval, **more)


def test_the_interval_stands_in_the_change() -> None:
    text = shown(metrics_section(changed(metrics=(metric(-0.02, -0.004),))))
    assert "-0.0120 (-1.4%) worse (95%: -0.0200 to -0.0040)" in text.replace(MINUS, "-")
    assert "Metrics: 1 worse" in text
    assert "the 95% interval of the change, from 1,234 rows, the same for both models" in text


def test_what_may_be_chance_is_neither_better_nor_worse() -> None:
    text = shown(metrics_section(changed(metrics=(metric(-0.02, 0.001),))))
    assert "Metrics: 1 perhaps by chance" in text
    assert "worse" not in text


def test_a_small_slice_is_shown_last_and_not_judged() -> None:
    small = metric(-0.5, -0.3, name="slices.region.south.roc_auc", rows=12)
    large = metric(-0.02, -0.01, name="slices.region.north.roc_auc", rows=500)
    section = metrics_section(changed(metrics=(small, large)))
    (slices,) = section.tables
    text = shown(section)
    assert slices.is_folded
    assert "too few rows (12), not judged" in text
    assert text.index("north") < text.index("south")
    assert "Metrics: 1 worse" in text


def test_disputed_metrics_are_named() -> None:
    from_file, from_rows = compare_metrics(
        {"auc": 0.9},
        {"auc": 0.95},
        [MetricChange(name="auc", old=0.9, new=0.8, change=-0.1, is_computed=True)],
    )
    text = shown(metrics_section(changed(metrics=(from_file, from_rows))))
    assert "The metrics file and the predictions do not agree on auc." in text
    assert "from the metrics file" in text
    assert "from the predictions" in text


def test_without_predictions_there_is_no_section() -> None:
    assert predictions_section(changed()) is None


def test_flips_examples_and_tables_of_a_comparison() -> None:
    label, left, right = drawn(np.random.default_rng(0), 500)
    ages = np.arange(500)
    section = predictions_section(
        compared(binary(label, left), binary(label, right, shown={"age": ages}))
    )
    text = shown(section)
    assert section is not None
    assert [table.title for table in section.tables] == [
        "Flips",
        "Recall and precision by class",
        "Most changed examples",
        "Confusion",
        "Calibration",
    ]
    assert "were right and are wrong now" in text
    assert "Known about it" in text
    assert "age:" in text


def test_unchanged_predictions_are_one_line() -> None:
    label, left, _ = drawn(np.random.default_rng(1), 100)
    section = predictions_section(compared(binary(label, left), binary(label, left)))
    assert section == Section(
        title="Predictions", summary=(Words("unchanged (100)"),), is_unchanged=True
    )


def test_without_a_baseline_the_rows_are_counted() -> None:
    label, left, _ = drawn(np.random.default_rng(2), 100)
    text = shown(predictions_section(compared(None, binary(label, left))))
    assert "100 rows; the baseline has none to compare with" in text
    text = shown(predictions_section(compared(None, binary(label, left), baseline=None)))
    assert text.startswith("Predictions: 100 rows")


def test_what_limits_the_comparison_is_said() -> None:
    found = PredictionsDiff(
        task="binary",
        new_rows=1000,
        old_rows=995,
        joined=990,
        is_paired=True,
        flips=Flips(both_right=900, both_wrong=80, worse=6, better=4),
        slices=(
            SliceChange(
                column="region", value="n|orth", metric="roc_auc", rows=40, change=-0.1, p=0.00123
            ),
        ),
        slices_judged=7,
        slices_too_small=2,
        slices_left_out=3,
        labels_changed=5,
    )
    text = shown(predictions_section(changed(predictions=found)))
    for said in (
        "15 rows have predictions of one model only",
        "5 rows have another label than before",
        "1 of 7 slices got worse beyond chance",
        "2 slices have fewer than 30 rows",
        "3 smaller slices were not looked at",
        "p = 0.0012",
    ):
        assert said in text
    text = shown(predictions_section(changed(predictions=replace(found, slices=()))))
    assert "None of 7 slices got worse beyond chance" in text
    problem = replace(found, problem="only 3 rows are shared", is_paired=False)
    text = shown(predictions_section(changed(predictions=problem)))
    assert "Not compared row by row: only 3 rows are shared." in text


def relabelled(share: float) -> Diff:
    label, left, _ = drawn(np.random.default_rng(3), 1000)
    others = np.where(np.arange(1000) < share * 1000, 1 - label, label)
    return compared(binary(label, left), binary(others, left))


def test_other_labels_are_said_before_anything_else() -> None:
    diff = relabelled(0.2)
    report = replace(samples.review(), diff=diff)
    comment = to_markdown(report)
    said = "The truth itself was changed: 200 of 1,000 rows (20.0%) have another label"
    assert comment.index("Please note") < comment.index(said) < comment.index("<details>")
    text = shown(metrics_section(diff))
    assert "Not compared: accuracy" in text
    assert "because 200 of 1,000 rows (20.0%) have another label" in text
    assert "each by itself" in text
    summary = shown(predictions_section(diff)).splitlines()[0]
    assert "unchanged" not in shown(predictions_section(diff))
    assert "20.0% have another label, none is predicted otherwise" in summary
    few = relabelled(0.005)
    assert "Not compared" not in shown(metrics_section(few))
    assert "so the intervals hold for either of them" in to_markdown(replace(report, diff=few))
    assert not diff.is_unchanged


def test_rows_of_one_side_are_said_first() -> None:
    label, left, _ = drawn(np.random.default_rng(6), 300)
    diff = compared(binary(label[:200], left[:200]), binary(label, left))
    comment = to_markdown(replace(samples.review(), diff=diff))
    said = "100 rows have predictions of one model only, and are not compared."
    assert comment.index("Please note") < comment.index(said) < comment.index("<details>")
    assert "on the rows that both have)" in shown(metrics_section(diff)).splitlines()[0]
    assert "unchanged" not in shown(predictions_section(diff)).splitlines()[0]


def test_scores_that_differ_are_not_unchanged() -> None:
    label, left, _ = drawn(np.random.default_rng(4), 200)
    other = np.where(left > 0.5, (left + 1) / 2, left / 2)
    diff = compared(binary(label, left), binary(label, other))
    assert "none is predicted otherwise, 100.0% have another score" in shown(
        predictions_section(diff)
    )
    assert "unchanged (200)" in shown(
        predictions_section(compared(binary(label, left), binary(label, left)))
    )


def test_what_stands_for_many_classes_is_neither_right_nor_wrong() -> None:
    random = np.random.default_rng(5)
    label = random.integers(0, 60, 3_000)
    tables = [
        PredictionTable(
            task="multiclass",
            ids=np.arange(3_000),
            label=label,
            prediction=np.where(random.random(3_000) < 0.7, label, random.integers(0, 60, 3_000)),
            classes=tuple(f"c{at:02}" for at in range(60)),
        )
        for _ in range(2)
    ]
    section = predictions_section(compared(*tables))
    assert section is not None
    (table,) = [one for one in section.tables if one.title == "Confusion"]
    rest = [row for row in table.rows if Words("41 other classes") in (row[0][0], row[1][0])]
    assert rest
    for row in rest:
        words = {part.text for part in row[1][1:] if isinstance(part, Words)}
        assert not words & {"right", "wrong"}


def test_a_regression_has_no_flips() -> None:
    label = np.arange(100.0)
    tables = [
        PredictionTable(task="regression", ids=np.arange(100), label=label, prediction=label + add)
        for add in (0.0, 1.0)
    ]
    text = shown(predictions_section(compared(tables[0], tables[1])))
    assert "Of 100 rows, 100.0% are predicted otherwise" in text


def test_hostile_names_and_numbers_are_shown() -> None:
    for text in nasty.TEXTS[:-2]:
        found = PredictionsDiff(
            task="binary",
            new_rows=1,
            old_rows=1,
            joined=1,
            is_paired=True,
            disagreement=1.0,
            examples=(
                Example(id=text, label=text, old=text, new=NonFinite("nan"), shown={text: text}),
            ),
            slices=(
                SliceChange(column=text, value=text, metric=text, rows=1, change=1e308, p=0.0),
            ),
            problem=text,
        )
        assert shown(predictions_section(changed(predictions=found)))
