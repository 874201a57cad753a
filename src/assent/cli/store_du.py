"""The command `store du`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.run import finish, open_workspace
from assent.report.numbers import size
from assent.verbs.store_du import ModelUse, StoreDuResult, store_du


@click.command()
@options.shared
def command(as_json: bool, config: Path | None) -> None:
    """Show how many bytes each model keeps.

    Each blob is counted once. What several models share is in the line of each of them, and told
    at the end.

    \b
    Example:
      assent store du
      assent store du --json
    """
    finish(store_du(open_workspace(config)), as_json, show)


def show(result: StoreDuResult) -> None:
    """The result for people."""
    width = max((len(use.model) for use in result.models), default=0)
    for use in result.models:
        output.line(f"{use.model:<{width}}  {size(use.size_bytes):>9}  {_about(use)}")
    if result.shared_bytes:
        output.line(f"{size(result.shared_bytes)} of it are shared by several models")
    if result.unneeded is None:
        output.line("what no bundle needs: not known, for a registry lists no blobs")
    elif result.unneeded:
        blobs = output.count(result.unneeded, "blob")
        output.line(
            f"{size(result.unneeded_bytes)} in {blobs} that no bundle needs: `assent store gc`"
        )
    if result.damaged:
        output.line(
            f"{output.count(result.damaged, 'manifest')} cannot be read: `assent verify` says more"
        )
    output.line(f"{size(result.size_bytes)} in {result.store}")


def _about(use: ModelUse) -> str:
    parts = [output.count(use.versions, "version"), output.count(use.candidates, "candidate")]
    if not use.is_known:
        parts = [f"{output.count(use.candidates, 'bundle')} of another repository"]
    if use.purged:
        parts.append(f"{use.purged:,} purged")
    if use.own_bytes != use.size_bytes:
        parts.append(f"{size(use.own_bytes)} of its own")
    return ", ".join(parts)
