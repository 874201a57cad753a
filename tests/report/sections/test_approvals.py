"""Who was heard, who counts, and who is still needed."""

from __future__ import annotations

from msgspec.structs import replace

from assent.core.approval import Approvals
from assent.report.sections.approvals import approvals_section
from assent.report.text import to_text
from tests.report.samples import review

HEARD = review().approvals


def text(approvals: Approvals) -> str:
    return " ".join(to_text([approvals_section(approvals)]).split())


def test_who_counts_comes_first_and_why_others_do_not() -> None:
    shown = text(HEARD)
    counted = [one.person.login for one in HEARD.heard if one.counts]
    others = [one for one in HEARD.heard if not one.counts]
    assert counted
    assert others
    assert shown.index(counted[0]) < shown.index(others[0].person.login)
    assert others[0].why in shown
    assert "1 of 1 given" in shown


def test_what_is_missing_is_counted_and_from_whom() -> None:
    shown = text(replace(HEARD, required=3))
    assert "1 of 3 given" in shown
    assert "2 more approvals are needed from alice or @acme/ml" in shown


def test_none_required_is_said_and_who_spoke_all_the_same_is_heard() -> None:
    assert "None are required." in text(Approvals(required=0, of=("*",)))
    shown = text(replace(HEARD, required=0))
    assert "None are required." not in shown
    assert HEARD.heard[0].person.login in shown
