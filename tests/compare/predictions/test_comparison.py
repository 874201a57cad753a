"""Two tables of predictions side by side."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec import UNSET

from assent.compare.predictions import compare_predictions
from assent.compare.predictions.table import PredictionTable
from assent.core.diff.metrics import MetricChange
from assent.core.diff.predictions import Flips
from tests.compare.predictions.tables import binary, drawn, slice_column


def by_name(changes: tuple[MetricChange, ...]) -> dict[str, MetricChange]:
    assert len({change.name for change in changes}) == len(changes)
    return {change.name: change for change in changes}


def said(*predictions: int, label: tuple[int, ...] = (1, 1, 0, 0), **more: Any) -> PredictionTable:
    return binary(np.array(label), prediction=np.array(predictions), **more)


def test_flips_are_counted_by_who_was_right() -> None:
    diff, _ = compare_predictions(said(1, 1, 1, 0), said(1, 0, 0, 0))
    assert diff.flips == Flips(both_right=2, both_wrong=0, worse=1, better=1)
    assert diff.flips.negative == 0.25
    assert diff.flips.compatibility == pytest.approx(2 / 3)
    assert diff.disagreement == 0.5
    assert (diff.joined, diff.is_paired, diff.problem) == (4, True, None)


def test_shares_of_flips_are_of_all_rows_and_compatibility_of_those_that_were_right() -> None:
    labels = (1, 1, 1, 1, 0, 0, 0, 0, 0, 0)
    before = said(1, 1, 1, 0, 0, 0, 1, 1, 1, 1, label=labels)
    diff, _ = compare_predictions(before, said(0, 0, 1, 0, 0, 0, 0, 0, 0, 1, label=labels))
    assert diff.flips == Flips(both_right=3, both_wrong=2, worse=2, better=3)
    assert (diff.flips.negative, diff.flips.positive) == (0.2, 0.3)
    assert diff.flips.compatibility == pytest.approx(3 / 5)
    assert Flips(both_right=0, both_wrong=0, worse=0, better=0).positive == 0.0


def test_without_a_baseline_every_metric_is_new() -> None:
    diff, changes = compare_predictions(None, said(1, 0, 0, 0))
    assert (diff.old_rows, diff.flips, diff.disagreement) == (None, None, None)
    assert diff.new_confusion is not None
    assert diff.new_confusion.counts == ((2, 0), (1, 1))
    found = by_name(changes)["accuracy"]
    assert (found.old, found.new, found.interval, found.rows) == (UNSET, 0.75, None, 4)
    assert found.is_computed


def test_every_metric_has_a_direction() -> None:
    label, left, right = drawn(np.random.default_rng(0), 60)
    _, changes = compare_predictions(binary(label, left), binary(label, right))
    assert all(change.better is not None for change in changes)
    assert {change.name for change in changes if change.better == "lower"} == {
        "brier_score",
        "ece",
        "log_loss",
    }


@pytest.mark.parametrize(
    ("count", "is_paired"), [(1000, True), (990, True), (989, False), (0, False)]
)
def test_below_99_percent_of_shared_rows_the_samples_are_different(
    count: int, is_paired: bool
) -> None:
    label, left, right = drawn(np.random.default_rng(1), 1000)
    ids = np.arange(1000)
    moved = np.where(ids < count, ids, ids + 1000)
    diff, changes = compare_predictions(binary(label, left), binary(label, right, ids=moved))
    assert (diff.joined, diff.is_paired) == (count, is_paired)
    interval = by_name(changes)["roc_auc"].interval
    assert interval is not None
    assert interval.is_paired is is_paired
    assert (diff.problem is None) is is_paired
    if not is_paired:
        assert diff.problem is not None
        assert f"only {count:,} rows" in diff.problem


def test_values_are_of_the_shared_rows_and_each_sides_own_stand_beside_them() -> None:
    label, left, right = drawn(np.random.default_rng(2), 1000)
    whole = by_name(compare_predictions(binary(label, left), binary(label, right))[1])
    few = binary(label[:995], right[:995])
    part = by_name(compare_predictions(binary(label, left), few)[1])["roc_auc"]
    of_the_same = by_name(compare_predictions(binary(label[:995], left[:995]), few)[1])["roc_auc"]
    assert (part.old, part.new, part.interval) == (
        of_the_same.old,
        of_the_same.new,
        of_the_same.interval,
    )
    assert of_the_same.own is None
    assert part.own is not None
    assert part.own.old == whole["roc_auc"].old
    assert part.own.new == part.alone == part.new
    assert part.interval is not None
    assert (part.interval.n, part.interval.is_paired) == (995, True)


def test_rows_that_only_the_candidate_has_are_left_out() -> None:
    """A test set that has grown asks the old questions as well."""
    label, left, right = drawn(np.random.default_rng(20), 1000)
    old = binary(label[:500], left[:500])
    diff, changes = compare_predictions(old, binary(label, right))
    same = by_name(compare_predictions(old, binary(label[:500], right[:500]))[1])["roc_auc"]
    grown = by_name(changes)["roc_auc"]
    assert (diff.joined, diff.is_paired, diff.problem) == (500, True, None)
    assert (grown.old, grown.new, grown.not_compared) == (same.old, same.new, None)
    assert grown.alone == by_name(compare_predictions(None, binary(label, right))[1])["roc_auc"].new
    # The way back leaves half of the baseline's rows out, and whoever does that may choose them.
    diff, changes = compare_predictions(binary(label, right), old)
    assert not diff.is_paired
    assert all(reason_of(one).startswith("only 500 rows have") for one in changes)


def reason_of(one: MetricChange) -> str:
    return "" if one.not_compared is None else one.not_compared.reason


def relabelled(share: float, rows: int = 1000) -> tuple[PredictionTable, PredictionTable]:
    """Two models of which the second is worse, and asked with other labels in a share of rows."""
    label, left, right = drawn(np.random.default_rng(21), rows, noise=0.1)
    worse = np.where(np.arange(rows) % 10 == 0, 1 - right, right)
    others = label.copy()
    others[: int(share * rows)] ^= 1
    return binary(label, left), binary(others, worse)


def test_both_are_measured_with_the_labels_of_the_candidate() -> None:
    old, new = relabelled(0.2)
    diff, changes = compare_predictions(old, new)
    again = msgspec.structs.replace(old, label=new.label)
    expected = by_name(compare_predictions(again, new)[1])
    for name, one in by_name(changes).items():
        assert (one.old, one.new) == (expected[name].old, expected[name].new)
        assert reason_of(one) == "200 of 1,000 rows (20.0%) have another label than in the baseline"
        assert one.own is not None
        assert one.own.old == by_name(compare_predictions(None, old)[1])[name].new
    assert (diff.labels_changed, diff.has_other_labels) == (200, True)


def test_what_a_few_other_labels_leave_open_is_not_ruled_out() -> None:
    """Either side may be right about the labels: the interval holds both answers."""
    old, new = relabelled(0.01)
    diff, changes = compare_predictions(old, new)
    assert (diff.labels_changed, diff.has_other_labels) == (10, False)
    found = by_name(changes)
    before = msgspec.structs.replace(new, label=old.label)
    after = msgspec.structs.replace(old, label=new.label)
    pairs = (old, before), (after, new)
    intervals = [by_name(compare_predictions(*pair)[1])["log_loss"].interval for pair in pairs]
    first, second = intervals
    wide = found["log_loss"].interval
    assert first is not None
    assert second is not None
    assert wide is not None
    assert first.low != second.low
    assert (wide.low, wide.high) == (min(first.low, second.low), max(first.high, second.high))
    assert wide.p == max(first.p or 0, second.p or 0)
    assert found["log_loss"].not_compared is None


def test_slices_are_measured_on_the_same_rows_with_the_same_labels() -> None:
    old, new = relabelled(0.2)
    column = slice_column(["a"] * 500 + ["b"] * 500)
    old = msgspec.structs.replace(old, slices={"part": column})
    new = msgspec.structs.replace(new, slices={"part": column})
    found = by_name(compare_predictions(old, new)[1])
    touched, untouched = (found[f"slices.part.{name}.accuracy"] for name in "ab")
    assert touched.own is not None
    assert touched.own.old != touched.old
    assert touched.not_compared
    assert untouched.own is None


def test_a_changed_label_is_counted_and_judges_both() -> None:
    diff, _ = compare_predictions(said(1, 1, 0, 0), said(1, 1, 0, 0, label=(1, 0, 0, 0)))
    assert diff.labels_changed == 1
    assert diff.flips == Flips(both_right=3, both_wrong=1, worse=0, better=0)


def test_classes_of_both_sides_are_matched_by_name() -> None:
    old = PredictionTable(
        task="multiclass",
        ids=np.arange(3),
        label=np.array([0, 1, 1]),
        prediction=np.array([0, 1, 0]),
        classes=("b", "c"),
    )
    new = PredictionTable(
        task="multiclass",
        ids=np.arange(3),
        label=np.array([1, 2, 2]),
        prediction=np.array([1, 2, 0]),
        classes=("a", "b", "c"),
    )
    diff, _ = compare_predictions(old, new)
    assert diff.labels_changed == 0
    assert diff.disagreement == pytest.approx(1 / 3)
    assert diff.old_confusion is not None
    assert diff.old_confusion.classes == ("a", "b", "c")
    assert diff.old_confusion.counts == ((0, 0, 0), (0, 1, 0), (0, 1, 1))


def test_many_classes_are_shown_as_twenty() -> None:
    codes = np.arange(50)
    table = PredictionTable(
        task="multiclass",
        ids=codes,
        label=codes,
        prediction=codes,
        classes=tuple(f"c{n:02}" for n in range(50)),
    )
    confusion = compare_predictions(None, table)[0].new_confusion
    assert confusion is not None
    assert len(confusion.classes) == 20
    assert confusion.classes[-1] == "31 other classes"
    assert (confusion.others, confusion.counts[-1][-1]) == (31, 31)


def test_the_classes_that_changed_most_are_kept() -> None:
    label = np.repeat(np.arange(50), 4)
    said = label.copy()
    said[-4:] = 0  # the last class by name is the one that got worse
    tables = [
        PredictionTable(
            task="multiclass",
            ids=np.arange(200),
            label=label,
            prediction=one,
            classes=tuple(f"c{n:02}" for n in range(50)),
        )
        for one in (label, said)
    ]
    diff, _ = compare_predictions(*tables)
    old, new = diff.old_confusion, diff.new_confusion
    assert old is not None
    assert new is not None
    assert old.classes == new.classes
    assert {"c00", "c49"} <= set(new.classes)
    at = new.classes.index("c49")
    assert (old.counts[at][at], new.counts[at][new.classes.index("c00")]) == (4, 4)
    assert sum(map(sum, new.counts)) == sum(map(sum, old.counts)) == 200


def test_recall_and_precision_of_a_class_are_shown_with_their_change() -> None:
    label = np.repeat([0, 1, 2], 40)
    worse = label.copy()
    worse[80:100] = 0  # half of the third class is taken for the first
    tables = [
        PredictionTable(
            task="multiclass", ids=np.arange(120), label=label, prediction=one, classes=tuple("abc")
        )
        for one in (label, worse)
    ]
    diff, _ = compare_predictions(*tables)
    first, second = diff.classes
    assert diff.classes_changed == 2
    assert {first.name, second.name} == {"a", "c"}
    found = {one.name: one for one in diff.classes}
    assert (found["c"].rows, found["c"].old_recall, found["c"].new_recall) == (40, 1.0, 0.5)
    assert (found["a"].old_precision, found["a"].new_precision) == (1.0, 40 / 60)
    assert found["a"].p is None
    assert found["c"].p is not None
    assert found["c"].p < 1e-4
    grouped = [msgspec.structs.replace(one, group=np.arange(120) // 2) for one in tables]
    assert all(one.p is None for one in compare_predictions(*grouped)[0].classes)


def test_another_task_is_not_compared() -> None:
    label, left, _ = drawn(np.random.default_rng(3), 100)
    numbers = PredictionTable(task="regression", ids=np.arange(100), label=left, prediction=left)
    diff, changes = compare_predictions(binary(label, left), numbers)
    assert diff.problem is not None
    assert diff.problem.startswith(
        "the baseline's predictions are of a binary model, these are regression (labels such as `"
    )
    found = by_name(changes)
    assert found["roc_auc"].new is UNSET
    assert found["mae"].old is UNSET
    assert not diff.is_paired


def test_a_positive_class_that_the_candidate_does_not_know_is_not_compared() -> None:
    label, left, right = drawn(np.random.default_rng(4), 100)
    other = msgspec.structs.replace(binary(label, right), positive="no", classes=("no", "yes"))
    diff, changes = compare_predictions(binary(label, left), other)
    assert diff.problem == "the baseline's positive class is 1, the candidate's no"
    assert all(change.interval is None for change in changes)


def test_calibration_of_a_known_table() -> None:
    scores = np.array([0.05, 0.05, 0.95, 1.0])
    diff, changes = compare_predictions(None, binary(np.array([0, 1, 1, 1]), scores))
    assert [(one.low, one.rows, one.observed) for one in diff.new_calibration] == [
        (0.0, 2, 0.5),
        (0.9, 2, 1.0),
    ]
    assert by_name(changes)["ece"].new == pytest.approx(0.5 * 0.45 + 0.5 * 0.025)


def test_residuals_are_shares_in_the_same_bins() -> None:
    random = np.random.default_rng(5)
    label = random.normal(size=1000)
    tables = [
        PredictionTable(
            task="regression",
            ids=np.arange(1000),
            label=label,
            prediction=label + shift + random.normal(size=1000),
        )
        for shift in (0.0, 1.0)
    ]
    diff, changes = compare_predictions(tables[0], tables[1])
    assert diff.residuals is not None
    assert len(diff.residuals.edges) == 31
    assert sum(diff.residuals.old) == pytest.approx(1)
    assert sum(diff.residuals.new) == pytest.approx(1)
    assert diff.flips is None
    interval = by_name(changes)["mae"].interval
    assert interval is not None
    assert interval.low > 0


def test_the_most_changed_examples_show_what_may_be_shown() -> None:
    ages = np.array([30, 40, 50, 60])
    old = binary(np.array([1, 1, 0, 0]), np.array([0.9, 0.9, 0.2, 0.1]), examples=2)
    new = binary(
        np.array([1, 1, 0, 0]), np.array([0.9, 0.3, 0.1, 0.6]), examples=2, shown={"age": ages}
    )
    first, second = compare_predictions(old, new)[0].examples
    assert (first.id, first.label, first.old, first.new) == ("1", "1", "1", "0")
    assert (first.effect, first.shown) == ("worse", {"age": 40})
    assert first.change == pytest.approx(-0.6)
    assert (second.id, second.effect) == ("3", "worse")


def test_without_scores_who_got_worse_comes_first() -> None:
    diff, _ = compare_predictions(said(1, 1, 1, 0), said(1, 0, 0, 0))
    assert [(one.id, one.effect) for one in diff.examples] == [("1", "worse"), ("2", "better")]


def test_examples_of_a_regression_and_of_a_ranking() -> None:
    label = np.array([1.0, 2.0, 3.0])
    old, new = (
        PredictionTable(task="regression", ids=np.arange(3), label=label, prediction=said)
        for said in (np.array([1.0, 2.0, 0.0]), np.array([1.0, 2.5, 3.0]))
    )
    first, second = compare_predictions(old, new)[0].examples
    assert (first.id, first.effect, first.change) == ("2", "better", -3.0)
    assert (second.id, second.effect, second.change) == ("1", "worse", 0.5)
    # To the other side of the label, as far away as before: nothing has changed.
    over, under = (
        PredictionTable(task="regression", ids=np.arange(3), label=label, prediction=label + off)
        for off in (np.array([5.0, 0.1, 0.0]), np.array([-5.0, 0.0, 0.0]))
    )
    assert [one.id for one in compare_predictions(over, under)[0].examples] == ["1"]
    old, new = (
        PredictionTable(
            task="ranking", ids=np.arange(3), label=label - 1, scores=said, group=np.zeros(3, int)
        )
        for said in (np.array([0.1, 0.2, 0.3]), np.array([0.9, 0.2, 0.3]))
    )
    ranked = compare_predictions(old, new)[0].examples
    assert [(one.id, one.old, one.new) for one in ranked] == [("0", 3, 1), ("1", 2, 3), ("2", 1, 2)]
    assert [one.effect for one in ranked] == ["other", "worse", "worse"]


def test_hardly_any_rows_are_no_exception() -> None:
    for rows in (1, 2):
        label = np.ones(rows)
        diff, changes = compare_predictions(
            binary(label, np.full(rows, 0.5)), binary(label, np.full(rows, 0.7))
        )
        assert diff.joined == rows
        assert all(change.interval is None for change in changes)


def test_a_change_cannot_say_which_class_is_the_positive_one() -> None:
    label = np.array([1] * 60 + [0] * 140)
    score = np.where(label == 1, 0.4, 0.1)
    old = binary(label, score)
    flipped = msgspec.structs.replace(old, positive="0", scores=1.0 - score)
    _, plain = compare_predictions(old, old)
    _, changes = compare_predictions(old, flipped)
    assert [(one.name, one.new) for one in changes] == [(one.name, one.new) for one in plain]
    assert not any(one.is_changed for one in changes)


def of_classes(
    label: list[int], prediction: list[int], classes: tuple[str, ...], **more: Any
) -> PredictionTable:
    task: Any = "binary" if len(classes) == 2 else "multiclass"
    return PredictionTable(
        task=task,
        ids=np.arange(len(label)),
        label=np.array(label),
        prediction=np.array(prediction),
        classes=classes,
        **more,
    )


LABEL, PREDICTION = [0, 1] * 20, [0, 1, 1, 1] * 10


@pytest.mark.parametrize("classes", [("false", "true"), ("False", "True"), ("0.0", "1.0")])
def test_one_class_has_one_name_on_both_sides(classes: tuple[str, ...]) -> None:
    plain = of_classes(LABEL, PREDICTION, ("0", "1"), positive="1")
    other = of_classes(LABEL, PREDICTION, classes, positive=classes[1])
    for old, new in ((plain, other), (other, plain)):
        diff, changes = compare_predictions(old, new)
        assert (diff.problem, diff.labels_changed, diff.disagreement) == (None, 0, 0)
        assert [one.name for one in changes if one.is_changed] == []
        assert {"accuracy", "recall"} <= {one.name for one in changes}


def test_names_that_one_side_tells_apart_stay_as_they_are() -> None:
    old = of_classes([0, 1, 2] * 20, [0, 1, 1] * 20, ("01", "1", "2"))
    diff, _ = compare_predictions(old, of_classes([0, 1, 2] * 20, [0, 1, 1] * 20, ("1", "2", "3")))
    assert diff.labels_changed == 60


def test_the_task_is_the_one_of_the_baseline() -> None:
    three = of_classes([0, 1, 2] * 20, [0, 1, 1] * 20, ("a", "b", "c"))
    two = of_classes([0, 1, 0] * 20, [0, 1, 1] * 20, ("a", "b"), positive="b")
    diff, changes = compare_predictions(three, two)
    assert (diff.task, diff.problem, diff.labels_changed) == ("multiclass", None, 20)
    both = {one.name for one in changes if one.old is not UNSET and one.new is not UNSET}
    assert {"accuracy", "f1_macro"} <= both
    assert "recall" not in {one.name for one in changes}


def test_scores_of_two_classes_are_those_of_many() -> None:
    scores = np.linspace(0.1, 0.9, 40)
    wide = np.column_stack([1 - scores, scores, np.zeros(40)])
    three = of_classes(LABEL, PREDICTION, ("a", "b", "c"), scores=wide)
    two = of_classes(LABEL, PREDICTION, ("a", "b"), positive="b", scores=scores)
    diff, changes = compare_predictions(three, two)
    assert diff.problem is None
    assert [one.name for one in changes if one.is_changed] == []
    assert "log_loss" in {one.name for one in changes}


def test_whole_numbers_are_a_regression_if_the_baseline_is_one() -> None:
    numbers = PredictionTable(
        task="regression",
        ids=np.arange(40),
        label=np.array(LABEL, dtype=float),
        prediction=np.array(PREDICTION, dtype=float),
    )
    classes = of_classes(LABEL, PREDICTION, ("0", "1"), positive="1")
    diff, changes = compare_predictions(numbers, classes)
    assert (diff.task, diff.problem) == ("regression", None)
    assert [one.name for one in changes if one.is_changed] == []
    words = of_classes(LABEL, PREDICTION, ("a", "b"), positive="b")
    assert compare_predictions(numbers, words)[0].problem is not None


def test_a_model_that_predicts_an_unknown_class_is_still_one_of_classes() -> None:
    """The file alone looks like one of numbers: no label has what is predicted."""
    label = np.arange(300) % 3
    old = PredictionTable(
        task="multiclass",
        ids=np.arange(300),
        label=label,
        prediction=label,
        classes=("0", "1", "2"),
    )
    numbers = {"task": "regression", "classes": (), "label": label.astype(float)}
    strange = msgspec.structs.replace(old, **numbers, prediction=np.where(label == 1, 7.0, label))
    diff, changes = compare_predictions(old, strange)
    assert (diff.problem, diff.task) == (None, "multiclass")
    assert diff.flips == Flips(both_right=200, both_wrong=0, worse=100, better=0)
    (accuracy,) = [one for one in changes if one.name == "accuracy"]
    assert accuracy.new == pytest.approx(2 / 3)
    for more in ({"prediction": label + 0.5}, {"label": label + 5.0, "prediction": label + 5.0}):
        no_class = msgspec.structs.replace(strange, **more)
        assert compare_predictions(old, no_class)[0].problem is not None


def test_a_candidate_cannot_make_rows_independent() -> None:
    """Whether it states no groups or each row as one, the interval stays the one of the groups."""
    label, left, right = drawn(np.random.default_rng(8), 600)
    patient = np.repeat(np.arange(30), 20)
    old = binary(label, left, group=patient)

    def accuracy(group: Any) -> MetricChange:
        changes = compare_predictions(old, binary(label, right, group=group))[1]
        (one,) = [change for change in changes if change.name == "accuracy"]
        return one

    expected = accuracy(patient).interval
    assert expected is not None
    assert accuracy(None).interval == expected
    alone = accuracy(np.arange(600)).interval
    assert alone is not None
    assert alone.low <= expected.low
    assert alone.high >= expected.high


def test_other_groups_of_the_same_rows_are_no_sameness() -> None:
    label, left, _ = drawn(np.random.default_rng(8), 600)
    patient = np.repeat(np.arange(30), 20)
    old = binary(label, left, group=patient)
    renamed = compare_predictions(old, binary(label, left, group=29 - patient))[0]
    assert renamed.sameness is not None
    moved = compare_predictions(old, binary(label, left, group=np.roll(patient, 5)))[0]
    assert (moved.is_regrouped, moved.sameness) == (True, None)


def test_a_ranking_of_other_queries_is_not_compared() -> None:
    random = np.random.default_rng(2)
    old = PredictionTable(
        task="ranking",
        ids=np.arange(400),
        label=random.integers(0, 3, 400).astype(float),
        scores=random.random(400),
        group=np.repeat(np.arange(40), 10),
    )
    new = msgspec.structs.replace(old, group=np.roll(np.repeat(np.arange(40), 10), 3))
    diff, changes = compare_predictions(old, new)
    assert diff.sameness is None
    assert all(one.not_compared is not None for one in changes)
