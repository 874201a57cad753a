"""What a run of a model's commands starts from: read once, before the run, and handed on."""

from __future__ import annotations

import msgspec

from assent.config.settings import ModelSettings
from assent.making.dvc import Dvc
from assent.making.outputs import Outputs
from assent.making.worktree import outputs
from assent.workspace import Workspace


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How `model` is made (`settings`), what its commands write (`outputs`), and what DVC knows of
    that (`dvc`), as it was before the run. DVC's own files are read again once a command may have
    written them. What earlier runs have left is in `Ran.earlier`: another one may end until this
    one begins.
    """

    model: str
    settings: ModelSettings
    outputs: Outputs
    dvc: Dvc


def facts_of(workspace: Workspace, model: str) -> RunFacts:
    """Read them."""
    outputs_here, dvc = outputs(workspace, model)
    return RunFacts(model=model, settings=workspace.settings(model), outputs=outputs_here, dvc=dvc)
