"""Who has said what about a bundle, who made it, and which of the opinions count."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from assent.compare.bundles import LoadedBundle
from assent.core.approval import Approvals
from assent.core.change import Change, Review, ReviewState
from assent.core.digest import Digest
from assent.core.entry import (
    RecordedReview,
    ReviewRecord,
    decode_entry,
    review_record,
    reviews_in,
)
from assent.core.identity import Actor, PersonKey
from assent.core.registry import Record
from assent.judging.inherited import NOTHING, Inherited
from assent.judging.roles import role_of
from assent.policy.approvals import judge_approvals, unmapped, whose_role_matters
from assent.policy.rules import ApprovalRule, Policy
from assent.ports import View
from assent.workspace import Workspace


def makers_without_account(
    policy: Policy, change: Change | None, beside: Inherited
) -> tuple[str, ...]:
    """Who made a part of a bundle and has no account: then nobody's independence is known."""
    authors = () if change is None else change.authors
    return unmapped((*authors, *beside.authors), policy.approvals)


def count_approvals(
    workspace: Workspace,
    view: View,
    rule: ApprovalRule,
    candidate: LoadedBundle,
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
    made = makers(workspace, candidate, change or landed)
    authors = _authors_of(view.record(bundle), made, made_in)
    others = frozenset(author.person.key for author in beside.authors if author.person is not None)
    everybody = authors | others
    asked = whose_role_matters(rule, reviews, bundle=bundle, head=head, authors=everybody)
    approvals = judge_approvals(
        rule,
        reviews,
        bundle=bundle,
        head=head,
        authors=authors,
        before=others,
        roles={
            person.key: role_of(workspace.forge, view.state.pins, person, rule.from_)
            for person in asked
        },
        remarks=tuple(
            dict.fromkeys(
                [*(remark for step in made_in for remark in step.remarks), *beside.remarks]
            )
        ),
    )
    names = dict.fromkeys(maker.login for maker in made if maker.kind == "person")
    return msgspec.structs.replace(approvals, authors=() if rule.author else tuple(names))


def _made_in(
    workspace: Workspace, view: View, bundle: Digest, change: Change | None
) -> tuple[Change, ...]:
    """The change that is looked at, and every other one that somebody was heard in on this bundle,
    as the forge has them today: one may have got other commits, or another base, since.
    """
    names = dict.fromkeys(review.change for review in recorded_reviews(view, bundle))
    others = [
        workspace.forge.change_of(name)
        for name in names
        if name is not None and (change is None or name != change.id)
    ]
    changes = [change, *others]
    return tuple(step for step in changes if step is not None)


def count_everywhere(
    workspace: Workspace,
    view: View,
    policy: Policy,
    candidate: LoadedBundle,
    change: Change,
    beside: Inherited,
    reviews: Sequence[Review],
) -> dict[str | None, Approvals]:
    """Whose of `reviews` count for registering (None), and for each stage that has approvers of its
    own.
    """
    rules: dict[str | None, ApprovalRule] = {None: policy.approvals}
    for stage, rule in policy.stages.items():
        if rule.approvals is not None:
            rules[stage] = rule.approvals
    return {
        stage: count_approvals(
            workspace, view, rule, candidate, reviews=reviews, change=change, beside=beside
        )
        for stage, rule in rules.items()
    }


def makers(
    workspace: Workspace,
    candidate: LoadedBundle,
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
    record: Record | None, made: Sequence[Actor], made_in: Sequence[Change]
) -> frozenset[PersonKey]:
    """The makers, and whom the ledger names as such since an earlier entry."""
    named = [] if record is None else [*record.authors]
    named += [person.key for person in made]
    wrote = (author.person for step in made_in for author in step.authors)
    return frozenset([*named, *(person.key for person in wrote if person is not None)])


def recorded_reviews(view: View, bundle: Digest) -> list[RecordedReview]:
    """Every person's latest opinion that the ledger has on a bundle, oldest first."""
    record = view.record(bundle)
    opinions = (
        [] if record is None else sorted(record.opinions.values(), key=lambda entry: entry.seq)
    )
    entries = [decode_entry(view.entry(opinion.seq)) for opinion in opinions]
    return [review for entry in entries for review in reviews_in(entry)]


def withdrawn(workspace: Workspace, model: str, recorded: RecordedReview) -> str | None:
    """Why a recorded approval does not stand on the forge any more; None if it does, or if nobody
    can tell.
    """
    if recorded.change is None:
        return None
    return workspace.forge.withdrawn(model, recorded.review, change=recorded.change)


def _standing(workspace: Workspace, model: str, recorded: RecordedReview) -> Review:
    """A recorded opinion as it stands on the forge: an approval may have been taken back there.
    It was judged at the revision it was given at, and is about the bundle from then on.
    """
    review = msgspec.structs.replace(recorded.review, head=None)
    is_approval = review.state is ReviewState.APPROVED
    why = withdrawn(workspace, model, recorded) if is_approval else None
    return review if why is None else review.taken_back(why)


def all_reviews(workspace: Workspace, view: View, model: str, bundle: Digest) -> list[Review]:
    """Everything said about a bundle: what the ledger recorded, as far as the forge still has it,
    then what the forge has that was said after it. What a person had said before the recorded
    opinion is not heard again: an answered objection would return.
    """
    known = recorded_reviews(view, bundle)
    reviews = workspace.forge.reviews(model, bundle, change=known[-1].change if known else None)
    done = {_opinion(recorded.review): 0 for recorded in known}
    for place, review in enumerate(reviews, start=1):
        if _opinion(review) in done:
            done[_opinion(review)] = place
    upto = {key: place for (key, _, _), place in done.items()}
    later = [
        review
        for place, review in enumerate(reviews, start=1)
        if place > upto.get(review.person.key, 0)
    ]
    return [*(_standing(workspace, model, recorded) for recorded in known), *later]


def _opinion(review: Review) -> tuple[PersonKey, str, bool]:
    """What makes a review of the forge the one that was recorded. A dismissal is recorded as an
    opinion against, as is a request for changes.
    """
    return review.person.key, review.at, review.state is ReviewState.APPROVED


def binding_reviews(workspace: Workspace, view: View, model: str, bundle: Digest) -> list[Review]:
    """What counts when something is written: recorded approvals, and every objection since. An
    approval that is not recorded does not count, and ends an objection of the same person.
    """
    reviews = all_reviews(workspace, view, model, bundle)
    kept = [
        review
        for review in reviews
        if review.head is None or review.state is not ReviewState.APPROVED
    ]
    last = {review.person.key: review for review in reviews}
    against = {review.person.key: review.state is ReviewState.CHANGES_REQUESTED for review in kept}
    answered = [
        msgspec.structs.replace(review, bundle=None)
        for key, review in last.items()
        if against.get(key) and review.state is ReviewState.APPROVED
    ]
    return [*kept, *answered]


def approval_records(approvals: Approvals) -> tuple[ReviewRecord, ...]:
    """The approvals that count, as entries keep them, with the role each was judged by."""
    return tuple(
        review_record(review, review.bundle)
        for review in approvals.counted
        if review.bundle is not None and review.role is not None
    )
