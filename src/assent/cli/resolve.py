"""The command `resolve`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import completion, options, output
from assent.cli.published import Published, sentence, version
from assent.cli.run import finish, open_workspace
from assent.verbs.resolve import ResolveResult, resolve


@click.command()
@click.argument("name", shell_complete=completion.names)
@options.model_option
@options.shared
def command(name: str, model: str | None, as_json: bool, config: Path | None) -> None:
    """Show what a stage holds.

    NAME is a stage, or a version such as v12.

    \b
    Example:
      assent resolve production
      assent resolve v12 --model churn --json
    """
    workspace = open_workspace(config)
    finish(resolve(workspace, workspace.model(model), name), as_json, show, publish)


def show(result: ResolveResult) -> None:
    """The result for people: one line that scripts can cut."""
    output.line(f"v{result.version} {result.bundle}")


def publish(result: ResolveResult) -> Published:
    """The result for later steps."""
    where = "" if result.stage is None else f"{result.stage} holds "
    return Published(
        outputs={
            "version": version(result.version),
            "bundle": result.bundle,
            "stage": result.stage or "",
        },
        summary=sentence(result.model, f"{where}v{result.version}, bundle `{result.bundle}`"),
    )
