"""`retrain`: train and evaluate again, and propose the result if it is better."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

import msgspec

from assent.compare.bundles import LoadedBundle
from assent.config.lock import FILE as LOCK
from assent.config.lock import Locked, lock_text, read_lock
from assent.config.settings import FILE
from assent.core.diff.metrics import Better
from assent.core.digest import Digest, short
from assent.core.direction import direction
from assent.core.entry import Draft, Entry, Kind
from assent.core.scalar import number, show_apart
from assent.core.verdict import Finding
from assent.errors import AssentError, OutsideError, PolicyError, UsageError
from assent.judging.candidate import Judgement, judge, subject
from assent.judging.opinions import makers
from assent.making.bundle_lookup import baseline
from assent.making.bundles import load, open_bundle, read_bundle
from assent.making.changed_inputs import difference
from assent.making.evaluation import run_evaluation
from assent.making.handover import taken
from assent.making.locks import lock_at, retraining
from assent.making.packing import make_bundle
from assent.making.training import run_training
from assent.making.worktree import changed_files, some_of
from assent.policy.gates.metric import MetricGate
from assent.policy.rules import Policy
from assent.ports import Proposal, View
from assent.recording.appending import Intent, record
from assent.recording.idempotency_keys import keyed
from assent.recording.proposal_branch import commit_file, push, require_own, tip
from assent.recording.reading import read_entries, read_ledger
from assent.recording.versions import registered_from
from assent.report.proposal import proposal_body, proposal_title
from assent.report.review import ReviewReport
from assent.report.sections.verdict import blocked_by
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


class _Aim(msgspec.Struct, frozen=True, kw_only=True):
    """The metric that decides, and which way is better."""

    metric: str
    better: Better

    def value(self, of: LoadedBundle) -> float | int | None:
        return number(of.evidence.metrics.get(self.metric))

    def is_better(self, new: float, old: float) -> bool:
        return new > old if self.better == "higher" else new < old


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that is better than the baseline."""

    candidate: LoadedBundle
    judgement: Judgement
    title: str
    sentence: str
    locked: Locked | None = None


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
    aim = _aim(policy, metric, doing)
    view = read_ledger(workspace, model)
    known = baseline(workspace, view, model, list(policy.stages))
    if known is None:
        return _stays(model, aim, "there is nothing yet that a new model could be better than")
    old = aim.value(known)
    if old is None:
        raise UsageError(
            doing,
            f"{_name(known)} has no number called {aim.metric!r} to compare with",
            hint="name another metric with --metric",
        )
    if artifact is None:
        made = _made(workspace, model, known, output, progress)
    else:
        made = _left(workspace, model, artifact, base, progress)
    if made is None or made.bundle.model_digest == known.bundle.model_digest:
        return _stays(model, aim, f"the result is {_name(known)} again, byte for byte")
    candidate = made
    found, result = _judged(workspace, view, policy, aim, known, candidate)
    if found is None or dry_run:
        return result
    return _propose(workspace, policy, aim, known, base, found)


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
        lambda folder: workspace.forge.fetch_own(artifact, folder),
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


def _aim(policy: Policy, metric: str | None, doing: str) -> _Aim:
    gates = [
        gate
        for gate in policy.gates
        if isinstance(gate, MetricGate) and gate.slice is None and "*" not in gate.metric
    ]
    chosen = next((gate for gate in gates if metric in (None, gate.metric)), None)
    if chosen is not None:
        return _Aim(metric=chosen.metric, better=chosen.direction)
    if metric is None:
        raise UsageError(
            doing,
            "no gate is on a single metric, so it is not known what `better` is",
            hint="name the metric that decides with --metric",
        )
    better = policy.directions.get(metric) or direction(metric)
    if better is None:
        raise UsageError(
            doing,
            f"it is not known whether a higher {metric} is better",
            hint=f"say it in {FILE}: `directions: {{{metric}: higher}}`, or `lower`",
        )
    return _Aim(metric=metric, better=better)


def _judged(
    workspace: Workspace,
    view: View,
    policy: Policy,
    aim: _Aim,
    known: LoadedBundle,
    candidate: LoadedBundle,
) -> tuple[_Found | None, RetrainResult]:
    """The candidate as found if it is better, and what is to be said of it."""
    model, digest = candidate.bundle.model, candidate.bundle.digest
    judgement = judge(workspace, view, policy, candidate, reviews=[], change=None)
    failed = judgement.verdict.blocking
    old, new = aim.value(known), aim.value(candidate)
    moved = f"{aim.metric} {' → '.join(show_apart(old, new))}"
    is_better = old is not None and new is not None and aim.is_better(new, old)
    if failed or not is_better:
        why = blocked_by(judgement.verdict) if failed else f"{moved} is no improvement"
        sentence = f"{short(digest)} is not better than {_name(known)}: {why}"
        return None, msgspec.structs.replace(
            _stays(model, aim, sentence), bundle=digest, failed=failed
        )
    sentence = f"{short(digest)} is better than {_name(known)}: {moved}"
    sentence += _rolled_back(workspace, view, candidate)
    return (
        _Found(
            candidate=candidate,
            judgement=judgement,
            title=proposal_title(model, aim.metric, old, new),
            sentence=sentence,
        ),
        RetrainResult(
            model=model, sentence=sentence, is_better=True, metric=aim.metric, bundle=digest
        ),
    )


