"""Approvals on merge requests: whose counts, and for which bundle."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest

from assent.core.approval import Role
from assent.core.change import Review, ReviewState
from assent.core.digest import Digest
from assent.errors import OutsideError, UsageError
from assent.policy.approvals import judge_approvals
from assent.policy.rules import ApprovalRule
from tests.builders import digest
from tests.forges.gitlab.conftest import Scene, notice
from tests.standin.objects import Signature


def counted(
    scene: Scene, bundle: str = "b", *, of: tuple[str, ...] = ("*",), **said: Any
) -> dict[str, str | None]:
    """Who was heard, and why they do not count: as a new run judges it."""
    forge = scene.forge(**said)
    change = forge.change()
    assert change is not None
    rule = ApprovalRule(count=1, from_=of)
    reviews = forge.reviews("churn", digest(bundle))
    roles = {
        one.person.key: Role(
            entry=next((who for who in of if forge.matches(one.person, who)), None)
        )
        for one in reviews
    }
    authors = {one.person.key for one in change.authors if one.person is not None}
    found = judge_approvals(
        rule, reviews, bundle=digest(bundle), head=change.head, authors=authors, roles=roles
    )
    return {one.person.login: None if one.counts else one.why for one in found.heard}


def test_an_approval_is_of_the_bundle_that_the_note_showed(scene: Scene) -> None:
    scene.show("b")
    scene.approve(scene.bob)
    (review,) = scene.heard("b")
    assert review.person.key == f"gitlab:gitlab.example.com:{scene.bob.id}"
    assert (review.state, review.head) == (ReviewState.APPROVED, scene.request.sha)
    assert (review.bundle, review.reason) == (digest("b"), None)
    assert review.at == "2026-01-02T03:06:05.000Z"
    assert counted(scene) == {"bob": None}


def test_an_approval_before_anything_was_shown_is_of_nothing(scene: Scene) -> None:
    scene.approve(scene.bob)
    scene.show("b")
    assert scene.latest(scene.bob).bundle is None
    assert "not known which bundle" in str(counted(scene)["bob"])


@pytest.mark.threat(1)
def test_the_author_a_co_author_and_a_committer_do_not_count(scene: Scene) -> None:
    carol = scene.gitlab.user("carol", role="developer", public_email="carol@example.com")
    dave = scene.gitlab.user("dave", role="developer")
    message = f"more\n\nCo-authored-by: Dave <{dave.private_email}>"
    scene.request.push(by=scene.alice, committer=carol, message=message)
    scene.gitlab.tick()
    scene.show("b")
    for person in (scene.alice, carol, dave, scene.bob):
        scene.approve(person)
    found = counted(scene)
    assert [name for name, why in found.items() if why is None] == ["bob"]
    assert all("author's approval" in str(found[name]) for name in ("alice", "carol", "dave"))


@pytest.mark.threat(2)
def test_an_approval_of_an_older_version_does_not_count(scene: Scene) -> None:
    """On the tier Free a push never takes approvals away, on others only if the project says so."""
    scene.project.approval_settings["reset_approvals_on_push"] = False
    scene.show("b")
    scene.approve(scene.bob)
    old = scene.request.sha
    scene.request.push()
    scene.gitlab.tick()
    scene.show("b")
    assert scene.latest(scene.bob).head == old
    assert f"given at {old[:12]}" in str(counted(scene)["bob"])


@pytest.mark.threat(2)
def test_a_push_that_gitlab_forgives_is_not_forgiven_here(premium: Scene) -> None:
    """GitLab lets approvals stay over a rebase that changes nothing; the policy cannot yet."""
    premium.show("b")
    premium.approve(premium.bob)
    old = premium.request.sha
    premium.project.push(premium.alice, files={"other.txt": "x"})
    person = Signature("Alice", premium.alice.email, premium.gitlab.now)
    tip = premium.project.tip("main")
    premium.request.push(premium.project.replay(premium.request.commits, tip, person)[-1])
    premium.gitlab.tick()
    premium.show("b")
    assert len(premium.request.approvals) == 1
    assert f"given at {old[:12]}" in str(counted(premium)["bob"])


@pytest.mark.threat(2)
def test_an_approval_at_the_moment_of_a_push_is_of_nobody_knows_what(premium: Scene) -> None:
    premium.project.approval_settings["reset_approvals_on_push"] = False
    premium.show("b")
    premium.request.approve(premium.bob)
    premium.request.push()
    premium.gitlab.tick()
    assert premium.latest(premium.bob).head == "unknown"


@pytest.mark.threat(2)
def test_a_release_that_does_not_say_when_an_approval_was_given_counts_none(scene: Scene) -> None:
    scene.gitlab.tells_approved_at = False
    scene.show("b")
    scene.approve(scene.bob)
    (review,) = scene.heard("b")
    assert (review.head, review.bundle) == ("unknown", None)
    assert "does not say when" in str(review.reason)
    assert counted(scene)["bob"] is not None
    scene.note(scene.bob, command(digest("b")))
    assert counted(scene) == {"bob": None}


@pytest.mark.threat(3)
def test_a_bundle_that_is_replaced_on_the_same_commit_makes_an_approval_stale(
    scene: Scene,
) -> None:
    scene.show("b")
    scene.approve(scene.bob)
    scene.show("c")
    assert scene.latest(scene.bob, "c").bundle == digest("b")
    assert "the candidate is" in str(counted(scene, "c")["bob"])
    scene.request.unapprove(scene.bob)
    scene.approve(scene.bob)
    assert counted(scene, "c") == {"bob": None}


@pytest.mark.threat(3)
def test_an_approval_at_the_moment_of_the_change_is_of_nobody_knows_what(scene: Scene) -> None:
    scene.show("b")
    scene.forge().comment(notice(bundle="c"))
    scene.approve(scene.bob)
    assert scene.latest(scene.bob, "c").bundle is None


@pytest.mark.threat(3)
def test_a_record_of_another_model_shows_nothing(scene: Scene) -> None:
    scene.show("b", model="churn")
    scene.show("f", model="fraud")
    scene.approve(scene.bob)
    assert scene.latest(scene.bob).bundle == digest("b")
    assert scene.heard("f", model="fraud")[0].bundle == digest("f")


@pytest.mark.threat(4)
def test_an_approval_that_was_taken_back_is_gone(scene: Scene) -> None:
    scene.show("b")
    scene.approve(scene.bob)
    scene.request.unapprove(scene.bob)
    assert scene.heard("b") == []


@pytest.mark.threat(4)
def test_a_request_for_changes_ends_the_approval_until_the_next_one(scene: Scene) -> None:
    scene.show("b")
    scene.approve(scene.bob)
    scene.request.request_changes(scene.bob)
    asked_at = scene.gitlab.now
    scene.gitlab.tick()
    assert counted(scene) == {"bob": "asks for changes"}
    review = scene.latest(scene.bob)
    assert review.at == asked_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    scene.approve(scene.bob)
    assert counted(scene) == {"bob": None}
    scene.request.request_changes(scene.bob)
    scene.gitlab.tick()
    again = scene.latest(scene.bob)
    assert (again.state, again.at > review.at) == (ReviewState.CHANGES_REQUESTED, True)


@pytest.mark.threat(4)
def test_a_request_for_changes_of_unknown_time_is_the_latest_word(premium: Scene) -> None:
    premium.show("b")
    premium.request.request_changes(premium.bob)
    premium.gitlab.tick()
    premium.note(premium.bob, command(digest("b")))
    assert counted(premium) == {"bob": None}  # said later
    premium.request.notes[:] = [one for one in premium.request.notes if not one.is_system]
    assert counted(premium) == {"bob": "asks for changes"}


@pytest.mark.threat(4)
def test_nobody_else_can_write_the_note_that_gitlab_writes(premium: Scene) -> None:
    premium.show("b")
    premium.request.request_changes(premium.bob)
    asked = premium.latest(premium.bob).at
    premium.gitlab.tick()
    premium.note(premium.bob, "requested changes")
    premium.note(premium.alice, "requested changes")
    assert premium.latest(premium.bob).at == asked


@pytest.mark.threat(4)
def test_an_objection_during_the_run_is_heard_with_its_time(premium: Scene) -> None:
    """A run that has read the notes already must not take an older opinion for the latest."""
    forge = premium.forge()
    forge.comment(notice())
    premium.gitlab.tick()
    premium.note(premium.bob, command(digest("b")))
    assert [one.state for one in forge.reviews("churn", digest("b"))] == [ReviewState.APPROVED]
    premium.request.request_changes(premium.bob)
    asked_at = premium.gitlab.now
    premium.gitlab.tick()
    premium.note(premium.alice, "Why?")
    last = forge.reviews("churn", digest("b"))[-1]
    assert last.state is ReviewState.CHANGES_REQUESTED
    assert last.at == asked_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


@pytest.mark.threat(5)
def test_a_project_s_token_a_bot_and_a_service_account_do_not_count(scene: Scene) -> None:
    robot = scene.gitlab.user("renovate", role="maintainer", is_bot=True)
    scene.show("b")
    for one in (scene.bot, robot):
        scene.approve(one)
    assert {one.person.kind for one in scene.heard()} == {"automation"}
    assert None not in counted(scene).values()
    assert counted(scene, of=(str(robot.id),))["renovate"] is None


@pytest.mark.threat(6)
def test_the_role_is_asked_for_anew_in_every_run(scene: Scene) -> None:
    scene.show("b")
    scene.approve(scene.bob)
    assert counted(scene) == {"bob": None}
    scene.project.add(scene.bob, "reporter")
    assert counted(scene) == {"bob": "is none of *"}


@pytest.mark.threat(8)
def test_a_recycled_name_is_somebody_else(scene: Scene) -> None:
    scene.show("b")
    scene.approve(scene.bob)
    scene.bob.rename("robert")
    other = scene.gitlab.user("bob", role="developer")
    assert counted(scene, of=("bob",)) == {"robert": "is none of bob"}
    scene.approve(other)
    assert counted(scene, of=("bob",)) == {"robert": "is none of bob", "bob": None}
    assert counted(scene, of=("robert",)) == {"robert": None, "bob": "is none of robert"}


@pytest.mark.threat(9)
@pytest.mark.parametrize("end", ["delete", "block", "deactivate"])
def test_an_account_that_is_gone_or_blocked_does_not_count(scene: Scene, end: str) -> None:
    scene.show("b")
    scene.approve(scene.bob)
    getattr(scene.bob, end)()
    assert None not in counted(scene).values()


@pytest.mark.threat(10)
def test_approved_by_nobody_is_not_approved(premium: Scene) -> None:
    """An approval rule that nobody can fulfil is passed over, and the flag says `approved`."""
    premium.project.approval_settings["merge_requests_author_approval"] = False
    premium.project.require_approval("nobody can", premium.alice)
    assert premium.request.is_approved
    premium.show("b")
    assert premium.heard("b") == []


@pytest.mark.threat(11)
@pytest.mark.parametrize("what", ["versions", "notes", "statuses", "commits"])
def test_a_list_that_cannot_be_read_to_its_end_is_an_error(premium: Scene, what: str) -> None:
    premium.show("b")
    premium.approve(premium.bob)
    path = f"*/{what}"
    following = {"Link": f'<{premium.server.url}/x?per_page=100&page=2>; rel="next"'}
    premium.faults.answer("GET", path, b"[]", headers=following)
    premium.faults.answer("GET", path, b"[")
    with pytest.raises(OutsideError, match="GitLab's answer is not what it should be"):
        premium.heard("b")


@pytest.mark.threat(11)
def test_every_page_of_versions_and_statuses_is_read(premium: Scene) -> None:
    premium.project.approval_settings["reset_approvals_on_push"] = False
    first = premium.request.sha
    for place in range(120):
        premium.request.push(first if place % 2 else None)
        premium.gitlab.tick(1)
    premium.request.push(first)
    premium.gitlab.tick()
    client = premium.gitlab.project
    premium.show("b")
    for number in range(230):
        made = premium.project.statuses[0]
        client.statuses.append(
            type(made)(
                id=premium.gitlab.next_id(),
                pipeline=made.pipeline,
                name=f"other {number}",
                state="success",
                author=premium.alice,
                created_at=premium.gitlab.now,
                description="x",
            )
        )
    premium.show("c")
    premium.approve(premium.bob)
    review = premium.latest(premium.bob, "c")
    assert (review.head, review.bundle) == (first, digest("c"))


# after the merge

How = Literal["merge", "squash", "ff", "rebase"]


def landed(scene: Scene, how: How) -> dict[str, Any]:
    """A run on the default branch, of what the merge made."""
    scene.project.merge_method = "ff" if how in ("ff", "rebase") else "merge"
    scene.request.merge(scene.bob, how)
    return {"checkout": scene.checkout(scene.project.tip("main"))}


@pytest.mark.parametrize("how", ["merge", "squash", "ff"])
def test_approvals_are_found_again_after_a_merge(scene: Scene, how: How) -> None:
    scene.show("b")
    scene.approve(scene.bob)
    assert counted(scene, **landed(scene, how)) == {"bob": None}


@pytest.mark.threat(2)
def test_a_rebase_before_the_merge_makes_another_head(scene: Scene) -> None:
    scene.project.approval_settings["reset_approvals_on_push"] = False
    scene.project.push(scene.alice, files={"other.txt": "x"})
    scene.show("b")
    scene.approve(scene.bob)
    old = scene.request.sha
    said = landed(scene, "rebase")
    assert scene.heard("b", **said) == []  # never shown at what has landed
    scene.gitlab.tick()
    scene.show("b")
    assert f"given at {old[:12]}" in str(counted(scene, **said)["bob"])


def test_a_bundle_that_the_merged_change_never_showed_has_no_reviews(scene: Scene) -> None:
    """A promotion runs on a commit that came from another merge request: what was said there is
    not said of this bundle.
    """
    scene.show("b")
    scene.request.request_changes(scene.bob)
    said = landed(scene, "squash")
    assert scene.heard("other", **said) == []
    assert len(scene.heard("b", **said)) == 1


def test_the_change_of_a_bundle_can_be_named(scene: Scene) -> None:
    scene.show("b")
    scene.approve(scene.bob)
    landed(scene, "squash")
    other = scene.project.push(scene.alice)
    forge = scene.forge(checkout=scene.checkout(other))
    assert list(forge.reviews("churn", digest("b"))) == []
    (review,) = forge.reviews("churn", digest("b"), change="!7")
    assert review.bundle == digest("b")
    assert list(forge.reviews("churn", digest("b"), change=f"main@{other[:12]}")) == []


# typed approvals


def command(digest: Digest, model: str = "churn") -> str:
    return f"/assent approve {model} {digest}"


@pytest.mark.parametrize("digits", [64, 12])
def test_an_approval_can_be_typed(scene: Scene, digits: int) -> None:
    address = scene.show("b")
    scene.note(scene.bob, command(Digest(digest("b")[: len("sha256:") + digits])))
    (review,) = scene.heard()
    assert (review.bundle, review.head) == (digest("b"), scene.request.sha)
    assert str(review.reason).startswith("typed in " + address.partition("#")[0])
    assert counted(scene) == {"bob": None}


@pytest.mark.threat(21)
def test_an_edited_note_approves_nothing(scene: Scene) -> None:
    scene.show("b")
    note = scene.request.note(scene.bob, "Hello.")
    scene.gitlab.tick()
    note.edit(command(digest("b")))
    assert scene.heard() == []


@pytest.mark.threat(21)
@pytest.mark.parametrize("before", ["> ", "```\n", "    ", "see "])
def test_a_command_that_is_quoted_approves_nothing(scene: Scene, before: str) -> None:
    scene.show("b")
    scene.note(scene.bob, before + command(digest("b")))
    assert scene.heard() == []


@pytest.mark.threat(21)
def test_the_author_and_somebody_without_the_role_cannot_type_it(scene: Scene) -> None:
    eve = scene.gitlab.user("eve", role="reporter")
    scene.show("b")
    scene.note(eve, command(digest("b")))
    scene.note(scene.alice, command(digest("b")))
    found = counted(scene)
    assert found["eve"] == "is none of *"
    assert "author's approval" in str(found["alice"])


@pytest.mark.threat(21)
def test_a_bot_and_gitlab_itself_cannot_type_it(scene: Scene) -> None:
    scene.show("b")
    scene.note(scene.bot, command(digest("b")))
    scene.request.note(scene.bob, command(digest("b"))).is_system = True
    assert scene.heard() == []


@pytest.mark.threat(21)
def test_after_the_head_moved_a_typed_approval_is_stale(scene: Scene) -> None:
    scene.show("b")
    old = scene.request.sha
    scene.note(scene.bob, command(digest("b")))
    scene.request.push()
    scene.gitlab.tick()
    assert scene.latest(scene.bob).head == old
    scene.show("c")
    assert counted(scene, "c")["bob"] is not None
    scene.show("b")
    assert f"given at {old[:12]}" in str(counted(scene, "b")["bob"])


@pytest.mark.threat(21)
def test_digits_that_only_a_later_bundle_has_approve_nothing(scene: Scene) -> None:
    scene.show("b")
    scene.note(scene.bob, command(Digest(digest("c")[:19])))
    scene.note(scene.bob, command(digest("c")))
    scene.show("c")
    assert [one.bundle for one in scene.heard("c")] == [None, None]


@pytest.mark.threat(4)
def test_a_later_request_for_changes_ends_a_typed_approval(scene: Scene) -> None:
    scene.show("b")
    scene.note(scene.bob, command(digest("b")))
    scene.request.request_changes(scene.bob)
    assert counted(scene) == {"bob": "asks for changes"}


def test_of_another_model_nothing_is_approved(scene: Scene) -> None:
    scene.show("b")
    scene.note(scene.bob, command(digest("b"), "fraud"))
    assert scene.heard() == []


def test_a_change_without_a_merge_request_has_no_reviews(scene: Scene) -> None:
    tip = scene.project.push(scene.alice)
    assert (
        list[Review](scene.forge(checkout=scene.checkout(tip)).reviews("churn", digest("b"))) == []
    )


def test_people_review_for_themselves(scene: Scene) -> None:
    with pytest.raises(UsageError, match="reviewing in the name of 'bob'") as caught:
        scene.forge().review(
            "churn", digest("b"), by="bob", state=ReviewState.APPROVED, at="", reason=None
        )
    assert "merge_requests/7, or comment there: /assent approve churn" in str(caught.value.hint)


def withdrawn(scene: Scene, approval: Review) -> str | None:
    """Why it does not stand any more, as a run says that has read it in the ledger."""
    return scene.forge().withdrawn("churn", approval, change=f"!{scene.request.iid}")


@pytest.mark.threat(49)
def test_a_recorded_approval_that_was_taken_back_does_not_stand(scene: Scene) -> None:
    scene.show("b")
    scene.approve(scene.bob)
    approval = scene.latest(scene.bob)
    assert withdrawn(scene, approval) is None
    scene.request.unapprove(scene.bob)
    assert "taken back" in str(withdrawn(scene, approval))
    scene.gitlab.tick()
    scene.approve(scene.bob)  # another one: it may be of something else
    assert "taken back" in str(withdrawn(scene, approval))


@pytest.mark.threat(49)
@pytest.mark.parametrize("has_id", [True, False])
def test_what_was_typed_and_taken_back_does_not_stand(scene: Scene, has_id: bool) -> None:
    scene.show("b")
    scene.note(scene.bob, f"/assent approve churn {digest('b')}")
    approval = scene.latest(scene.bob)
    assert str(approval.id).startswith("note:")
    if not has_id:  # as older entries are
        approval = msgspec.structs.replace(approval, id=None)
    assert withdrawn(scene, approval) is None
    scene.request.notes[:] = [one for one in scene.request.notes if one.author is not scene.bob]
    said = "deleted" if has_id else "taken back"
    assert said in str(withdrawn(scene, approval))


@pytest.mark.threat(49)
@pytest.mark.threat(9)
def test_an_approval_of_an_account_that_is_blocked_does_not_stand(scene: Scene) -> None:
    scene.show("b")
    scene.approve(scene.bob)
    approval = scene.latest(scene.bob)
    scene.bob.block()
    assert "blocked" in str(withdrawn(scene, approval))


@pytest.mark.threat(49)
def test_that_it_cannot_be_read_is_an_error(premium: Scene) -> None:
    premium.show("b")
    premium.approve(premium.bob)
    approval = premium.latest(premium.bob)
    premium.faults.fail("GET", "*/approvals", 500, times=9)
    with pytest.raises(OutsideError):
        withdrawn(premium, approval)
