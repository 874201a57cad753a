"""The command `note`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import completion, options, output, published
from assent.cli.run import finish, open_workspace
from assent.verbs.note import note


@click.command()
@click.argument("text")
@options.version("The version it is about.")
@click.option(
    "--stage",
    "-s",
    help="The stage it is about, and the version there.",
    shell_complete=completion.stages,
)
@click.option(
    "--metric",
    "figures",
    metavar="NAME=VALUE",
    multiple=True,
    help="A figure that belongs to it, as a number; may be repeated.",
)
@click.option("--link", "-l", "links", multiple=True, help="NAME=ADDRESS; may be repeated.")
@click.option("--at", "happened", metavar="TIME", help="When it happened: a day, or a time.")
@options.model_option
@options.shared
def command(
    text: str,
    version: str | None,
    stage: str | None,
    figures: tuple[str, ...],
    links: tuple[str, ...],
    happened: str | None,
    model: str | None,
    as_json: bool,
    config: Path | None,
) -> None:
    """Put an event on the record.

    TEXT says what happened: an A/B result, an alert, an incident. The entry is dated now,
    whenever it happened; --at says when, as 2026-01-31 or 2026-01-31T12:00:00+01:00. A note is
    shown wherever its version is: in timeline, show and explain, and in the next review.

    \b
    Example:
      assent note "A/B test: more people stay" --stage production --metric retention=0.412
      assent note "alert 17" --version v12 --link alert=https://alerts.example/17 --at 2026-01-31
    """
    addresses = _pairs(links, "--link", "NAME=ADDRESS")
    numbers = _pairs(figures, "--metric", "NAME=VALUE")
    metrics = {name: _number(name, number) for name, number in numbers.items()}
    workspace = open_workspace(config)
    result = note(
        workspace,
        workspace.model(model),
        text,
        version=version,
        stage=stage,
        links=addresses,
        metrics=metrics,
        happened=happened,
    )
    finish(result, as_json, output.decided, published.decided)


def _pairs(given: tuple[str, ...], option: str, form: str) -> dict[str, str]:
    """Names and what they are given. A name that is there twice is a mistake: which one counts?"""
    named: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name.strip() and equals and value.strip()):
            raise click.BadParameter(f"{text!r} is not {form}", param_hint=option)
        if name in named:
            raise click.BadParameter(f"{name!r} is given twice", param_hint=option)
        named[name] = value
    return named


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        problem = f"{name}={text!r} is not NAME=VALUE with a number such as 0.412"
        raise click.BadParameter(problem, param_hint="--metric") from None
