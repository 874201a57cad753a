"""Who was heard, who counts, and who is still needed."""

from __future__ import annotations

from assent.core.approval import Approvals, Heard
from assent.report.parts import (
    Break,
    Mark,
    Number,
    Part,
    Row,
    Section,
    State,
    Text,
    Words,
    cell,
)
from assent.report.sections import shapes
from assent.report.sections.verdict import still_needed


def approvals_section(approvals: Approvals) -> Section:
    """Who was heard, who counts and why others do not, and who is still needed."""
    if not approvals.required and not approvals.heard:
        return Section(title="Approvals", summary=cell(Words("None are required.")))
    given = Words(f"{len(approvals.counted):,} of {approvals.required:,} given")
    summary = (given, Words("·"), *still_needed(approvals)) if approvals.missing else (given,)
    heard = sorted(approvals.heard, key=lambda one: not one.counts)
    rows: list[Row] = [_heard(one) for one in heard[: shapes.MAX_ROWS]]
    table = shapes.table(
        "Approvals", ("Who", "Said", "Counts"), rows, total=len(heard), kept=len(rows)
    )
    return Section(title="Approvals", summary=summary, tables=shapes.filled(table))


def _heard(one: Heard) -> Row:
    state = State(Mark.PASSED, "yes") if one.counts else State(Mark.NEUTRAL, "no")
    role: tuple[Part, ...] = (Words("as"), Text(one.role)) if one.role else ()
    return (
        (Text(one.person.login), *role),
        (Words(one.state), Break(), Number(one.at)),
        (state, Break(), Words(one.why)) if one.why else (state,),
    )
