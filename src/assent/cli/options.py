"""Options that several verbs have, written once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from assent.cli import completion
from assent.cli.flags import flag

F = TypeVar("F", bound=Callable[..., Any])

model = click.argument("model", required=False, shell_complete=completion.models)
"""The model; needless where assent.yaml has only one."""

recorded_models = click.argument(
    "models", nargs=-1, metavar="[MODELS]...", shell_complete=completion.models
)
"""Any number of models, also of those that only the ledger has."""

model_option = click.option(
    "--model",
    "-m",
    help="The model; needless if there is only one.",
    shell_complete=completion.models,
)
"""The model, where the arguments are something else."""

stage = click.argument("stage", shell_complete=completion.stages)
reason = click.option(
    "--reason", "-r", required=True, help="Why: it is kept in the ledger for ever."
)
optional_reason = click.option(
    "--reason",
    "-r",
    help="Why: it is kept in the ledger for ever. In CI, where nobody may type one, it is who "
    "pressed which button.",
)
override = flag("--override", help="Go on although the policy blocks; needs --reason.")
override_reason = click.option("--reason", "-r", help="Why; kept in the ledger for ever.")
environment = click.option(
    "--environment", "-e", help="The forge's environment of the job; otherwise named as the stage."
)
exit_zero = flag(
    "--exit-zero",
    help="Exit with 0 whatever the verdict is, also with nothing to judge; errors keep their code.",
)
force = flag("--force", "-f", help="Run it again although the inputs are unchanged.")


def version(meaning: str) -> Callable[[F], F]:
    """`--version`: a version, or the stage that holds it."""
    return click.option("--version", "-v", help=meaning, shell_complete=completion.names)


def shared(function: F) -> F:
    """`--json` and `--config`, which every verb has."""
    function = click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The assent.yaml to use; otherwise the nearest one in this folder or above.",
    )(function)
    return flag("--json", "as_json", help="Print the result as JSON for machines.")(function)
