"""`assent`: the group of verbs. Each verb's file is imported only when it is called."""

from __future__ import annotations

import gc
import importlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import click

from assent import __version__

VERBS = {
    "init": "Write an assent.yaml by looking at the repository.",
    "train": "Run the team's training command, or reuse what the same inputs gave.",
    "evaluate": "Run the team's evaluation command and gather the evidence.",
    "bundle": "Store model files and evidence under one digest.",
    "review": "Compare the candidate with what is in production.",
    "approve": "Record the approvals that count.",
    "reply": "Answer a slash command in a comment.",
    "register": "Give the approved bytes of what was merged a version number.",
    "promote": "Let a stage hold a version.",
    "rollback": "Let a stage hold an earlier version again.",
    "clear": "Let a stage hold nothing.",
    "retire": "Say that a version must not be promoted any more.",
    "retrain": "Train again, and open a change if the result is better.",
    "note": "Put an event on the record.",
    "status": "Show what is where.",
    "timeline": "Show every decision, newest first.",
    "show": "Show everything that is recorded about a version, an entry or a digest.",
    "site": "Write a static site of all models.",
    "diff": "Show what changed between any two versions, data sets or model files.",
    "explain": "Show why the verdict is what it is.",
    "resolve": "Show what a stage holds.",
    "pull": "Write the served files of a version to a folder.",
    "verify": "Read the ledger and the store whole and say what is wrong.",
    "store": "Look after the store: copy it, see what it keeps, clean it up.",
    "ledger": "Look after the ledger: have it in Git or in a bucket.",
    "doctor": "Say what is missing, and what the forge enforces.",
    "demo": "Play the whole story in a new repository.",
}
"""Every verb with its short help, in the order in which they are used."""


def variable(verb: str, parameter: click.Parameter) -> str:
    """The variable of the environment that gives an option (`ASSENT_PULL_TO`) or an argument
    (`ASSENT_PULL_NAME`). An empty one gives nothing.
    """
    long = [name for name in parameter.opts if name.startswith("--")]
    name = long[0].removeprefix("--") if long else parameter.name or ""
    return re.sub("[- ]", "_", f"ASSENT_{verb}_{name}".upper())


class Verbs(click.Group):
    """Knows its verbs without importing them. Those of a group are in files that begin with its
    name: `assent.cli.store_copy`.
    """

    def __init__(self, *arguments: Any, verbs: Mapping[str, str], of: str = "", **given: Any):
        super().__init__(*arguments, **given)
        self._verbs = verbs
        self._of = of

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order in which they are listed."""
        del ctx
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb, or None."""
        del ctx
        if cmd_name not in self._verbs:
            return None
        module = importlib.import_module(f"assent.cli.{self._of}{cmd_name}")
        command: click.Command = module.command
        for parameter in command.params:
            # Not Click's own prefix: it would make variables of `--help` and `--version`, too.
            parameter.envvar = variable(f"{self._of}{cmd_name}", parameter)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that is meant. Releases of Click differ in whether they know the nearest one."""
        name = args[0]
        if name not in self._verbs and not name.startswith("-") and not ctx.resilient_parsing:
            from assent.core.nearest import meant

            problem = f"there is no verb {name!r}{meant(name, self._verbs)}"
            raise click.UsageError(problem, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of verbs, without importing any."""
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl(list(self._verbs.items()))


@click.group(
    cls=Verbs,
    verbs=VERBS,
    subcommand_metavar="VERB [ARGS]...",
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)
@click.version_option(__version__, prog_name="assent")
def group() -> None:
    """Model approval as part of ordinary CI/CD.

    Training is building, evaluation is testing, reviewing a model is reading a diff, approving it
    is a pull-request review, and shipping it is a deploy button.

    Begin with `assent demo`, or with `assent init` in your own repository.
    """


def commands(of: click.Group = group, words: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command with its words: `promote`, `store copy`."""
    context = click.Context(of)
    for name in of.list_commands(context):
        command = of.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{words}{name} ")
        elif command is not None:
            yield f"{words}{name}", command


def main() -> None:
    """Run the command line."""
    gc.set_threshold(100_000)  # a verb is short: looking for cycles takes longer than it frees

    from assent.cli.run import colour, guarded

    guarded(lambda: group(prog_name="assent", standalone_mode=False, color=colour()))
