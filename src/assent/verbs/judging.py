"""Facts and rules brought together: the judgement that `review`, `register` and `explain` share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from assent.compare.bundles import Known
from assent.core.approval import Approvals
from assent.core.bundle import read_manifest
from assent.core.change import Change, Review, ReviewState
from assent.core.diff import Diff
from assent.core.digest import Digest, short
from assent.core.entry import (
    Approval,
    Entry,
    Kind,
    Subject,
    VerdictRecord,
    decode_entry,
    recorded,
)
from assent.core.identity import Actor, PersonKey
from assent.core.registry import Record
from assent.core.scope import Scope
from assent.core.verdict import Finding, Outcome, Verdict
from assent.errors import AssentError, UsageError
from assent.making.inputs import changed_names
from assent.policy.approvals import (
    approval_findings,
    judge_approvals,
    unmapped,
    whose_role_matters,
)
from assent.policy.directions import directed
from assent.policy.judge import decided_by_people, judge_candidate, rule_for
from assent.policy.rules import ApprovalRule, Policy
from assent.policy.scope import scope_of
from assent.ports import View
from assent.verbs.bundles import baseline, open_bundle
from assent.verbs.facts import compare_bundles
from assent.verbs.inherited import NOTHING, Inherited, inherited
from assent.verbs.locks import lock_at, mistrust
from assent.verbs.revisions import difference, foreign
from assent.verbs.roles import role_of
from assent.verbs.versions import latest_from
from assent.verbs.workspace import Workspace


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
    candidate: Known,
    *,
    reviews: Sequence[Review],
    change: Change | None,
    landed: Change | None = None,
    weights: bool = False,
    beside: Inherited | None = None,
) -> Judgement:
    """Compare the candidate with its baseline, judge every gate, and hear the reviews.

    `change` is the change under review, or None if only what was recorded counts; then `landed` is
    the one that was merged, whose authors are heard as the forge names them now. With `weights`
    the diff says how far each tensor has moved, which is for people and takes a moment. `beside`
    is what it has inherited, where that is known.
    """
    model = candidate.bundle.model
    compared = baseline(workspace, view, model, list(policy.stages))
    if compared is not None and compared.bundle.digest == candidate.bundle.digest:
        if compared.version is None:
            compared = None  # the first model, built on the base branch: nothing to compare with
        else:
            workspace.say(f"{model}: the candidate is the baseline itself")
    found = compare_bundles(workspace, compared, candidate, weights=weights)
    diff = msgspec.structs.replace(directed(policy, found), at=workspace.now)
    scope = scope_of(policy, diff)
    gates = judge_candidate(policy, diff, candidate.evidence)
    rule = rule_for(policy.approvals, gates)
    made_in = change or landed
    beside = beside or inherited(workspace, view, candidate, made_in)
    approvals = hear(
        workspace,
        view,
        rule,
        candidate,
        reviews=reviews,
        change=change,
        landed=landed,
        beside=beside,
    )
    names = unnamed(policy, made_in, beside)
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


def unnamed(policy: Policy, change: Change | None, beside: Inherited) -> tuple[str, ...]:
    """Who made a part of a bundle and has no account: then nobody's independence is known."""
    authors = () if change is None else change.authors
    return unmapped((*authors, *beside.authors), policy.approvals)


def hear(
    workspace: Workspace,
    view: View,
    rule: ApprovalRule,
    candidate: Known,
    *,
    reviews: Sequence[Review],
    change: Change | None,
    landed: Change | None = None,
    beside: Inherited = NOTHING,
) -> Approvals:
    """Which of `reviews` count under `rule`, with every role, and everybody who made the bundle,
    read anew from the forge. `beside` is what it has inherited.
    """
    bundle = candidate.bundle.digest
    head = None if change is None else change.head
    made_in = _made_in(workspace, view, bundle, change or landed)
    authors = _authors_of(workspace, view.record(bundle), candidate, change or landed, made_in)
    others = frozenset(one.person.key for one in beside.authors if one.person is not None)
    everybody = authors | others
    asked = whose_role_matters(rule, reviews, bundle=bundle, head=head, authors=everybody)
    return judge_approvals(
        rule,
        reviews,
        bundle=bundle,
        head=head,
        authors=authors,
        before=others,
        roles={
            person.key: role_of(workspace, view.state.pins, person, rule.from_) for person in asked
        },
        remarks=tuple(
            dict.fromkeys([*(said for one in made_in for said in one.remarks), *beside.remarks])
        ),
    )


