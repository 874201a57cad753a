"""What the change does to the rules."""

from __future__ import annotations

from assent.report.numbers import count
from assent.report.parts import (
    Section,
    Words,
    cell,
)
from assent.report.review import ReviewReport
from assent.report.sections import shapes


def rules_section(report: ReviewReport) -> Section | None:
    """The rules that the change would alter; None if it leaves them."""
    if not report.rule_changes:
        return None
    changed = count(len(report.rule_changes), "rule", "rules")
    return Section(
        title="This change alters the rules",
        summary=cell(
            Words(f"{changed} would change. This review applied the rules of the base branch.")
        ),
        tables=shapes.lines("What would change", report.rule_changes),
        is_urgent=True,
    )
