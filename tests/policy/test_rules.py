"""The policy as a value: its digest, and what a change does to it."""

from __future__ import annotations

from typing import Any

import pytest

from assent.policy.gates.metric import MetricGate
from assent.policy.gates.model import ModelGate
from assent.policy.rules import (
    ApprovalRule,
    OverrideRule,
    Policy,
    RollbackRule,
    StageRule,
    rule_changes,
)

GATE = MetricGate(metric="accuracy", min=0.8)
POLICY = Policy(
    gates=(GATE,), stages={"staging": StageRule(), "production": StageRule(after="staging")}
)
FIELDS: dict[str, Any] = {"gates": POLICY.gates, "stages": POLICY.stages}
CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"gates": (MetricGate(metric="accuracy", min=0.7),)}, "gates"),
    ({"gates": (GATE, ModelGate(model="any", max_size=5))}, "gates"),
    ({"gates": (MetricGate(metric="accuracy", min=0.8, better="lower"),)}, "gates"),
    ({"approvals": ApprovalRule(count=2)}, "approvals"),
    ({"approvals": ApprovalRule(from_=("alice",))}, "approvals"),
    ({"approvals": ApprovalRule(author=True)}, "approvals"),
    ({"stages": {}}, "stages"),
    ({"stages": {"staging": StageRule(), "production": StageRule()}}, "stages"),
    (
        {"stages": {**POLICY.stages, "staging": StageRule(rollback=RollbackRule(approvals=1))}},
        "stages",
    ),
    ({"without_baseline": "block"}, "without_baseline"),
    ({"override": OverrideRule(from_=("alice",))}, "override"),
]


@pytest.mark.threat(12)
@pytest.mark.parametrize(("fields", "key"), CHANGES)
def test_every_changed_rule_is_shown_and_changes_the_digest(
    fields: dict[str, Any], key: str
) -> None:
    proposed = Policy(**{**FIELDS, **fields})
    assert proposed.digest != POLICY.digest
    (line,) = rule_changes(POLICY, proposed)
    assert line.startswith(f"{key}: ")
    (back,) = rule_changes(proposed, POLICY)
    before, after = line.removeprefix(f"{key}: ").split(" → ")
    assert back == f"{key}: {after} → {before}"


@pytest.mark.threat(12)
def test_the_same_rules_have_the_same_digest_in_any_order() -> None:
    stages = dict(reversed(POLICY.stages.items()))
    again = Policy(gates=(MetricGate(min=0.80, metric="accuracy"),), stages=stages)
    assert again.digest == POLICY.digest
    assert rule_changes(POLICY, again) == ()


def test_what_is_left_out_is_what_the_default_says() -> None:
    spelled = Policy(
        gates=POLICY.gates,
        stages=POLICY.stages,
        approvals=ApprovalRule(count=1, from_=("*",), author=False),
        without_baseline="allow",
    )
    assert spelled.digest == POLICY.digest


def test_a_change_reads_as_before_and_after() -> None:
    proposed = Policy(**{**FIELDS, "gates": (MetricGate(metric="accuracy", min=0.7),)})
    assert rule_changes(POLICY, proposed) == (
        'gates: [{"metric":"accuracy","min":0.8}] → [{"metric":"accuracy","min":0.7}]',
    )
    first_override = Policy(**{**FIELDS, "override": OverrideRule(from_=("bob",))})
    assert rule_changes(POLICY, first_override) == ('override: not set → {"from":["bob"]}',)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"soak": "1h"}, "soak needs `after`"),
        ({"after": "staging", "soak": "soon"}, "not a span of time"),
        ({"after": "staging", "soak": ""}, "not a span of time"),
    ],
)
def test_a_stage_that_cannot_be_is_refused(fields: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        StageRule(**fields)  # type: ignore[arg-type]  # text by name
