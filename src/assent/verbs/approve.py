"""`approve`: read who approved on the forge, decide which approvals count, and record those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from assent.compare.bundles import LoadedBundle
from assent.core.approval import Approvals, Heard
from assent.core.change import Change, Review, ReviewState
from assent.core.digest import Digest, short
from assent.core.entry import Draft, Kind, decode_entry, review_record, reviews_in
from assent.core.identity import PersonKey
from assent.core.registry import EntryRef
from assent.core.verdict import Finding, Verdict
from assent.errors import ExitCode, PolicyError
from assent.judging.candidate import Judgement, judge, provenance, subject
from assent.judging.inherited import Inherited, inherited
from assent.judging.kept_inspections import keep_inspection
from assent.judging.landing import require_base, steps
from assent.judging.opinions import (
    all_reviews,
    count_everywhere,
    makers,
    makers_without_account,
    withdrawn,
)
from assent.making.bundle_lookup import find, nothing_shown
from assent.making.bundles import renew
from assent.policy.approvals import approval_findings
from assent.policy.rules import Policy
from assent.ports import View
from assent.recording.appending import Intent, record
from assent.recording.reading import read_ledger
from assent.workspace import Workspace


class ApproveResult(msgspec.Struct, frozen=True, kw_only=True):
    """Who was heard, and which opinions were recorded now. `heard` has every person once, as
    judged where they count, if they count anywhere; `approvals` are those for registering,
    `stages` those that stages ask for beyond. `given` is the review that was given with this
    call. Where one run has looked at several changes, the `others` are in the newest one.
    """

    model: str
    bundle: Digest
    version: int | None
    heard: tuple[Heard, ...]
    approvals: Approvals
    stages: dict[str, Approvals]
    findings: tuple[Finding, ...]
    recorded: tuple[str, ...]
    given: Heard | None = None
    others: tuple[ApproveResult, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """10 if the approval given here counts nowhere or somebody objects, 11 if registering
        needs more of them, else 0.
        """
        given = self.given
        if given is not None and given.state is ReviewState.APPROVED and not given.counts:
            return ExitCode.BLOCKED
        return Verdict(findings=self.findings).decision.exit_code


def approve(
    workspace: Workspace,
    model: str,
    *,
    name: str | None = None,
    by: str | None = None,
    reject: bool = False,
    reason: str | None = None,
) -> ApproveResult:
    """Record the approvals of the bundle called `name` (None: that of the working tree, and in the
    CI of a forge those of every change that has landed since the newest version was registered).

    `by` gives a review first, which only the local stand-in for a forge can. An approval that
    counts neither for registering nor for any stage is listed with the reason, not recorded.
    """
    doing = f"recording the approvals of {model}"
    workspace.require_trusted(doing)
    policy = workspace.binding_policy(model)
    change = workspace.change()
    view = read_ledger(workspace, model)
    if name is None and change.landed and workspace.is_in_forge_ci:
        return _approve_landed(workspace, view, model, policy)
    require_base(workspace, change, doing)
    candidate = find(workspace, view, model, name)
    renew(workspace, candidate.bundle)
    bundle = candidate.bundle.digest
    findings = provenance(workspace, view, candidate, change)
    foreign = [finding for finding in findings if finding.outcome.blocks]
    if foreign:
        doing = f"recording the approvals of {short(bundle)}"
        problem = f"{foreign[0].reason}, and {foreign[0].evidence}"
        raise PolicyError(doing, problem, hint=foreign[0].remedy)
    given = None
    if by is not None:
        state = ReviewState.CHANGES_REQUESTED if reject else ReviewState.APPROVED
        given = workspace.forge.review(
            model, bundle, by=by, state=state, at=workspace.now, reason=reason
        )
    return _recorded(workspace, view, policy, candidate, change, given)


def _approve_landed(workspace: Workspace, view: View, model: str, policy: Policy) -> ApproveResult:
    """Record the approvals of each change that has landed with a bundle of its own. What of those
    has enough of them gets its version after this, before later ones are judged.
    """
    done: list[ApproveResult] = []
    covered: list[str] = []
    for step in steps(workspace, view, model):
        digest = step.bundle(view) if step.is_new or not step.is_of_version(view) else None
        if digest is None or step.why_not(digest):
            continue  # `register` says why
        candidate = find(step.workspace, view, model, digest)
        renew(step.workspace, candidate.bundle)
        done.append(_recorded(step.workspace, view, policy, candidate, step.change, None, covered))
        if done[-1].exit_code is ExitCode.DONE:
            covered.append(step.commit)
        if done[-1].recorded:
            view = read_ledger(workspace, model)
    if not done:
        raise nothing_shown(model, workspace.change())
    return msgspec.structs.replace(done[-1], others=tuple(done[:-1]))


def _recorded(
    workspace: Workspace,
    view: View,
    policy: Policy,
    candidate: LoadedBundle,
    change: Change,
    given: Review | None,
    covered: Sequence[str] = (),
) -> ApproveResult:
    """Hear everybody on a bundle, and record the opinions that count. `covered` are steps of the
    base branch that are about to get a version.
    """
    bundle = candidate.bundle
    beside = inherited(workspace, view, candidate, change, covered=covered)

    def decide(view: View) -> Intent[Mapping[str | None, Approvals]]:
        reviews = all_reviews(workspace, view, bundle.model, bundle.digest)
        heard = count_everywhere(workspace, view, policy, candidate, change, beside, reviews)
        best = best_of(heard)
        drafts = _drafts(workspace, view, policy, candidate, change, best, beside, reviews)
        return Intent(outcome=heard, drafts=drafts)

    done = record(workspace, bundle.model, decide, view=view)
    heard, approvals = done.outcome, done.outcome[None]
    names = makers_without_account(policy, change, beside)
    best = best_of(heard)
    return ApproveResult(
        model=bundle.model,
        bundle=bundle.digest,
        version=candidate.version,
        heard=tuple(best),
        approvals=approvals,
        stages={stage: counted for stage, counted in heard.items() if stage is not None},
        findings=tuple(approval_findings(approvals, unmapped_authors=names)),
        recorded=tuple(
            f"{entry.kind} by {entry.approvals[0].person.login}" for entry in done.entries
        ),
        given=next(
            (review for review in best if given and review.person.key == given.person.key), None
        ),
    )


def best_of(heard: Mapping[str | None, Approvals]) -> list[Heard]:
    """Every person once, as judged where their opinion counts, if it counts anywhere."""
    best: dict[PersonKey, Heard] = {}
    for approvals in heard.values():
        for review in approvals.heard:
            if review.person.key not in best or (
                review.counts and not best[review.person.key].counts
            ):
                best[review.person.key] = review
    return list(best.values())


def _drafts(
    workspace: Workspace,
    view: View,
    policy: Policy,
    candidate: LoadedBundle,
    change: Change,
    heard: Sequence[Heard],
    beside: Inherited,
    reviews: Sequence[Review],
) -> tuple[Draft, ...]:
    """One entry for each opinion that the ledger does not hold yet."""
    known = view.record(candidate.bundle.digest)
    opinions = {} if known is None else known.opinions
    drafts: list[Draft] = []
    judgement: Judgement | None = None
    inspection: Digest | None = None
    for review in heard:
        before = opinions.get(review.person.key)
        kind = Kind.APPROVED if review.counts else Kind.REJECTED
        ends = review.state is not ReviewState.APPROVED and before is not None
        if not (review.counts or ends) or _is_recorded(workspace, view, before, kind, review):
            continue
        if kind is Kind.APPROVED and makers_without_account(policy, change, beside):
            continue  # it might be the author's own
        if judgement is None:
            judgement = judge(
                workspace, view, policy, candidate, reviews=reviews, change=change, beside=beside
            )
            inspection = keep_inspection(workspace, candidate)
        drafted = _draft(workspace, candidate, change, review, kind, judgement)
        drafts.append(msgspec.structs.replace(drafted, inspection=inspection))
    return tuple(drafts)


def _is_recorded(
    workspace: Workspace, view: View, before: EntryRef | None, kind: Kind, review: Heard
) -> bool:
    """Whether the ledger has this opinion: an approval that was given again counts as the one it
    replaces, as long as that stands on the forge.
    """
    if before is None or before.kind is not kind:
        return False
    entry = decode_entry(view.entry(before.seq))
    key = review.person.key
    held = next((each for each in reviews_in(entry) if each.review.person.key == key), None)
    if kind is not Kind.APPROVED or held is None:
        return True
    is_same = (held.review.id, held.review.at) == (review.id, review.at)
    return is_same or withdrawn(workspace, entry.model, held) is None


def _draft(
    workspace: Workspace,
    candidate: LoadedBundle,
    change: Change,
    heard: Heard,
    kind: Kind,
    judgement: Judgement,
) -> Draft:
    bundle = candidate.bundle
    review = review_record(heard, bundle.digest, change=change.id, head=change.head)
    return Draft(
        kind=kind,
        at=workspace.now,
        model=bundle.model,
        subject=subject(candidate),
        actor=heard.person,
        approvals=(review,),
        authors=makers(workspace, candidate, change),
        verdict=judgement.record,
        run=workspace.run,
        commit=candidate.evidence.code.commit,
        reason=heard.reason,
    )
