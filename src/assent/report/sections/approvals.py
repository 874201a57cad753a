"""Who was heard, who counts, and who is still needed."""

from __future__ import annotations

from assent.core.approval import Approvals, Heard
from assent.core.identity import Actor
from assent.report.parts import (
    Break,
    Link,
    Mark,
    Number,
    Part,
    Row,
    Section,
    State,
    Text,
    Words,
    cell,
    linked,
)
from assent.report.sections import shapes
from assent.report.sections.verdict import still_needed


def approvals_section(approvals: Approvals, repository: str | None = None) -> Section:
    """Who was heard, who counts and why others do not, and who is still needed. Accounts of the
    forge that shows `repository` have a page there.
    """
    if not approvals.required and not approvals.heard:
        return Section(title="Approvals", summary=cell(Words("None are required.")))
    given = Words(f"{len(approvals.counted):,} of {approvals.required:,} given")
    summary = (given, Words("·"), *still_needed(approvals)) if approvals.missing else (given,)
    heard = sorted(approvals.heard, key=lambda review: not review.counts)
    rows: list[Row] = [_heard(review, repository) for review in heard[: shapes.MAX_ROWS]]
    table = shapes.table(
        "Approvals", ("Who", "Said", "Counts"), rows, total=len(heard), kept=len(rows)
    )
    return Section(title="Approvals", summary=summary, tables=shapes.filled(table))


def _named(person: Actor, repository: str | None) -> Text | Link:
    forge = f"https://{person.host}/"
    is_there = repository is not None and repository.startswith(forge)
    return linked(person.login, f"{forge}{person.login}" if is_there else None)


def _heard(review: Heard, repository: str | None) -> Row:
    state = State(Mark.PASSED, "yes") if review.counts else State(Mark.NEUTRAL, "no")
    role: tuple[Part, ...] = (Words("as"), Text(review.role)) if review.role else ()
    return (
        (_named(review.person, repository), *role),
        (Words(review.state), Break(), Number(review.at)),
        (state, Break(), Words(review.why)) if review.why else (state,),
    )
