"""Which approvals count, and why the others do not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from assent.core.approval import Approvals, Role
from assent.core.change import Author, Review, ReviewState
from assent.core.identity import Actor
from assent.core.verdict import Outcome
from assent.policy.approvals import (
    approval_findings,
    judge_approvals,
    unmapped,
    whose_role_matters,
)
from assent.policy.rules import ApprovalRule, StageRule
from tests.builders import AT, digest, person

APPROVED, CHANGES_REQUESTED, DISMISSED = ReviewState
HEAD = "a" * 40
BUNDLE = digest("candidate")
RULE = ApprovalRule(count=1, from_=("*",))


def review(by: str | Actor, state: ReviewState = APPROVED, **fields: Any) -> Review:
    who = person(by) if isinstance(by, str) else by
    return Review(
        **{"person": who, "state": state, "at": AT, "head": HEAD, "bundle": BUNDLE, **fields}
    )


def hear(
    *reviews: Review,
    rule: ApprovalRule = RULE,
    authors: tuple[str, ...] = ("alice",),
    roles: dict[str, str | None] | None = None,
    head: str | None = HEAD,
) -> Approvals:
    """Judge with everybody in the role `*`, or with the roles given by id."""
    matched = (
        {one.person.key: Role(entry="*") for one in reviews}
        if roles is None
        else {person(name).key: Role(entry=role) for name, role in roles.items()}
    )
    return judge_approvals(
        rule,
        reviews,
        bundle=BUNDLE,
        head=head,
        authors={person(name).key for name in authors},
        roles=matched,
    )


def outcome(approvals: Approvals, *unmapped_authors: str) -> Outcome:
    (finding,) = approval_findings(approvals, unmapped_authors=unmapped_authors)
    return finding.outcome


def why(approvals: Approvals) -> str:
    (one,) = approvals.heard
    assert not one.counts
    return one.why


def test_an_approval_of_this_bundle_at_this_head_counts() -> None:
    approvals = hear(review("bob"))
    (one,) = approvals.counted
    assert (one.person, one.role, one.why) == (person("bob"), "*", "may write to the repository")
    assert outcome(approvals) is Outcome.PASSED


@pytest.mark.parametrize(
    ("count", "names", "expected"),
    [
        (0, (), Outcome.PASSED),
        (1, (), Outcome.WAITING),
        (1, ("bob",), Outcome.PASSED),
        (2, ("bob",), Outcome.WAITING),
        (2, ("bob", "bob"), Outcome.WAITING),
        (2, ("bob", "carol"), Outcome.PASSED),
        (2, ("bob", "alice"), Outcome.WAITING),
        (2, ("bob", "carol", "dora"), Outcome.PASSED),
    ],
)
def test_as_many_people_as_the_rule_counts_must_approve(
    count: int, names: tuple[str, ...], expected: Outcome
) -> None:
    rule = ApprovalRule(count=count)
    approvals = hear(*(review(name) for name in names), rule=rule)
    assert outcome(approvals) is expected
    assert approvals.missing == max(0, count - len({*names} - {"alice"}))


@pytest.mark.threat(6)
def test_only_those_who_match_the_list_today_count() -> None:
    rule = ApprovalRule(count=2, from_=("bob", "@acme/ml"))
    roles = {"bob": "bob", "carol": "@acme/ml", "dora": None}
    approvals = hear(*(review(name) for name in ("bob", "carol", "dora")), rule=rule, roles=roles)
    said = {one.person.login: one.why for one in approvals.heard}
    assert said == {
        "bob": "is named by the policy",
        "carol": "is one of @acme/ml",
        "dora": "is none of bob, @acme/ml",
    }
    assert outcome(approvals) is Outcome.PASSED
    left = hear(review("bob"), review("carol"), rule=rule, roles={**roles, "carol": None})
    assert outcome(left) is Outcome.WAITING


@pytest.mark.threat(6)
@pytest.mark.threat(9)
def test_somebody_whose_role_is_not_known_does_not_count() -> None:
    assert why(hear(review("ghost"), roles={})) == "is none of *"


@pytest.mark.threat(1)
def test_the_author_does_not_count_unless_the_policy_says_so() -> None:
    assert "made this change" in why(hear(review("alice")))
    relaxed = ApprovalRule(count=1, author=True)
    assert outcome(hear(review("alice"), rule=relaxed)) is Outcome.PASSED
    assert outcome(hear(rule=relaxed)) is Outcome.WAITING


@pytest.mark.threat(1)
def test_a_co_author_does_not_count_either() -> None:
    approvals = hear(review("bob"), review("carol"), authors=("alice", "bob"))
    assert [one.person.login for one in approvals.counted] == ["carol"]


@pytest.mark.threat(1)
def test_an_author_without_an_account_fails_closed() -> None:
    nobody = Author(name="root@build", person=None)
    names = unmapped([nobody, Author(name="Alice", person=person("alice"))], RULE)
    assert names == ("root@build",)
    (finding,) = approval_findings(hear(review("bob")), unmapped_authors=names)
    assert finding.outcome is Outcome.FAILED
    assert "root@build" in finding.reason
    assert outcome(hear(rule=ApprovalRule(count=0)), *names) is Outcome.PASSED


@pytest.mark.threat(2)
def test_an_approval_of_an_older_head_is_stale() -> None:
    assert "the change is now at aaaaaaaaaaaa" in why(hear(review("bob", head="b" * 40)))


@pytest.mark.threat(2)
def test_a_recorded_approval_is_about_the_bundle_alone() -> None:
    assert outcome(hear(review("bob", head=None))) is Outcome.PASSED
    assert outcome(hear(review("bob"), head=None)) is Outcome.PASSED


@pytest.mark.threat(3)
def test_an_approval_of_other_bytes_is_stale() -> None:
    said = why(hear(review("bob", bundle=digest("another seed"))))
    assert digest("another seed")[:19] in said
    assert BUNDLE[:19] in said


@pytest.mark.threat(3)
def test_an_approval_of_nobody_knows_what_does_not_count() -> None:
    assert "not known which bundle" in why(hear(review("bob", bundle=None)))


@pytest.mark.threat(4)
@pytest.mark.parametrize(
    ("states", "counts"),
    [
        ([APPROVED], True),
        ([DISMISSED], False),
        ([CHANGES_REQUESTED], False),
        ([APPROVED, DISMISSED], False),
        ([APPROVED, CHANGES_REQUESTED], False),
        ([APPROVED, CHANGES_REQUESTED, DISMISSED], False),
        ([APPROVED, APPROVED, DISMISSED], False),
        ([CHANGES_REQUESTED, APPROVED], True),
        ([DISMISSED, APPROVED], True),
        ([APPROVED, DISMISSED, APPROVED], True),
    ],
)
def test_the_latest_opinion_of_a_person_is_the_only_one(
    states: list[ReviewState], counts: bool
) -> None:
    approvals = hear(*(review("bob", state) for state in states))
    assert [one.state for one in approvals.heard] == [states[-1]]
    assert bool(approvals.counted) is counts


@pytest.mark.threat(4)
def test_a_later_stale_approval_ends_an_earlier_good_one() -> None:
    approvals = hear(review("bob"), review("bob", bundle=digest("newer")))
    assert approvals.counted == ()


@pytest.mark.threat(4)
def test_changes_requested_block_until_that_person_agrees() -> None:
    against = [review("bob"), review("carol"), review("dora", CHANGES_REQUESTED)]
    (finding,) = approval_findings(hear(*against))
    assert (finding.outcome, finding.reason) == (Outcome.FAILED, "changes requested by `dora`")
    assert outcome(hear(*against, review("dora"))) is Outcome.PASSED
    assert outcome(hear(*against, review("dora", DISMISSED))) is Outcome.PASSED


def test_changes_requested_by_somebody_without_a_role_do_not_block() -> None:
    roles = {"bob": "*", "mallory": None}
    approvals = hear(review("bob"), review("mallory", CHANGES_REQUESTED), roles=roles)
    assert outcome(approvals) is Outcome.PASSED


@pytest.mark.threat(5)
def test_an_automation_never_counts_unless_it_is_listed_by_id() -> None:
    bot = msgspec.structs.replace(person("77"), kind="automation", login="robot")
    assert why(hear(review(bot))) == "is not a person"
    by_login = ApprovalRule(from_=("robot",))
    assert why(hear(review(bot), rule=by_login, roles={"77": "robot"})) == "is not a person"
    by_id = ApprovalRule(from_=("77",))
    assert outcome(hear(review(bot), rule=by_id, roles={"77": "77"})) is Outcome.PASSED


@pytest.mark.threat(8)
def test_one_person_under_two_logins_is_one_person() -> None:
    before, after = (msgspec.structs.replace(person("7"), login=name) for name in ("old", "new"))
    approvals = hear(review(before), review(after), rule=ApprovalRule(count=2))
    assert [one.person.login for one in approvals.counted] == ["new"]
    assert outcome(approvals) is Outcome.WAITING
    assert hear(review(before), review(after, DISMISSED)).counted == ()


@pytest.mark.threat(8)
def test_two_people_with_one_login_are_two() -> None:
    other = msgspec.structs.replace(person("8"), login="7")
    assert len(hear(review("7"), review(other)).counted) == 2


@pytest.mark.threat(1)
@pytest.mark.threat(8)
def test_an_author_who_renamed_the_account_is_still_the_author() -> None:
    renamed = msgspec.structs.replace(person("alice"), login="alice-new")
    assert "made this change" in why(hear(review(renamed)))


def test_who_is_awaited_is_said() -> None:
    rule = ApprovalRule(count=2, from_=("bob", "@acme/ml"))
    (finding,) = approval_findings(hear(review("bob"), rule=rule), rule_name="approvals for prod")
    assert finding.rule == "approvals for prod: 2 of bob or @acme/ml"
    assert finding.reason == "1 of 2 given"
    assert finding.evidence == "approved by `bob`"
    assert finding.remedy == "1 more of `bob` or `@acme/ml` must approve"


def test_people_are_listed_in_the_order_of_their_latest_word() -> None:
    approvals = hear(review("bob"), review("carol"), review("bob"))
    assert [one.person.login for one in approvals.heard] == ["carol", "bob"]


def test_only_those_are_asked_for_whose_role_decides_something() -> None:
    bot = Actor(kind="automation", forge="f", host="h", id="77", login="robot[bot]", proof="forge")
    reviews = (
        review("bob"),
        review("carol", CHANGES_REQUESTED, head="b" * 40, bundle=None),
        review("dora", head="b" * 40),
        review("erin", bundle=digest("other")),
        review("finn", bundle=None),
        review("gus", DISMISSED),
        review("hal"),
        review("hal", DISMISSED),
        review("alice"),
        review(bot),
    )
    asked = whose_role_matters(
        RULE, reviews, bundle=BUNDLE, head=HEAD, authors={person("alice").key}
    )
    assert asked == (person("bob"), person("carol"), bot)
    everybody = {one.person.key: Role(entry="*") for one in reviews}
    judged: dict[str, Any] = {
        "rule": RULE,
        "bundle": BUNDLE,
        "head": HEAD,
        "authors": {person("alice").key},
    }
    known = {actor.key: everybody[actor.key] for actor in asked}
    few, all_ = (
        judge_approvals(reviews=reviews, roles=roles, **judged) for roles in (known, everybody)
    )
    assert [(one.person, one.counts, one.why) for one in few.heard] == [
        (one.person, one.counts, one.why) for one in all_.heard
    ]
    assert approval_findings(few) == approval_findings(all_)


def nobody(address: str, *, is_covered: bool = False) -> Author:
    return Author(name=f"X <{address}>", person=None, address=address, is_covered=is_covered)


@pytest.mark.parametrize("listed", ["x@example.com", "X@Example.com", "*@example.com"])
def test_an_address_that_the_policy_lists_stands_for_nobody(listed: str) -> None:
    rule = ApprovalRule(unmapped=(listed,))
    assert unmapped([nobody("x@example.com")], rule) == ()
    assert unmapped([nobody("x@sub.example.com")], rule) == ("X <x@sub.example.com>",)
    assert unmapped([Author(name="commits beyond", person=None)], rule) == ("commits beyond",)


@pytest.mark.threat(1)
def test_the_address_of_a_tool_hides_nobody_where_it_could() -> None:
    """A co-author is somebody beside the author; who pushes as a tool is seen, or may be hidden."""
    tool = "noreply@anthropic.com"
    assert unmapped([nobody(tool, is_covered=True)], RULE) == ()
    assert unmapped([nobody(tool)], RULE) != ()
    robot = "12+x[bot]@users.noreply.github.com"
    assert unmapped([nobody(robot, is_covered=True)], RULE) == ()
    assert unmapped([nobody("x@example.com", is_covered=True)], RULE) != ()


def test_where_authors_may_approve_nobody_has_to_be_told_apart() -> None:
    assert unmapped([nobody("x@example.com")], ApprovalRule(author=True)) == ()


def test_the_remedy_names_the_key() -> None:
    (finding,) = approval_findings(hear(review("bob")), unmapped_authors=["X <x@example.com>"])
    assert finding.outcome is Outcome.FAILED
    assert "`approvals: {unmapped: [...]}`" in finding.remedy


@pytest.mark.threat(49)
def test_a_recorded_approval_that_the_forge_no_longer_has_is_named() -> None:
    approvals = hear(review("bob", head=None).taken_back("the review was deleted"))
    assert why(approvals) == "it was recorded, and does not stand any more: the review was deleted"
    (finding,) = approval_findings(approvals)
    assert finding.outcome is Outcome.WAITING
    assert "`bob` no longer approves: it was recorded" in finding.evidence


@pytest.mark.threat(42)
def test_why_a_name_is_refused_is_said() -> None:
    approvals = judge_approvals(
        ApprovalRule(from_=("bob",)),
        [review("bob")],
        bundle=BUNDLE,
        head=HEAD,
        authors=set(),
        roles={person("bob").key: Role(refused="'bob' was somebody else")},
    )
    assert why(approvals) == "'bob' was somebody else"


def test_who_only_merged_is_said() -> None:
    approvals = msgspec.structs.replace(hear(review("bob")), remarks=("`carol` merged",))
    (finding,) = approval_findings(approvals)
    assert finding.evidence == "approved by `bob`; `carol` merged"


@pytest.mark.parametrize("who", ["#7", "alice#", "*#7", "codeowners#7"])
def test_a_number_of_nothing_is_refused(who: str) -> None:
    with pytest.raises(ValueError, match="pins nothing"):
        ApprovalRule(from_=(who,))


def test_addresses_are_of_the_model_and_not_of_a_stage() -> None:
    with pytest.raises(ValueError, match="`unmapped` belongs to"):
        StageRule(approvals=ApprovalRule(unmapped=("x@example.com",)))
