"""What every forge promises of changes that Assent opens."""

from __future__ import annotations

import msgspec

from assent.ports import Proposal
from tests.contracts.forges.cases import Case


def test_a_commit_of_ours_names_somebody(case: Case) -> None:
    signature = case.forge.commit_author()
    assert signature.name
    assert signature.email
    assert not set("<>\n") & set(signature.name + signature.email)


def test_a_branch_is_proposed_once(case: Case) -> None:
    proposal = Proposal(
        model="churn", branch="retrain/churn", base="main", title="Retrain churn", body="Better."
    )
    address = case.forge.propose(proposal)
    assert address
    again = msgspec.structs.replace(proposal, title="Retrain churn again")
    assert case.forge.propose(again) == address
