"""The one description of what a reviewer is shown. Markdown and HTML both render it.

Rows are ranked and cut before any cell is made: a review of 50,000 metrics costs little more
than one of 50.
"""

from __future__ import annotations

from assent.core.comment_layout import Topic
from assent.core.digest import short
from assent.report.first_screen import first_screen
from assent.report.parts import (
    Cell,
    Document,
    Text,
    Words,
    cell,
    linked,
)
from assent.report.review import ReviewReport
from assent.report.sections import shapes
from assent.report.sections.approvals import approvals_section
from assent.report.sections.data import data_section
from assent.report.sections.deciding import to_decide
from assent.report.sections.gates import gates_section
from assent.report.sections.metrics import metrics_section
from assent.report.sections.model import model_section
from assent.report.sections.plots import plots_section
from assent.report.sections.predictions import predictions_section, what_was_asked
from assent.report.sections.rules import rules_section
from assent.report.sections.sides import commit_link, run_link, sides_section
from assent.report.sections.values import environment_section, values_section
from assent.report.sections.verdict import MARKS, headline

_MAX_AUTHORS = 3


def to_document(report: ReviewReport) -> Document:
    """Describe what the reviewer is to see."""
    has_baseline = report.diff.baseline is not None
    sections = {
        Topic.GATES: gates_section(report),
        Topic.RULES: rules_section(report),
        Topic.METRICS: metrics_section(report.diff),
        Topic.PREDICTIONS: predictions_section(report.diff),
        Topic.DATA: data_section(report.diff.data, has_baseline=has_baseline),
        Topic.MODEL: model_section(report.diff.model_files),
        Topic.PLOTS: plots_section(report),
        Topic.PARAMETERS: values_section("Parameters", "Parameter", report.diff.params),
        Topic.ENVIRONMENT: environment_section(report.diff),
        Topic.APPROVALS: approvals_section(report.approvals, report.repository),
        Topic.SIDES: sides_section(report),
    }
    notes = [*report.notes]
    if report.diff.predictions is not None:
        notes += what_was_asked(report.diff.predictions)
    if report.evidence.code.is_dirty:
        notes.append("The candidate was trained with changes that are not in its commit.")
    screen = first_screen(report)
    return Document(
        model=report.model,
        bundle=report.diff.candidate.bundle,
        mark=MARKS[report.verdict.decision],
        headline=headline(report.model, report.verdict, report.approvals, screen.quality),
        subject=_subject(report),
        figures=screen.figures,
        look_at=screen.look_at,
        to_decide=to_decide(report),
        notes=shapes.lines("Notes", notes),
        sections={topic: section for topic, section in sections.items() if section is not None},
        footer=_footer(report),
    )


def _subject(report: ReviewReport) -> tuple[Cell, ...]:
    """What the change is called, by whom it is, and where it and its parts can be looked at."""
    parts: list[Cell] = []
    if report.change_title:
        parts.append(cell(report.change_title))
    if report.change_id:
        parts.append((linked(report.change_id, report.change_address),))
    if report.approvals.authors:
        parts.append((Words("by"), *shapes.named(report.approvals.authors, _MAX_AUTHORS, "and")))
    commit = report.evidence.code.commit
    if commit:
        parts.append((Words("commit"), commit_link(report, commit)))
    run = report.evidence.run
    if run is not None:
        parts.append((Words("run"), run_link(report, run)))
    return tuple(parts)


def _footer(report: ReviewReport) -> tuple[Cell, ...]:
    return (
        (Words("Candidate"), Text(short(report.diff.candidate.bundle))),
        (Words("Policy"), Text(short(report.policy))),
    )
