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
    lines, back = rule_changes(POLICY, proposed), rule_changes(proposed, POLICY)
    assert lines
    assert back
    name = key.removesuffix("s") if key == "gates" else key
    assert all(name in line for line in (*lines, *back))


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


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"gates": (MetricGate(metric="accuracy", min=0.7),)},
            ["the gate on `metric accuracy`: `min` is `0.7` instead of `0.8`"],
        ),
        (
            {"gates": (MetricGate(metric="accuracy", max_drop="5%"),)},
            [
                "the gate on `metric accuracy`: `max_drop` is set to `5%`; `min` is not set any "
                "more; it was `0.8`"
            ],
        ),
        (
            {"gates": (GATE, ModelGate(model="any", max_size=5))},
            ["the gate `model any, max_size 5` is new"],
        ),
        (
            {"gates": (ModelGate(model="safe"),)},
            ["the gate `metric accuracy, min 0.8` is gone", "the gate `model safe` is new"],
        ),
        ({"override": OverrideRule(from_=("bob",))}, ['`override` is set to `{"from":["bob"]}`']),
        ({"approvals": ApprovalRule(count=0)}, ["`approvals.count` is `0` instead of `1`"]),
        (
            {"approvals": ApprovalRule(from_=("eve", "bob"))},
            ["`approvals.from` no longer has `*` and now has `eve`, `bob`"],
        ),
        (
            {"stages": {"staging": StageRule(), "production": StageRule()}},
            ["`stages.production.after` is not set any more; it was `staging`"],
        ),
    ],
)
def test_a_change_of_the_rules_is_said_in_words(fields: dict[str, Any], said: list[str]) -> None:
    assert list(rule_changes(POLICY, Policy(**{**FIELDS, **fields}))) == said


def test_gates_in_another_order_are_said_to_be_that() -> None:
    gates = (GATE, ModelGate(model="safe"))
    base, proposed = (Policy(gates=order) for order in (gates, gates[::-1]))
    assert rule_changes(base, proposed) == (
        () if base.digest == proposed.digest else ("the gates are in another order",)
    )


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
