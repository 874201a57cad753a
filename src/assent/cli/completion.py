"""What a shell offers to complete: models, stages and versions. Verbs and options Click knows.

A shell asks while somebody types, so that nothing is said and nothing fails here: what cannot be
read is not offered.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from assent.workspace import Workspace


def models(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The models of assent.yaml."""
    del param
    workspace = _opened(ctx)
    return [] if workspace is None else _beginning(workspace.config.models, incomplete)


def stages(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The stages of the model, or of all models."""
    del param
    workspace = _opened(ctx)
    return [] if workspace is None else _beginning(_stages(ctx, workspace), incomplete)


def versions(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The newest versions of the model."""
    del param
    workspace = _opened(ctx)
    return [] if workspace is None else _beginning(_versions(ctx, workspace), incomplete)


def names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Stages and versions: what a version can be called."""
    return [*stages(ctx, param, incomplete), *versions(ctx, param, incomplete)]


def _stages(ctx: click.Context, workspace: Workspace) -> list[str]:
    policies = workspace.config.policies
    return [stage for model in _models(ctx, workspace) for stage in policies[model].stages]


def _versions(ctx: click.Context, workspace: Workspace) -> list[str]:
    from assent.errors import AssentError

    numbers: list[int] = []
    for model in _models(ctx, workspace):
        try:
            state = workspace.ledger.read(model).state
        except (AssentError, OSError):
            continue
        numbers += [line.version for line in state.newest]
    return [f"v{number}" for number in sorted(set(numbers), reverse=True)]


def _models(ctx: click.Context, workspace: Workspace) -> list[str]:
    """The models that are meant by what was typed already."""
    given = ctx.params.get("model") or ctx.params.get("models") or ()
    named = [given] if isinstance(given, str) else list(given)
    known = sorted(workspace.config.models)
    return [model for model in named if model in known] or known


def _beginning(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in dict.fromkeys(words) if word.startswith(incomplete)]


def _opened(ctx: click.Context) -> Workspace | None:
    from assent.cli.run import open_workspace
    from assent.errors import AssentError

    file = ctx.params.get("config")
    try:
        return open_workspace(None if file is None else Path(file), is_silent=True)
    except (AssentError, OSError):
        return None
