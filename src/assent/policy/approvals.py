"""Which approvals count, and why the others do not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from assent.core.approval import ANYONE, Approvals, Heard, Role
from assent.core.change import Author, Review, ReviewState
from assent.core.digest import Digest, short
from assent.core.identity import Actor, PersonKey, unpinned
from assent.core.verdict import Finding, Outcome
from assent.policy.rules import ApprovalRule
from assent.policy.tools import is_listed, is_tool


def judge_approvals(
    rule: ApprovalRule,
    reviews: Sequence[Review],
    *,
    bundle: Digest,
    head: str | None,
    authors: Collection[PersonKey],
    roles: Mapping[PersonKey, Role],
    remarks: Sequence[str] = (),
    before: Collection[PersonKey] = (),
) -> Approvals:
    """Hear everyone's latest opinion and say whether it counts.

    `reviews` are in the order given; only the last one of a person is heard, whatever it says,
    so a dismissal or a change of mind ends an earlier approval and never revives one. `head` is
    the revision that is reviewed (None: no change is open); a review without a revision was
    recorded for the bundle itself. `authors` are those who made the
    bundle, `before` those who made what had landed before it and is in no version yet, `roles`
    what each person is under `from` today.
    """
    heard = []
    for key, review in _latest(reviews).items():
        role = roles.get(key, Role())
        own = _OWN if key in authors else _BEFORE if key in before else None
        why = _objection(rule, review, bundle, head, own, role)
        reason = why or _reason(role.entry)
        heard.append(Heard.of(review, counts=why is None, why=reason, role=role))
    return Approvals(required=rule.count, of=rule.from_, heard=tuple(heard), remarks=tuple(remarks))


def whose_role_matters(
    rule: ApprovalRule,
    reviews: Sequence[Review],
    *,
    bundle: Digest,
    head: str | None,
    authors: Collection[PersonKey],
) -> tuple[Actor, ...]:
    """Whom the forge is to be asked about: those who ask for changes, and those whose approval
    nothing but the role can keep from counting. A long discussion has many other opinions.
    """
    return tuple(
        review.person
        for key, review in _latest(reviews).items()
        if review.state is ReviewState.CHANGES_REQUESTED
        or _objection(
            rule, review, bundle, head, _OWN if key in authors else None, _any_role(review.person)
        )
        is None
    )


def _any_role(actor: Actor) -> Role:
    """A role that would do: what is no person counts by its id alone."""
    return Role(entry=ANYONE if _is_person(actor) else f"id:{actor.id}")


def _latest(reviews: Sequence[Review]) -> dict[PersonKey, Review]:
    latest: dict[PersonKey, Review] = {}
    for review in reviews:
        latest.pop(review.person.key, None)
        latest[review.person.key] = review
    return latest


def unmapped(authors: Sequence[Author], rule: ApprovalRule) -> tuple[str, ...]:
    """Authors whom the forge cannot map to an account: then nobody's independence is known. None
    where authors may approve, and none of those that the policy lists or that are tools.
    """
    if rule.author:
        return ()
    strangers = (author for author in authors if author.person is None)
    return tuple(dict.fromkeys(author.name for author in strangers if not _is_nobody(author, rule)))


def _is_nobody(author: Author, rule: ApprovalRule) -> bool:
    address = author.address or ""
    return is_listed(address, rule.unmapped) or (author.is_covered and is_tool(address))


def approval_findings(
    approvals: Approvals,
    *,
    rule_name: str = "approvals",
    unmapped_authors: Sequence[str] = (),
) -> list[Finding]:
    """The finding on approvals. Somebody who asked for changes blocks until they agree."""
    against = [
        review for review in approvals.heard if review.state is ReviewState.CHANGES_REQUESTED
    ]
    against = [review for review in against if review.role is not None]
    counted = _named(review.person.login for review in approvals.counted)
    people = " or ".join("anyone" if who == ANYONE else f"`{who}`" for who in approvals.of)
    named = " or ".join("anyone" if who == ANYONE else who for who in approvals.of)
    rule = f"{rule_name}: {approvals.required} of {named}"
    evidence = f"approved by {counted}" if counted else "approved by nobody"
    taken_back = [review for review in approvals.heard if review.state is ReviewState.DISMISSED]
    evidence = "; ".join(
        [
            evidence,
            *(f"`{review.person.login}` no longer approves: {review.why}" for review in taken_back),
            *(approvals.remarks if approvals.required else ()),
        ]
    )
    if approvals.required and unmapped_authors:
        return [
            Finding(
                rule=rule,
                outcome=Outcome.FAILED,
                reason="a commit's author has no account: " + _named(unmapped_authors),
                evidence=evidence,
                remedy="set an author address that the forge knows and push again; or, if nobody "
                "who may approve stands behind it, add the address to `approvals: {unmapped: "
                "[...]}` in `assent.yaml` of the base branch; in a shallow clone, fetch the rest "
                "of the history",
            )
        ]
    if against:
        return [
            Finding(
                rule=rule,
                outcome=Outcome.FAILED,
                reason="changes requested by " + _named(review.person.login for review in against),
                evidence=evidence,
                remedy="answer them; they approve when they agree",
            )
        ]
    if approvals.missing:
        return [
            Finding(
                rule=rule,
                outcome=Outcome.WAITING,
                reason=f"{len(approvals.counted)} of {approvals.required} given",
                evidence=evidence,
                remedy=f"{approvals.missing} more of {people} must approve",
            )
        ]
    reason = "enough" if approvals.required else "the policy asks for none"
    return [Finding(rule=rule, outcome=Outcome.PASSED, reason=reason, evidence=evidence)]


def _objection(
    rule: ApprovalRule,
    review: Review,
    bundle: Digest,
    head: str | None,
    own: str | None,
    role: Role,
) -> str | None:
    """Why an opinion does not count, or None if it does. `own` says why it is on the person's own
    work, if it is.
    """
    if review.state is ReviewState.DISMISSED:
        reason = review.reason if review.is_gone else None
        return reason or "the review was dismissed"
    if review.state is ReviewState.CHANGES_REQUESTED:
        return "asks for changes"
    if review.bundle is not None and review.bundle != bundle:
        return f"given for {short(review.bundle)}, the candidate is {short(bundle)}"
    if head is not None and review.head is not None and review.head != head:
        return f"given at {review.head[:12]}, the change is now at {head[:12]}"
    if review.bundle is None:
        return "it is not known which bundle was shown when it was given"
    if own is not None and not rule.author:
        return own
    if role.entry is None:
        return role.refused or "is none of " + ", ".join(rule.from_)
    by_id = (review.person.id, f"id:{review.person.id}")
    is_listed_by_id = role.entry in by_id or unpinned(role.entry)[1] == review.person.id
    if not _is_person(review.person) and not is_listed_by_id:
        return "is not a person"
    return None


def _named(names: Iterable[str]) -> str:
    """Names, marked as names: a login may read like a sentence of ours."""
    return ", ".join(f"`{name}`" for name in names)


def _is_person(actor: Actor) -> bool:
    return actor.kind == "person"


def _reason(role: str | None) -> str:
    if role == ANYONE:
        return "may write to the repository"
    return f"is one of {role}" if (role or "").startswith("@") else "is named by the policy"


_OWN = "made this change; the author's approval does not count"
_BEFORE = (
    "made what has landed before this change and is in no version yet; the author's approval does "
    "not count"
)
