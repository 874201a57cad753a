"""A bundle reviewed: judged, described in every form, and shown on the forge."""

from __future__ import annotations

from pathlib import Path

import msgspec

from assent.compare.bundles import LoadedBundle
from assent.core.change import Change
from assent.core.comment_layout import CommentLayout
from assent.core.verdict import Decision, Outcome, Verdict
from assent.errors import ExitCode
from assent.files import write_atomically
from assent.judging.candidate import judge
from assent.judging.landing import of_another_base, require_base
from assent.judging.moved_store import moved_ledger, moved_store
from assent.judging.opinions import all_reviews
from assent.judging.review_notes import (
    baseline_notes,
    candidate_notes,
    reused_notes,
    reverting_notes,
    without_baseline,
)
from assent.judging.rule_changes import guarding_files, proposed_config, rule_changes_of
from assent.making.attachments import read_attachment
from assent.making.bundle_lookup import find
from assent.making.bundles import renew
from assent.making.evidence import MAX_PLOT_BYTES, MAX_PLOTS, PLOTS
from assent.ports import Notice, View
from assent.recording.namesakes import namesake_of_change
from assent.recording.reading import read_ledger, require_merged
from assent.report.html import to_html
from assent.report.jsonform import to_json
from assent.report.junit import to_junit
from assent.report.markdown import to_markdown
from assent.report.review import Plot, ReviewReport
from assent.report.sections.verdict import blocked_by
from assent.workspace import Workspace


class ReviewResult(msgspec.Struct, frozen=True, kw_only=True):
    """The review, and where its forms were written. `comment` is where the forge shows it."""

    decision: Decision
    report: ReviewReport
    comment: str
    html: Path
    json: Path
    junit: Path

    @property
    def exit_code(self) -> ExitCode:
        """0 passed, 10 blocked, 11 waiting for approval."""
        return self.decision.exit_code


def require_own_base(workspace: Workspace, model: str) -> None:
    """Have no verdict stand on a change that goes elsewhere: it may have been green when it went
    to the branch that changes are merged into.
    """
    change = workspace.forge.change()
    why = "" if change is None else of_another_base(workspace, change)
    if change is not None and why:
        workspace.forge.retract(model, why)
        require_base(workspace, change, f"reviewing {model}")


def review_bundle(
    workspace: Workspace,
    model: str,
    name: str,
    *,
    is_reused: bool = False,
    folder: Path | None = None,
) -> ReviewResult:
    """Judge the bundle called `name`, write the forms of its review to `folder`, or where the model
    has its own, and show them on the forge. `is_reused`: nothing was run for it.
    """
    require_merged(workspace, f"reviewing {model}")
    view = read_ledger(workspace, model)
    candidate = find(workspace, view, model, name)
    renew(workspace, candidate.bundle)
    report = report_on(workspace, view, model, candidate, is_reused=is_reused)
    folder = folder or workspace.work / "review" / model
    paths = {form: folder / form for form in ("report.html", "review.json", "junit.xml")}
    write_atomically(paths["report.html"], to_html(report).encode())
    write_atomically(paths["review.json"], to_json(report))
    write_atomically(paths["junit.xml"], to_junit(report))
    shown = str(paths["report.html"].relative_to(workspace.root))
    if workspace.is_in_forge_ci and workspace.run is not None:
        shown = workspace.run.address or shown  # the file goes with the machine; its run keeps it
    comment = workspace.forge.comment(
        Notice(
            model=model,
            bundle=candidate.bundle.digest,
            body=to_markdown(report, full_report=shown, layout=_layout(workspace, model)),
            decision=report.verdict.decision,
            sentence=_sentence(report.verdict),
        )
    )
    return ReviewResult(
        decision=report.verdict.decision,
        report=report,
        comment=comment,
        html=paths["report.html"],
        json=paths["review.json"],
        junit=paths["junit.xml"],
    )


def _layout(workspace: Workspace, model: str) -> CommentLayout:
    """As the base branch says: what a change shows of itself is not up to the change."""
    base = workspace.base_config()
    config = base if base is not None and model in base.models else workspace.config
    return config.models[model].comment


def report_on(
    workspace: Workspace,
    view: View,
    model: str,
    candidate: LoadedBundle,
    *,
    is_reused: bool = False,
) -> ReviewReport:
    """Everything a review says about a candidate. `is_reused`: nothing was run for it."""
    change = workspace.change()
    policy = workspace.base_policy(model)
    own = workspace.config.policies[model]
    proposed, problem = proposed_config(workspace, change)
    judgement = judge(
        workspace,
        view,
        policy or (proposed or workspace.config).policies.get(model) or own,
        candidate,
        reviews=all_reviews(workspace, view, model, candidate.bundle.digest),
        change=change,
        weights=True,
    )
    return ReviewReport(
        model=model,
        diff=judgement.diff,
        verdict=judgement.verdict,
        approvals=judgement.approvals,
        policy=judgement.policy,
        scope=judgement.scope,
        evidence=candidate.evidence,
        at=workspace.now,
        rule_changes=(
            *((problem,) if proposed is None else rule_changes_of(workspace, model, proposed)),
            *guarding_files(workspace, change),
            *namesake_of_change(workspace, model, change),
        ),
        notes=(
            *(reused_notes(workspace, candidate, change) if is_reused else ()),
            *reverting_notes(workspace, view, candidate, change),
            *((without_baseline(view),) if judgement.diff.baseline is None else ()),
            *candidate_notes(workspace, candidate, policy),
            *moved_store(workspace, view, candidate, proposed),
            *moved_ledger(workspace, proposed),
            *baseline_notes(view, judgement.diff.baseline),
        ),
        change_id=change.id,
        change_title=_title(change),
        change_address=change.address,
        repository=change.repository,
        notify=(policy or own).notify,
        plots=_plots(workspace, candidate),
    )


def _plots(workspace: Workspace, candidate: LoadedBundle) -> tuple[Plot, ...]:
    """The plots of the candidate; those that are too large for a page by name."""
    evidence = candidate.evidence
    plots = [attachment for attachment in evidence.attachments if attachment.path.startswith(PLOTS)]
    return tuple(
        Plot(
            name=attachment.path.removeprefix(PLOTS),
            media_type=attachment.media_type,
            content=read_attachment(workspace, evidence, attachment.digest)
            if attachment.size_bytes <= MAX_PLOT_BYTES
            else b"",
            size_bytes=attachment.size_bytes,
        )
        for attachment in plots[:MAX_PLOTS]
    )


def _sentence(verdict: Verdict) -> str:
    """The verdict in a few words, for a list of checks."""
    total = len(verdict.findings)
    match verdict.decision:
        case Decision.PASSED:
            return "nothing is in the way"
        case Decision.PENDING:
            return f"{len(verdict.of(Outcome.WAITING))} of {total} wait for somebody"
        case Decision.BLOCKED:
            return blocked_by(verdict) if total else "nothing was judged"


def _title(change: Change) -> str | None:
    return None if change.landed else change.title
