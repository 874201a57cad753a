"""The command `init`."""

from __future__ import annotations

from pathlib import Path

import click

from assent.cli import output
from assent.cli.run import finish
from assent.verbs.init import InitResult, init


@click.command()
@click.option("--name", help="The model's name; otherwise that of the folder.")
@click.option("--force", "-f", is_flag=True, help="Replace what exists.")
@click.option("--github", is_flag=True, help="Write the workflows for GitHub as well.")
@click.option(
    "--actions",
    help="With --github: where Assent's actions are, as OWNER/NAME@COMMIT (all 40 digits).",
)
@click.option("--gitlab", is_flag=True, help="Write the pipeline for GitLab as well.")
@click.option(
    "--templates",
    help="With --gitlab: where Assent is on your GitLab, as GROUP/PROJECT@COMMIT (all 40 digits); "
    "otherwise the repository keeps a copy of the pipeline.",
)
@click.option("--install", help="With --gitlab: what its jobs install, as pip takes it.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON for machines.")
def command(
    name: str | None,
    force: bool,
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
        github=github,
        actions=actions,
        gitlab=gitlab,
        templates=templates,
        install=install,
    )
    finish(result, as_json, show)


def show(result: InitResult) -> None:
    """The result for people."""
    done = "kept" if result.is_kept else "wrote"
    output.line(f"{done} {result.path.name} for the model {result.model}")
    for key, value in result.found.items():
        output.line(f"  found {key}: {value}")
    if result.to_check:
        output.line(f"  please correct: {', '.join(result.to_check)}")
    for path in result.workflows:
        output.line(f"wrote {path.name} into {path.parent.name}/")
    for one in result.seen:
        output.line(f"  seen: {one}")
    for one in result.to_do:
        output.line(f"  please check: {one}")
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
    if result.forge == "gitlab":
        output.line("next: docs/gitlab.md says which tokens it needs and why")
    elif result.forge == "github":
        output.line("next: docs/github.md says what each workflow may do and why")
    else:
        output.line("next: check it, then run `assent review`")
