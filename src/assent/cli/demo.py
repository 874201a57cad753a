"""The command `demo`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import output
from assent.cli.flags import flag
from assent.cli.run import finish
from assent.verbs.demo import DemoResult, demo


@click.command()
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="A new folder to play in; otherwise a temporary one.",
)
@flag("--json", "as_json", help="Print the result as JSON for machines.")
def command(folder: Path | None, as_json: bool) -> None:
    """Play the whole story in a new repository.

    With real data, real training and the real verbs.

    \b
    Example:
      assent demo
      assent demo --to /tmp/assent-demo
    """
    import tempfile

    place = folder or Path(tempfile.mkdtemp(prefix="assent-demo-"))
    result = demo(place.absolute(), say=lambda text: click.echo(text, err=as_json))
    finish(result, as_json, show)


def show(result: DemoResult) -> None:
    """The result for people."""
    output.line()
    output.line(f"{result.commands} commands, all with the real verbs, in {result.folder}")
    output.line(f"open the last review in a browser: {result.report}")
