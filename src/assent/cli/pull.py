"""The command `pull`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import completion, options, output
from assent.cli.flags import flag
from assent.cli.published import Published, sentence, version
from assent.cli.run import finish, open_workspace
from assent.core.digest import short
from assent.verbs.pull import PullResult, pull


@click.command()
@click.argument("name", shell_complete=completion.names)
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    required=True,
    help="The folder (or file, for a model of one file) to write.",
)
@flag("--force", "-f", help="Replace what stands there.")
@options.model_option
@options.shared
def command(
    name: str, target: Path, force: bool, model: str | None, as_json: bool, config: Path | None
) -> None:
    """Write the served files of a version to a folder.

    NAME is a stage, a version, a bundle or a revision. Every byte is verified.

    \b
    Example:
      assent pull production --to served/
      assent pull v12 --model churn --to /tmp/v12 --force
    """
    workspace = open_workspace(config)
    result = pull(workspace, workspace.model(model), name, target, force=force)
    finish(result, as_json, show, publish)


def show(result: PullResult) -> None:
    """The result for people."""
    what = short(result.bundle) if result.version is None else f"v{result.version}"
    verb = "pulled" if result.is_new else "already there:"
    output.line(
        f"{verb} {what} to {result.path}: {output.count(result.files, 'file')}, "
        f"{output.count(result.size_bytes, 'byte')}"
    )


def publish(result: PullResult) -> Published:
    """The result for later steps."""
    files = output.count(result.files, "file")
    return Published(
        outputs={"version": version(result.version), "bundle": result.bundle},
        summary=sentence(result.model, f"pulled {files} of bundle `{result.bundle}`"),
    )
