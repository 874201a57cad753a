"""The command `promote`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import completion, options, output, published
from assent.cli.run import finish, open_workspace
from assent.verbs.promote import promote


@click.command()
@options.stage
@click.argument("version", required=False, shell_complete=completion.versions)
@options.model_option
@options.environment
@options.override
@options.override_reason
@options.shared
def command(
    stage: str,
    version: str | None,
    model: str | None,
    environment: str | None,
    override: bool,
    reason: str | None,
    as_json: bool,
    config: Path | None,
) -> None:
    """Let a stage hold a version.

    VERSION is the newest one unless it is given, or, where the change that made the newest was
    taken back on the base branch, the one that the branch is back at. The bytes are verified and
    never copied or built again. Exits with 10 if the policy blocks and with 11 if approvals or
    time are missing; nothing is written then.

    \b
    Example:
      assent promote staging
      assent promote production v12 --model churn
    """
    workspace = open_workspace(config)
    result = promote(
        workspace,
        workspace.model(model),
        stage,
        version=version,
        override=override,
        reason=reason,
        environment=environment,
    )
    finish(result, as_json, output.decided, published.decided)
