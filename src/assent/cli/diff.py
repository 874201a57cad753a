"""The command `diff`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
from msgspec import UNSET

from assent.cli import options, output
from assent.cli.run import finish, open_workspace
from assent.core.diff.data import DataChange
from assent.core.diff.metrics import MetricChange
from assent.core.diff.model import FileChange
from assent.core.diff.values import ValueChange
from assent.core.digest import short
from assent.core.evidence import DataReference
from assent.report import numbers
from assent.verbs.diff import DiffResult, diff

_MOST = 40


@click.command()
@click.argument("old", required=False)
@click.argument("new", required=False)
@options.model_option
@options.shared
def command(
    old: str | None, new: str | None, model: str | None, as_json: bool, config: Path | None
) -> None:
    """Show what changed between any two versions.

    OLD and NEW are versions, stages, bundles or revisions. Without OLD it is the baseline of a
    review, without NEW what the working tree gives.

    \b
    Example:
      assent diff v11 v12
      assent diff production
    """
    workspace = open_workspace(config)
    finish(diff(workspace, workspace.model(model), old, new), as_json, show)


def show(result: DiffResult) -> None:
    """The result for people."""
    diff = result.diff
    old = "nothing" if diff.baseline is None else short(diff.baseline.bundle)
    output.line(
        f"{result.model}: {result.old} ({old}) → {result.new} ({short(diff.candidate.bundle)})"
    )
    if diff.is_empty:
        output.line("  unchanged")
    changed = [metric for metric in diff.metrics if metric.is_changed]
    _section("metrics", (_metric(metric) for metric in changed))
    _section("parameters", (_value(change) for change in diff.params.changes))
    _section("data", (_data(change) for change in diff.data.changes))
    _section("model files", (_file(change) for change in diff.model_files.changes))
    _section("packages", (_value(change) for change in diff.packages.changes))
    _section("environment", (_value(change) for change in diff.environment.changes))


def _section(title: str, rows: Iterable[str]) -> None:
    shown = list(rows)
    if shown:
        output.line(f"  {title}")
    for row in shown[:_MOST]:
        output.line(f"    {row}")
    if len(shown) > _MOST:
        output.line(f"    … {len(shown) - _MOST} more (--json has all)")


def _metric(metric: MetricChange) -> str:
    old, new = numbers.show_both(metric.old, metric.new)
    moved = "" if metric.change is None else f"  {numbers.signed(metric.change)}"
    return f"{metric.name}: {old.text} → {new.text}{moved}  {numbers.effect(metric)}"


def _value(change: ValueChange) -> str:
    old, new = numbers.show_both(change.old, change.new)
    return f"{change.name}: {old.text} → {new.text}"


def _data(change: DataChange) -> str:
    sides = [_reference(side) for side in (change.old, change.new)]
    return f"{change.name}: {sides[0]} → {sides[1]}"


def _reference(data: DataReference | None) -> str:
    if data is None:
        return "missing"
    rows = "" if data.rows is None else f", {data.rows:,} rows"
    return f"{short(data.digest or data.snapshot or 'unknown')}{rows}"


def _file(change: FileChange) -> str:
    old, new = change.old_size_bytes, change.new_size_bytes
    shown = ["missing" if size is UNSET else numbers.size(size) for size in (old, new)]
    return f"{change.path}: {shown[0]} → {shown[1]}"
