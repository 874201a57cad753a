"""`retrain`: train and evaluate again, and propose the result if it is better."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

import msgspec

from assent.compare.bundles import LoadedBundle
from assent.config.lock import FILE as LOCK
from assent.config.lock import Locked, lock_text, read_lock
from assent.core.digest import Digest
from assent.core.entry import Draft, Kind
from assent.core.verdict import Finding
from assent.errors import OutsideError, PolicyError, UsageError
from assent.judging.candidate import subject
from assent.judging.improvement import Aim, Improvement, aim_of, judge_improvement, name_of
from assent.judging.opinions import makers
from assent.making.bundle_lookup import baseline
from assent.making.bundles import load, open_bundle, read_bundle
from assent.making.evaluation import run_evaluation
from assent.making.handover import taken
from assent.making.locks import lock_at, retraining
from assent.making.packing import make_bundle
from assent.making.training import run_training
from assent.making.worktree import changed_files, some_of
from assent.policy.rules import Policy
from assent.ports import Proposal, View
from assent.recording.appending import Intent, record
from assent.recording.idempotency_keys import keyed
from assent.recording.proposal_branch import commit_file, push, require_own, tip
from assent.recording.reading import read_ledger
from assent.report.proposal import proposal_body
from assent.report.review import ReviewReport
from assent.workspace import Workspace

BRANCHES = "retrain"
"""Not below `assent/`: those branches are the ledger."""


class RetrainResult(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the result is better than the baseline, and what was proposed. `bundle` is the one
    that was proposed, or that was not good enough; `failed` are the gates that block it. `change`
    is where the proposal stands, None if none was made.
    """

    model: str
    sentence: str
    is_better: bool
    metric: str
    bundle: Digest | None = None
    failed: tuple[Finding, ...] = ()
    branch: str | None = None
    change: str | None = None


def retrain(
    workspace: Workspace,
    model: str,
    *,
    metric: str | None = None,
    dry_run: bool = False,
    artifact: str | None = None,
    output: int | IO[bytes] | None = None,
    progress: Callable[[int], None] | None = None,
) -> RetrainResult:
    """Train and evaluate the newest commit of the base branch again, whatever is known of its
    inputs, and propose the result if it is better than what is in production.

    It is better if no gate fails and the deciding metric (`metric`, else that of the first gate on
    one) has moved its better way. Then the bundle is noted in the ledger, named in `assent.lock`
    on the branch `retrain/<model>`, and proposed as a change. A proposal that is still open and as
    good stays, so that its approvals do. With `dry_run` nothing is proposed.

    Raises `PolicyError` elsewhere than on the base branch, and `CommandError` as `train` does.
    """
    doing = f"retraining {model}"
    workspace.require_trusted(doing)
    policy = workspace.binding_policy(model)
    if artifact is None:
        _require_alone(workspace, doing)
    base = _base(workspace, doing)
    aim = aim_of(policy, metric, doing)
    view = read_ledger(workspace, model)
    known = baseline(workspace, view, model, list(policy.stages))
    if known is None:
        return _stays(model, aim, "there is nothing yet that a new model could be better than")
    old = aim.value(known)
    if old is None:
        raise UsageError(
            doing,
            f"{name_of(known)} has no number called {aim.metric!r} to compare with",
            hint="name another metric with --metric",
        )
    if artifact is None:
        made = _made(workspace, model, known, output, progress)
    else:
        made = _left(workspace, model, artifact, base, progress)
    if made is None or made.bundle.model_digest == known.bundle.model_digest:
        return _stays(model, aim, f"the result is {name_of(known)} again, byte for byte")
    compared = judge_improvement(workspace, view, policy, aim, known, made)
    improvement = compared.improvement
    if improvement is not None and not dry_run:
        return _propose(workspace, policy, aim, known, base, improvement)
    return RetrainResult(
        model=model,
        sentence=compared.sentence,
        is_better=improvement is not None,
        metric=aim.metric,
        bundle=made.bundle.digest,
        failed=compared.failed,
    )