def _rolled_back(workspace: Workspace, view: View, candidate: LoadedBundle) -> str:
    """That the inputs of a candidate are those of a version which somebody has rolled back."""
    commit = candidate.evidence.code.commit
    for line in view.state.newest:
        source = registered_from(view, line.bundle)
        if commit is None or source is None:
            continue
        try:
            read = candidate.evidence.inputs
            if difference(workspace, candidate.bundle.model, source, commit, read):
                continue
        except AssentError:
            continue
        entry = _last_rollback(view, line.version)
        if entry is not None:
            return (
                f"; made from the inputs of v{line.version}, which was rolled back from "
                f"{entry.stage} ({entry.reason})"
            )
    return ""


def _last_rollback(view: View, version: int) -> Entry | None:
    """The newest entry by which a version was rolled back."""
    bundle = view.bundle_of(version)
    record = None if bundle is None else view.record(bundle)
    if record is None or not record.stays:
        return None  # it was never anywhere
    found = None
    for entry in read_entries(view, record.registered or 0):
        if entry.kind is Kind.ROLLED_BACK and entry.replaces == version:
            found = entry
    return found


def _propose(
    workspace: Workspace, policy: Policy, aim: _Aim, known: LoadedBundle, base: str, found: _Found
) -> RetrainResult:
    """Note it, name it in the lock, push the branch and open the change, in this order: what is
    cut off in between is done again by the next run.
    """
    model = found.candidate.bundle.model
    repository, remote = workspace.repository, workspace.branch.remote
    branch = f"{BRANCHES}/{model}"
    own = workspace.forge.commit_author()
    before = tip(repository, remote, branch)
    if before is not None:
        require_own(repository, base, before, own)
        found = _standing(workspace, policy, aim, known, before, found) or found
    locked = found.locked or _noted(workspace, policy, known, base, found)
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
            message=f"{found.title}\n\nBundle: {locked.bundle}\n",
            by=own,
            at=workspace.now,
        )
        push(repository, remote, branch, commit, expected=before)
    address = workspace.forge.propose(
        Proposal(
            model=model,
            branch=branch,
            base=workspace.base_branch or "",
            title=found.title,
            body=proposal_body(
                _report(workspace, found), sentence=f"{found.sentence}.", bundle=locked.bundle
            ),
        )
    )
    return RetrainResult(
        model=model,
        sentence=found.sentence + (", as proposed already" if found.locked else ""),
        is_better=True,
        metric=aim.metric,
        bundle=locked.bundle,
        branch=branch,
        change=address,
    )


def _standing(
    workspace: Workspace, policy: Policy, aim: _Aim, known: LoadedBundle, commit: str, found: _Found
) -> _Found | None:
    """What the branch proposes already, if it is of the same inputs, is better than the baseline
    as it is now, and is no worse than what was found.
    """
    model = found.candidate.bundle.model
    try:
        locked = lock_at(workspace, commit, model)
    except UsageError:
        return None
    view = read_ledger(workspace, model)
    if locked is None or retraining(view, locked) is None:
        return None
    there = load(workspace, model, locked.bundle)
    if there is None or locked.inputs != found.candidate.evidence.inputs_digest:
        return None
    standing, _ = _judged(workspace, view, policy, aim, known, open_bundle(workspace, there))
    if standing is None:
        return None
    old, new = aim.value(standing.candidate), aim.value(found.candidate)
    if old is None or new is None or aim.is_better(new, old):
        return None
    return msgspec.structs.replace(standing, locked=locked)


def _noted(
    workspace: Workspace, policy: Policy, known: LoadedBundle, base: str, found: _Found
) -> Locked:
    """Put on the record that this run has made the bundle. A lock is a file that anybody can
    write: that what it names was made by code of the base branch is proven by this entry.
    """
    candidate = found.candidate
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
            verdict=found.judgement.record,
            run=workspace.run,
            commit=base,
            reason=f"retrained: {found.sentence}",
        )
        return Intent(outcome=None, drafts=(draft,))

    with keyed(workspace, model, "retrain", candidate.bundle.digest, base) as key:
        entries = record(workspace, model, decide, key=key).entries
    if not entries:
        raise OutsideError(
            f"retraining {model}",
            f"{_name(known)} is not what it is to be compared with any more",
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


def _report(workspace: Workspace, found: _Found) -> ReviewReport:
    judgement = found.judgement
    return ReviewReport(
        model=found.candidate.bundle.model,
        diff=judgement.diff,
        verdict=judgement.verdict,
        approvals=judgement.approvals,
        policy=judgement.policy,
        evidence=found.candidate.evidence,
        at=workspace.now,
    )


def _stays(model: str, aim: _Aim, sentence: str) -> RetrainResult:
    return RetrainResult(model=model, sentence=sentence, is_better=False, metric=aim.metric)


def _name(known: LoadedBundle) -> str:
    return short(known.bundle.digest) if known.version is None else f"v{known.version}"
