"""The command `retire`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import completion, options, output, published
from assent.cli.flags import flag
from assent.cli.run import finish, open_workspace
from assent.verbs.retire import retire


@click.command()
@click.argument("version", shell_complete=completion.versions)
@options.reason
@flag("--purge", help="Take its bytes away, too, for good; the ledger says so.")
@options.model_option
@options.shared
def command(
    version: str,
    reason: str,
    purge: bool,
    model: str | None,
    as_json: bool,
    config: Path | None,
) -> None:
    """Say that a version must not be promoted any more.

    A VERSION that a stage holds is refused. With --purge its bytes leave the store, but for those
    that other bundles need; no verb gives it out any more.

    \b
    Example:
      assent retire v3 --reason "trained on withdrawn data"
      assent retire v3 --purge --reason "the data must be erased"
    """
    workspace = open_workspace(config)
    result = retire(workspace, workspace.model(model), version, reason=reason, purge=purge)
    finish(result, as_json, output.decided, published.decided)
