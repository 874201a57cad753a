"""The command `rollback`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import completion, options, output, published
from assent.cli.run import finish, open_workspace
from assent.verbs.rollback import rollback


@click.command()
@options.stage
@click.option(
    "--to", help="The version; otherwise the one before.", shell_complete=completion.versions
)
@options.optional_reason
@options.model_option
@options.environment
@options.shared
def command(
    stage: str,
    to: str | None,
    reason: str | None,
    model: str | None,
    environment: str | None,
    as_json: bool,
    config: Path | None,
) -> None:
    """Let a stage hold an earlier version again.

    It is the one that STAGE held before, unless --to names another that it has held.

    \b
    Example:
      assent rollback production --reason "complaints from the north"
      assent rollback production --to v11 --reason "incident 42"
    """
    workspace = open_workspace(config)
    result = rollback(
        workspace,
        workspace.model(model),
        stage,
        to=to,
        reason=reason,
        environment=environment,
    )
    finish(result, as_json, output.decided, published.decided)
