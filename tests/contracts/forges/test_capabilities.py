"""What every forge promises of what it may lack."""

from __future__ import annotations

from assent.core.change import ReviewState
from assent.ports import PendingReason, Protection
from assent.testing.forge import MemoryForge
from tests.contracts.forges.cases import Case


def test_what_waits_is_of_open_changes_each_with_its_own_forge(case: Case) -> None:
    case.say("b", "grace", ReviewState.APPROVED, None)
    found = case.forge.review_queue.waiting("churn", "assent-bundle")
    assert len({one.id for one in found}) == len(found)
    for one in found:
        change = one.forge.change()
        assert change is not None
        assert change.id == one.id
        assert not change.landed
        assert one.pending_reason() in (None, *PendingReason)
    assert [one.id for one in found] == list(case.waits)
    # The word of grace is newer than what she was shown.
    assert [one.pending_reason() for one in found] == [PendingReason.WORD] * len(case.waits)


def test_where_nothing_can_wait_it_is_said_why(case: Case) -> None:
    queue = case.forge.review_queue
    if queue.lacking:
        assert not queue.waiting("churn", "assent-bundle")
    else:
        assert case.waits or isinstance(case.forge, MemoryForge)


def test_guards_are_told_and_change_nothing(case: Case) -> None:
    def told(*, has_ledgers: bool = True) -> tuple[Protection, ...]:
        return case.forge.guards.protections(
            models=["churn"], environments=["production"], has_ledgers=has_ledgers
        )

    found = told()
    assert found == told()
    elsewhere = told(has_ledgers=False)
    of_ledgers = [guard.name for guard in found if guard.name.startswith("assent/churn: ")]
    assert [guard.name for guard in found if guard not in elsewhere] == of_ledgers
    assert all(guard.name and guard.reason for guard in found)
