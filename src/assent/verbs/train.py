"""`train`: run the team's own training command, or reuse what the same inputs gave before."""

from __future__ import annotations

import signal
from typing import IO

import msgspec

from assent.config.lock import FILE as LOCK
from assent.config.lock import Locked
from assent.core.bundle import Bundle
from assent.core.digest import Digest, hex_of, short
from assent.core.evidence import Step
from assent.errors import CommandError, IntegrityError, UsageError
from assent.measure.command import run_command
from assent.measure.environment import read_environment
from assent.measure.interpreters import Seen
from assent.measure.redaction import redact_text
from assent.verbs.bundles import load, model_digest_at, open_bundle, write_model
from assent.verbs.inputs import Inputs, read_inputs
from assent.verbs.locks import lock_here
from assent.verbs.work import Trained, forget, keep
from assent.verbs.workspace import FILE, Workspace


class TrainResult(msgspec.Struct, frozen=True, kw_only=True):
    """What `train` did. `reused` is the bundle that spared the training, if one did;
    `model_digest` is None if that bundle is locked and not in this job's store.
    """

    model: str
    inputs_digest: Digest
    model_digest: Digest | None
    step: Step | None
    reused: Digest | None = None


def train(
    workspace: Workspace, model: str, *, force: bool = False, output: int | IO[bytes] | None = None
) -> TrainResult:
    """Train `model` in the working tree.

    If `assent.lock` names a bundle for these inputs, or the store holds one of the same training
    inputs, its model files are put in place and nothing is run, unless `force`. Raises
    `CommandError` with the exit code of the command.
    """
    settings = workspace.settings(model)
    inputs = read_inputs(workspace.root, settings)
    forget(workspace.work, model, "evaluate")
    if settings.train is None:
        raise UsageError(
            f"training {model}",
            "assent.yaml has no `train` command for it",
            hint="add one, or go on with `assent evaluate` for a model that is trained elsewhere",
        )
    locked = None if force else _locked(workspace, model, inputs)
    if locked is not None:
        return _take(workspace, model, locked, inputs.train)
    found = None if force else _finished(workspace, model, inputs.train)
    if found is not None:
        return _reuse(workspace, model, found, inputs.train, "inputs unchanged")
    workspace.say(f"training {model}: {redact_text(settings.train)}")
    step, seen = run_step(workspace, settings.train, inputs.train, f"training {model}", output)
    environment = read_environment(workspace.root, settings.train, seen, python=settings.python)
    digest = _trained_digest(workspace, model)
    trained = Trained(step=step, model_digest=digest, environment=environment)
    keep(workspace.work, model, "train", trained)
    return TrainResult(model=model, inputs_digest=inputs.train, model_digest=digest, step=step)


def _trained_digest(workspace: Workspace, model: str) -> Digest:
    declared = workspace.settings(model).model
    try:
        return model_digest_at(workspace.root, declared)
    except UsageError as error:
        raise UsageError(
            f"training {model}",
            f"the command ended well, but at {declared!r} {error.problem}",
            hint=f"let the command write it there, or correct `model` in {FILE}",
        ) from None


def run_step(
    workspace: Workspace,
    command: str,
    inputs_digest: Digest,
    doing: str,
    output: int | IO[bytes] | None,
) -> tuple[Step, Seen]:
    """Run one of the team's commands with live output: what it took, and what ran."""
    result = run_command(command, workspace.root, stdout=output)
    command = redact_text(command)
    if result.exit_code != 0:
        raise CommandError(
            doing,
            f"`{command}` ended with exit code {result.exit_code}{_signal_name(result.exit_code)}",
            exit_code=result.exit_code,
            hint="this exit code is the command's own, and so is the output above; "
            "nothing was recorded",
        )
    step = Step(
        command=command,
        inputs_digest=inputs_digest,
        started_at=workspace.now,
        wall_s=round(result.wall_s, 3),
        cpu_s=round(result.cpu_s, 3),
        peak_memory_bytes=result.peak_memory_bytes,
    )
    return step, result.seen


def _signal_name(exit_code: int) -> str:
    """What a shell means by an exit code above 128."""
    try:
        name = signal.Signals(exit_code - 128).name
    except ValueError:
        return ""
    reason = "; often too little memory" if name == "SIGKILL" else ""
    return f" (ended by {name}{reason})"


def _finished(workspace: Workspace, model: str, inputs: Digest) -> Bundle | None:
    hint = workspace.store.recall(f"{model}/trained/{hex_of(inputs)}")
    return None if hint is None else load(workspace, model, hint)


def _locked(workspace: Workspace, model: str, inputs: Inputs) -> Locked | None:
    locked = lock_here(workspace, model)
    if locked is None or locked.inputs == inputs.evaluate:
        return locked
    workspace.say(
        f"training {model}: {LOCK} is stale, because the inputs are other ones than those of "
        f"bundle {short(locked.bundle)}; training as usual"
    )
    return None


def _take(workspace: Workspace, model: str, locked: Locked, inputs: Digest) -> TrainResult:
    """Put the locked model in place, or say who has it."""
    found = load(workspace, model, locked.bundle)
    if found is None:
        forget(workspace.work, model, "train")
        workspace.say(
            f"training {model}: {LOCK} names bundle {short(locked.bundle)} for these inputs, so "
            "nothing is trained; this store does not hold it, and the job that reviews takes it "
            "from its own (--force trains all the same)"
        )
        return TrainResult(
            model=model, inputs_digest=inputs, model_digest=None, step=None, reused=locked.bundle
        )
    stated = open_bundle(workspace, found).evidence.inputs_digest
    if stated != locked.inputs:
        raise IntegrityError(
            f"training {model}",
            f"{LOCK} names bundle {short(found.digest)} for these inputs, but it is of others",
            hint=f"take the model out of {LOCK}, or run `assent train --force`",
        )
    return _reuse(workspace, model, found, inputs, f"{LOCK} names the bundle of these inputs")


def _reuse(
    workspace: Workspace, model: str, found: Bundle, inputs: Digest, why: str
) -> TrainResult:
    evidence = open_bundle(workspace, found).evidence
    write_model(workspace.store, found, workspace.root / workspace.settings(model).model)
    if evidence.train is not None:
        trained = Trained(
            step=evidence.train,
            model_digest=found.model_digest,
            environment=evidence.trained_in or evidence.environment,
        )
        keep(workspace.work, model, "train", trained)
    workspace.say(
        f"training {model}: {why}, reusing the model of bundle "
        f"{short(found.digest)}; training skipped (--force trains again)"
    )
    return TrainResult(
        model=model,
        inputs_digest=inputs,
        model_digest=found.model_digest,
        step=evidence.train,
        reused=found.digest,
    )
