"""The command `bundle`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.flags import flag
from assent.cli.published import Published, sentence
from assent.cli.run import finish, open_workspace
from assent.making.packing import BundleResult
from assent.verbs.bundle import bundle


@click.command()
@options.model
@click.option(
    "--output",
    "-o",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the bundle to this folder, for another job, and not to the store.",
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path, file_okay=False),
    help="Store the bundle in this folder, made by another job: verified, never executed.",
)
@flag("--force", "-f", help="Send what the store has lost of a bundle that it has.")
@options.shared
def command(
    model: str | None,
    folder: Path | None,
    source: Path | None,
    force: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    """Store model files and evidence under one digest.

    \b
    Example:
      assent bundle
      assent bundle churn --output ../made/
      assent bundle churn --from ../made/ --json
    """
    if folder is not None and source is not None:
        raise click.UsageError("--output and --from exclude each other")
    workspace = open_workspace(config)
    result = bundle(
        workspace,
        workspace.model(model),
        output=folder,
        made_in=source,
        progress=output.progress("stored"),
        force=force,
    )
    finish(result, as_json, show, publish)


def show(result: BundleResult) -> None:
    """The result for people."""
    output.line(f"bundle {result.bundle}")
    if result.model_digest is None:
        output.line("  locked: only its name was written")
        return
    new = "nothing new" if result.new_bytes == 0 else f"{result.new_bytes:,} bytes new"
    output.line(
        f"  {output.count(result.files, 'model file')}, "
        f"{output.count(result.size_bytes, 'byte')}; {new} to the store"
    )


def publish(result: BundleResult) -> Published:
    """The result for later steps."""
    return Published(
        outputs={"bundle": result.bundle},
        summary=sentence(result.model, f"bundle `{result.bundle}`"),
        model=result.model,
        metrics=result.metrics,
    )
