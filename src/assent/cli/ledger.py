"""The commands of `ledger`."""

from __future__ import annotations

import click

from assent.cli.main import Verbs

VERBS = {"move": "Have every decision elsewhere from now on."}
"""Every verb of the group with its short help."""


@click.group(cls=Verbs, verbs=VERBS, of="ledger_", subcommand_metavar="VERB [ARGS]...")
def command() -> None:
    """Look after the ledger: have it in Git or in a bucket.

    See docs/stores.md.

    \b
    Example:
      assent ledger move s3://acme-decisions/churn --reason "nobody may push branches"
    """
