"""`status`: what is where, for every model."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from assent.core.registry import State
from assent.errors import AssentError, ExitCode
from assent.recording.reading import read_ledger
from assent.workspace import Workspace


class ModelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One model: its state as the newest entry of its ledger states it, or why it cannot be read.
    `stages` are those of the configuration and those that hold something.
    """

    model: str
    stages: tuple[str, ...] = ()
    state: State | None = None
    problem: str | None = None
    hint: str | None = None


class StatusResult(msgspec.Struct, frozen=True, kw_only=True):
    """Every model that was asked for. `code` is that of the first one that cannot be read."""

    models: tuple[ModelStatus, ...]
    code: int = ExitCode.DONE

    @property
    def exit_code(self) -> int:
        """0, or the exit code of what went wrong with one of the models."""
        return self.code


def status(workspace: Workspace, models: Sequence[str]) -> StatusResult:
    """The current state of `models`. One that cannot be read does not hide the others."""
    statuses: list[ModelStatus] = []
    code: int = ExitCode.DONE
    for model in models:
        policy = workspace.config.policies.get(model)
        declared = () if policy is None else policy.stages
        try:
            state = read_ledger(workspace, model, alone=True).state
        except AssentError as error:
            code = code or error.exit_code
            statuses.append(ModelStatus(model=model, problem=str(error), hint=error.hint))
            continue
        stages = tuple(dict.fromkeys([*declared, *state.stages]))
        statuses.append(ModelStatus(model=model, stages=stages, state=state))
    return StatusResult(models=tuple(statuses), code=code)
