"""The commands of `store`."""

from __future__ import annotations

import click

from assent.cli.main import Verbs

VERBS = {
    "copy": "Copy what the ledgers name to another store.",
    "du": "Show how many bytes each model keeps.",
    "gc": "Take away what nothing refers to any more.",
}
"""Every verb of the group with its short help."""


@click.group(cls=Verbs, verbs=VERBS, of="store_", subcommand_metavar="VERB [ARGS]...")
def command() -> None:
    """Look after the store: copy it, see what it keeps, clean it up.

    What is decided stays in the ledger; see docs/stores.md.

    \b
    Example:
      assent store du
    """
