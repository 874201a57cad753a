"""What every forge promises of what a stage holds."""

from __future__ import annotations

from assent.ports import Deployment
from tests.builders import digest
from tests.contracts.forges.cases import Case


def test_what_a_stage_holds_can_be_shown_again(case: Case) -> None:
    deployment = Deployment(
        model="churn",
        stage="production",
        environment="production",
        version=12,
        bundle=digest("b"),
        seq=3,
        entry=digest("entry"),
    )
    assert case.forge.deployed(deployment) == case.forge.deployed(deployment)
