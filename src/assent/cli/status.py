"""The command `status`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.run import finish, open_workspace
from assent.core.digest import short
from assent.recording.models import recorded_model
from assent.verbs.status import ModelStatus, StatusResult, status


@click.command()
@options.model
@options.shared
def command(model: str | None, as_json: bool, config: Path | None) -> None:
    """Show what is where.

    It is shown for every model of this assent.yaml, or for MODEL, which may have left it.

    \b
    Example:
      assent status
      assent status churn --json
    """
    workspace = open_workspace(config)
    models = sorted(workspace.config.models)
    if model is not None:
        models = [recorded_model(workspace, model)]
    finish(status(workspace, models), as_json, show)


def show(result: StatusResult) -> None:
    """The result for people."""
    for model in result.models:
        _show_model(model)


def _show_model(model: ModelStatus) -> None:
    if model.state is None:
        output.line(f"{model.model}: cannot be read: {model.problem}")
        if model.hint:
            output.line(f"  hint: {model.hint}")
        return
    state = model.state
    output.line(
        f"{model.model}: {output.count(state.versions, 'version')}, "
        f"{output.count(state.seq + 1, 'ledger entry', 'ledger entries')}"
        + (", as the newest one states" if state.seq >= 0 else "")
    )
    width = max((len(stage) for stage in model.stages), default=0)
    for stage in model.stages:
        held = state.stages.get(stage)
        what = "nothing"
        if held is not None:
            what = f"v{held.version}  {short(held.bundle)}  since {held.since} by {held.by}"
        output.line(f"  {stage:<{width}}  {what}")
    for line in state.newest[:5]:
        retired = "  retired" if line.retired else ""
        retired = "  purged" if line.purged else retired
        output.line(f"  v{line.version}  {short(line.bundle)}  {line.at}{retired}")
