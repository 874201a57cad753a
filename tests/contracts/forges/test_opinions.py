"""What every forge promises of opinions, and of who somebody is."""

from __future__ import annotations

import msgspec
import pytest

from assent.core.change import Review, ReviewState
from assent.core.identity import Actor
from assent.errors import OutsideError, UsageError
from tests.builders import AT, digest
from tests.contracts.forges.cases import Case


def test_reviews_are_kept_in_order_with_what_they_are_about(case: Case) -> None:
    forge = case.forge
    case.say("b", "rosa", ReviewState.APPROVED, None)
    case.say("b", "grace", ReviewState.APPROVED, None)
    case.say("b", "rosa", ReviewState.CHANGES_REQUESTED, "no")
    change = forge.change()
    assert change is not None
    said = [
        ("rosa", ReviewState.APPROVED),
        ("grace", ReviewState.APPROVED),
        ("rosa", ReviewState.CHANGES_REQUESTED),
    ]
    found = list(forge.reviews("churn", digest("b")))
    assert [(one.person, one.state) for one in found] == [
        (forge.person(name), state) for name, state in (said[1:] if case.forgets else said)
    ]
    assert [one.at for one in found] == sorted({one.at for one in found})
    *_, second, third = found
    assert (second.bundle, second.head, second.reason) == (digest("b"), change.head, None)
    assert third.reason == (None if case.forgets else "no")


def test_reviews_of_the_same_change_for_an_earlier_bundle_are_told(case: Case) -> None:
    case.say("old", "grace", ReviewState.APPROVED, None)
    assert [review.bundle for review in case.forge.reviews("churn", digest("new"))] == [
        digest("old")
    ]
    fraud = case.forge.reviews("fraud", digest("old"))
    assert digest("old") not in [review.bundle for review in fraud]


def test_reviews_of_a_change_are_found_by_its_id(case: Case) -> None:
    case.say("old", "grace", ReviewState.APPROVED, None)
    (review,) = case.forge.reviews("churn", digest("new"), change=case.id)
    assert review.bundle == digest("old")
    assert list(case.forge.reviews("churn", digest("new"), change="another")) == []


def test_a_forge_of_people_reviews_in_nobodys_name(case: Case) -> None:
    bundle = digest("b")

    def review() -> Review:
        return case.forge.review(
            "churn", bundle, by="grace", state=ReviewState.APPROVED, at=AT, reason=None
        )

    if not case.has_people:
        assert review().person == case.forge.person("grace")
        return
    with pytest.raises(UsageError, match="reviewing in the name of 'grace'") as caught:
        review()
    assert f"/assent approve churn {bundle}" in str(caught.value.hint)


@pytest.mark.threat(49)
def test_an_approval_stands_until_it_is_taken_back(case: Case) -> None:
    """The local stand-in keeps reviews in one clone: what another one lacks says nothing."""
    case.say("b", "grace", ReviewState.APPROVED, None)
    [review] = case.forge.reviews("churn", digest("b"))
    assert case.forge.withdrawn("churn", review, change=case.id) is None
    earlier = msgspec.structs.replace(review, at="2020-01-01T00:00:00Z", id=None)
    is_told = case.forge.withdrawn("churn", earlier, change=case.id) is not None
    assert is_told is not case.claims


@pytest.mark.threat(8)
def test_one_person_has_one_identity_however_they_are_named(case: Case) -> None:
    forge = case.forge
    assert forge.person("grace").key == forge.person("grace").key
    assert forge.person("grace").key != forge.person("rosa").key


def test_only_a_forge_of_claims_knows_a_stranger(case: Case) -> None:
    if case.claims:
        assert case.forge.person("mallory").proof == "claimed"
        return
    with pytest.raises(UsageError, match="no such account"):
        case.forge.person("mallory")


def test_groups_logins_and_anyone_are_matched(case: Case) -> None:
    forge = case.forge
    grace, rosa = forge.person("grace"), forge.person("rosa")
    assert forge.matches(grace, "@ml")
    assert forge.matches(rosa, "rosa")
    assert not forge.matches(rosa, "grace")
    assert forge.matches(rosa, "*")


def test_who_is_not_of_a_group_is_not_matched(case: Case) -> None:
    rosa = case.forge.person("rosa")
    assert not case.forge.matches(rosa, "@ml")
    assert not case.forge.matches(rosa, "@nobody")


@pytest.mark.threat(8)
def test_nobody_of_another_forge_is_matched(case: Case) -> None:
    stranger = Actor(
        kind="person", forge="elsewhere", host="h", id="1", login="rosa", proof="claimed"
    )
    assert not any(case.forge.matches(stranger, who) for who in ("*", "rosa", "@ml"))


@pytest.mark.threat(7)
def test_a_group_that_does_not_exist_matches_nobody(case: Case) -> None:
    """A forge that knows its groups says that there is none."""
    rosa = case.forge.person("rosa")
    if case.has_people:
        with pytest.raises(OutsideError, match=r"no such (?:team|group)"):
            case.forge.matches(rosa, "@unheard-of")
    else:
        assert not case.forge.matches(rosa, "@unheard-of")


@pytest.mark.threat(42)
def test_a_name_that_is_bound_to_another_account_is_nobody(case: Case) -> None:
    grace = case.forge.person("grace")
    assert case.forge.matches(grace, f"grace#{grace.id}")
    assert not case.forge.matches(grace, f"grace#{case.forge.person('rosa').id}")
