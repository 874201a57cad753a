"""The command `note`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output, published
from assent.cli.run import finish, open_workspace
from assent.verbs.note import note


@click.command()
@click.argument("text")
@click.option("--version", "-v", help="The version it is about.")
@click.option("--stage", "-s", help="The stage it is about, and the version there.")
@click.option("--link", "-l", "links", multiple=True, help="NAME=ADDRESS; may be repeated.")
@click.option("--at", "happened", metavar="TIME", help="When it happened: a day, or a time.")
@options.model_option
@options.shared
def command(
    text: str,
    version: str | None,
    stage: str | None,
    links: tuple[str, ...],
    happened: str | None,
    model: str | None,
    as_json: bool,
    config: Path | None,
) -> None:
    """Put an event on the record.

    TEXT says what happened: an A/B result, an alert, an incident. The entry is dated now,
    whenever it happened; --at says when, as 2026-01-31 or 2026-01-31T12:00:00+01:00.

    \b
    Example:
      assent note "A/B test: +1.2% retention" --stage production
      assent note "alert 17" --version v12 --link alert=https://alerts.example/17 --at 2026-01-31
    """
    pairs = {}
    for link in links:
        name, equals, address = link.partition("=")
        if not (name and equals and address):
            raise click.BadParameter(f"{link!r} is not NAME=ADDRESS", param_hint="--link")
        pairs[name] = address
    workspace = open_workspace(config)
    result = note(
        workspace,
        workspace.model(model),
        text,
        version=version,
        stage=stage,
        links=pairs,
        happened=happened,
    )
    finish(result, as_json, output.decided, published.decided)
