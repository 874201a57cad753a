"""`evaluate`: run the team's own evaluation and gather the evidence on what was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from assent.config.lock import FILE as LOCK
from assent.config.settings import ModelSettings
from assent.core.digest import Digest, hex_of, short
from assent.core.evidence import Code, Environment, Evidence, Problem, Step
from assent.core.scalar import Scalar
from assent.errors import UsageError
from assent.measure.cost import costs as costs_of
from assent.measure.environment import read_environment, with_packages
from assent.measure.files import expand, relative_name
from assent.measure.interpreters import Seen
from assent.measure.metrics import read_metrics
from assent.measure.models.files import model_files
from assent.measure.packages import read_packages
from assent.measure.params import read_params
from assent.measure.redaction import redact_text
from assent.verbs.attachments import detach
from assent.verbs.bundles import load, model_digest_at, open_bundle, stands_at
from assent.verbs.inputs import Inputs, read_inputs
from assent.verbs.locks import current_lock
from assent.verbs.measuring import measure
from assent.verbs.train import run_step
from assent.verbs.work import Evaluated, Trained, forget, keep, kept
from assent.verbs.workspace import Workspace


class EvaluateResult(msgspec.Struct, frozen=True, kw_only=True):
    """What `evaluate` found. `reused` is the finished bundle that spared the evaluation. There is
    no evidence if that bundle is locked and not in this job's store.
    """

    model: str
    model_digest: Digest | None
    evidence: Evidence | None
    reused: Digest | None = None


def evaluate(
    workspace: Workspace, model: str, *, force: bool = False, output: int | IO[bytes] | None = None
) -> EvaluateResult:
    """Evaluate the model that stands in the working tree, and gather the evidence.

    If `assent.lock` names a bundle for these inputs, or the store holds a finished bundle of the
    same inputs, and it is of this very model, its evidence is reused and nothing is run, unless
    `force`. Raises `CommandError` with the command's exit code.
    """
    settings = workspace.settings(model)
    inputs = read_inputs(workspace.root, settings)
    locked = None if force else _locked(workspace, model, inputs)
    if locked is not None:
        return locked
    digest = model_digest_at(workspace.root, settings.model)
    if not force:
        hint = workspace.store.recall(f"{model}/inputs/{hex_of(inputs.evaluate)}")
        found = None if hint is None else load(workspace, model, hint)
        evidence = None if found is None else open_bundle(workspace, found).evidence
        if (
            found is not None
            and evidence is not None
            and found.model_digest == digest
            and _is_of_here(workspace, evidence)
        ):
            reused = Evaluated(evidence=evidence, model_digest=digest)
            keep(workspace.work, model, "evaluate", reused)
            workspace.say(
                f"evaluating {model}: inputs unchanged, reusing bundle {short(found.digest)}; "
                "evaluation skipped (--force evaluates again)"
            )
            return EvaluateResult(
                model=model, model_digest=digest, evidence=evidence, reused=found.digest
            )
    step = None
    seen = Seen()
    untouched: tuple[Problem, ...] = ()
    if settings.evaluate is not None:
        workspace.say(f"evaluating {model}: {redact_text(settings.evaluate)}")
        before = _written(workspace, settings.metrics)
        step, seen = run_step(
            workspace, settings.evaluate, inputs.evaluate, f"evaluating {model}", output
        )
        _require_same_model(workspace, model, digest)
        untouched = _untouched(workspace, settings, before)
    trained = _trained(workspace, model, inputs.train, digest)
    detach(workspace, model)
    metrics = read_metrics(workspace.root, settings.metrics)
    params = read_params(workspace.root, settings.params)
    measured = measure(workspace, model)
    trained_in, environment = _environments(workspace, settings, trained, seen)
    costs = _costs(workspace, settings, trained, step, environment)
    evidence = Evidence(
        model=model,
        inputs_digest=inputs.evaluate,
        inputs=inputs.files,
        train=None if trained is None else trained.step,
        evaluate=step,
        trained_by=None if workspace.is_in_forge_ci else workspace.forge.whoami(),
        code=read_code(workspace),
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
        problems=(*untouched, *metrics.problems, *params.problems, *measured.problems),
    )
    keep(workspace.work, model, "evaluate", Evaluated(evidence=evidence, model_digest=digest))
    return EvaluateResult(model=model, model_digest=digest, evidence=evidence)


def _locked(workspace: Workspace, model: str, inputs: Inputs) -> EvaluateResult | None:
    """The evidence of the locked bundle, if its model stands in the working tree; without any if
    this store does not hold the bundle and nothing was trained here either.
    """
    locked = current_lock(workspace, model, inputs)
    if locked is None:
        return None
    found = load(workspace, model, locked.bundle)
    if found is None:
        if kept(workspace.work, model, "train", Trained) is not None:
            return None
        forget(workspace.work, model, "evaluate")
        workspace.say(
            f"evaluating {model}: {LOCK} names bundle {short(locked.bundle)} for these inputs; "
            "its evidence is in the store of the job that reviews"
        )
        return EvaluateResult(model=model, model_digest=None, evidence=None, reused=locked.bundle)
    if not stands_at(workspace.root / workspace.settings(model).model, found):
        return None
    evidence = open_bundle(workspace, found).evidence
    if evidence.inputs_digest != locked.inputs:
        return None
    reused = Evaluated(evidence=evidence, model_digest=found.model_digest)
    keep(workspace.work, model, "evaluate", reused)
    workspace.say(
        f"evaluating {model}: {LOCK} names bundle {short(found.digest)} for these inputs, reusing "
        "its evidence; evaluation skipped (--force evaluates again)"
    )
    return EvaluateResult(
        model=model, model_digest=found.model_digest, evidence=evidence, reused=found.digest
    )


def read_code(workspace: Workspace) -> Code:
    """The revision of the working tree and its authors.

    In a forge's CI the evidence names nobody: a job that runs the code of a change has no token
    to ask who they are, and would not be believed. Whoever judges the bundle asks.
    """
    repository = workspace.repository
    head = repository.resolve("HEAD")
    if head is None:
        return Code(branch=repository.branch(), is_dirty=True)
    change = None if workspace.is_in_forge_ci else workspace.forge.change()
    authors = () if change is None else change.authors
    return Code(
        commit=head,
        tree=repository.tree(head),
        branch=repository.branch(),
        is_dirty=repository.is_dirty(),
        authors=tuple(author.person for author in authors if author.person is not None),
    )


def _is_of_here(workspace: Workspace, evidence: Evidence) -> bool:
    """Whether evidence may be taken over. In a forge's CI only that of the same commit may:
    whoever judges it has another commit checked out, and cannot compare the inputs.
    """
    is_same = evidence.code.commit == workspace.repository.resolve("HEAD")
    return is_same or not workspace.is_in_forge_ci


def _require_same_model(workspace: Workspace, model: str, digest: Digest) -> None:
    if model_digest_at(workspace.root, workspace.settings(model).model) != digest:
        raise UsageError(
            f"evaluating {model}",
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
    settings: ModelSettings,
    trained: Trained | None,
    step: Step | None,
    environment: Environment,
) -> dict[str, Scalar]:
    """The costs as metrics, if `assent.yaml` asks for them."""
    if settings.cost is None:
        return {}
    files = model_files(workspace.root, settings.model)
    size = sum(path.stat().st_size for _, path in files)
    return costs_of(
        None if trained is None else trained.step, step, environment, settings.cost, size
    )


def _written(workspace: Workspace, patterns: Sequence[str]) -> dict[Path, int]:
    """When each file was last written, in nanoseconds."""
    return {path: path.stat().st_mtime_ns for path in expand(workspace.root, patterns)}


def _untouched(
    workspace: Workspace, settings: ModelSettings, before: Mapping[Path, int]
) -> tuple[Problem, ...]:
    """Metric files that the evaluation left as they were although the model is newer: they are
    about another model. A pipeline tool that skips a step whose outputs are newer is right to.
    """
    files = model_files(workspace.root, settings.model)
    trained = max(path.stat().st_mtime_ns for _, path in files)
    return tuple(
        Problem(
            source=relative_name(workspace.root, path),
            problem="it is older than the model, and the evaluation did not write it",
        )
        for path, written in _written(workspace, settings.metrics).items()
        if before.get(path) == written and written < trained
    )


def _trained(
    workspace: Workspace, model: str, inputs_digest: Digest, digest: Digest
) -> Trained | None:
    """What `train` left, if it is about this model and these inputs."""
    if workspace.settings(model).train is None:
        return None
    trained = kept(workspace.work, model, "train", Trained)
    if trained is None:
        raise UsageError(
            f"evaluating {model}", "it was not trained here", hint="run `assent train` first"
        )
    if trained.model_digest != digest or trained.step.inputs_digest != inputs_digest:
        raise UsageError(
            f"evaluating {model}",
            "the model or its inputs have changed since it was trained",
            hint="run `assent train` again",
        )
    return trained