def _made_in(
    workspace: Workspace, view: View, bundle: Digest, change: Change | None
) -> tuple[Change, ...]:
    """The change that is looked at, and every other one that somebody was heard in on this bundle,
    as the forge has them today: one may have got other commits, or another base, since.
    """
    names = dict.fromkeys(approval.change for _, approval in _recorded(view, bundle))
    others = [
        workspace.forge.change_of(name)
        for name in names
        if name is not None and (change is None or name != change.id)
    ]
    found = [change, *others]
    return tuple(one for one in found if one is not None)


def provenance(
    workspace: Workspace, view: View, candidate: Known, change: Change | None
) -> list[Finding]:
    """In CI, the finding on whether the bundle is of the change that the forge names. What a
    bundle says of itself was written by code of a change, which may be another one.
    """
    if change is None or workspace.context.system is None:
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
    workspace: Workspace, view: View, candidate: Known, change: Change | None
) -> Finding | None:
    """In CI, the finding on a change that leaves everything alone that the newest version is made
    from, such as one of the docs: merging it registers nothing, so nobody has to approve it.
    Git says so, not the bundle. None if something differs, or if the change brings a retrained
    bundle.
    """
    line = view.state.latest
    if change is None or change.landed or workspace.context.system is None or line is None:
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


def _other_data(workspace: Workspace, one: Known, other: Known, change: Change) -> bool:
    """Whether two bundles were made from other data, where Git has none that could say so."""
    repository = workspace.repository
    names = changed_names(one.evidence.inputs, other.evidence.inputs)
    paths = (repository.relative(workspace.root / name) for name in names)
    return any(repository.id_of(change.head, path) is None for path in paths)


def _known_bundle(workspace: Workspace, digest: Digest) -> Known:
    return open_bundle(workspace, read_manifest(workspace.store.read(digest)))


def _locked(workspace: Workspace, view: View, candidate: Known, change: Change) -> Finding | None:
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


def makers(
    workspace: Workspace,
    candidate: Known,
    change: Change | None,
    beside: Inherited = NOTHING,
) -> tuple[Actor, ...]:
    """Everybody whose approval of this bundle would be an approval of their own work: who wrote
    the change, or what it has inherited, and who trained. Of a version the ledger knows who
    trained: its run was of another change than the one that is looked at now.
    """
    evidence = candidate.evidence
    people = [*evidence.code.authors]
    people += [] if evidence.trained_by is None else [evidence.trained_by]
    if change is not None and evidence.run is not None and candidate.version is None:
        people += workspace.forge.started(evidence.run)
    authors = () if change is None else change.authors
    people += [author.person for author in (*authors, *beside.authors) if author.person is not None]
    return tuple({person.key: person for person in people}.values())


def _authors_of(
    workspace: Workspace,
    record: Record | None,
    candidate: Known,
    change: Change | None,
    made_in: Sequence[Change],
) -> frozenset[PersonKey]:
    """The makers, and whom the ledger names as such since an earlier entry."""
    named = [] if record is None else [*record.authors]
    named += [person.key for person in makers(workspace, candidate, change)]
    wrote = (author.person for one in made_in for author in one.authors)
    return frozenset([*named, *(person.key for person in wrote if person is not None)])


def _recorded(view: View, bundle: Digest) -> Iterator[tuple[Entry, Approval]]:
    """Every person's latest opinion that the ledger has on a bundle, oldest first."""
    record = view.record(bundle)
    opinions = [] if record is None else sorted(record.opinions.values(), key=lambda one: one.seq)
    for opinion in opinions:
        entry = decode_entry(view.entry(opinion.seq))
        for approval in entry.approvals:
            yield entry, approval


def recorded_reviews(view: View, bundle: Digest) -> list[Review]:
    """The opinions that the ledger has recorded on a bundle, oldest first. They were judged at
    the revision they were given at, and are about the bundle from then on.
    """
    return [_review(entry, approval) for entry, approval in _recorded(view, bundle)]


