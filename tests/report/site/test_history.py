"""What became of versions and stages, by the entries alone."""

from __future__ import annotations

from collections.abc import Sequence

from assent.core.entry import GENESIS, Draft, Entry, Kind, decode_entry
from assent.core.registry import State, extend
from assent.report.site.history import History, history_of
from assent.report.site.model import waiting
from assent.report.site.voices import voices
from tests.builders import approved, draft, promoted, registered, subject


def entries_of(*drafts: Draft) -> Sequence[Entry]:
    steps = extend(State(model="churn"), {}, GENESIS, drafts)
    return [decode_entry(step.content) for step in steps]


def told(*drafts: Draft, stages: Sequence[str] = ("staging", "production")) -> History:
    return history_of("churn", entries_of(*drafts), stages, {})


LIFE = (
    approved("b1", "grace"),
    registered(1),
    promoted(1, "production"),
    registered(2),
    promoted(2, "production", 1),
    draft(Kind.ROLLED_BACK, subject("b1", 1), stage="production", replaces=2),
    approved("b9", "grace"),
)


def test_a_stage_holds_one_thing_after_the_other() -> None:
    history = told(*LIFE)
    stays = [(s.version, s.since.seq, s.until and s.until.seq) for s in history.stays]
    assert stays == [(1, 2, 4), (2, 4, 5), (1, 5, None)]
    held = history.holding("production")
    assert held is not None
    assert held.is_rollback
    assert history.holding("staging") is None


def test_a_cleared_stage_holds_nothing() -> None:
    history = told(*LIFE, draft(Kind.CLEARED, stage="production"))
    assert history.holding("production") is None
    assert history.stays[-1].until is not None


def test_a_version_has_what_was_said_of_its_bundle_before_it_had_a_number() -> None:
    version = told(*LIFE).versions[1]
    kinds = [entry.kind for entry in version.entries]
    assert kinds == [Kind.APPROVED, Kind.REGISTERED, Kind.PROMOTED, Kind.ROLLED_BACK]
    assert [stay.stage for stay in version.holding] == ["production"]


def test_a_bundle_that_people_spoke_of_and_that_has_no_version_waits() -> None:
    [candidate] = told(*LIFE).candidates
    assert candidate.bundle == subject("b9").bundle
    assert [version.number for version in waiting(told(*LIFE))] == [2]
    retired = told(*LIFE, draft(Kind.RETIRED, subject("b2", 2)))
    assert waiting(retired) == ()
    assert waiting(told(registered(1), stages=())) == ()


def test_stages_are_in_the_order_of_the_configuration_and_then_of_the_ledger() -> None:
    history = told(registered(1), promoted(1, "eu"), stages=("staging", "production"))
    assert history.stages == ("staging", "production", "eu")


def test_an_approval_is_told_once_however_many_decisions_rest_on_it() -> None:
    first = approved("b1", "grace")
    again = registered(1, approvals=first.approvals)
    new = promoted(1, "production", approvals=approved("b1", "carol").approvals)
    people = [voice.record.person.login for voice in voices(entries_of(first, again, new))]
    assert people == ["grace", "carol"]


def test_nothing_is_told_of_an_empty_ledger() -> None:
    history = told()
    assert (history.versions, history.stays, history.candidates) == ({}, (), ())
