"""The command `clear`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output, published
from assent.cli.run import finish, open_workspace
from assent.verbs.clear import clear


@click.command()
@options.stage
@options.reason
@options.model_option
@options.shared
def command(stage: str, reason: str, model: str | None, as_json: bool, config: Path | None) -> None:
    """Let a stage hold nothing.

    No earlier version returns to STAGE by itself.

    \b
    Example:
      assent clear shadow --reason "the experiment is over"
    """
    workspace = open_workspace(config)
    finish(
        clear(workspace, workspace.model(model), stage, reason=reason),
        as_json,
        output.decided,
        published.decided,
    )
