"""The command `timeline`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import completion, options, output
from assent.cli.choices import Nearest
from assent.cli.flags import flag
from assent.cli.records import show_moment
from assent.cli.run import finish, open_workspace
from assent.core.entry import Kind
from assent.core.history import actor_words
from assent.core.units import show_span
from assent.recording.models import recorded_model, recorded_models
from assent.verbs.timeline import Asked, ModelTimeline, TimelineResult, timeline


@click.command()
@options.recorded_models
@click.option(
    "--limit",
    "-n",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="How many of the newest entries.",
)
@flag("--all", "everything", help="All of them, the chain verified.")
@click.option("--at", metavar="TIME", help="What stood at this moment, and what had led to it.")
@click.option("--since", metavar="TIME", help="Only what was written, or happened, from then on.")
@click.option("--until", metavar="TIME", help="Only what was written, or happened, up to then.")
@click.option("--by", metavar="WHO", help="Only what this login or id has done or approved.")
@click.option(
    "--stage",
    "-s",
    "stages",
    multiple=True,
    help="Only this stage; may be repeated.",
    shell_complete=completion.stages,
)
@click.option(
    "--kind",
    "-k",
    "kinds",
    multiple=True,
    type=Nearest([kind.value for kind in Kind]),
    help="Only entries of this kind; may be repeated.",
)
@options.version("Only what is about this version and its bundle.")
@flag("--csv", "as_csv", help="Print CSV for spreadsheets, in which nothing is a formula.")
@options.shared
def command(
    models: tuple[str, ...],
    limit: int,
    everything: bool,
    at: str | None,
    since: str | None,
    until: str | None,
    by: str | None,
    stages: tuple[str, ...],
    kinds: tuple[str, ...],
    version: str | None,
    as_csv: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    """Show every decision, newest first.

    Of every model of assent.yaml and of the ledger, or of MODELS, which may have left assent.yaml.
    A TIME is a day in UTC (2026-01-31), a time with its offset, or how long ago (30d); of a day,
    --at and --until mean its end.

    \b
    Example:
      assent timeline
      assent timeline churn --version v12 --json
      assent timeline --at 2026-03-31
      assent timeline --since 90d --stage production --by alice --csv
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json are two forms: give one of them")
    workspace = open_workspace(config)
    names = [recorded_model(workspace, name) for name in models] or recorded_models(workspace)
    if version is not None and len(names) > 1:
        raise click.UsageError(f"--version is of one model: name it ({', '.join(names)})")
    asked = Asked(
        at=at,
        since=since,
        until=until,
        by=by,
        stages=stages,
        kinds=tuple(map(Kind, kinds)),
        version=version,
    )
    result = timeline(
        workspace, tuple(dict.fromkeys(names)), asked, limit=None if everything else limit
    )
    finish(result, as_json, show_csv if as_csv else show)


def show_csv(result: TimelineResult) -> None:
    """The result for spreadsheets. What could not be read is said on standard error."""
    from assent.report.spreadsheet import to_csv

    output.text(to_csv(result.moments).removesuffix("\r\n"))
    matching = sum(model.matching for model in result.models)
    if matching > len(result.moments):
        output.aside(f"{len(result.moments)} of {matching:,} entries: --all gives the others, too")
    for model in result.models:
        if model.problem is not None:
            output.aside(f"{model.model}: cannot be read: {model.problem}")
        _say_doubtful(model)


def show(result: TimelineResult) -> None:
    """The result for people."""
    for model in result.models:
        if model.problem is not None:
            output.hanging(f"{model.model}: cannot be read: {model.problem}")
            if model.hint:
                output.hanging(f"hint: {model.hint}", first=2, below=4)
        elif model.standing is not None:
            _show_standing(model, result.at or "")
    if len(result.people) > 1:
        people = "; ".join(f"{actor_words(person)} is {person.key}" for person in result.people)
        output.hanging(f"this name was {len(result.people)} accounts: {people}")
    for moment in result.moments:
        show_moment(moment, names_model=len(result.models) > 1)
    for lead in result.leads:
        if lead.median_s is None:
            continue
        known = output.count(lead.versions, "version")
        unknown = (
            f"; of {lead.unknown} more the commit is not in this clone" if lead.unknown else ""
        )
        output.hanging(
            f"from commit to {lead.stage}: {show_span(lead.median_s)} in the middle of {known}, "
            f"{show_span(lead.longest_s or 0)} at most{unknown}"
        )
    for model in result.models:
        if model.problem is None:
            _show_extent(model, result)
            _say_doubtful(model)


def _show_standing(model: ModelTimeline, at: str) -> None:
    state = model.standing
    assert state is not None
    after = f"after entry {state.seq}" if state.seq >= 0 else "before the first entry"
    versions = output.count(state.versions, "version")
    output.hanging(f"{model.model} as it stood at {at}, {after}: {versions}")
    rows = [
        (stage, f"v{held.version}", f"since {held.since} by {held.by}, entry {held.seq}")
        for stage, held in state.stages.items()
    ]
    output.table(rows or [("no stage held anything",)])


def _show_extent(model: ModelTimeline, result: TimelineResult) -> None:
    shown = sum(moment.entry.model == model.model for moment in result.moments)
    name = f"{model.model}: " if len(result.models) > 1 else ""
    total = output.count(model.total, "entry", "entries")
    extent = "that is all" if shown == model.total else f"{shown} of {total}"
    if model.matching != model.total:
        extent = f"{shown} of {model.matching:,} that match, of {total}"
    begin = f" from entry {model.verified_from} on" if model.verified_from else ""
    output.hanging(f"{name}{extent}; the chain verifies{begin}")


def _say_doubtful(model: ModelTimeline) -> None:
    if model.doubtful:
        numbers = ", ".join(map(str, model.doubtful[:10]))
        more = "" if len(model.doubtful) <= 10 else ", …"
        output.aside(
            f"{model.model}: left out by dates that cannot be right: entries {numbers}{more}"
        )
