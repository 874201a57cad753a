"""What the change does to the rules."""

from __future__ import annotations

from assent.report.sections.rules import rules_section
from assent.report.text import to_text
from tests.report.samples import review


def test_rules_that_would_change_are_said_and_that_the_old_ones_were_applied() -> None:
    changes = ("accuracy may fall to 0.6", "nobody has to approve")
    section = rules_section(review(rule_changes=changes))
    assert section is not None
    shown = " ".join(to_text([section]).split())
    assert "2 rules would change." in shown
    assert "the rules of the base branch" in shown
    assert all(change in shown for change in changes)


def test_rules_that_stay_are_no_section() -> None:
    assert rules_section(review()) is None
