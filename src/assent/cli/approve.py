"""The command `approve`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import completion, options, output
from assent.cli.flags import flag
from assent.cli.published import Published, sentence, version
from assent.cli.run import finish, idle, open_workspace
from assent.core.digest import short
from assent.core.verdict import Verdict
from assent.verbs.approve import ApproveResult, approve


@click.command()
@options.model
@click.option(
    "--bundle",
    "-b",
    "name",
    help="A bundle, version or revision instead.",
    shell_complete=completion.names,
)
@click.option("--as", "by", help="Approve in the name of this person (local forge only).")
@flag("--reject", help="With --as: ask for changes instead.")
@click.option("--reason", "-r", help="With --as: why.")
@options.exit_zero
@options.shared
def command(
    model: str | None,
    name: str | None,
    by: str | None,
    reject: bool,
    reason: str | None,
    exit_zero: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    """Record the approvals that count.

    Approvals are read from the forge; on a laptop without one, --as gives them. Exits with 10 if
    the approval given does not count and with 11 if more are needed.

    \b
    Example:
      assent approve --as grace
      assent approve churn --bundle v12 --as grace --json
    """
    if reject and by is None:
        raise click.UsageError("--reject needs --as")
    workspace = open_workspace(config)
    with idle(exit_zero):
        result = approve(
            workspace, workspace.model(model), name=name, by=by, reject=reject, reason=reason
        )
    finish(result, as_json, show, publish, exit_zero=exit_zero)


def show(result: ApproveResult) -> None:
    """The result for people."""
    for other in result.others:
        show(other)
    number = "" if result.version is None else f" (v{result.version})"
    output.line(f"{result.model}: {short(result.bundle)}{number}")
    output.heard(result.heard)
    output.findings(result.findings)
    for stage, heard in result.stages.items():
        given = ", ".join(review.person.login for review in heard.counted) or "nobody"
        output.line(f"  for {stage}: {len(heard.counted)} of {heard.required}, {given}")
    for recorded in result.recorded:
        output.line(f"  recorded: {recorded}")


def publish(result: ApproveResult) -> Published:
    """The result for later steps."""
    recorded = [record for answer in (*result.others, result) for record in answer.recorded]
    records = "; ".join(recorded) or "nothing new to record"
    return Published(
        outputs={
            "verdict": Verdict(findings=result.findings).decision.value,
            "bundle": result.bundle,
            "version": version(result.version),
        },
        summary=sentence(result.model, records, result.findings),
        findings=result.findings,
    )
