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


_WORDS = {
    Why.REFERRED: "a ledger, a pointer or a lock refers to it",
    Why.ELSEWHERE: "it is of a model that this repository does not know",
    Why.NAMED: "somebody has given it a name",
    Why.YOUNG: "it was used since",
    Why.UNCOUNTED: "how old it is was not counted yet, and is from now on",
    Why.OPEN: "a change may be open: a branch ends with its commit, or it is shown",
    Why.EXPIRED: "nothing refers to it",
    Why.PURGED: "it is of a version that was purged",
}


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
    for old in result.bundles[:MOST_SHOWN]:
        kept = "" if old.removed or not result.deleted else f", stays: {_stays(old.why)}"
        age, words = show_span(old.age_s), _WORDS[old.why]
        output.line(
            f"{old.model} {short(old.bundle)}  {size(old.size_bytes):>9}  {age}: {words}{kept}"
        )
    if len(result.bundles) > MOST_SHOWN:
        output.line(f"  and {len(result.bundles) - MOST_SHOWN:,} more: --json has all of them")
    for why, count in result.kept.items():
        output.line(f"kept: {output.count(count, 'bundle')}: {_WORDS[why]}")
    if result.uncounted:
        counted = "they are counted from now on" if result.deleted else "--delete begins to count"
        output.line(f"kept: {output.count(result.uncounted, 'blob')} of unknown age: {counted}")
    if result.stuck:
        output.line(f"cannot be taken away: {output.count(len(result.stuck), 'blob')}")
    if result.left_bytes:
        output.line(f"{size(result.left_bytes)} of what dead writers have left")
    if result.spared:
        output.line(f"{output.count(result.spared, 'blob')} used again meanwhile: kept")
    gone = [old for old in result.bundles if old.removed or not result.deleted]
    blobs = "" if result.blobs is None else f" and {output.count(result.blobs, 'other blob')}"
    what = f"{output.count(len(gone), 'bundle')}{blobs}, {size(result.size_bytes)}"
    if result.deleted:
        output.line(f"taken away: {what}")
        return
    output.line(f"would be taken away: {what}")
    if result.bundles or result.blobs or result.uncounted:
        output.line("  hint: --delete does it")


def _stays(why: Why) -> str:
    if why is Why.PURGED:
        return "files of it were used within two hours, or are counted from now on"
    return "it was used again"
