"""What every forge promises of changes."""

from __future__ import annotations

from tests.contracts.forges.cases import Case


def test_the_open_change_is_known(case: Case) -> None:
    change = case.forge.change()
    assert change is not None
    assert (change.id, change.title, change.base) == (case.id, "A change", "main")
    assert not change.landed
    assert len(change.head) == 40
    assert change.commit == change.head
    assert case.forge.branch() == "main"


def test_a_change_is_found_again_by_its_id(case: Case) -> None:
    change = case.forge.change()
    assert change is not None
    assert case.forge.change_of(change.id) == change
    assert case.forge.change_of("another") is None


def test_a_step_of_the_base_branch_has_landed(case: Case) -> None:
    bound = case.forge.landed(case.tip)
    change = bound.change()
    assert change is not None
    assert change.landed
    assert (change.commit, change.base) == (case.tip, "main")
    assert bound.branch() == case.forge.branch()
    here = case.forge.change()
    assert here is not None
    assert here.id == case.id
