"""The command `site`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.run import finish, open_workspace
from assent.verbs.site import SiteResult, site


@click.command()
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder to write; a new or empty one, or that of an earlier run.",
)
@options.shared
def command(target: Path, as_json: bool, config: Path | None) -> None:
    """Write a static site of all models.

    It is made of the ledgers and the store alone, needs no server, and opens from the folder. Pages
    of which nothing has changed are left as they are. Whoever can read it can read who approved
    what, and every reason that was given: think of that before it is published.

    \b
    Example:
      assent site --to site/
      assent site --to site/ --json
    """
    finish(site(open_workspace(config), target), as_json, show)


def show(result: SiteResult) -> None:
    """The result for people."""
    for model in result.models:
        if model.problem is not None:
            output.line(f"{model.model}: cannot be read: {model.problem}")
            if model.hint:
                output.line(f"  hint: {model.hint}")
        elif model.unread:
            versions = output.count(model.unread, "version")
            output.line(
                f"{model.model}: no evidence of {versions} could be read; its pages say why"
            )
    removed = f", {len(result.removed):,} removed" if result.removed else ""
    output.line(
        f"{output.count(len(result.written), 'file')} written, {result.unchanged:,} unchanged"
        f"{removed}"
    )
    output.line(f"open {result.index}")
