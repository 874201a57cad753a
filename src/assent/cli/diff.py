"""The command `diff`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assent.cli import completion, options, output
from assent.cli.flags import flag
from assent.cli.layout import width
from assent.cli.run import finish, open_workspace
from assent.core.digest import short
from assent.errors import UsageError
from assent.report.parts import Section
from assent.report.text import to_text

if TYPE_CHECKING:  # each kind of diff imports what it needs: most of the readers are for others
    from assent.verbs.diff import DiffResult
    from assent.verbs.diff_data import DataDiffResult
    from assent.verbs.diff_files import FilesDiffResult


@click.command()
@click.argument("old", required=False, shell_complete=completion.names)
@click.argument("new", required=False, shell_complete=completion.names)
@options.model_option
@flag("--data", help="OLD and NEW are data: files, folders, tables.")
@click.option("--key", multiple=True, help="With --data, a column that names a row; repeatable.")
@click.option("--label", help="With --data, the column that is predicted.")
@flag("--rows-only", help="With --key, no distributions.")
@click.option(
    "--save-profile",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --data, write the profile of NEW to this file (*.json.gz): an OLD for the next one.",
)
@flag("--files", help="OLD and NEW are models: files or folders.")
@flag("--no-weights", help="With --files, do not compare weights.")
@options.shared
def command(
    old: str | None,
    new: str | None,
    model: str | None,
    data: bool,
    key: tuple[str, ...],
    label: str | None,
    rows_only: bool,
    save_profile: Path | None,
    files: bool,
    no_weights: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    """Show what changed between any two versions, data sets or model files.

    OLD and NEW are versions, stages, bundles or revisions. Without OLD it is the baseline of a
    review, without NEW what the working tree gives. With --data or --files they are anything on
    this machine, and no assent.yaml is needed.

    \b
    Example:
      assent diff v11 v12
      assent diff production
      assent diff --data january.parquet february.parquet --key id
      assent diff --files old.safetensors new.safetensors
    """
    if data and files:
        raise UsageError("comparing", "--data and --files exclude each other")
    _require("--data", data, {"--key": key, "--label": label, "--rows-only": rows_only,
                              "--save-profile": save_profile})  # fmt: skip
    _require("--files", files, {"--no-weights": no_weights})
    if not data and not files:
        finish(_diff(config, model, old, new), as_json, show)
    if old is None or new is None:
        raise UsageError("comparing", "two things are compared", hint="name OLD and NEW")
    if data:
        finish(_diff_data(old, new, key, label, save_profile, rows_only), as_json, show_data)
    finish(_diff_files(old, new, weights=not no_weights), as_json, show_files)


def _require(flag: str, is_given: bool, options: Mapping[str, object]) -> None:
    """Nothing is asked for that would silently not be done."""
    for name, value in options.items():
        if value and not is_given:
            raise UsageError(
                "comparing", f"{name} means nothing without {flag}", hint=f"add {flag}"
            )


def _diff(config: Path | None, model: str | None, old: str | None, new: str | None) -> DiffResult:
    """The diff of two versions. Whoever names two files has forgotten to say what they are."""
    from assent.verbs.diff import diff

    try:
        workspace = open_workspace(config)
        return diff(workspace, workspace.model(model), old, new)
    except UsageError as error:
        if old is None or new is None or not (Path(old).exists() and Path(new).exists()):
            raise
        hint = "OLD and NEW are files here: add --data to compare data, --files to compare models"
        raise UsageError(error.doing, error.problem, hint=hint) from None


def _diff_data(
    old: str,
    new: str,
    key: tuple[str, ...],
    label: str | None,
    save_profile: Path | None,
    rows_only: bool,
) -> DataDiffResult:
    from assent.verbs.diff_data import PROFILE_SUFFIX, diff_data

    if save_profile is not None and not save_profile.name.endswith(PROFILE_SUFFIX):
        raise UsageError(
            f"writing {save_profile}",
            "it would not be known for a profile later",
            hint=f"give it a name that ends in {PROFILE_SUFFIX}",
        )
    return diff_data(old, new, key=key, label=label, save_profile=save_profile, rows_only=rows_only)


def _diff_files(old: str, new: str, *, weights: bool) -> FilesDiffResult:
    from assent.verbs.diff_files import diff_files

    for side in (old, new):
        if not Path(side).exists():
            raise UsageError(
                "comparing models", f"there is no file or folder {side!r}", hint="correct the path"
            )
    return diff_files(old, new, weights=weights)


def show(result: DiffResult) -> None:
    """The result for people."""
    from assent.report.sections.data import data_section
    from assent.report.sections.metrics import metrics_section
    from assent.report.sections.model import model_section
    from assent.report.sections.predictions import predictions_section
    from assent.report.sections.values import environment_section, values_section

    diff = result.diff
    old = "nothing" if diff.baseline is None else short(diff.baseline.bundle)
    output.line(
        f"{result.model}: {result.old} ({old}) → {result.new} ({short(diff.candidate.bundle)})"
    )
    if diff.is_unchanged:
        output.line("  unchanged")
        return
    for document in diff.partly_read:
        output.line(f"  not compared: {document.name}: {document.reason}")
    _show_sections(
        metrics_section(diff),
        predictions_section(diff),
        data_section(diff.data),
        model_section(diff.model_files),
        values_section("Parameters", "Parameter", diff.params),
        environment_section(diff),
    )


def show_data(result: DataDiffResult) -> None:
    """The result for people."""
    from assent.report.sections.data import data_section

    output.line(f"{result.old} → {result.new}")
    _show_sections(data_section(result.diff))
    for note in result.notes:
        output.line(f"  {note}")


def show_files(result: FilesDiffResult) -> None:
    """The result for people."""
    from assent.report.sections.model import model_section

    output.line(f"{result.old} → {result.new}")
    _show_sections(model_section(result.diff))


def _show_sections(*sections: Section | None) -> None:
    shown = [section for section in sections if section is not None]
    output.text(to_text(shown, columns=width()))
