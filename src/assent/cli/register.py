"""The command `register`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output, published
from assent.cli.run import finish, open_workspace
from assent.verbs.register import register


@click.command()
@options.model
@click.option("--bundle", "-b", "name", help="The bundle; otherwise that of the merged inputs.")
@options.override
@options.override_reason
@options.shared
def command(
    model: str | None,
    name: str | None,
    override: bool,
    reason: str | None,
    as_json: bool,
    config: Path | None,
) -> None:
    """Give the approved bytes of what was merged a version number.

    Runs on the base branch after the merge. Exits with 10 if the policy blocks and with 11 if
    approvals are missing; nothing is written then.

    \b
    Example:
      assent register
      assent register churn --json
    """
    workspace = open_workspace(config)
    result = register(
        workspace, workspace.model(model), name=name, override=override, reason=reason
    )
    finish(result, as_json, output.decided, published.decided)
