"""The command `init`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from assent.cli import output
from assent.cli.flags import flag
from assent.cli.pages import with_pages
from assent.cli.run import finish
from assent.setup.pipelines import Pipelines
from assent.setup.seen import ModelSeen, Seen, Sight
from assent.verbs.init import IGNORED, InitResult, init, unseen

MAX_SHOWN = 12


@click.command()
@click.option("--name", help="The model's name; otherwise that of the folder.")
@flag("--force", "-f", help="Replace what exists.")
@flag("--dry-run", help="Show what was seen and why; write nothing.")
@flag("--github", help="Write the workflows for GitHub as well.")
@click.option(
    "--actions",
    help="With --github: where Assent's actions are, as OWNER/NAME@COMMIT (all 40 digits).",
)
@flag("--gitlab", help="Write the pipeline for GitLab as well.")
@click.option(
    "--templates",
    help="With --gitlab: where Assent is on your GitLab, as GROUP/PROJECT@COMMIT (all 40 digits); "
    "otherwise the repository keeps a copy of the pipeline.",
)
@click.option("--install", help="With --gitlab: what its jobs install, as pip takes it.")
@flag("--json", "as_json", help="Print the result as JSON for machines.")
def command(
    name: str | None,
    force: bool,
    dry_run: bool,
    github: bool,
    actions: str | None,
    gitlab: bool,
    templates: str | None,
    install: str | None,
    as_json: bool,
) -> None:
    """Write an assent.yaml by looking at the repository.

    \b
    Example:
      assent init
      assent init --dry-run
      assent init --name churn
      assent init --github
      assent init --gitlab
    """
    if actions is not None and not github:
        raise click.UsageError("--actions needs --github")
    if github and gitlab:
        raise click.UsageError("--github and --gitlab exclude each other")
    if not gitlab and (templates is not None or install is not None):
        raise click.UsageError("--templates and --install need --gitlab")
    result = init(
        Path.cwd(),
        name=name,
        force=force,
        dry_run=dry_run,
        pipelines=_pipelines(github, actions, gitlab, templates, install),
    )
    finish(result, as_json, show)


def _pipelines(
    github: bool, actions: str | None, gitlab: bool, templates: str | None, install: str | None
) -> Pipelines | None:
    from assent.wiring import pipelines_of  # most of it is for other verbs

    if github:
        return pipelines_of("github", origin=actions)
    return pipelines_of("gitlab", origin=templates, install=install) if gitlab else None


def show(result: InitResult) -> None:
    """The result for people."""
    if result.is_dry and result.sight is not None:
        _seen(result.sight)
        for path in result.workflows:
            output.line(f"would write {_relative(path)}")
        output.line("nothing was written")
        return
    if len(result.written) > 1:
        for path in result.written:
            output.line(f"wrote {_relative(path)}")
        output.line(f"  for {_named(result.model)}")
    else:
        done = "kept" if result.is_kept else "wrote"
        output.line(f"{done} {_relative(result.path)} for {_named(result.model)}")
    if result.is_ignoring:
        output.line(f"added {IGNORED} to .gitignore")
    for key, value in result.found.items():
        output.line(f"  found {key}: {value}")
    if result.to_check:
        output.line(f"  please correct: {', '.join(result.to_check)}")
    for path in result.workflows:
        output.line(f"wrote {_relative(path)}")
    for sentence in result.seen:
        output.line(f"  seen: {sentence}")
    for sentence in result.to_do:
        output.line(f"  please check: {sentence}")
    if result.to_add is not None:
        output.line("  your .gitlab-ci.yml stays as it is; please do:")
        for line in result.to_add.splitlines():
            output.line(f"    {line}")
    if not result.is_pinned and result.forge == "gitlab":
        output.line("  please say what the jobs install: replace the input `install`")
        output.line("  (or again with --install, or with --templates GROUP/PROJECT@COMMIT)")
    elif not result.is_pinned:
        output.line("  please say where Assent's actions are: replace OWNER/assent and the zeros")
        output.line("  (or again with --force --actions OWNER/NAME@COMMIT)")
    _advice(result)
    _next(result)


def _relative(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _named(models: str) -> str:
    return f"the {'models' if ', ' in models else 'model'} {models}"


def _advice(result: InitResult) -> None:
    """What a person has to add; of several models only to which, as each file says the rest."""
    models = (
        []
        if result.sight is None
        else [m for project in result.sight.projects for m in project.models]
    )
    if len(models) == 1:
        for line in models[0].advice:
            output.line(f"  {line}")
        return
    told = [model for model in models if model.advice]
    for model in told[:MAX_SHOWN]:
        missing = ", ".join(unseen(model)) or "the notes"
        output.line(f"  {model.name}: {missing}, as the comments in its file say")
    if len(told) > MAX_SHOWN:
        output.line(f"  and {len(told) - MAX_SHOWN} more")


def _next(result: InitResult) -> None:
    if result.forge == "gitlab":
        output.line(with_pages("next: docs/gitlab.md says which tokens it needs and why"))
    elif result.forge == "github":
        output.line(with_pages("next: docs/github.md says what each workflow may do and why"))
    else:
        if result.to_check:
            output.line(f"next: correct {', '.join(result.to_check)}, then run `assent review`")
        else:
            output.line("next: check it, then run `assent review`")
        if result.sight is not None and result.sight.forge is not None:
            output.line(f"and for its CI: `assent init --{result.sight.forge}`")


def _seen(sight: Sight) -> None:
    """What was seen, and why, model by model."""
    for project in sight.projects:
        output.line(f"{project.folder or '.'}/assent.yaml")
        for note in project.notes:
            output.line(f"  {note}")
        for model in project.models:
            output.line(f"  {model.name}")
            for key, seen in _rows(model):
                output.line(f"    {key:<12} {seen.value}")
                output.line(f"    {'':<12}   {seen.certainty}: {seen.why}")
            for line in model.advice:
                output.line(f"    {line}")


def _rows(model: ModelSeen) -> Iterator[tuple[str, Seen]]:
    single = {"train": model.train, "evaluate": model.evaluate, "model": model.model}
    for key, seen in single.items():
        if seen is not None:
            yield key, seen
        yield from ((f"or {key}", other) for other in model.others.get(key, ()))
    several = {
        "input": model.inputs,
        "not an input": model.left_out,
        "metrics": model.metrics,
        "or metrics": model.others.get("metrics", ()),
        "data": tuple(model.data.values()),
        "params": model.params,
        "plots": model.plots,
    }
    for key, many in several.items():
        yield from ((key, seen) for seen in many)
    if model.predictions is not None:
        yield "predictions", Seen(value=model.predictions.path, why=model.predictions.why)
