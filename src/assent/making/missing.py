"""The bundle of the working tree: found, or made of what is missing of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from assent.config.settings import FILE
from assent.core.digest import Digest, hex_of
from assent.errors import UsageError
from assent.making.bundles import load, open_bundle
from assent.making.evaluation import run_evaluation
from assent.making.inputs import Inputs
from assent.making.locks import current_lock
from assent.making.model_placement import digest_here
from assent.making.packing import make_bundle
from assent.making.preflight import ready
from assent.making.scratch import Evaluated, Trained, kept
from assent.making.training import run_training
from assent.making.worktree import (
    inputs_of,
    is_of_other_dirt,
    is_same_code,
    not_as_left,
    read_code,
)
from assent.recording.reading import read_ledger, require_merged
from assent.workspace import Workspace


def bundle_of_here(
    workspace: Workspace,
    model: str,
    force: bool,
    output: int | IO[bytes] | None,
    progress: Callable[[int], None] | None,
) -> tuple[Digest, bool]:
    """The bundle of the working tree, made now if there is none of these inputs or with `force`;
    and whether it was there.
    """
    settings = workspace.settings(model)
    if not (settings.train or settings.evaluate or settings.metrics or settings.predictions):
        raise UsageError(
            f"reviewing {model}",
            f"{FILE} says neither how to train or evaluate it nor where its metrics or "
            "predictions are",
        )
    facts = ready(workspace, model)
    inputs = inputs_of(workspace, model)
    digest = None if force else _finished(workspace, model, inputs)
    if digest is not None:
        return digest, True
    done = None if force else _done(workspace, model, inputs)
    require_merged(workspace, f"reviewing {model}")
    read_ledger(workspace, model)  # what would end the review ends it before hours of training
    if done is None and settings.train is not None:
        _, inputs = run_training(
            workspace, model, force=force, output=output, inputs=inputs, facts=facts
        )
    if done != "evaluate":
        run_evaluation(workspace, model, force=force, output=output, inputs=inputs)
    made = make_bundle(workspace, model, progress=progress, inputs=inputs, force=force)
    return made.bundle, False


def _done(workspace: Workspace, model: str, inputs: Inputs) -> str | None:
    """The last verb that somebody has run here for these very inputs, this revision and the model
    as it lies there; None if there is anything to run again.
    """
    trained = kept(workspace.work, model, "train", Trained)
    if trained is None or trained.step.inputs_digest != inputs.train:
        return None
    place = workspace.root / workspace.settings(model).model
    if workspace.settings(model).evaluate is None and not_as_left(workspace, trained):
        return None
    code = read_code(workspace, trained.touched, inputs=inputs.files)
    if not place.exists() or (
        trained.code is not None and not is_same_code(workspace, trained.code, code, inputs)
    ):
        return None
    if digest_here(workspace, model) != trained.model_digest:
        return None
    evaluated = kept(workspace.work, model, "evaluate", Evaluated)
    is_evaluated = (
        evaluated is not None
        and evaluated.model_digest == trained.model_digest
        and evaluated.evidence.inputs_digest == inputs.evaluate
        and is_same_code(workspace, evaluated.evidence.code, code, inputs)
    )
    verb = "evaluate" if is_evaluated else "train"
    workspace.say(
        f"reviewing {model}: `assent {verb}` has left what it made (--force makes it new)"
    )
    return verb


def _finished(workspace: Workspace, model: str, inputs: Inputs) -> Digest | None:
    """The bundle that these inputs have given already, if the store holds it."""
    locked = current_lock(workspace, model, inputs)
    if locked is not None:
        return locked.bundle
    hint = workspace.store.recall(f"{model}/inputs/{hex_of(inputs.evaluate)}")
    bundle = None if hint is None else load(workspace, model, hint)
    if bundle is None:
        return None
    evidence = open_bundle(workspace, bundle).evidence
    return None if is_of_other_dirt(workspace, evidence, inputs) else bundle.digest
