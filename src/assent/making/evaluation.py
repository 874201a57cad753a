"""One evaluation: the team's own command is run, and what is known of the result is gathered."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import ExitStack
from typing import IO

import msgspec

from assent.config.lock import FILE as LOCK
from assent.config.settings import FILE, ModelSettings
from assent.core.digest import Digest, hex_of, short
from assent.core.evidence import MAX_PRODUCTS, Code, Environment, Evidence, Step
from assent.core.scalar import Scalar
from assent.errors import UsageError
from assent.making.attachments import detach
from assent.making.bundles import load, made_by, open_bundle, reusable
from assent.making.command_run import Expected, Ran, run
from assent.making.evidence import measure
from assent.making.inputs import Inputs, why_changed
from assent.making.locks import current_lock
from assent.making.model_placement import digest_here, is_here
from assent.making.outputs import Outputs, data_of, evidence_files
from assent.making.preflight import (
    may_fetch,
    ready,
    require_inputs_here,
)
from assent.making.run_facts import RunFacts
from assent.making.scratch import Evaluated, Trained, Written, forget, keep, kept
from assent.making.worktree import (
    documents_of,
    inputs_of,
    is_of_other_dirt,
    left_by,
    not_as_left,
    outputs,
    read_code,
    some_of,
)
from assent.measure.cost import costs as costs_of
from assent.measure.environment import read_environment, with_packages
from assent.measure.interpreters import Seen
from assent.measure.metrics import read_metrics
from assent.measure.model_files import NoModelError, model_files
from assent.measure.packages import read_packages
from assent.measure.params import read_params
from assent.measure.patterns import covers
from assent.measure.redaction import redact_text
from assent.workspace import Workspace


class EvaluateResult(msgspec.Struct, frozen=True, kw_only=True):
    """What `evaluate` found. `reused` is the finished bundle that spared the evaluation. There is
    no evidence if that bundle is locked and not in this job's store.
    """

    model: str
    model_digest: Digest | None
    evidence: Evidence | None
    reused: Digest | None = None


def run_evaluation(
    workspace: Workspace,
    model: str,
    *,
    force: bool = False,
    output: int | IO[bytes] | None = None,
    inputs: Inputs | None = None,
) -> EvaluateResult:
    """Evaluate the model that stands in the working tree, and gather the evidence. `inputs` are
    those of the working tree if the caller has read them. What
    `force` does, and what is reused without it, is said of the verb `evaluate`.
    """
    facts = ready(workspace, model)
    if inputs is None:
        trained = kept(workspace.work, model, "train", Trained)
        inputs = inputs_of(workspace, model, known=None if trained is None else trained.inputs)
    locked = None if force else _locked(workspace, model, inputs)
    if locked is not None:
        return locked
    digest = _digest(workspace, model)
    reused = None if force else _reused(workspace, model, inputs, digest)
    return _evaluated(workspace, facts, inputs, digest, output) if reused is None else reused


def _reused(
    workspace: Workspace, model: str, inputs: Inputs, digest: Digest
) -> EvaluateResult | None:
    """The evidence of the finished bundle of these inputs, if it is of this very model."""
    hint = reusable(workspace, model, f"{model}/inputs/{hex_of(inputs.evaluate)}")
    bundle = None if hint is None else load(workspace, model, hint)
    if bundle is None or bundle.model_digest != digest:
        return None
    evidence = open_bundle(workspace, bundle).evidence
    if not _is_of_here(workspace, evidence) or is_of_other_dirt(workspace, evidence, inputs):
        return None
    keep(workspace.work, model, "evaluate", Evaluated(evidence=evidence, model_digest=digest))
    workspace.say(
        f"evaluating {model}: inputs unchanged, reusing bundle {short(bundle.digest)}, "
        f"{made_by(evidence)}; evaluation skipped (--force evaluates again)"
    )
    return EvaluateResult(model=model, model_digest=digest, evidence=evidence, reused=bundle.digest)


def _evaluated(
    workspace: Workspace,
    facts: RunFacts,
    inputs: Inputs,
    digest: Digest,
    output: int | IO[bytes] | None,
) -> EvaluateResult:
    """Run the command, if there is one, and read what it and the training have written."""
    model, settings = facts.model, facts.settings
    trained = _trained(workspace, model, inputs, digest)
    if settings.evaluate is None and trained is not None:
        _require_as_left(workspace, model, trained)
    is_fetching = may_fetch(settings.evaluate)
    if not is_fetching:
        _require_inputs(workspace, facts, inputs, facts.outputs)
    touched = () if trained is None else trained.touched
    before = read_code(workspace, touched, inputs=inputs.files)
    code = before if trained is None or trained.code is None else _both(trained.code, before)
    with ExitStack() as running:
        ran, left = None, None
        if settings.evaluate is not None:
            doing = f"evaluating {model}"
            workspace.say(f"{doing}: {redact_text(settings.evaluate)}")
            expected = _expected(facts, inputs, trained)
            ran = running.enter_context(
                run(workspace, facts, settings.evaluate, inputs.evaluate, doing, output, expected)
            )
            _require_same_model(workspace, model, digest, ran.written)
            left = left_by(workspace, model, inputs, doing, products=ran.earlier.products)
            if is_fetching:
                now, _ = outputs(workspace, model)  # what was fetched may say more of them
                _require_inputs(workspace, facts, left.inputs, now)
        products = {*inputs.products, *(() if left is None else left.fresh)}
        evidence = _evidence(workspace, facts, inputs, trained, ran, code, products)
    if ran is not None and left is not None:
        noted = Written(outputs=ran.known, products=left.products)
        keep(workspace.work, model, "written", noted)
    keep(workspace.work, model, "evaluate", Evaluated(evidence=evidence, model_digest=digest))
    return EvaluateResult(model=model, model_digest=digest, evidence=evidence)


def _require_inputs(workspace: Workspace, facts: RunFacts, inputs: Inputs, known: Outputs) -> None:
    """Raise `StandInError` unless the inputs are all here, but for what is measured anyhow."""
    settings, doing = facts.settings, f"evaluating {facts.model}"
    measured = (
        *data_of(settings),
        *settings.params,
        *evidence_files(settings),
        *settings.plots,
    )
    require_inputs_here(workspace, facts.model, inputs, doing, known, but=measured)


def _evidence(
    workspace: Workspace,
    facts: RunFacts,
    inputs: Inputs,
    trained: Trained | None,
    ran: Ran | None,
    code: Code,
    products: set[str],
) -> Evidence:
    model, settings = facts.model, facts.settings
    detach(workspace, model)
    metrics = read_metrics(workspace.root, settings.metrics, facts.outputs.is_strange)
    params = read_params(workspace.root, settings.params)
    measured = measure(workspace, model, plots=_shown(settings, trained, ran))
    seen = Seen() if ran is None else ran.seen
    trained_in, environment = _environments(workspace, settings, trained, seen)
    step = None if ran is None else ran.step
    costs = _costs(workspace, model, trained, step, environment)
    unproven = (*(trained.unproven if trained else ()), *(ran.unproven if ran else ()))
    return Evidence(
        model=model,
        inputs_digest=inputs.evaluate,
        inputs=inputs.files,
        train=None if trained is None else trained.step,
        evaluate=step,
        trained_by=None if workspace.is_in_forge_ci else workspace.forge.whoami(),
        code=code,
        params=params.params,
        metrics={**costs, **measured.metrics, **metrics.metrics},
        series=metrics.series,
        data=measured.data,
        overlaps=measured.overlaps,
        row_changes=measured.row_changes,
        predictions=measured.predictions,
        attachments=measured.attachments,
        environment=environment,
        trained_in=None if trained_in == environment else trained_in,
        run=workspace.run,
        unproven=tuple(dict.fromkeys(unproven)),
        estranged=inputs.estranged,
        products=_first({*products, *(trained.products if trained else ())}),
        leftovers=_first(
            {*inputs.products} - {*trained.products} | {*trained.leftovers}
            if trained
            else inputs.products
        ),
        reused="" if trained is None else trained.reused,
        problems=(*metrics.problems, *params.problems, *measured.problems),
    )


def _first(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names)[:MAX_PRODUCTS])


def _expected(facts: RunFacts, inputs: Inputs, trained: Trained | None) -> Expected:
    known = facts.outputs
    return Expected(
        must=(*known.measured, *known.plots),
        shown=known.plots,
        own={} if trained is None else trained.written,
        inputs=inputs.files,
    )


def _shown(
    settings: ModelSettings, trained: Trained | None, ran: Ran | None
) -> frozenset[str] | None:
    """The files that this run has written, which plots must be of; None where no command runs."""
    if ran is None and (trained is None or settings.evaluate is not None):
        return None
    own = {} if trained is None else trained.written
    return frozenset({**own, **({} if ran is None else ran.written)})


def _both(first: Code, second: Code) -> Code:
    """The revision of two steps of one run: what differed before either of them counts."""
    changed = tuple(dict.fromkeys((*first.changed, *second.changed)))
    is_dirty = first.is_dirty or second.is_dirty or first.commit != second.commit
    return msgspec.structs.replace(second, is_dirty=is_dirty, changed=changed)


def _digest(workspace: Workspace, model: str) -> Digest:
    settings = workspace.settings(model)
    try:
        return digest_here(workspace, model)
    except NoModelError as error:
        if settings.train is not None:
            raise
        hint = f"put the model there, or say in {FILE} where it is or how it is trained (`train`)"
        raise UsageError(error.doing, error.problem, hint=hint) from None


def _locked(workspace: Workspace, model: str, inputs: Inputs) -> EvaluateResult | None:
    """The evidence of the locked bundle, if its model stands in the working tree; without any if
    this store does not hold the bundle and nothing was trained here either.
    """
    locked = current_lock(workspace, model, inputs)
    if locked is None:
        return None
    bundle = load(workspace, model, locked.bundle)
    if bundle is None:
        if kept(workspace.work, model, "train", Trained) is not None:
            return None
        forget(workspace.work, model, "evaluate")
        workspace.say(
            f"evaluating {model}: {LOCK} names bundle {short(locked.bundle)} for these inputs; "
            "its evidence is in the store of the job that reviews"
        )
        return EvaluateResult(model=model, model_digest=None, evidence=None, reused=locked.bundle)
    if not is_here(workspace, bundle):
        return None
    evidence = open_bundle(workspace, bundle).evidence
    if evidence.inputs_digest != locked.inputs:
        return None
    reused = Evaluated(evidence=evidence, model_digest=bundle.model_digest)
    keep(workspace.work, model, "evaluate", reused)
    workspace.say(
        f"evaluating {model}: {LOCK} names bundle {short(bundle.digest)} for these inputs, reusing "
        "its evidence; evaluation skipped (--force evaluates again)"
    )
    return EvaluateResult(
        model=model, model_digest=bundle.model_digest, evidence=evidence, reused=bundle.digest
    )


def _is_of_here(workspace: Workspace, evidence: Evidence) -> bool:
    """Whether evidence may be taken over. In a forge's CI only that of the same commit may:
    whoever judges it has another commit checked out, and cannot compare the inputs.
    """
    is_same = evidence.code.commit == workspace.repository.resolve("HEAD")
    return is_same or not workspace.is_in_forge_ci


def _require_same_model(
    workspace: Workspace, model: str, digest: Digest, wrote: Collection[str]
) -> None:
    """Raise `UsageError` if the model is another one than before the evaluation, which `wrote`
    these files.
    """
    if _digest(workspace, model) == digest:
        return
    doing, folder = f"evaluating {model}", workspace.settings(model).model
    inside = [name for name in wrote if covers(folder, name)]
    if inside:
        raise UsageError(
            doing,
            f"the evaluation wrote {some_of(inside)} into the folder of the model, and would be "
            "about another model than it measured",
            hint="let it write its evidence elsewhere, or let `train` write it there",
        )
    raise UsageError(
        doing,
        "the evaluation changed the model, so its metrics are not about what would be shipped",
        hint="write the model in `train` only",
    )


def _environments(
    workspace: Workspace, settings: ModelSettings, trained: Trained | None, seen: Seen
) -> tuple[Environment | None, Environment]:
    """Where the model was trained; and the same with what evaluating it ran with besides."""
    root, python, command = workspace.root, settings.python, settings.evaluate or ""
    if settings.train is None:
        return None, read_environment(root, command, seen, python=python)
    trained_in = None if trained is None else trained.environment
    if trained_in is None:
        trained_in = read_environment(root, settings.train, Seen(), python=python)
    if not command or python is not None:
        return trained_in, trained_in
    return trained_in, with_packages(trained_in, read_packages(root, command, seen))


def _costs(
    workspace: Workspace,
    model: str,
    trained: Trained | None,
    step: Step | None,
    environment: Environment,
) -> dict[str, Scalar]:
    """The costs as metrics, if `assent.yaml` asks for them."""
    settings = workspace.settings(model)
    if settings.cost is None:
        return {}
    files = model_files(workspace.root, settings.model, documents_of(workspace, model))
    size = sum(path.stat().st_size for _, path in files)
    return costs_of(
        None if trained is None else trained.step, step, environment, settings.cost, size
    )


def _require_as_left(workspace: Workspace, model: str, trained: Trained) -> None:
    """Raise `UsageError` if the evidence that training has written is not what lies there now."""
    changed = not_as_left(workspace, trained)
    if changed:
        raise UsageError(
            f"evaluating {model}",
            f"{some_of(changed)} is not as the training left it",
            hint="run `assent train --force` again",
        )


def _trained(workspace: Workspace, model: str, inputs: Inputs, digest: Digest) -> Trained | None:
    """What `train` left, if it is about this model and these inputs."""
    if workspace.settings(model).train is None:
        return None
    doing, again = f"evaluating {model}", "run `assent train` again"
    trained = kept(workspace.work, model, "train", Trained)
    if trained is None:
        raise UsageError(doing, "it was not trained here", hint="run `assent train` first")
    if trained.model_digest != digest:
        raise UsageError(doing, "the model has changed since it was trained", hint=again)
    if trained.step.inputs_digest != inputs.train:
        reason = why_changed(trained.inputs, inputs.files)
        raise UsageError(doing, f"{reason} since it was trained", hint=again)
    return trained
