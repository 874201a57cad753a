"""The command `evaluate`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import options, output
from assent.cli.published import Published, sentence
from assent.cli.run import finish, open_workspace, own_output
from assent.core.digest import short
from assent.core.evidence import DataReference
from assent.core.scalar import show as shown
from assent.making.evaluation import EvaluateResult
from assent.verbs.evaluate import evaluate


@click.command()
@options.model
@options.force
@options.shared
def command(model: str | None, force: bool, as_json: bool, config: Path | None) -> None:
    """Run the team's evaluation command and gather the evidence.

    The command's own exit code is passed on when it fails.

    \b
    Example:
      assent evaluate
      assent evaluate churn --json
    """
    workspace = open_workspace(config)
    with own_output(as_json) as own:
        result = evaluate(workspace, workspace.model(model), force=force, output=own)
    finish(result, as_json, show, publish)


def show(result: EvaluateResult) -> None:
    """The result for people."""
    if result.model_digest is None or result.evidence is None:
        output.line(f"nothing evaluated: bundle {short(result.reused or '')} is locked")
        return
    output.line(f"evidence on model {short(result.model_digest)}")
    metrics = list(result.evidence.metrics.items())
    for name, value in metrics[: output.MANY]:
        output.line(f"  {name} = {shown(value)}")
    if len(metrics) > output.MANY:
        output.line(f"  {len(metrics) - output.MANY} more metrics")
    predictions = result.evidence.predictions
    if predictions is not None:
        rows = f"{output.count(predictions.rows, 'row')} ({predictions.task})"
        output.line(f"  predictions: {rows}")
    for data in result.evidence.data:
        output.line(f"  data {data.name}: {_profiled(data)}")
    for problem in result.evidence.problems:
        output.line(f"  not read: {problem.source}: {problem.problem}")


def _profiled(data: DataReference) -> str:
    if data.profile is None:
        return "only its digest is known" if data.digest else "not profiled"
    return "profiled" if data.rows is None else f"{output.count(data.rows, 'row')}, profiled"


def publish(result: EvaluateResult) -> Published:
    """The result for later steps."""
    if result.model_digest is None or result.evidence is None:
        locked = f"nothing evaluated: bundle `{result.reused}` is locked"
        return Published(outputs={}, summary=sentence(result.model, locked))
    metrics = output.count(len(result.evidence.metrics), "metric")
    what = f"{metrics} of model `{short(result.model_digest)}`"
    return Published(outputs={}, summary=sentence(result.model, what))
