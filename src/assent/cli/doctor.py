"""The command `doctor`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.flags import flag
from assent.cli.pages import with_pages
from assent.cli.run import finish, open_workspace
from assent.ports import ProtectionState
from assent.report.escape import visible
from assent.verbs.doctor import DoctorResult, doctor

_GUARDS = {
    ProtectionState.ENFORCED: ("✓ enforced", "green"),
    ProtectionState.MISSING: ("✗ missing ", "red"),
    ProtectionState.UNKNOWN: ("? unknown ", "yellow"),
}


@click.command()
@options.model
@flag("--forge", help="Ask the forge what it enforces here.")
@flag("--strict", help="Exit with 10 unless the forge enforces all of it.")
@flag("--fix", help="Bind the names in assent.yaml to the numbers of their accounts.")
@flag("--store", help="Write a few bytes into the store and beside a ledger in a bucket.")
@options.shared
def command(
    model: str | None,
    forge: bool,
    strict: bool,
    fix: bool,
    store: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    """Say what is missing, and what the forge enforces.

    Everything is only read, but for what two flags say: --store writes a few bytes into the store,
    and beside a ledger in a bucket,
    and --fix writes one thing to assent.yaml: the number of the account behind each login that a
    list names, so that nobody who takes a login over can approve. With --forge, the branch rules,
    environments and permissions are asked for with the token in GITHUB_TOKEN, and each gap is shown
    with the way to close it.

    \b
    Example:
      assent doctor
      assent doctor --forge --strict
    """
    workspace = open_workspace(config)
    models = [workspace.model(model)] if model else sorted(workspace.config.models)
    result = doctor(workspace, models, forge=forge or strict, strict=strict, fix=fix, store=store)
    finish(result, as_json, show)


def show(result: DoctorResult) -> None:
    """The result for people."""
    for check in result.checks:
        mark = click.style("✓", fg="green") if check.is_fine else click.style("✗", fg="red")
        click.echo(f"  {mark} ", nl=False)
        output.line(f"{check.name}: {check.said}")
        if check.hint:
            output.hanging(with_pages(f"→ {check.hint}"), first=6, below=8)
    if result.pinned is not None:
        output.line()
        output.text(
            "\n".join(map(visible, result.pinned.diff.splitlines())) or "No name was bound."
        )
        for left in result.pinned.left:
            output.line(f"  not bound: {left}")
    if result.guards is not None:
        output.line()
        output.line("What the forge enforces:")
        for guard in result.guards:
            word, colour = _GUARDS[guard.state]
            click.echo(f"  {click.style(word, fg=colour)}  ", nl=False)
            output.line(guard.name)
            output.line(f"              {guard.reason}")
            if guard.remedy:
                output.line(f"              → {guard.remedy}")
