"""The command `bundle`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.run import finish, open_workspace
from assent.verbs.bundle import BundleResult, bundle


@click.command()
@options.model
@options.shared
def command(model: str | None, as_json: bool, config: Path | None) -> None:
    """Store model files and evidence under one digest.

    \b
    Example:
      assent bundle
      assent bundle churn --json
    """
    workspace = open_workspace(config)
    name = workspace.model(model)
    finish(bundle(workspace, name, progress=output.progress("stored")), as_json, show)


def show(result: BundleResult) -> None:
    """The result for people."""
    output.line(f"bundle {result.bundle}")
    new = "nothing new" if result.new_bytes == 0 else f"{result.new_bytes:,} bytes new"
    output.line(
        f"  {output.count(result.files, 'model file')}, "
        f"{output.count(result.size_bytes, 'byte')}; {new} to the store"
    )
