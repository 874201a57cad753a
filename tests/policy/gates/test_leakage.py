"""The gate on rows that two data sets share."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from assent.core.profile import (
    Overlap,
)
from assent.core.verdict import Outcome
from assent.policy.gates.leakage import judge_leakage
from tests.policy.gates.judged_data import (
    FAILED,
    PASSED,
    ROWS,
    gate,
    judge,
    only,
)

OVERLAP = Overlap(first="train", second="test", of=1_000, rows=2, keys=5)


@pytest.mark.parametrize(
    ("overlap", "most", "expected"),
    [
        ({"rows": 0, "keys": 0}, 0, [PASSED, PASSED]),
        ({"rows": 0, "keys": None}, 0, [PASSED]),
        ({}, 0, [FAILED, FAILED]),
        ({}, 2, [PASSED, FAILED]),
        ({}, 5, [PASSED, PASSED]),
        ({}, "0.2%", [PASSED, FAILED]),
        ({}, "0.5%", [PASSED, PASSED]),
        ({"first": "test", "second": "train", "of": ROWS}, 0, [FAILED, FAILED]),
        ({"rows": -1}, 0, [FAILED]),
        ({"near": 9, "columns": 4}, 2, [PASSED, FAILED]),
        ({"near": 1}, 5, [FAILED]),
        ({"near": 1_001}, 5, [FAILED]),
        ({"first": "other"}, 0, [FAILED]),
    ],
)
def test_data_sets_may_not_share_rows(
    overlap: dict[str, Any], most: int | str, expected: list[Outcome]
) -> None:
    one = gate(data="leakage", between=["train", "test"], max=most)
    found = judge(one, overlaps=[msgspec.structs.replace(OVERLAP, **overlap)])
    assert [finding.outcome for finding in found] == expected
    assert all(bool(finding.remedy) == (finding.outcome is FAILED) for finding in found)
    if not overlap and most == 0:
        assert found[0].evidence == (
            "2 rows of 1,000 rows of `test` are in `train` "
            "(with the same key: an earlier version has counted)"
        )


def test_rows_that_are_nearly_there_are_said_and_not_judged() -> None:
    one = gate(data="leakage", between=["train", "test"], max=2)
    near = msgspec.structs.replace(OVERLAP, near=1_000, columns=3, keys=None)
    found = judge(one, overlaps=[near])
    assert [(each.outcome, each.evidence) for each in found] == [
        (
            PASSED,
            "2 rows of 1,000 rows of `test` are in `train`, "
            "and 998 more but for rounding, white space or case",
        )
    ]


@pytest.mark.threat(14)
def test_leakage_that_was_not_counted_blocks() -> None:
    found = only(gate(data="leakage", between=["train", "test"], max="100%"))
    assert (found.outcome, found.reason) == (FAILED, "what the data sets share was not counted")


@pytest.mark.parametrize("rows", [{"train": 0, "test": 1_000}, {"train": 9, "test": 0}])
def test_a_data_set_without_rows_is_not_free_of_leakage(rows: dict[str, int]) -> None:
    nothing = msgspec.structs.replace(OVERLAP, rows=0, keys=None)
    (found,) = judge_leakage(("train", "test"), 0, [nothing], rows)
    assert (found.outcome, found.reason) == (FAILED, "one of the data sets has no rows")
