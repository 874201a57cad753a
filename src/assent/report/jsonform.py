"""The review as JSON: complete, and the same bytes for the same review."""

from __future__ import annotations

import msgspec

from assent.core.verdict import Decision
from assent.report.review import ReviewReport


class ReviewForm(ReviewReport, frozen=True, kw_only=True):
    """A review with what follows from it, so that readers need not know the rules."""

    decision: Decision
    approvals_missing: int


def to_json(report: ReviewReport) -> bytes:
    """The whole review as indented UTF-8 JSON. What is not there on one side is left out;
    of plots only name, type and size are given.
    """
    form = ReviewForm(
        decision=report.verdict.decision,
        approvals_missing=report.approvals.missing,
        **{**msgspec.structs.asdict(report), "plots": tuple(plot.listed for plot in report.plots)},
    )
    return msgspec.json.format(msgspec.json.encode(form, order="deterministic"), indent=2) + b"\n"
