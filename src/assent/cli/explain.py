"""The command `explain`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from assent.cli import completion, options, output
from assent.cli.records import show_moment
from assent.cli.run import finish, open_workspace
from assent.core.digest import short
from assent.core.entry import Entry
from assent.core.history import note_words
from assent.recording.models import recorded_model
from assent.verbs.explain import ExplainResult, Recalled, explain, recall


@click.command()
@options.model
@click.option(
    "--bundle",
    "-b",
    "name",
    help="A bundle, version or revision instead.",
    shell_complete=completion.names,
)
@click.option(
    "--stage",
    "-s",
    help="Explain promoting to this stage instead of registering.",
    shell_complete=completion.stages,
)
@click.option("--if-approved-by", "people", multiple=True, help="What if this person approved?")
@click.option(
    "--entry",
    type=click.IntRange(min=0),
    help="Explain what this entry of the ledger has decided, as it was recorded then.",
)
@options.shared
def command(
    model: str | None,
    name: str | None,
    stage: str | None,
    people: tuple[str, ...],
    entry: int | None,
    as_json: bool,
    config: Path | None,
) -> None:
    """Show why the verdict is what it is.

    That includes who approved, who does not count, and who is still needed. Nothing is written.
    With --entry it is what was decided then, on the findings of then, and nothing is judged again.

    \b
    Example:
      assent explain
      assent explain --bundle v12 --stage production --if-approved-by grace
      assent explain --entry 57
    """
    if entry is not None and (name or stage or people):
        raise click.UsageError(
            "--entry is about what was decided; --bundle, --stage and --if-approved-by are about "
            "what would be decided now: give one or the other"
        )
    workspace = open_workspace(config)
    if entry is not None:
        known = recorded_model(workspace, model)
        finish(recall(workspace, known, entry), as_json, show_recalled)
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
    output.hanging(f"{result.step} {what} of {result.model}{supposed}:")
    output.decision(result.verdict)
    output.findings(result.verdict.findings)
    output.heard(result.approvals.heard)
    output.line(f"  by the policy {short(result.policy)}")
    output.line(f"  at {result.clock.now} {result.clock.words}")
    _show_notes(result.notes)


def show_recalled(result: Recalled) -> None:
    """What was decided then, for people."""
    output.line(f"{result.model}, as it was decided and recorded then:")
    show_moment(result.moment)
    entry = result.moment.entry
    if result.verdict is None:
        output.line("nothing was judged for this entry")
    else:
        output.decision(result.verdict)
        output.findings(result.verdict.findings, all_of_them=True)
    if result.lacks_figures:
        output.hanging("the release that wrote this entry kept no figures: its evidence has them")
    if result.override is not None:
        output.line("it was done all the same:")
        show_moment(result.override)
    if entry.verdict is not None:
        output.line(f"  by the policy {entry.verdict.policy}")
    if entry.verdict is not None and entry.verdict.evidence is not None:
        output.line(f"  on the evidence {entry.verdict.evidence}")
    _show_notes(result.notes, "noted since:")


def _show_notes(notes: Iterable[Entry], title: str = "noted:") -> None:
    for number, note in enumerate(notes):
        if number == 0:
            output.line(title)
        output.hanging(note_words(note), first=2, below=4)
