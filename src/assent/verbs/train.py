"""`train`: run the team's own training command, or reuse what the same inputs gave before."""

from __future__ import annotations

from typing import IO

from assent.making.training import TrainResult, run_training
from assent.workspace import Workspace


def train(
    workspace: Workspace,
    model: str,
    *,
    force: bool = False,
    output: int | IO[bytes] | None = None,
) -> TrainResult:
    """Train `model` in the working tree.

    If `assent.lock` names a bundle for these inputs, or the store holds one of the same training
    inputs, its model files are put in place and nothing is run, unless `force`. Else what earlier
    runs have left of the outputs is set aside first, and the model must be new afterwards. Raises
    `CommandError` with the exit code of the command.
    """
    result, _ = run_training(workspace, model, force=force, output=output)
    return result
