"""The command `train`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.published import Published, sentence
from assent.cli.run import finish, open_workspace, own_output
from assent.core.digest import short
from assent.making.training import TrainResult
from assent.verbs.train import train


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
    with own_output(as_json) as own:
        result = train(workspace, workspace.model(model), force=force, output=own)
    finish(result, as_json, show, publish)


def show(result: TrainResult) -> None:
    """The result for people."""
    if result.model_digest is None:
        output.line(f"nothing trained: bundle {short(result.reused or '')} is locked")
    elif result.reused is not None:
        output.line(f"model {short(result.model_digest)} of bundle {short(result.reused)}")
    elif result.step is not None:
        output.line(f"trained {short(result.model_digest)} in {result.step.wall_s:.1f} s")


def publish(result: TrainResult) -> Published:
    """The result for later steps."""
    if result.model_digest is None:
        locked = f"nothing trained: bundle `{result.reused}` is locked"
        return Published(outputs={}, summary=sentence(result.model, locked))
    done = "trained" if result.reused is None else "inputs unchanged, reused"
    what = f"{done} model `{short(result.model_digest)}`"
    return Published(outputs={}, summary=sentence(result.model, what))
