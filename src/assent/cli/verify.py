"""The command `verify`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.flags import flag
from assent.cli.published import Published, sentence
from assent.cli.run import finish, open_workspace
from assent.errors import UsageError
from assent.ports import BUNDLE_AGAIN
from assent.verbs.recover import Recovered
from assent.verbs.recover import recover as give_up
from assent.verbs.verify import MOST_NAMED, Area, VerifyResult, verify

MOST_SHOWN = 50
"""How many faults are shown to people."""


@click.command()
@options.model
@flag("--repair", help="Derive again what can be: state and pointers.")
@flag("--recover", help="Give up entries that the ledger has lost. Needs --reason; for a person.")
@click.option("--reason", metavar="TEXT", help="Why they are given up. It is kept for ever.")
@flag("--blobs/--no-blobs", default=True, show_default=True, help="Read every byte in the store.")
@options.shared
def command(
    model: str | None,
    repair: bool,
    recover: bool,
    reason: str | None,
    blobs: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    """Read the ledger and the store whole and say what is wrong.

    Exits with 4 if anything is left that does not verify. A repair derives what can be derived
    from a ledger that verifies. Where the store knows entries that the ledger has lost, it
    changes nothing: the lost entries are brought back from a clone, or a person gives them up
    with --recover.

    \b
    Example:
      assent verify
      assent verify churn --repair --json
    """
    workspace = open_workspace(config)
    known = sorted({*workspace.config.models, *workspace.ledger.models()})
    if model is not None and model not in known:
        raise UsageError(
            f"looking for the model {model!r}",
            "neither assent.yaml nor a ledger has it",
            hint=f"there is {', '.join(known)}",
        )
    if recover:
        doing = "recovering a ledger that has lost entries"
        if model is None and len(known) != 1:
            raise UsageError(doing, "no model is named", hint=f"name one: {', '.join(known)}")
        if reason is None:
            raise UsageError(doing, "no reason is given", hint="say why with --reason")
        done = give_up(workspace, model or known[0], reason=reason)
        finish(done, as_json, show_recovered, publish_recovered)
    models = known if model is None else [model]
    finish(verify(workspace, models, repair=repair, blobs=blobs), as_json, show, publish)


def show_recovered(result: Recovered) -> None:
    """What was given up, for people."""
    for name, entry in sorted(result.given_up.items()):
        output.line(f"given up: {name}: {entry}")
    for name in result.restored:
        output.line(f"restored: {name}")
    output.line(f"noted as entry {result.seq} of the ledger of {result.model}")
    if result.numbers:
        numbers = ", ".join(f"v{number}" for number in result.numbers[:5])
        output.line(f"later versions get numbers that were given before: {numbers}")


def publish_recovered(result: Recovered) -> Published:
    """The result for people who read the summary."""
    what = f"lost entries given up, noted as entry {result.seq}"
    return Published(outputs={}, summary=sentence(result.model, what))


def show(result: VerifyResult) -> None:
    """The result for people."""
    for fault in result.faults[:MOST_SHOWN]:
        is_said = fault.seq is None or fault.problem.startswith(f"entry {fault.seq}:")
        where = "" if is_said else f", first bad entry {fault.seq}"
        state = "repaired" if fault.repaired else "BROKEN"
        output.line(f"{state}: {fault.model}: {fault.area}{where}: {fault.problem}")
    _say_more(len(result.faults) - MOST_SHOWN, "fault")
    for what in result.not_compared:
        output.line(f"not compared: {what}")
    for odd in result.odd_dates[:MOST_NAMED]:
        doubt = odd.doubt
        output.line(f"odd date: {odd.model}: entry {doubt.seq} says {doubt.at}, {doubt.why}")
    _say_more(len(result.odd_dates) - MOST_NAMED, "date")
    for what in result.incomplete:
        output.line(f"incomplete: {what}")
    left = [fault for fault in result.faults if not fault.repaired]
    if result.incomplete or any(fault.area is Area.BLOBS for fault in left):
        output.line(f"  hint: {BUNDLE_AGAIN}")
    if any(fault.is_lost for fault in result.faults):
        output.line(
            "  hint: push the entries again from a clone that has them, or restore the objects "
            "that a bucket has kept; where nobody has, a person gives them up with `assent verify "
            "--recover --reason …`, and whoever has a clone that had seen them does so there too"
        )
    elif any(fault.area is Area.POINTERS and not fault.repaired for fault in result.faults):
        output.line("  hint: `assent verify --repair` writes pointers as the ledger has them")
    verdict = "verified" if result.exit_code == 0 else "not verified"
    output.line(
        f"{verdict}: {output.count(len(result.models), 'model')}, "
        f"{output.count(result.entries, 'entry', 'entries')}, "
        f"{output.count(result.versions, 'version')}, {output.count(result.blobs, 'blob')}, "
        f"{output.count(result.candidates, 'candidate')}"
        + (f", {output.count(result.purged, 'version')} purged" if result.purged else "")
    )


def publish(result: VerifyResult) -> Published:
    """The result for people who read the summary."""
    left = [fault for fault in result.faults if not fault.repaired]
    summary = f"{output.count(len(result.faults), 'fault')}, {len(left):,} left"
    summary = summary if result.faults else "ledger and store verify"
    models = ", ".join(result.models) or "nothing"
    return Published(outputs={}, summary=sentence(models, summary))


def _say_more(count: int, what: str) -> None:
    if count > 0:
        output.line(f"  and {output.count(count, what)} more: --json has all of them")
