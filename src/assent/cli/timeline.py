"""The command `timeline`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.flags import flag
from assent.cli.run import finish, open_workspace
from assent.verbs.timeline import TimelineResult, timeline

_BELOW = " " * 28


@click.command()
@options.model
@click.option(
    "--limit",
    "-n",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="How many of the newest entries.",
)
@flag("--all", "everything", help="All of them, the chain verified.")
@click.option("--version", "-v", help="Only what is about this version and its bundle.")
@options.shared
def command(
    model: str | None,
    limit: int,
    everything: bool,
    version: str | None,
    as_json: bool,
    config: Path | None,
) -> None:
    """Show every decision, newest first.

    \b
    Example:
      assent timeline
      assent timeline churn --version v12 --json
    """
    workspace = open_workspace(config)
    result = timeline(
        workspace, workspace.model(model), limit=None if everything else limit, version=version
    )
    finish(result, as_json, show)


def show(result: TimelineResult) -> None:
    """The result for people."""
    for moment in result.moments:
        entry = moment.entry
        output.line(f"{entry.at}  #{entry.seq:<4} {moment.sentence}  by {entry.actor.login}")
        if entry.approvals and entry.kind not in ("approved", "rejected"):
            people = ", ".join(approval.person.login for approval in entry.approvals)
            output.line(f"{_BELOW}the bundle was approved by {people}")
        if moment.doubt is not None:
            output.line(f"{_BELOW}its date is in doubt: {moment.doubt.why}")
        if entry.happened is not None:
            output.line(f"{_BELOW}happened: {entry.happened}")
        if entry.reason:
            output.line(f"{_BELOW}because: {entry.reason}")
        for name, address in entry.links.items():
            output.line(f"{_BELOW}{name}: {address}")
    left = result.total - len(result.moments)
    extent = f"{len(result.moments)} of {result.total} entries" if left else "that is all"
    begin = f", from entry {result.verified_from} on" if result.verified_from else ""
    output.line(f"{extent}; the chain verifies{begin}")
