"""The gate on the model's files."""

from __future__ import annotations

import pytest

from assent.compare.bundles import compare
from assent.core.verdict import Outcome
from assent.policy.gates.model import ModelGate
from tests.compare.known import known

CANDIDATE = known(files={"a": "x" * 600, "b": "x" * 400})


@pytest.mark.parametrize(
    ("bound", "outcome"),
    [
        (1000, Outcome.PASSED),
        (999, Outcome.FAILED),
        ("1kB", Outcome.PASSED),
        ("0.9kB", Outcome.FAILED),
        ("1KiB", Outcome.PASSED),
    ],
)
def test_all_files_together_have_a_bound(bound: str | int, outcome: Outcome) -> None:
    for baseline in (None, known()):
        diff = compare(baseline, CANDIDATE)
        (finding,) = ModelGate(model="any", max_size=bound).judge(
            diff, known().evidence, without_baseline="block"
        )
        assert finding.outcome is outcome
        assert finding.evidence == "1,000 bytes"
        assert bool(finding.remedy) is (outcome is Outcome.FAILED)


@pytest.mark.parametrize("size", [0, -1, "0MB", "5XB", "many", ""])
def test_an_impossible_size_is_refused(size: str | int) -> None:
    with pytest.raises(ValueError, match="size"):
        ModelGate(model="any", max_size=size)
