"""The command `show`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import completion, options, output
from assent.cli.records import show_entry, show_moment
from assent.cli.run import finish, open_workspace
from assent.core.evidence import Evidence
from assent.core.history import actor_words
from assent.core.units import show_span
from assent.recording.models import recorded_model
from assent.verbs.show import ShowResult, VersionFacts, show

WHOLE = 30
"""How many entries are shown whole; of more only their lines."""


@click.command()
@click.argument("name", required=False, shell_complete=completion.names)
@click.option("--entry", type=click.IntRange(min=0), help="The entry of this number instead.")
@options.model_option
@options.shared
def command(
    name: str | None,
    entry: int | None,
    model: str | None,
    as_json: bool,
    config: Path | None,
) -> None:
    """Show everything that is recorded about a version, an entry or a digest.

    NAME is a version, a stage (the version there), or a digest or commit, of which eight digits
    are enough. The model may have left assent.yaml.

    \b
    Example:
      assent show v12
      assent show production --json
      assent show --entry 57
      assent show sha256:9f3c1d0f6a1f
    """
    workspace = open_workspace(config)
    finish(
        show(workspace, recorded_model(workspace, model), name, entry=entry), as_json, show_result
    )


def show_result(result: ShowResult) -> None:
    """The result for people."""
    output.hanging(f"{result.name} of {result.model}")
    if result.version is not None:
        _show_version(result, result.version)
    if result.roles:
        output.pairs([("is", role) for role in result.roles[:WHOLE]])
        _more(len(result.roles) - WHOLE, "role")
    if result.evidence is not None:
        _show_evidence(result.evidence)
    if result.evidence_problem is not None:
        output.hanging(f"its evidence was not read: {result.evidence_problem}", first=2, below=4)
    for move in result.moves:
        show_moment(move)
    output.line()
    for recorded in result.entries:
        if len(result.entries) <= WHOLE:
            show_entry(recorded.moment, recorded.digest)
        else:
            show_moment(recorded.moment)
    if len(result.entries) > WHOLE:
        output.line("`assent show --entry N` shows one of them whole")


def _show_version(result: ShowResult, facts: VersionFacts) -> None:
    ended = "retired: it must not be promoted any more" if facts.is_retired else ""
    if facts.purged is not None:
        ended = f"purged by entry {facts.purged}: its bytes were taken away on purpose"
    stays = []
    for stage, stay in facts.stays.items():
        left = "and is there" if stay.left is None else f"left {stay.left}"
        earlier = f", {show_span(stay.spent_s)} in earlier stays" if stay.spent_s else ""
        stays.append(("was in", f"{stage}: came {stay.since}, {left}{earlier}"))
    output.pairs(
        [
            ("bundle", facts.bundle),
            ("model files", facts.model_digest),
            ("state", ended),
            *(
                ("stands in", f"{place.stage} since {place.since}, entry {place.entry}")
                for place in facts.places
            ),
            *(() if facts.places else (("stands in", "no stage"),)),
            *stays,
            ("entries", f"{len(result.entries)}, oldest first, all proven"),
        ]
    )


def _show_evidence(evidence: Evidence) -> None:
    code, run, trained = evidence.code, evidence.run, evidence.trained_by
    dirty = " with uncommitted changes" if code.is_dirty else ""
    output.line("its evidence, from the store:")
    output.pairs(
        [
            ("trained", "" if trained is None else f"by {actor_words(trained)}"),
            ("trained at", "" if evidence.train is None else evidence.train.started_at),
            ("trained from", "" if code.commit is None else f"{code.commit}{dirty}"),
            ("trained in", "" if run is None else f"{run.system} {run.id} {run.address or ''}"),
            *(
                (f"metric {name}", str(value))
                for name, value in list(evidence.metrics.items())[:WHOLE]
            ),
            *(
                (f"data {data.name}", f"{data.source} {data.digest or data.snapshot or ''}")
                for data in evidence.data
            ),
        ]
    )
    _more(len(evidence.metrics) - WHOLE, "metric")


def _more(count: int, what: str) -> None:
    if count > 0:
        output.line(f"  and {output.count(count, f'more {what}')}: --json has all")