def _require_alone(workspace: Workspace, doing: str) -> None:
    """Raise `PolicyError` where a training would run beside a token that can write."""
    if workspace.is_in_forge_ci:
        raise PolicyError(
            doing,
            "this job may write to the ledger, and what it trains could read its token",
            hint="train, evaluate and bundle in a job of its own, and name what it leaves with "
            "--artifact; `assent init` writes both jobs",
        )


def _made(
    workspace: Workspace,
    model: str,
    known: LoadedBundle,
    output: int | IO[bytes] | None,
    progress: Callable[[int], None] | None,
) -> LoadedBundle | None:
    """The bundle of a training here; None if the model is the known one again."""
    trained, _ = run_training(workspace, model, force=True, output=output)
    if trained.model_digest == known.bundle.model_digest:
        return None
    run_evaluation(workspace, model, force=True, output=output)
    # Nobody has reviewed it: it must not be what others get for these inputs.
    made = make_bundle(workspace, model, is_found_again=False, progress=progress)
    return open_bundle(workspace, read_bundle(workspace, model, made.bundle))


def _left(
    workspace: Workspace,
    model: str,
    artifact: str,
    base: str,
    progress: Callable[[int], None] | None,
) -> LoadedBundle:
    """The bundle of a training in another job of this run, which is one of the base branch."""
    digest = taken(
        workspace,
        model,
        lambda folder, most: workspace.forge.fetch_own(artifact, folder, size_bytes=most),
        progress=progress,
    )
    assert digest is not None  # what leaves nothing has raised
    made = open_bundle(workspace, read_bundle(workspace, model, digest))
    code = made.evidence.code
    if code.commit != base or code.is_dirty:
        of = "a working tree with changes" if code.is_dirty else f"{code.commit}"
        raise UsageError(
            f"taking what {artifact!r} has left of {model}",
            f"it was made from {of}, not from {base[:12]}",
            hint="somebody has pushed meanwhile, or the job has changed files that Git tracks; let "
            "all jobs of the run start again",
        )
    return made


def _base(workspace: Workspace, doing: str) -> str:
    """The commit to train: the newest of the base branch, as it was committed."""
    base, branch = workspace.base, workspace.base_branch or "the base branch"
    if base is None or workspace.repository.resolve("HEAD") != base:
        raise UsageError(
            doing,
            f"what is checked out is not the newest commit of {branch}",
            hint=f"check out {branch} as the remote has it; a run that is repeated has an old one",
        )
    changed = changed_files(workspace)
    if changed:
        raise UsageError(
            doing,
            f"the working tree differs from its commit: {some_of(changed)}",
            hint="commit or restore these files",
        )
    return base


def _propose(
    workspace: Workspace,
    policy: Policy,
    aim: Aim,
    known: LoadedBundle,
    base: str,
    improvement: Improvement,
) -> RetrainResult:
    """Note it, name it in the lock, push the branch and open the change, in this order: what is
    cut off in between is done again by the next run.
    """
    model = improvement.candidate.bundle.model
    repository, remote = workspace.repository, workspace.branch.remote
    branch = f"{BRANCHES}/{model}"
    own = workspace.forge.commit_author()
    before = tip(repository, remote, branch)
    if before is not None:
        require_own(repository, base, before, own)
        improvement = _standing(workspace, policy, aim, known, before, improvement) or improvement
    locked = improvement.locked or _noted(workspace, policy, known, base, improvement)
    path = repository.relative(workspace.root / LOCK)
    text = _lock_with(workspace, base, path, model, locked)
    if (
        before is None
        or repository.show(before, path) != text
        or base not in repository.parents(before)
    ):
        commit = commit_file(
            repository,
            base,
            path,
            text,
            message=f"{improvement.title}\n\nBundle: {locked.bundle}\n",
            by=own,
            at=workspace.now,
        )
        push(repository, remote, branch, commit, expected=before)
    address = workspace.forge.propose(
        Proposal(
            model=model,
            branch=branch,
            base=workspace.base_branch or "",
            title=improvement.title,
            body=proposal_body(
                _report(workspace, improvement),
                sentence=f"{improvement.sentence}.",
                bundle=locked.bundle,
            ),
        )
    )
    return RetrainResult(
        model=model,
        sentence=improvement.sentence + (", as proposed already" if improvement.locked else ""),
        is_better=True,
        metric=aim.metric,
        bundle=locked.bundle,
        branch=branch,
        change=address,
    )


