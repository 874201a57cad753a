"""The command `ledger move`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.run import finish, open_workspace
from assent.verbs.ledger_move import LedgerMoveResult, ledger_move


@click.command()
@click.argument("target", metavar="TO")
@options.reason
@options.shared
def command(target: str, reason: str, as_json: bool, config: Path | None) -> None:
    """Have every decision elsewhere from now on.

    TO is what `ledger` in assent.yaml may be: `git`, `git:upstream`, or a bucket. Every entry of
    every model is written there byte for byte, and each ledger ends with an entry that says so;
    from then on nothing is written to the old one. Merge `ledger` in assent.yaml right afterwards.
    A move that was cut off goes on where it ended; one to a place that holds other entries is
    refused.

    \b
    Example:
      assent ledger move s3://acme-decisions/churn --reason "nobody may push branches"
      assent ledger move git --reason "the bucket is closed"
    """
    finish(ledger_move(open_workspace(config), target, reason=reason), as_json, show)


def show(result: LedgerMoveResult) -> None:
    """The result for people."""
    for moved in result.models:
        entries = output.count(moved.entries, "entry", "entries")
        output.line(f"{moved.model}: {entries} there, {moved.written} written now")
    output.line(f"moved from {result.source} to {result.target}")
    output.line(
        f"  hint: merge `ledger: {result.target}` in assent.yaml: until then nothing is written"
    )
