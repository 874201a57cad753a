"""The command `train`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.run import finish, open_workspace
from assent.core.digest import short
from assent.verbs.train import TrainResult, train


@click.command()
@options.model
@options.force
@options.shared
def command(model: str | None, force: bool, as_json: bool, config: Path | None) -> None:
    """Run the team's training command, or reuse what the same inputs gave.

    The command's own exit code is passed on when it fails.

    \b
    Example:
      assent train
      assent train churn --force
    """
    workspace = open_workspace(config)
    # The command's own output must not mix with the JSON on standard output.
    own = sys.stderr.fileno() if as_json else None
    result = train(workspace, workspace.model(model), force=force, output=own)
    finish(result, as_json, show)


def show(result: TrainResult) -> None:
    """The result for people."""
    if result.reused is not None:
        output.line(f"model {short(result.model_digest)} of bundle {short(result.reused)}")
    elif result.step is not None:
        output.line(f"trained {short(result.model_digest)} in {result.step.wall_s:.1f} s")
