"""The command `init`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import output
from assent.cli.run import finish
from assent.verbs.init import InitResult, init


@click.command()
@click.option("--name", help="The model's name; otherwise that of the folder.")
@click.option("--force", "-f", is_flag=True, help="Replace an assent.yaml that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON for machines.")
def command(name: str | None, force: bool, as_json: bool) -> None:
    """Write an assent.yaml by looking at the repository.

    \b
    Example:
      assent init
      assent init --name churn
    """
    finish(init(Path.cwd(), name=name, force=force), as_json, show)


def show(result: InitResult) -> None:
    """The result for people."""
    output.line(f"wrote {result.path.name} for the model {result.model}")
    for key, value in result.found.items():
        output.line(f"  found {key}: {value}")
    if result.to_check:
        output.line(f"  please correct: {', '.join(result.to_check)}")
    output.line("next: check it, then run `assent review`")
