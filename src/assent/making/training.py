"""One training: the team's own command is run, or what the same inputs gave before is reused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO

import msgspec

from assent.config.lock import FILE as LOCK
from assent.config.lock import Locked
from assent.config.settings import FILE
from assent.core.bundle import Bundle
from assent.core.digest import Digest, hex_of, short
from assent.core.evidence import Code, Evidence, Step
from assent.errors import IntegrityError, UsageError
from assent.making.bundles import load, made_by, open_bundle, reusable
from assent.making.command_run import Expected, run
from assent.making.inputs import Inputs
from assent.making.locks import lock_here
from assent.making.model_placement import digest_here, placed, put_model
from assent.making.output_paths import say_shared
from assent.making.preflight import (
    awaited,
    may_fetch,
    ready,
    require_fetched,
    require_inputs_here,
)
from assent.making.run_facts import RunFacts
from assent.making.scratch import Trained, Written, forget, keep
from assent.making.worktree import (
    changed_files,
    inputs_of,
    is_of_other_dirt,
    left_by,
    outputs,
    read_code,
    say_inputs,
)
from assent.measure.environment import read_environment
from assent.measure.patterns import covers
from assent.measure.pointers import StandInError
from assent.measure.redaction import redact_text
from assent.workspace import Workspace


class TrainResult(msgspec.Struct, frozen=True, kw_only=True):
    """What `train` did. `reused` is the bundle that spared the training, if one did;
    `model_digest` is None if that bundle is locked and not in this job's store.
    """

    model: str
    inputs_digest: Digest
    model_digest: Digest | None
    step: Step | None
    reused: Digest | None = None


def run_training(
    workspace: Workspace,
    model: str,
    *,
    force: bool = False,
    output: int | IO[bytes] | None = None,
    inputs: Inputs | None = None,
    facts: RunFacts | None = None,
) -> tuple[TrainResult, Inputs]:
    """Train `model` in the working tree, from `inputs` and `facts` if the caller has read them.
    Returns the inputs as they are afterwards, too. What `force` does, and what is reused without
    it, is said of the verb `train`.
    """
    doing = f"training {model}"
    facts = facts or ready(workspace, model)
    settings = facts.settings
    if inputs is None:
        inputs = inputs_of(workspace, model)
    say_inputs(workspace, doing, inputs)
    forget(workspace.work, model, "evaluate")
    if settings.train is None:
        raise UsageError(
            doing,
            "assent.yaml has no `train` command for it",
            hint="add one, or go on with `assent evaluate` for a model that is trained elsewhere",
        )
    locked = None if force else _locked(workspace, model, inputs)
    if locked is not None:
        return _take(workspace, facts, locked, inputs), inputs
    bundle = None if force else _finished(workspace, model, inputs)
    if bundle is not None:
        return _reuse(workspace, facts, bundle, inputs, "inputs unchanged"), inputs
    return _trained_now(workspace, facts, settings.train, inputs, output)


def _trained_now(
    workspace: Workspace,
    facts: RunFacts,
    command: str,
    inputs: Inputs,
    output: int | IO[bytes] | None,
) -> tuple[TrainResult, Inputs]:
    """Run the command, and note what it was run from and what it has written."""
    model = facts.model
    doing = f"training {model}"
    is_fetching = may_fetch(command)
    if not is_fetching:
        require_fetched(workspace, facts, inputs, doing)
    pointers = awaited(workspace, inputs) if is_fetching else {}
    say_shared(workspace, model, doing)
    workspace.say(f"{doing}: {redact_text(command)}")
    code, dirty = read_code(workspace, inputs=inputs.files), changed_files(workspace)
    expected = _expected(facts, inputs)
    with run(workspace, facts, command, inputs.train, doing, output, expected) as ran:
        known = ran.known
        digest = _trained_digest(workspace, model, known)
        left = left_by(
            workspace,
            model,
            inputs,
            doing,
            products=ran.earlier.products,
            is_training=True,
            awaited=pointers,
        )
        if is_fetching:
            now, _ = outputs(workspace, model)  # what was fetched may say more of them
            require_inputs_here(workspace, model, left.inputs, doing, now)
        keep(workspace.work, model, "written", Written(outputs=known, products=left.products))
    leftovers, inputs = inputs.products, left.inputs
    step = msgspec.structs.replace(ran.step, inputs_digest=inputs.train)
    trained = Trained(
        step=step,
        model_digest=digest,
        inputs=inputs.files,
        code=code,
        environment=read_environment(
            workspace.root, command, ran.seen, python=facts.settings.python
        ),
        written=_evidence(facts, ran.written),
        touched=tuple({*changed_files(workspace)} - {*dirty} - _as_git(workspace, inputs)),
        unproven=ran.unproven,
        products=inputs.products,
        leftovers=leftovers,
    )
    keep(workspace.work, model, "train", trained)
    result = TrainResult(model=model, inputs_digest=inputs.train, model_digest=digest, step=step)
    return result, inputs


def _evidence(facts: RunFacts, names: Mapping[str, Digest]) -> dict[str, Digest]:
    """What of the files that the training wrote is evidence on the model, in its folder or not."""
    patterns = (*facts.outputs.measured, *facts.outputs.plots)
    return {
        name: digest
        for name, digest in names.items()
        if any(covers(each, name) for each in patterns)
    }


def _as_git(workspace: Workspace, inputs: Inputs) -> set[str]:
    """The inputs as Git names them: whoever changes one has changed it, not the run."""
    return {workspace.repository.relative(workspace.root / name) for name in inputs.files}


def _expected(facts: RunFacts, inputs: Inputs) -> Expected:
    """The model must be new; and what it is judged by, if there is no command that evaluates."""
    known = facts.outputs
    measured = (*known.measured, *known.plots)
    if facts.settings.evaluate is None:
        must = (*known.model, *measured)
        return Expected(must=must, shown=known.plots, inputs=inputs.files)
    return Expected(must=known.model, may=measured, inputs=inputs.files)


def _trained_digest(workspace: Workspace, model: str, known: Mapping[str, Digest]) -> Digest:
    try:
        return digest_here(workspace, model, known)
    except StandInError:
        raise
    except UsageError as error:
        declared = workspace.settings(model).model
        raise UsageError(
            f"training {model}",
            f"the command ended well, but at {declared!r} {error.problem}",
            hint=f"let the command write it there, or correct `model` in {FILE}",
        ) from None


def _finished(workspace: Workspace, model: str, inputs: Inputs) -> Bundle | None:
    hint = reusable(workspace, model, f"{model}/trained/{hex_of(inputs.train)}")
    bundle = None if hint is None else load(workspace, model, hint)
    if bundle is None or is_of_other_dirt(
        workspace, open_bundle(workspace, bundle).evidence, inputs
    ):
        return None
    return bundle


def _locked(workspace: Workspace, model: str, inputs: Inputs) -> Locked | None:
    locked = lock_here(workspace, model)
    if locked is None or locked.inputs == inputs.evaluate:
        return locked
    workspace.say(
        f"training {model}: {LOCK} is stale, because the inputs are other ones than those of "
        f"bundle {short(locked.bundle)}; training as usual"
    )
    return None


def _take(workspace: Workspace, facts: RunFacts, locked: Locked, inputs: Inputs) -> TrainResult:
    """Put the locked model in place, or say who has it."""
    model = facts.model
    bundle = load(workspace, model, locked.bundle)
    if bundle is None:
        forget(workspace.work, model, "train")
        workspace.say(
            f"training {model}: {LOCK} names bundle {short(locked.bundle)} for these inputs, so "
            "nothing is trained; this store does not hold it, and the job that reviews takes it "
            "from its own (--force trains all the same)"
        )
        return TrainResult(
            model=model,
            inputs_digest=inputs.train,
            model_digest=None,
            step=None,
            reused=locked.bundle,
        )
    stated = open_bundle(workspace, bundle).evidence.inputs_digest
    if stated != locked.inputs:
        raise IntegrityError(
            f"training {model}",
            f"{LOCK} names bundle {short(bundle.digest)} for these inputs, but it is of others",
            hint=f"take the model out of {LOCK}, or run `assent train --force`",
        )
    return _reuse(workspace, facts, bundle, inputs, f"{LOCK} names the bundle of these inputs")


def _reused_code(workspace: Workspace, evidence: Evidence) -> Code:
    """The revision that is here, as dirty as the one that the model was trained from."""
    here, there = read_code(workspace), evidence.code
    return msgspec.structs.replace(
        here,
        is_dirty=here.is_dirty or there.is_dirty,
        changed=tuple(dict.fromkeys((*there.changed, *here.changed))),
    )


def _reuse(
    workspace: Workspace, facts: RunFacts, bundle: Bundle, inputs: Inputs, why: str
) -> TrainResult:
    model = facts.model
    evidence = open_bundle(workspace, bundle).evidence
    put_model(workspace, bundle)
    if evidence.train is not None:
        trained = Trained(
            step=evidence.train,
            model_digest=bundle.model_digest,
            inputs=inputs.files,
            environment=evidence.trained_in or evidence.environment,
            code=_reused_code(workspace, evidence),
            written=_evidence(facts, placed(workspace, bundle)),
            reused=evidence.reused or made_by(evidence),
            products=evidence.products,
            leftovers=evidence.leftovers,
            unproven=tuple(
                name for name in evidence.unproven if covers(facts.settings.model, name)
            ),
        )
        keep(workspace.work, model, "train", trained)
    workspace.say(
        f"training {model}: {why}, reusing the model of bundle {short(bundle.digest)}, "
        f"{made_by(evidence)}; training skipped (--force trains again)"
    )
    return TrainResult(
        model=model,
        inputs_digest=inputs.train,
        model_digest=bundle.model_digest,
        step=evidence.train,
        reused=bundle.digest,
    )
