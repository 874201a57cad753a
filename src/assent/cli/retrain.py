"""The command `retrain`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.flags import flag
from assent.cli.published import Published, sentence
from assent.cli.run import finish, open_workspace, own_output
from assent.verbs.retrain import RetrainResult, retrain


@click.command()
@options.model
@click.option(
    "--metric", help="The metric that decides; otherwise that of the first gate on one metric."
)
@flag("--dry-run", help="Train and compare, but propose nothing.")
@click.option(
    "--artifact",
    metavar="NAME",
    help="Train nothing: the bundle is what an earlier job of this run has left (on GitHub the "
    "artifact of this name, on GitLab the job).",
)
@options.shared
def command(
    model: str | None,
    metric: str | None,
    dry_run: bool,
    artifact: str | None,
    as_json: bool,
    config: Path | None,
) -> None:
    """Train again, and open a change if the result is better.

    Runs on the newest commit of the base branch, on a schedule for example. If no gate fails and
    the deciding metric is better than that of the version in production, assent.lock names the
    new bundle on the branch retrain/MODEL, and a change is opened that is reviewed, approved,
    merged and registered like any other. If not, nothing is proposed, and the exit code is 0 too.

    In CI one job trains, evaluates and bundles, with a token that can only read, and another one
    proposes what that has left, with --artifact.

    \b
    Example:
      assent retrain
      assent retrain churn --metric roc_auc --dry-run
      assent retrain churn --artifact assent-retrained
    """
    workspace = open_workspace(config)
    with own_output(as_json) as own:
        result = retrain(
            workspace,
            workspace.model(model),
            metric=metric,
            dry_run=dry_run,
            artifact=artifact,
            output=own,
            progress=output.progress("stored"),
        )
    finish(result, as_json, show, publish)


def show(result: RetrainResult) -> None:
    """The result for people."""
    output.line(f"{result.model}: {result.sentence}")
    output.findings(result.failed)
    if result.change is not None:
        output.line(f"  proposed  {result.change}")
    else:
        output.line("  nothing was proposed")


def publish(result: RetrainResult) -> Published:
    """The result for later steps."""
    where = "" if result.change is None else f"; proposed as {result.branch}"
    return Published(
        outputs={"bundle": result.bundle or "", "change": result.change or ""},
        summary=sentence(result.model, f"{result.sentence}{where}", result.failed),
        model=result.model,
    )
