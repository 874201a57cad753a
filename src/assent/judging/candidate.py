"""Facts and rules brought together: the judgement that `review`, `register` and `explain` share."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from assent.compare.bundles import LoadedBundle
from assent.core.approval import Approvals
from assent.core.bundle import read_manifest
from assent.core.change import Change, Review
from assent.core.diff import Diff
from assent.core.digest import Digest, short
from assent.core.entry import (
    Subject,
    VerdictRecord,
    recorded,
)
from assent.core.scope import Scope
from assent.core.verdict import Finding, Outcome, Verdict
from assent.errors import AssentError, UsageError
from assent.judging.inherited import NOTHING, Inherited, inherited
from assent.judging.inspection import compare_bundles
from assent.judging.opinions import count_approvals, makers_without_account
from assent.making.bundle_lookup import baseline
from assent.making.bundles import open_bundle
from assent.making.changed_inputs import difference, foreign
from assent.making.inputs import changed_names
from assent.making.locks import lock_at, mistrust
from assent.policy.approvals import (
    approval_findings,
)
from assent.policy.directions import directed
from assent.policy.judge import decided_by_people, judge_candidate, rule_for
from assent.policy.rules import Policy
from assent.policy.scope import scope_of
from assent.ports import View
from assent.recording.versions import latest_from
from assent.workspace import Workspace


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate judged: what changed, who approved, and the verdict of both. `inherited` is what
    it has of steps that have landed without a version; `scope` is what the policy looks at.
    """

    diff: Diff
    approvals: Approvals
    verdict: Verdict
    policy: Digest
    evidence: Digest
    inherited: Inherited = NOTHING
    scope: Scope = Scope()

    @property
    def record(self) -> VerdictRecord:
        """The verdict as entries keep it."""
        return recorded(self.verdict, policy=self.policy, evidence=self.evidence)


def judge(
    workspace: Workspace,
    view: View,
    policy: Policy,
    candidate: LoadedBundle,
    *,
    reviews: Sequence[Review],
    change: Change | None,
    landed: Change | None = None,
    weights: bool = False,
    beside: Inherited | None = None,
) -> Judgement:
    """Compare the candidate with its baseline, judge every gate, and count the approvals.

    `change` is the change under review, or None if only what was recorded counts; then `landed` is
    the one that was merged, whose authors are heard as the forge names them now. With `weights`
    the diff says how far each tensor has moved, which is for people and takes a moment. `beside`
    is what it has inherited, where that is known.
    """
    diff = _compared(workspace, view, policy, candidate, weights=weights)
    scope = scope_of(policy, diff)
    gates = judge_candidate(policy, diff, candidate.evidence)
    rule = rule_for(policy.approvals, gates)
    made_in = change or landed
    beside = beside or inherited(workspace, view, candidate, made_in)
    approvals = count_approvals(
        workspace,
        view,
        rule,
        candidate,
        reviews=reviews,
        change=change,
        landed=landed,
        beside=beside,
    )
    names = makers_without_account(policy, made_in, beside)
    unchanged = _nothing_new(workspace, view, candidate, change)
    if unchanged is not None:
        return Judgement(
            diff=diff,
            approvals=msgspec.structs.replace(approvals, required=0),
            verdict=Verdict(findings=(unchanged,)),
            policy=policy.digest,
            evidence=candidate.bundle.evidence.digest,
            scope=scope,
        )
    findings = [
        *provenance(workspace, view, candidate, change),
        *decided_by_people(gates, approvals),
        *approval_findings(approvals, unmapped_authors=names),
    ]
    return Judgement(
        diff=diff,
        approvals=approvals,
        verdict=Verdict(findings=tuple(findings)),
        policy=policy.digest,
        evidence=candidate.bundle.evidence.digest,
        inherited=beside,
        scope=scope,
    )


def _compared(
    workspace: Workspace, view: View, policy: Policy, candidate: LoadedBundle, *, weights: bool
) -> Diff:
    """The candidate against what the stages of the policy hold."""
    model = candidate.bundle.model
    old = baseline(workspace, view, model, list(policy.stages))
    if old is not None and old.bundle.digest == candidate.bundle.digest:
        if old.version is None:
            old = None  # the first model, built on the base branch: nothing to compare with
        else:
            workspace.say(f"{model}: the candidate is the baseline itself")
    diff = compare_bundles(workspace, view, old, candidate, weights=weights)
    return msgspec.structs.replace(directed(policy, diff), at=workspace.now)


