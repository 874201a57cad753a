"""Candidate and baseline: which bundles, from where, how they were made."""

from __future__ import annotations

from collections.abc import Callable

from assent.core.diff import Diff, Side
from assent.core.evidence import Step
from assent.report import numbers
from assent.report.parts import (
    Break,
    Cell,
    Row,
    Section,
    Text,
    Words,
    cell,
)
from assent.report.review import ReviewReport
from assent.report.sections import shapes


def sides_section(report: ReviewReport) -> Section:
    """Which bundles are compared, where they are from, and how the candidate was made."""
    new, old = report.diff.candidate, report.diff.baseline
    rows: list[Row] = []
    for label, of_side in _SIDE_ROWS:
        cells = [of_side(side) for side in (old, new) if side is not None]
        if any(cells):
            rows.append((cell(Words(label)), *(side or cell(shapes.NOTHING) for side in cells)))
    columns = ("", "Candidate") if old is None else ("", "Baseline", "Candidate")
    table = shapes.table("Candidate against baseline", columns, rows)
    made = shapes.table("How the candidate was made", ("", "Candidate"), _steps(report), fold=True)
    return Section(
        title="Candidate against baseline",
        summary=cell(Words(_relation(report.diff))),
        tables=shapes.filled(table, made),
    )


def _relation(diff: Diff) -> str:
    new, old = diff.candidate, diff.baseline
    if old is None:
        return "There is no baseline to compare with."
    if new.bundle == old.bundle:
        return "The candidate is the baseline: same model, same evidence."
    if new.model_digest == old.model_digest and diff.model_files.changes:
        return "The bytes of the model files are the same; which of them may be run differs."
    if new.model_digest == old.model_digest:
        return "The model files are the same; the evidence differs."
    return "The model files differ."


def _commit(side: Side) -> Cell:
    if side.code.commit is None:
        return ()
    dirty = (Words("with uncommitted changes"),) if side.code.is_dirty else ()
    return (Text(side.code.commit[:12]), *dirty)


def _run(side: Side) -> Cell:
    if side.run is None:
        return ()
    attempt = (Words(f"attempt {side.run.attempt}"),) if side.run.attempt > 1 else ()
    return (Words(side.run.system), Text(side.run.id), *attempt)


_SIDE_ROWS: tuple[tuple[str, Callable[[Side], Cell]], ...] = (
    ("Version", lambda side: () if side.version is None else cell(f"v{side.version}")),
    ("Bundle", lambda side: cell(shapes.digits(side.bundle))),
    ("Model files", lambda side: cell(shapes.digits(side.model_digest))),
    ("Commit", _commit),
    ("Branch", lambda side: cell(side.code.branch) if side.code.branch else ()),
    ("Run", _run),
)


def _steps(report: ReviewReport) -> list[Row]:
    steps = (("Train", report.evidence.train), ("Evaluate", report.evidence.evaluate))
    rows: list[Row] = [
        (cell(Words(label)), (Text(step.command), Break(), Words(_cost(step))))
        for label, step in steps
        if step is not None
    ]
    if report.change_id or report.change_title:
        change = cell(*(part for part in (report.change_id, report.change_title) if part))
        rows.append((cell(Words("Change")), change))
    person = report.evidence.trained_by
    if person is not None:
        proof = Words(f"(identity: {person.proof})")
        rows.append((cell(Words("Started by")), (Text(person.login), proof)))
    if report.evidence.run is not None and report.evidence.run.address:
        rows.append((cell(Words("Run")), cell(report.evidence.run.address)))
    return rows


def _cost(step: Step) -> str:
    costs = [numbers.duration(step.wall_s)]
    if step.cpu_s is not None:
        costs.append(f"{numbers.duration(step.cpu_s)} of CPU")
    if step.peak_memory_bytes is not None:
        costs.append(f"{numbers.size(step.peak_memory_bytes)} of memory")
    return ", ".join(costs)
