"""The models that can be asked for: those of `assent.yaml`, and those that only the ledger has."""

from __future__ import annotations

from assent.config.settings import FILE
from assent.core.nearest import meant
from assent.errors import UsageError
from assent.workspace import Workspace


def recorded_model(workspace: Workspace, name: str | None) -> str:
    """The model that is meant by somebody who only reads: as `Workspace.model`, or one that has
    left the configuration while its ledger stays.
    """
    if name is None or name in workspace.config.models:
        return workspace.model(name)
    names = recorded_models(workspace)
    if name not in names:
        raise UsageError(
            f"looking for the model {name!r}",
            "there is none of this name, here or in the ledger",
            hint=f"{FILE} and the ledger have {', '.join(names)}{meant(name, names)}",
        )
    return name


def recorded_models(workspace: Workspace) -> tuple[str, ...]:
    """Every model of the configuration and of the ledger."""
    return tuple(sorted({*workspace.config.models, *workspace.ledger.models()}))