def provenance(
    workspace: Workspace, view: View, candidate: LoadedBundle, change: Change | None
) -> list[Finding]:
    """In CI, the finding on whether the bundle is of the change that the forge names. What a
    bundle says of itself was written by code of a change, which may be another one.
    """
    if change is None or not workspace.is_in_ci:
        return []
    locked = _locked(workspace, view, candidate, change)
    if locked is not None:
        return [locked]
    model, evidence = candidate.bundle.model, candidate.evidence
    problem = ""
    if evidence.code.is_dirty or evidence.code.commit not in (change.head, change.commit):
        problem = foreign(workspace, model, evidence, change.commit)
    is_own = evidence.code.commit in (change.head, change.commit)
    passed = "made from its revision" if is_own else "made from a revision of the same inputs"
    remedy = "let CI train and evaluate the newest revision"
    if evidence.code.is_dirty:
        remedy = "commit what the job changes before it trains, or let it change nothing"
    return [
        Finding(
            rule="the bundle is of this change",
            outcome=Outcome.FAILED if problem else Outcome.PASSED,
            reason=problem or passed,
            evidence=f"{change.id} is at {change.head[:12]}",
            remedy=remedy if problem else "",
        )
    ]


def _nothing_new(
    workspace: Workspace, view: View, candidate: LoadedBundle, change: Change | None
) -> Finding | None:
    """In CI, the finding on a change that leaves everything alone that the newest version is made
    from, such as one of the docs: merging it registers nothing, so nobody has to approve it.
    Git says so, not the bundle. None if something differs, or if the change brings a retrained
    bundle.
    """
    line = view.state.latest
    if change is None or change.landed or not workspace.is_in_ci or line is None:
        return None
    model = candidate.bundle.model
    commit = latest_from(view)
    try:
        locked = lock_at(workspace, change.head, model)
        read = candidate.evidence.inputs
        if commit is None or difference(workspace, model, commit, change.head, read):
            return None
        if _other_data(workspace, candidate, _known_bundle(workspace, line.bundle), change):
            return None
    except AssentError:
        return None  # whatever it is, it is no proof
    if locked is not None and locked.bundle != line.bundle:
        return None
    return Finding(
        rule=f"the inputs are those of v{line.version}",
        outcome=Outcome.PASSED,
        reason="merging it registers nothing new",
        evidence=f"{change.id} changes nothing that {model} is made from",
    )


def _other_data(
    workspace: Workspace, candidate: LoadedBundle, other: LoadedBundle, change: Change
) -> bool:
    """Whether two bundles were made from other data, where Git has none that could say so."""
    repository = workspace.repository
    names = changed_names(candidate.evidence.inputs, other.evidence.inputs)
    paths = (repository.relative(workspace.root / name) for name in names)
    return any(repository.id_of(change.head, path) is None for path in paths)


def _known_bundle(workspace: Workspace, digest: Digest) -> LoadedBundle:
    return open_bundle(workspace, read_manifest(workspace.store.read(digest)))


def _locked(
    workspace: Workspace, view: View, candidate: LoadedBundle, change: Change
) -> Finding | None:
    """The finding of a change whose lock says which bundle its inputs give: it must be that one,
    and what the lock says must be true. None if the lock says nothing of these inputs.
    """
    model, digest = candidate.bundle.model, candidate.bundle.digest
    problem = ""
    try:
        locked = lock_at(workspace, change.commit, model)
    except UsageError as error:
        locked, problem = None, f"of a revision whose assent.lock cannot be read: {error.problem}"
    if locked is not None and locked.bundle == digest:
        problem = mistrust(workspace, view, model, change.commit, locked)
        if locked.inputs != candidate.evidence.inputs_digest:
            problem = "named by assent.lock for other inputs than its own"
    elif locked is not None and locked.inputs == candidate.evidence.inputs_digest:
        problem = f"not {short(locked.bundle)}, which assent.lock names for the same inputs"
    elif not problem:
        return None
    return Finding(
        rule="the bundle is of this change",
        outcome=Outcome.FAILED if problem else Outcome.PASSED,
        reason=problem or "named by assent.lock of its revision, and made by a retraining",
        evidence=f"{change.id} is at {change.head[:12]}",
        remedy="take the model out of assent.lock, and let CI train and evaluate the newest "
        "revision"
        if problem
        else "",
    )


def subject(candidate: LoadedBundle) -> Subject:
    """What an entry about this bundle names."""
    bundle = candidate.bundle
    return Subject(
        version=candidate.version, bundle=bundle.digest, model_digest=bundle.model_digest
    )
