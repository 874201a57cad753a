"""The command `store copy`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.flags import flag
from assent.cli.run import finish, open_workspace
from assent.report.numbers import size
from assent.verbs.store_copy import Lacking, StoreCopyResult, store_copy

MOST_SHOWN = 50
"""How many bundles are named to people."""


@click.command()
@click.argument("target", metavar="TO")
@click.option(
    "--from", "source", metavar="STORE", help="The store to copy from; else the one of assent.yaml."
)
@click.option(
    "--only",
    "names",
    multiple=True,
    metavar="NAME",
    help="A version such as v12, or a stage; may be given again. Otherwise all there is.",
)
@flag("--moved", help="Record in the ledgers that the store has moved there; needs --reason.")
@options.override_reason
@options.model_option
@options.shared
def command(
    target: str,
    source: str | None,
    names: tuple[str, ...],
    moved: bool,
    reason: str | None,
    model: str | None,
    as_json: bool,
    config: Path | None,
) -> None:
    """Copy what the ledgers name to another store.

    TO is what `store` in assent.yaml may be: a folder, a container registry or a bucket.
    Versions, candidates, pointers and hints are copied, with their digests; what is there is not
    sent again, so that it goes on where it was cut off. Exits with 4 if a version was lacking or
    damaged; the rest is copied.

    \b
    Example:
      assent store copy oci://ghcr.io/acme/churn/assent
      assent store copy /mnt/serving --only production --model churn
      assent store copy oci://ghcr.io/acme/churn/assent --moved --reason "hosted machines"
    """
    workspace = open_workspace(config)
    result = store_copy(
        workspace,
        target,
        source=source,
        model=model,
        names=names,
        reason=reason,
        is_move=moved,
        progress=output.progress("copying"),
    )
    finish(result, as_json, show)


def show(result: StoreCopyResult) -> None:
    """The result for people."""
    for what, bundles in (("MISSING", result.lacking), ("incomplete", result.incomplete)):
        for lacking in bundles[:MOST_SHOWN]:
            output.line(f"{what}: {lacking.model}{_which(lacking)}: {lacking.problem}")
        if len(bundles) > MOST_SHOWN:
            output.line(f"  and {len(bundles) - MOST_SHOWN:,} more: --json has all of them")
    parts = [
        output.count(result.versions, "version"),
        output.count(result.candidates, "candidate"),
        f"{size(result.sent_bytes)} sent",
        f"{output.count(result.pointers, 'pointer')} written",
    ]
    if result.purged:
        parts.append(f"{output.count(result.purged, 'version')} purged before")
    done = "copied" if not result.lacking else "NOT ALL COPIED"
    output.line(f"{done} from {result.source} to {result.target}: {', '.join(parts)}")
    for entry in result.entries:
        output.line(f"  ledger entry {entry.seq} of {entry.model}: {entry.kind}")


def _which(lacking: Lacking) -> str:
    if lacking.version is not None:
        return f" v{lacking.version}"
    return "" if lacking.bundle is None else f" {lacking.bundle}"
