"""Candidate and baseline: which bundles, from where, how they were made."""

from __future__ import annotations

import re
from collections.abc import Callable

from assent.core.diff import Diff, Side
from assent.core.evidence import Run, Step
from assent.report import numbers
from assent.report.parts import (
    Break,
    Cell,
    Link,
    Row,
    Section,
    Text,
    Words,
    cell,
    linked,
)
from assent.report.review import ReviewReport
from assent.report.sections import shapes

_COMMIT = re.compile(r"[0-9a-f]{40,64}")


def sides_section(report: ReviewReport) -> Section:
    """Which bundles are compared, where they are from, and how the candidate was made."""
    new, old = report.diff.candidate, report.diff.baseline
    rows: list[Row] = []
    for label, of_side in _SIDE_ROWS:
        cells = [of_side(report, side) for side in (old, new) if side is not None]
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


def commit_link(report: ReviewReport, commit: str) -> Text | Link:
    """A commit, and where the forge shows it: all of them have it below the repository."""
    known = report.repository is not None and _COMMIT.fullmatch(commit)
    return linked(commit[:12], f"{report.repository}/commit/{commit}" if known else None)


def _commit(report: ReviewReport, side: Side) -> Cell:
    if side.code.commit is None:
        return ()
    dirty = (Words("with uncommitted changes"),) if side.code.is_dirty else ()
    return (commit_link(report, side.code.commit), *dirty)


def run_link(report: ReviewReport, run: Run) -> Text | Link:
    """A run, and where the forge shows it. A bundle says itself where that is, and may have been
    made by anybody: no address outside of the repository is followed.
    """
    inside = report.repository is not None and (run.address or "").startswith(
        f"{report.repository}/"
    )
    return linked(run.id, run.address if inside else None)


def _run(report: ReviewReport, side: Side) -> Cell:
    if side.run is None:
        return ()
    attempt = (Words(f"attempt {side.run.attempt}"),) if side.run.attempt > 1 else ()
    return (Words(side.run.system), run_link(report, side.run), *attempt)


_SIDE_ROWS: tuple[tuple[str, Callable[[ReviewReport, Side], Cell]], ...] = (
    ("Version", lambda _, side: () if side.version is None else cell(f"v{side.version}")),
    ("Bundle", lambda _, side: cell(shapes.digits(side.bundle))),
    ("Model files", lambda _, side: cell(shapes.digits(side.model_digest))),
    ("Commit", _commit),
    ("Branch", lambda _, side: cell(side.code.branch) if side.code.branch else ()),
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
        id_ = linked(report.change_id, report.change_address) if report.change_id else None
        title = Text(report.change_title) if report.change_title else None
        change = tuple(part for part in (id_, title) if part is not None)
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