def _standing(
    workspace: Workspace,
    policy: Policy,
    aim: Aim,
    known: LoadedBundle,
    commit: str,
    improvement: Improvement,
) -> Improvement | None:
    """What the branch proposes already, if it is of the same inputs, is better than the baseline
    as it is now, and is no worse than what was found.
    """
    model = improvement.candidate.bundle.model
    try:
        locked = lock_at(workspace, commit, model)
    except UsageError:
        return None
    view = read_ledger(workspace, model)
    if locked is None or retraining(view, locked) is None:
        return None
    there = load(workspace, model, locked.bundle)
    if there is None or locked.inputs != improvement.candidate.evidence.inputs_digest:
        return None
    candidate = open_bundle(workspace, there)
    standing = judge_improvement(workspace, view, policy, aim, known, candidate).improvement
    if standing is None:
        return None
    old, new = aim.value(standing.candidate), aim.value(improvement.candidate)
    if old is None or new is None or aim.is_better(new, old):
        return None
    return msgspec.structs.replace(standing, locked=locked)


def _noted(
    workspace: Workspace, policy: Policy, known: LoadedBundle, base: str, improvement: Improvement
) -> Locked:
    """Put on the record that this run has made the bundle. A lock is a file that anybody can
    write: that what it names was made by code of the base branch is proven by this entry.
    """
    candidate = improvement.candidate
    model = candidate.bundle.model

    def decide(view: View) -> Intent[None]:
        now = baseline(workspace, view, model, list(policy.stages))
        if now is None or now.bundle.digest != known.bundle.digest:
            return Intent(outcome=None)
        draft = Draft(
            kind=Kind.NOTED,
            at=workspace.now,
            model=model,
            subject=subject(candidate),
            actor=workspace.forge.whoami(),
            authors=makers(workspace, candidate, None),
            verdict=improvement.judgement.record,
            run=workspace.run,
            commit=base,
            reason=f"retrained: {improvement.sentence}",
        )
        return Intent(outcome=None, drafts=(draft,))

    with keyed(workspace, model, "retrain", candidate.bundle.digest, base) as key:
        entries = record(workspace, model, decide, key=key).entries
    if not entries:
        raise OutsideError(
            f"retraining {model}",
            f"{name_of(known)} is not what it is to be compared with any more",
            hint="somebody has shipped another version meanwhile; run the verb again",
        )
    bundle_digest = candidate.bundle.digest
    inputs = candidate.evidence.inputs_digest
    return Locked(bundle=bundle_digest, inputs=inputs, entry=entries[-1].seq)


def _lock_with(workspace: Workspace, base: str, path: str, model: str, locked: Locked) -> bytes:
    """The lock of the base branch with one more model, or with another bundle of it."""
    text = workspace.repository.show(base, path)
    branch = workspace.base_branch or "the base branch"
    models = {} if text is None else read_lock(text, f"{path} of {branch}")
    return lock_text({**models, model: locked})


def _report(workspace: Workspace, improvement: Improvement) -> ReviewReport:
    judgement = improvement.judgement
    return ReviewReport(
        model=improvement.candidate.bundle.model,
        diff=judgement.diff,
        verdict=judgement.verdict,
        approvals=judgement.approvals,
        policy=judgement.policy,
        scope=judgement.scope,
        evidence=improvement.candidate.evidence,
        at=workspace.now,
    )


def _stays(model: str, aim: Aim, sentence: str) -> RetrainResult:
    return RetrainResult(model=model, sentence=sentence, is_better=False, metric=aim.metric)
