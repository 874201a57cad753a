"""The command `explain`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.run import finish, open_workspace
from assent.core.digest import short
from assent.verbs.explain import ExplainResult, explain


@click.command()
@options.model
@click.option("--bundle", "-b", "name", help="A bundle, version or revision instead.")
@click.option("--stage", "-s", help="Explain promoting to this stage instead of registering.")
@click.option("--if-approved-by", "people", multiple=True, help="What if this person approved?")
@options.shared
def command(
    model: str | None,
    name: str | None,
    stage: str | None,
    people: tuple[str, ...],
    as_json: bool,
    config: Path | None,
) -> None:
    """Show why the verdict is what it is.

    That includes who approved, who does not count, and who is still needed. Nothing is written.

    \b
    Example:
      assent explain
      assent explain --bundle v12 --stage production --if-approved-by grace
    """
    workspace = open_workspace(config)
    result = explain(
        workspace,
        workspace.model(model),
        name=name,
        stage=stage,
        suppose=[workspace.forge.person(person) for person in people],
    )
    finish(result, as_json, show)


def show(result: ExplainResult) -> None:
    """The result for people."""
    what = short(result.bundle) if result.version is None else f"v{result.version}"
    supposed = f", if {' and '.join(result.supposed)} approved" if result.supposed else ""
    output.line(f"{result.step} {what} of {result.model}{supposed}:")
    output.decision(result.verdict)
    output.findings(result.verdict.findings)
    output.heard(result.approvals.heard)
    output.line(f"  by the policy {short(result.policy)}")
    output.line(f"  at {result.clock.now} {result.clock.words}")
