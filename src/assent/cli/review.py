"""The command `review`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.ci.outputs import SUMMARY_LIMIT
from assent.cli import completion, options, output
from assent.cli.layout import width
from assent.cli.published import JUNIT, REPORT, Published, sentence
from assent.cli.run import finish, idle, open_workspace, own_output
from assent.core.digest import short
from assent.core.verdict import Outcome
from assent.judging.review import ReviewResult
from assent.report.first_screen import first_section
from assent.report.markdown import to_markdown
from assent.report.text import to_text
from assent.verbs.review import review
from assent.verbs.review_waiting import WaitingResult, plain, review_waiting


@click.command()
@options.model
@click.option(
    "--bundle",
    "-b",
    "name",
    help="A bundle, version or revision instead.",
    shell_complete=completion.names,
)
@click.option(
    "--waiting",
    metavar="JOB",
    help="Instead, the open changes that wait, by the bundles that their CI jobs of this name "
    "have left. For GitLab; on GitHub none waits.",
)
@click.option(
    "--artifact",
    metavar="NAME",
    help="Instead, the bundle that the run which woke this one up has left in the artifact of "
    "this name; otherwise the one that was shown last. For GitHub, in a run on `workflow_run`.",
)
@options.force
@options.exit_zero
@options.shared
def command(
    model: str | None,
    name: str | None,
    waiting: str | None,
    artifact: str | None,
    force: bool,
    exit_zero: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    """Compare the candidate with what is in production.

    Without --bundle the candidate is that of the working tree; whatever is missing of it
    (training, evaluation, bundle) is made first. Exits with 10 if a gate blocks and with 11 if
    approvals are missing.

    With --artifact or --waiting it runs on the default branch, and nothing of a change is run: its
    bundle is fetched as data, bounded while it streams, and verified. With --waiting, what is wrong
    with one change is said, and the others are reviewed.

    \b
    Example:
      assent review
      assent review churn --bundle sha256:… --json
      assent review churn --artifact assent-bundle
      assent review churn --waiting assent-bundle
    """
    named = {"--bundle": name, "--waiting": waiting, "--artifact": artifact}
    chosen = [option for option, value in named.items() if value is not None]
    if len(chosen) > 1:
        raise click.UsageError(f"{' and '.join(chosen)} exclude each other")
    if force and chosen:
        raise click.UsageError("--force makes a bundle of the working tree, and no other")
    workspace = open_workspace(config)
    if waiting is not None:
        all_of_them = review_waiting(workspace, workspace.model(model), waiting)
        is_quiet = exit_zero and not all_of_them.failures
        finish(all_of_them, as_json, show_all, publish_all, exit_zero=is_quiet)
    with idle(exit_zero), own_output(as_json) as own:
        result = review(
            workspace,
            workspace.model(model),
            name=name,
            artifact=artifact,
            force=force,
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
    output.text(to_text([first_section(result.report)], columns=width()))
    output.findings(result.report.verdict.findings)
    if result.report.verdict.of(Outcome.WAITING) or result.report.approvals.heard:
        output.heard(result.report.approvals.heard)
    for note in (*result.report.notes, *result.report.rule_changes):
        output.line(f"  note: {note}")
    output.line(f"  comment  {result.comment}")
    output.line(f"  report   {result.html}")


def show_all(result: WaitingResult) -> None:
    """What was reviewed, for people."""
    for reviewed in result.reviews:
        output.line(f"{reviewed.change}:")
        show(reviewed.result)
    for failure in result.failures:
        output.line(f"{failure.change}: {failure.doing}: {failure.problem}")
        if failure.hint:
            output.line(f"  hint: {failure.hint}")
    if result.left:
        output.line(f"left for the next review: {', '.join(result.left)}")
    if not (result.reviews or result.failures or result.left):
        output.line(f"{result.model}: no change waits for a review")


def publish_all(result: WaitingResult) -> Published:
    """What was reviewed, for people who look at the job."""
    files: dict[str, Path] = {}
    links = []
    for reviewed in result.reviews:
        report, junit = (
            name.replace(".", f"-{plain(reviewed.change)}.") for name in (REPORT, JUNIT)
        )
        files |= {report: reviewed.result.html, junit: reviewed.result.junit}
        links.append((f"Full report on {result.model} in {reviewed.change}", report))
        links.append((f"Note on {result.model} in {reviewed.change}", reviewed.result.comment))
    return Published(
        outputs={},
        summary="\n".join(
            sentence(result.model, f"{reviewed.change}: {reviewed.result.decision.value}")
            for reviewed in result.reviews
        ),
        links=links,
        files=files,
    )


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
