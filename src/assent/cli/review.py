"""The command `review`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.run import finish, open_workspace
from assent.core.digest import short
from assent.core.verdict import Outcome
from assent.verbs.review import ReviewResult, review


@click.command()
@options.model
@click.option("--bundle", "-b", "name", help="A bundle, version or revision instead.")
@options.shared
def command(model: str | None, name: str | None, as_json: bool, config: Path | None) -> None:
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
    own = sys.stderr.fileno() if as_json else None
    result = review(
        workspace,
        workspace.model(model),
        name=name,
        output=own,
        progress=output.progress("stored"),
    )
    finish(result, as_json, show)


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
