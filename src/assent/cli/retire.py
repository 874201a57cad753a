"""The command `retire`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output, published
from assent.cli.run import finish, open_workspace
from assent.verbs.retire import retire


@click.command()
@click.argument("version")
@options.reason
@options.model_option
@options.shared
def command(
    version: str, reason: str, model: str | None, as_json: bool, config: Path | None
) -> None:
    """Say that a version must not be promoted any more.

    A VERSION that a stage holds is refused.

    \b
    Example:
      assent retire v3 --reason "trained on withdrawn data"
    """
    workspace = open_workspace(config)
    result = retire(workspace, workspace.model(model), version, reason=reason)
    finish(result, as_json, output.decided, published.decided)
