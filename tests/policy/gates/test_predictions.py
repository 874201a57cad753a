"""The gate on predictions."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from assent.compare.bundles import compare
from assent.core.diff.metrics import MetricChange
from assent.core.diff.predictions import Flips, PredictionsDiff, SliceChange
from assent.core.verdict import Finding, Outcome
from assent.policy.gates.predictions import PredictionsGate
from tests.compare.known import known

PASSED, FAILED, UNDECIDED, WAITING, WARNED, NOT_APPLICABLE = Outcome


def paired(**changes: Any) -> PredictionsDiff:
    ordinary: dict[str, Any] = {
        "task": "binary",
        "new_rows": 100,
        "old_rows": 100,
        "joined": 100,
        "is_paired": True,
        "flips": Flips(both_right=80, both_wrong=15, worse=2, better=3),
        "disagreement": 0.05,
        "labels_changed": 1,
        "slices": tuple(
            SliceChange(column="region", value="n", metric=metric, rows=40, change=-0.1, p=0.001)
            for metric in ("accuracy", "roc_auc")
        ),
        "slices_judged": 9,
    }
    return PredictionsDiff(**{**ordinary, **changes})


def judge(
    found: PredictionsDiff | None,
    bounded: Any = "negative_flips",
    limit: Any = "2%",
    without_baseline: Any = "allow",
    is_first: bool = False,
    **more: Any,
) -> Finding:
    diff = replace(compare(None if is_first else known(), known()), predictions=found)
    gate = PredictionsGate(predictions=bounded, max=limit, **more)
    (finding,) = gate.judge(diff, known().evidence, without_baseline=without_baseline)
    return finding


@pytest.mark.parametrize(
    ("bounded", "limit", "expected"),
    [
        ("negative_flips", "2%", PASSED),
        ("negative_flips", 0.02, PASSED),
        ("negative_flips", "1.9%", FAILED),
        ("negative_flips", 0, FAILED),
        ("positive_flips", "3%", PASSED),
        ("positive_flips", "2%", FAILED),
        ("disagreement", "5%", PASSED),
        ("disagreement", "4%", FAILED),
        ("labels_changed", "1%", PASSED),
        ("labels_changed", 0, FAILED),
        ("worse_slices", 1, PASSED),
        ("worse_slices", 0, FAILED),
    ],
)
def test_what_is_bounded(bounded: str, limit: Any, expected: Outcome) -> None:
    finding = judge(paired(), bounded, limit)
    assert finding.outcome is expected
    assert bool(finding.remedy) is (expected is FAILED)


def test_the_finding_counts_rows() -> None:
    finding = judge(paired())
    assert finding.rule == "predictions negative_flips max 2%"
    assert finding.evidence == "2 of 100 rows (2%)"
    assert judge(paired(), "worse_slices", 0).evidence == "1 of 9 slices"


@pytest.mark.threat(14)
def test_without_the_candidates_predictions_it_blocks() -> None:
    assert judge(None).outcome is FAILED
    assert judge(None, is_first=True).outcome is FAILED


@pytest.mark.threat(15)
def test_without_the_baselines_predictions_the_policy_decides() -> None:
    alone = PredictionsDiff(task="binary", new_rows=100)
    assert judge(alone).outcome is NOT_APPLICABLE
    assert judge(alone).reason == "the baseline has no predictions"
    assert judge(alone, is_first=True).reason == "no baseline"
    assert judge(alone, without_baseline="block").outcome is FAILED


@pytest.mark.threat(14)
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, UNDECIDED),
        ({"undecided": "approve"}, WAITING),
        ({"undecided": "warn"}, WARNED),
        ({"inconclusive": "approve"}, WAITING),
        ({"inconclusive": "block"}, FAILED),
        ({"inconclusive": "pass"}, PASSED),
    ],
)
def test_other_rows_are_undecided(more: dict[str, Any], expected: Outcome) -> None:
    finding = judge(paired(is_paired=False, joined=50, problem="only 50 rows"), **more)
    assert finding.outcome is expected
    assert finding.reason.endswith("only 50 rows")


@pytest.mark.threat(14)
@pytest.mark.parametrize(
    ("bounded", "expected"),
    [
        ("negative_flips", UNDECIDED),
        ("positive_flips", UNDECIDED),
        ("worse_slices", UNDECIDED),
        ("disagreement", PASSED),
        ("labels_changed", FAILED),
    ],
)
def test_with_other_labels_nobody_knows_who_was_right(bounded: str, expected: Outcome) -> None:
    finding = judge(paired(labels_changed=11), bounded, 9 if bounded == "worse_slices" else "9%")
    assert finding.outcome is expected


@pytest.mark.threat(14)
def test_a_regression_has_no_flips() -> None:
    finding = judge(paired(task="regression", flips=None))
    assert (finding.outcome, finding.reason) == (
        FAILED,
        "a regression model has no negative flips",
    )
    assert judge(paired(disagreement=None), "disagreement").outcome is FAILED


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"predictions": "negative_flips", "max": 2}, "a share of the rows"),
        ({"predictions": "negative_flips", "max": "100%"}, "allows all"),
        ({"predictions": "worse_slices", "max": "2%"}, "a number of slices"),
        ({"predictions": "worse_slices", "max": 0.5}, "a number of slices"),
    ],
)
def test_a_gate_that_cannot_judge_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        PredictionsGate(**fields)


@pytest.mark.threat(14)
@pytest.mark.parametrize(
    ("more", "expected"),
    [({}, UNDECIDED), ({"undecided": "approve"}, WAITING), ({"undecided": "warn"}, WARNED)],
)
def test_slices_of_which_nothing_is_known_are_not_called_no_worse(
    more: dict[str, Any], expected: Outcome
) -> None:
    unknown = paired(slices=(), slices_judged=1, slices_untested=2)
    finding = judge(unknown, "worse_slices", 0, **more)
    assert finding.outcome is expected
    assert finding.evidence == "2 of 3 slices"
    assert judge(paired(slices_untested=2), "worse_slices", 0, **more).outcome is FAILED


def test_slices_that_were_too_many_are_said() -> None:
    finding = judge(paired(slices=(), slices_left_out=7), "worse_slices", 0)
    assert finding.outcome is WARNED
    assert "7 smaller slices" in finding.reason


def of_slice(**sides: Any) -> MetricChange:
    return MetricChange(name="slices.region.north.accuracy", **{"old": 0.9, **sides})


@pytest.mark.threat(14)
@pytest.mark.parametrize(
    ("found", "lost", "expected"),
    [
        (of_slice(), (), FAILED),
        (of_slice(new=0.9), ("region.north",), FAILED),
        (of_slice(new=0.9), (), PASSED),
        (of_slice(rows=0), (), PASSED),
    ],
    ids=["gone from a file", "next to nothing left", "there", "was too small to judge"],
)
def test_a_slice_that_is_gone_binds_wherever_it_was_told_of(
    found: MetricChange, lost: tuple[str, ...], expected: Outcome
) -> None:
    predictions = paired(slices=(), slices_lost=lost)
    diff = replace(compare(known(), known()), predictions=predictions, metrics=(found,))
    gate = PredictionsGate(predictions="worse_slices", max=0)
    (finding,) = gate.judge(diff, known().evidence, without_baseline="allow")
    assert finding.outcome is expected
    assert ("region.north" in finding.evidence) is (expected is FAILED)
