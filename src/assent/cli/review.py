"""The command `review`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.ci.outputs import SUMMARY_LIMIT
from assent.cli import options, output
from assent.cli.published import JUNIT, REPORT, Published
from assent.cli.run import finish, idle, open_workspace, own_output
from assent.core.digest import short
from assent.core.verdict import Outcome
from assent.report.markdown import to_markdown
from assent.verbs.review import ReviewResult, review


@click.command()
@options.model
@click.option("--bundle", "-b", "name", help="A bundle, version or revision instead.")
@options.exit_zero
@options.shared
def command(
    model: str | None, name: str | None, exit_zero: bool, as_json: bool, config: Path | None
) -> None:
    """Compare the candidate with what is in production.

    Without --bundle the candidate is that of the working tree; whatever is missing of it
    (training, evaluation, bundle) is made first. Exits with 10 if a gate blocks and with 11 if
    approvals are missing.

    \b
    Example:
      assent review
      assent review churn --bundle sha256:… --json
    """
    workspace = open_workspace(config)
    with idle(exit_zero), own_output(as_json) as own:
        result = review(
            workspace,
            workspace.model(model),
            name=name,
            output=own,
            progress=output.progress("stored"),
        )
    finish(result, as_json, show, publish, exit_zero=exit_zero)


def show(result: ReviewResult) -> None:
    """The result for people."""
    diff = result.report.diff
    against = "nothing (no baseline)"
    if diff.baseline is not None:
        version = diff.baseline.version
        against = short(diff.baseline.bundle) + (f" (v{version})" if version else "")
    output.line(f"{result.report.model}: {short(diff.candidate.bundle)} against {against}")
    output.decision(result.report.verdict)
    output.findings(result.report.verdict.findings)
    if result.report.verdict.of(Outcome.WAITING) or result.report.approvals.heard:
        output.heard(result.report.approvals.heard)
    for note in (*result.report.notes, *result.report.rule_changes):
        output.line(f"  note: {note}")
    output.line(f"  comment  {result.comment}")
    output.line(f"  report   {result.html}")


def publish(result: ReviewResult) -> Published:
    """The result for later steps; the summary is the comment, with room for more rows."""
    summary = to_markdown(
        result.report,
        limit_chars=SUMMARY_LIMIT,
        limit_bytes=SUMMARY_LIMIT,
        full_report=result.html.name,
    )
    return Published(
        outputs={
            "verdict": result.decision.value,
            "bundle": result.report.diff.candidate.bundle,
            "report-path": str(result.html),
            "comment": result.comment,
        },
        summary=summary,
        findings=result.report.verdict.findings,
        model=result.report.model,
        metrics=result.report.evidence.metrics,
        files={REPORT: result.html, JUNIT: result.junit},
    )
