"""The gate on a parameter."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from assent.compare.bundles import compare
from assent.core.evidence import REDACTED
from assent.core.scalar import NonFinite, Scalar
from assent.core.verdict import Finding, Outcome
from assent.policy.gates import GATES
from assent.policy.gates.param import ParamGate
from tests.compare.known import known

PASSED, FAILED = Outcome.PASSED, Outcome.FAILED


def judged(
    gate: ParamGate,
    value: Scalar,
    *,
    baseline: dict[str, Scalar] | None = None,
    without_baseline: Any = "allow",
) -> list[Finding]:
    candidate = known(params={"lr": value})
    old = None if baseline is None else known(params=baseline)
    return gate.judge(
        compare(old, candidate), candidate.evidence, without_baseline=without_baseline
    )


@pytest.mark.parametrize(
    ("rule", "value", "outcome"),
    [
        ({"equals": 7}, 7, PASSED),
        ({"equals": 7}, 7.0, PASSED),
        ({"equals": 7}, "7", FAILED),
        ({"equals": 7}, 8, FAILED),
        ({"equals": 1}, True, FAILED),
        ({"equals": True}, 1, FAILED),
        ({"equals": None}, None, PASSED),
        ({"equals": None}, 0, FAILED),
        ({"equals": "adam"}, "adam", PASSED),
        ({"one_of": ("adam", "sgd")}, "sgd", PASSED),
        ({"one_of": ("adam", "sgd")}, "Adam", FAILED),
        ({"one_of": (1, None)}, None, PASSED),
        ({"max": 0.1}, 0.1, PASSED),
        ({"max": 0.1}, 0.2, FAILED),
        ({"max": 0.1}, "0.01", FAILED),
        ({"max": 2}, True, FAILED),
        ({"max": 0.1}, NonFinite("nan"), FAILED),
        ({"max": 0.1}, NonFinite("-inf"), FAILED),
        ({"min": 1}, 1, PASSED),
        ({"min": 1}, 0, FAILED),
        ({"min": 2**53 + 1}, 2**53, FAILED),
        ({"max": 2**53}, 2**53 + 1, FAILED),
        ({"max": 2**53 + 1}, 2**53 + 1, PASSED),
        ({"min": -1}, -2, FAILED),
    ],
)
def test_values(rule: dict[str, Any], value: Scalar, outcome: Outcome) -> None:
    (finding,) = judged(ParamGate(param="lr", **rule), value)
    assert finding.outcome is outcome
    assert bool(finding.remedy) is (outcome is FAILED)
    assert "lr" in finding.evidence


def test_a_value_beside_its_bound_has_the_digits_that_tell_them_apart() -> None:
    (finding,) = judged(ParamGate(param="lr", max=0.912345671), 0.912345678)
    assert finding.rule == "param lr max 0.912345671"
    assert finding.evidence == "`lr` = 0.91234568"
    (moved,) = judged(ParamGate(param="lr", unchanged=True), 0.1234567, baseline={"lr": 0.1234568})
    assert moved.evidence == "`lr`: 0.1234568 → 0.1234567"


def test_each_thing_asked_is_a_finding() -> None:
    gate = ParamGate(param="lr", min=0.1, max=0.2, one_of=(0.3,))
    outcomes = [finding.outcome for finding in judged(gate, 0.3)]
    assert outcomes == [PASSED, PASSED, FAILED]


@pytest.mark.parametrize("rule", [{"equals": 1}, {"unchanged": True}])
def test_a_missing_parameter_blocks(rule: dict[str, Any]) -> None:
    (finding,) = judged(ParamGate(param="seed", **rule), 1, baseline={"seed": 1})
    assert finding.outcome is FAILED
    assert finding.remedy


def test_a_secret_blocks() -> None:
    (finding,) = judged(ParamGate(param="lr", equals=REDACTED), REDACTED)
    assert finding.outcome is FAILED
    assert "secret" in finding.reason


def test_unchanged() -> None:
    gate = ParamGate(param="lr", unchanged=True)
    (finding,) = judged(gate, 1, baseline={"lr": 1.0})
    assert finding.outcome is PASSED
    (finding,) = judged(gate, "1", baseline={"lr": 1})
    assert finding.outcome is FAILED
    assert finding.evidence == '`lr`: 1 → "1"'


@pytest.mark.parametrize("baseline", [None, {}])
def test_unchanged_without_a_baseline(baseline: dict[str, Scalar] | None) -> None:
    gate = ParamGate(param="lr", unchanged=True)
    (finding,) = judged(gate, 1, baseline=baseline)
    assert finding.outcome is Outcome.NOT_APPLICABLE
    (finding,) = judged(gate, 1, baseline=baseline, without_baseline="block")
    assert finding.outcome is FAILED


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"unchanged": False},
        {"min": 2, "max": 1},
        {"max": float("nan")},
        {"equals": float("inf")},
        {"one_of": (float("nan"),)},
    ],
)
def test_a_gate_that_judges_nothing_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"gate|judges|pass"):
        ParamGate(param="lr", **rule)


def test_it_is_read_as_written() -> None:
    assert GATES["param"] is ParamGate
    read = msgspec.convert({"param": "seed", "equals": None}, ParamGate)
    assert read == ParamGate(param="seed", equals=None)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"param": {"name": "lr"}, "max": 1}, ParamGate)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"param": "lr", "equal": 1}, ParamGate)
    assert "equals" in str(msgspec.json.schema(ParamGate))
