"""The command `store gc`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.flags import flag
from assent.cli.run import finish, open_workspace
from assent.core.digest import short
from assent.core.units import show_span, span_s
from assent.errors import UsageError
from assent.keeping.plan import Why
from assent.report.numbers import size
from assent.verbs.store_gc import StoreGcResult, store_gc

MOST_SHOWN = 50
"""How many bundles are named to people."""


@click.command()
@click.option(
    "--older-than",
    metavar="SPAN",
    default="30d",
    show_default=True,
    help="Only what nobody has used for so long; a day (1d) at least.",
)
@flag("--delete", help="Take it away; otherwise it is only shown.")
@options.shared
def command(older_than: str, delete: bool, as_json: bool, config: Path | None) -> None:
    """Take away what nothing refers to any more.

    What a ledger, a pointer, assent.lock or a branch refers to stays, and so does what Assent did
    not write, what is of models of other repositories, and whatever may still be needed.

    \b
    Example:
      assent store gc
      assent store gc --older-than 90d --delete
    """
    try:
        older_than_s = span_s(older_than)
    except ValueError as error:
        raise UsageError("reading --older-than", str(error)) from None
    result = store_gc(open_workspace(config), older_than_s=older_than_s, delete=delete)
    finish(result, as_json, show)


def show(result: StoreGcResult) -> None:
    """The result for people."""
    for one in result.bundles[:MOST_SHOWN]:
        kept = "" if one.removed or not result.deleted else ", stays: it was used again"
        age = show_span(one.age_s)
        output.line(
            f"{one.model} {short(one.bundle)}  {size(one.size_bytes):>9}  {age}: {one.why}{kept}"
        )
    if len(result.bundles) > MOST_SHOWN:
        output.line(f"  and {len(result.bundles) - MOST_SHOWN:,} more: --json has all of them")
    for name, count in result.kept.items():
        output.line(f"kept: {output.count(count, 'bundle')}: {Why[name.upper()]}")
    if result.left_bytes:
        output.line(f"{size(result.left_bytes)} of what dead writers have left")
    if result.spared:
        output.line(f"{output.count(result.spared, 'blob')} used again meanwhile: kept")
    gone = [one for one in result.bundles if one.removed or not result.deleted]
    blobs = "" if result.blobs is None else f" and {output.count(result.blobs, 'other blob')}"
    what = f"{output.count(len(gone), 'bundle')}{blobs}, {size(result.size_bytes)}"
    if result.deleted:
        output.line(f"taken away: {what}")
        return
    output.line(f"would be taken away: {what}")
    if result.bundles or result.blobs:
        output.line("  hint: --delete does it")