def _review(entry: Entry, approval: Approval) -> Review:
    state = ReviewState.APPROVED
    if entry.kind is not Kind.APPROVED:
        is_withdrawn = approval.is_withdrawn
        state = ReviewState.DISMISSED if is_withdrawn else ReviewState.CHANGES_REQUESTED
    return Review(
        person=approval.person,
        state=state,
        at=approval.at,
        head=None,
        bundle=approval.bundle,
        reason=entry.reason,
        id=approval.review,
    )


def _standing(workspace: Workspace, model: str, review: Review, approval: Approval) -> Review:
    """A recorded opinion as it stands on the forge: an approval may have been taken back there."""
    if review.state is not ReviewState.APPROVED:
        return review
    gone = workspace.forge.withdrawn(model, approval)
    if gone is None:
        return review
    return msgspec.structs.replace(review, state=ReviewState.DISMISSED, gone=gone)


def all_reviews(workspace: Workspace, view: View, model: str, bundle: Digest) -> list[Review]:
    """Everything said about a bundle: what the ledger recorded, as far as the forge still has it,
    then what the forge has that was said after it. What a person had said before the recorded
    opinion is not heard again: an answered objection would return.
    """
    known = recorded_reviews(view, bundle)
    approvals = [approval for _, approval in _recorded(view, bundle)]
    said = workspace.forge.reviews(model, bundle, change=_reviewed_in(view, bundle))
    done = {_opinion(review): 0 for review in known}
    for place, review in enumerate(said, start=1):
        if _opinion(review) in done:
            done[_opinion(review)] = place
    upto = {key: place for (key, _, _), place in done.items()}
    later = [
        review
        for place, review in enumerate(said, start=1)
        if place > upto.get(review.person.key, 0)
    ]
    standing = [
        _standing(workspace, model, review, approval)
        for review, approval in zip(known, approvals, strict=True)
    ]
    return [*standing, *later]


def _reviewed_in(view: View, bundle: Digest) -> str | None:
    """The change that the bundle was reviewed in, if the ledger has recorded an opinion on it."""
    record = view.record(bundle)
    opinions = [] if record is None else list(record.opinions.values())
    if not opinions:
        return None
    newest = max(opinions, key=lambda one: one.seq)
    entry = decode_entry(view.entry(newest.seq))
    return next((approval.change for approval in entry.approvals if approval.change), None)


def _opinion(review: Review) -> tuple[PersonKey, str, bool]:
    """What makes a review of the forge the one that was recorded. A dismissal is recorded as an
    opinion against, as is a request for changes.
    """
    return review.person.key, review.at, review.state is ReviewState.APPROVED


def binding_reviews(workspace: Workspace, view: View, model: str, bundle: Digest) -> list[Review]:
    """What counts when something is written: recorded approvals, and every objection since. An
    approval that is not recorded does not count, and ends an objection of the same person.
    """
    said = all_reviews(workspace, view, model, bundle)
    kept = [one for one in said if one.head is None or one.state is not ReviewState.APPROVED]
    last = {one.person.key: one for one in said}
    against = {one.person.key: one.state is ReviewState.CHANGES_REQUESTED for one in kept}
    answered = [
        msgspec.structs.replace(one, bundle=None)
        for key, one in last.items()
        if against.get(key) and one.state is ReviewState.APPROVED
    ]
    return [*kept, *answered]


def approval_records(approvals: Approvals) -> tuple[Approval, ...]:
    """The approvals that count, as entries keep them, with the role each was judged by."""
    return tuple(
        Approval(
            person=one.person,
            bundle=one.bundle,
            at=one.at,
            role=one.role,
            head=one.head,
            resolved=one.bound_to,
            review=one.id,
        )
        for one in approvals.counted
        if one.bundle is not None and one.role is not None
    )


def subject(candidate: Known) -> Subject:
    """What an entry about this bundle names."""
    bundle = candidate.bundle
    return Subject(
        version=candidate.version, bundle=bundle.digest, model_digest=bundle.model_digest
    )
