"""Who has to decide what, and how; and whose approval does not count."""

from __future__ import annotations

from assent.core.approval import Approvals
from assent.core.change import ReviewState
from assent.core.digest import short
from assent.report.parts import Cell, Text, Words
from assent.report.review import ReviewReport
from assent.report.sections import shapes
from assent.report.sections.verdict import next_steps

_MAX_NAMES = 8
_MAX_REFUSED = 3


def to_decide(report: ReviewReport) -> tuple[Cell, ...]:
    """What is to be done, by whom and how, and whose approval is no help."""
    steps = next_steps(report.verdict, report.approvals, notify=report.notify)
    if not report.approvals.missing:
        return steps
    return (*steps, _how(report), *_not_counted(report.approvals))


def _how(report: ReviewReport) -> Cell:
    bundle = short(report.diff.candidate.bundle)
    if report.change_address is None:
        return Words("To approve, run"), Text(f"assent approve {report.model}"), Words(".")
    command = Text(f"/assent approve {report.model} {bundle}")
    return Words("To approve, approve this change, or comment"), command, Words(".")


def _not_counted(approvals: Approvals) -> list[Cell]:
    """Those who made it, and approvals that were given and do not count."""
    told: list[Cell] = []
    if approvals.authors:
        named = shapes.named(approvals.authors, _MAX_NAMES, "and")
        told.append((*named, Words("made this: what its authors approve does not count.")))
    refused = [
        review
        for review in approvals.heard
        if review.state is ReviewState.APPROVED
        and not review.counts
        and review.person.login not in approvals.authors
    ]
    told += [
        (Text(review.person.login), Words("approved, and that does not count:"), Words(review.why))
        for review in refused[:_MAX_REFUSED]
    ]
    if len(refused) > _MAX_REFUSED:
        left = f"and {len(refused) - _MAX_REFUSED:,} other approvals that do not count, below."
        told.append((Words(left),))
    return told
