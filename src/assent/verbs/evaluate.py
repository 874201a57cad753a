"""`evaluate`: run the team's own evaluation and gather the evidence on what was trained."""

from __future__ import annotations

from typing import IO

from assent.making.evaluation import EvaluateResult, run_evaluation
from assent.workspace import Workspace


def evaluate(
    workspace: Workspace,
    model: str,
    *,
    force: bool = False,
    output: int | IO[bytes] | None = None,
) -> EvaluateResult:
    """Evaluate the model that stands in the working tree, and gather the evidence.

    If `assent.lock` names a bundle for these inputs, or the store holds a finished bundle of the
    same inputs, and it is of this very model, its evidence is reused and nothing is run, unless
    `force`. Else metrics, predictions and plots that this run's training has not written are set
    aside first, and must be new afterwards. Raises `CommandError` with the command's exit code.
    """
    return run_evaluation(workspace, model, force=force, output=output)
