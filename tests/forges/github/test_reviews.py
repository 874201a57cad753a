"""Who said what of which bundle, as GitHub's reviews and statuses tell."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest

from assent.core.approval import Role
from assent.core.change import Change, Review, ReviewState
from assent.core.digest import Digest
from assent.errors import OutsideError
from assent.policy.approvals import judge_approvals
from assent.policy.rules import ApprovalRule
from tests.builders import digest
from tests.forges.github.conftest import Scene, notice
from tests.github.accounts import Account


def counted(scene: Scene, bundle: str = "b", **said: Any) -> dict[str, str | None]:
    """Who counts for a bundle (None), and why the others do not: judged as every verb does."""
    forge = scene.forge(**said)
    change = forge.change()
    assert change is not None
    reviews = forge.reviews("churn", digest(bundle))
    rule = ApprovalRule(count=1, from_=("*",))
    roles = {
        one.person.key: Role(entry="*" if forge.matches(one.person, "*") else None)
        for one in reviews
    }
    authors = {one.person.key for one in change.authors if one.person is not None}
    found = judge_approvals(
        rule, reviews, bundle=digest(bundle), head=change.head, authors=authors, roles=roles
    )
    return {one.person.login: None if one.counts else one.why for one in found.heard}


def test_an_approval_is_of_the_bundle_that_the_comment_showed(scene: Scene) -> None:
    scene.show("b")
    scene.review(scene.bob, body="Nice recall.")
    (review,) = scene.heard("b")
    assert review.person.key == f"github:github.com:{scene.bob.id}"
    assert (review.state, review.head) == (ReviewState.APPROVED, scene.pull.head_sha)
    assert (review.bundle, review.reason) == (digest("b"), "Nice recall.")
    assert counted(scene) == {"bob": None}


def test_an_approval_before_anything_was_shown_is_of_nothing(scene: Scene) -> None:
    scene.review(scene.bob)
    scene.show("b")
    assert scene.latest(scene.bob).bundle is None
    assert "not known which bundle" in str(counted(scene)["bob"])


@pytest.mark.threat(1)
def test_the_author_a_co_author_and_a_committer_do_not_count(scene: Scene) -> None:
    carol = scene.github.user("carol", role="write")
    dave = scene.github.user("dave", role="write")
    scene.pull.push(by=carol, message=f"more\n\nCo-authored-by: Dave <{dave.email}>")
    scene.show("b")
    for person in (scene.alice, carol, dave, scene.bob):
        scene.review(person)
    found = counted(scene)
    assert [name for name, why in found.items() if why is None] == ["bob"]
    assert all("author's approval" in str(found[name]) for name in ("alice", "carol", "dave"))


@pytest.mark.threat(2)
def test_an_approval_of_an_older_head_does_not_count(scene: Scene) -> None:
    scene.show("b")
    scene.review(scene.bob)
    old = scene.pull.head_sha
    scene.pull.push()
    scene.show("b")
    assert scene.latest(scene.bob).head == old
    assert f"given at {old[:12]}" in str(counted(scene)["bob"])


@pytest.mark.threat(3)
def test_a_bundle_that_is_replaced_on_the_same_commit_makes_an_approval_stale(
    scene: Scene,
) -> None:
    scene.show("b")
    scene.review(scene.bob)
    scene.show("c")
    assert scene.latest(scene.bob, "c").bundle == digest("b")
    assert "the candidate is" in str(counted(scene, "c")["bob"])
    scene.show("b")
    scene.show("c")
    scene.review(scene.bob)
    assert counted(scene, "c") == {"bob": None}


@pytest.mark.threat(3)
def test_an_approval_in_the_second_of_the_change_is_of_nobody_knows_what(scene: Scene) -> None:
    scene.show("b")
    scene.forge().comment(notice(bundle="c"))
    scene.review(scene.bob)
    assert scene.latest(scene.bob, "c").bundle is None


@pytest.mark.threat(3)
@pytest.mark.threat(34)
def test_a_status_of_anybody_else_shows_nothing(scene: Scene) -> None:
    scene.show("b")
    mallory = scene.github.user("mallory", role="write")
    token = scene.github.personal_token(mallory, statuses="write", pull_requests="write")
    forged = notice(bundle="evil")
    scene.forge(token=token).comment(forged)
    scene.github.tick()
    scene.review(scene.bob)
    assert scene.latest(scene.bob).bundle == digest("b")


@pytest.mark.threat(3)
def test_a_status_of_another_model_shows_nothing(scene: Scene) -> None:
    scene.show("b", model="churn")
    scene.show("f", model="fraud")
    scene.review(scene.bob)
    assert scene.latest(scene.bob).bundle == digest("b")
    assert scene.heard("f", model="fraud")[0].bundle == digest("f")


@pytest.mark.threat(3)
@pytest.mark.threat(18)
def test_another_pull_request_with_the_same_head_shows_nothing_here(scene: Scene) -> None:
    """Anybody can open one from a fork; then its bundle must not take the place of ours."""
    scene.show("b")
    fork = scene.github.fork(scene.github.user("fred"))
    twin = scene.github.open_pull(fork.owner, fork=fork, branch="twin", sha=scene.pull.head_sha)
    scene.show("evil", payload=scene.payload(twin))
    scene.review(scene.bob)
    typed(scene, scene.github.user("carol", role="write"), command(digest("evil")))
    assert scene.latest(scene.bob).bundle == digest("b")
    assert "carol" not in [name for name, why in counted(scene).items() if why is None]
    assert scene.forge().shown("churn") == digest("b")
    assert scene.forge(payload=scene.payload(twin)).shown("churn") == digest("evil")
    twin.review(scene.bob)
    (review,) = scene.heard("evil", payload=scene.payload(twin))
    assert review.bundle == digest("evil")


@pytest.mark.threat(4)
def test_a_dismissed_review_ends_the_approval(scene: Scene) -> None:
    scene.show("b")
    review = scene.pull.review(scene.bob)
    review.dismiss()
    assert scene.latest(scene.bob).state is ReviewState.DISMISSED
    assert counted(scene) == {"bob": "the review was dismissed"}


@pytest.mark.threat(4)
@pytest.mark.parametrize("between", ["CHANGES_REQUESTED", "APPROVED"])
def test_a_dismissal_revives_no_older_approval(scene: Scene, between: str) -> None:
    scene.show("b")
    scene.review(scene.bob)
    later = scene.pull.review(scene.bob, between)  # type: ignore[arg-type]  # one of two
    scene.github.tick()
    later.dismiss()
    assert counted(scene) == {"bob": "the review was dismissed"}
    scene.review(scene.bob)
    assert counted(scene) == {"bob": None}


@pytest.mark.threat(4)
def test_a_request_for_changes_ends_the_approval_and_a_remark_does_not(scene: Scene) -> None:
    scene.show("b")
    scene.review(scene.bob)
    scene.review(scene.bob, "COMMENTED", body="One more thing.")
    scene.review(scene.bob, "PENDING")
    assert counted(scene) == {"bob": None}
    scene.review(scene.bob, "CHANGES_REQUESTED")
    assert counted(scene) == {"bob": "asks for changes"}


@pytest.mark.threat(4)
def test_of_two_opinions_in_one_second_the_objection_is_heard(scene: Scene) -> None:
    scene.show("b")
    scene.pull.review(scene.bob, "CHANGES_REQUESTED")
    scene.pull.review(scene.bob, "APPROVED")
    assert counted(scene) == {"bob": "asks for changes"}


@pytest.mark.threat(5)
@pytest.mark.parametrize("kind", ["Bot", "User"])
def test_what_is_no_person_does_not_count(scene: Scene, kind: Literal["Bot", "User"]) -> None:
    robot = scene.github.user("robot[bot]", kind=kind, role="admin")
    scene.show("b")
    scene.review(robot)
    assert scene.latest(robot).person.kind == "automation"
    assert counted(scene)["robot[bot]"] is not None


@pytest.mark.threat(6)
def test_the_role_is_asked_for_anew_in_every_run(scene: Scene) -> None:
    scene.show("b")
    scene.review(scene.bob)
    assert counted(scene) == {"bob": None}
    scene.github.repository.grant(scene.bob, "read")
    assert counted(scene) == {"bob": "is none of *"}


@pytest.mark.threat(7)
def test_what_a_review_says_about_its_author_is_not_believed(scene: Scene) -> None:
    eve = scene.github.user("eve")
    scene.github.repository.associations[eve.id] = "OWNER"
    scene.show("b")
    scene.review(eve)
    assert counted(scene) == {"eve": "is none of *"}


@pytest.mark.threat(9)
def test_a_deleted_account_does_not_count(scene: Scene) -> None:
    scene.show("b")
    scene.review(scene.bob)
    scene.bob.delete()
    (review,) = scene.heard()
    assert (review.person.kind, review.person.id) == ("automation", "0")
    assert counted(scene) == {"ghost": "is none of *"}


@pytest.mark.threat(9)
def test_a_suspended_account_does_not_count(scene: Scene) -> None:
    scene.show("b")
    scene.review(scene.bob)
    scene.bob.suspend()
    assert list(counted(scene).values()) == ["is none of *"]


@pytest.mark.threat(11)
def test_every_page_of_reviews_is_read(scene: Scene) -> None:
    scene.show("b")
    scene.review(scene.bob)
    for _ in range(205):
        scene.pull.review(scene.alice, "COMMENTED")
    scene.review(scene.bob, "CHANGES_REQUESTED")
    assert counted(scene) == {"bob": "asks for changes"}
    assert scene.server.count("GET", "/pulls/7/reviews") == 3


@pytest.mark.threat(11)
def test_a_page_that_cannot_be_read_is_an_error(scene: Scene) -> None:
    scene.show("b")
    for _ in range(101):
        scene.pull.review(scene.bob)
    forge = scene.forge()
    forge.change()
    path = "/repos/acme/churn/pulls/7/reviews"
    scene.faults.answer("GET", path, b"[", times=1)
    with pytest.raises(OutsideError, match="reading the reviews of pull request 7"):
        forge.reviews("churn", digest("b"))


def test_an_unknown_state_of_a_review_is_an_error(scene: Scene) -> None:
    review = scene.pull.review(scene.bob)
    forge = scene.forge()
    forge.change()
    body = msgspec.json.encode(
        [{"id": review.id, "state": "ENDORSED", "user": None, "submitted_at": "2026-01-01"}]
    )
    scene.faults.answer("GET", "*/pulls/7/reviews", body)
    with pytest.raises(OutsideError, match="'ENDORSED', which this release does not know"):
        forge.reviews("churn", digest("b"))


@pytest.mark.threat(2)
def test_a_review_whose_commit_is_not_known_counts_nowhere(scene: Scene) -> None:
    """A review without any revision would be taken for one of the bundle itself."""
    scene.show("b")
    review = scene.pull.review(scene.bob)
    forge = scene.forge()
    change = forge.change()
    assert change is not None
    user = {"id": scene.bob.id, "login": "bob", "type": "User"}
    body = {"id": review.id, "state": "APPROVED", "user": user, "commit_id": None}
    body["submitted_at"] = "2030-01-01T00:00:00Z"
    scene.faults.answer("GET", "*/pulls/7/reviews", msgspec.json.encode([body]))
    (found,) = forge.reviews("churn", digest("b"))
    assert (found.head, found.bundle) == ("unknown", None)


# after the merge


def landed(scene: Scene, how: Literal["merge", "squash", "rebase", "queue"]) -> dict[str, Any]:
    """A run on the default branch, of what the merge made."""
    scene.pull.merge(scene.bob, how)
    tip = scene.github.repository.tip("main")
    return {"checkout": scene.checkout(tip), "event": "push", "run": "1"}


@pytest.mark.parametrize("how", ["merge", "squash", "rebase", "queue"])
def test_reviews_are_found_again_after_a_merge(
    scene: Scene, how: Literal["merge", "squash", "rebase", "queue"]
) -> None:
    scene.show("b")
    scene.review(scene.bob)
    assert counted(scene, **landed(scene, how)) == {"bob": None}


def test_a_bundle_that_the_merged_change_never_showed_has_no_reviews(scene: Scene) -> None:
    """A promotion runs on a commit that came from another pull request: what was said there is
    not said of this bundle.
    """
    scene.show("b")
    scene.review(scene.bob, "CHANGES_REQUESTED")
    said = landed(scene, "squash")
    assert scene.heard("other", **said) == []
    assert len(scene.heard("b", **said)) == 1


def test_the_change_of_a_bundle_can_be_named(scene: Scene) -> None:
    scene.show("b")
    scene.review(scene.bob)
    landed(scene, "squash")
    other = scene.github.repository.push(scene.alice)
    forge = scene.forge(checkout=scene.checkout(other), event="workflow_dispatch", run="1")
    assert list(forge.reviews("churn", digest("b"))) == []
    (review,) = forge.reviews("churn", digest("b"), change="#7")
    assert review.bundle == digest("b")
    assert list(forge.reviews("churn", digest("b"), change=f"main@{other[:12]}")) == []


# typed approvals


def typed(scene: Scene, by: Account, text: str) -> None:
    scene.pull.comment(by, text)
    scene.github.tick()


def command(digest: Digest, model: str = "churn") -> str:
    return f"/assent approve {model} {digest}"


@pytest.mark.parametrize("digits", [64, 12])
def test_an_approval_can_be_typed(scene: Scene, digits: int) -> None:
    address = scene.show("b")
    typed(scene, scene.bob, command(Digest(digest("b")[: len("sha256:") + digits])))
    (review,) = scene.heard()
    assert (review.bundle, review.head) == (digest("b"), scene.pull.head_sha)
    assert str(review.reason).startswith("typed in " + address.partition("#")[0])
    assert counted(scene) == {"bob": None}


@pytest.mark.threat(21)
def test_an_edited_comment_approves_nothing(scene: Scene) -> None:
    scene.show("b")
    comment = scene.pull.comment(scene.bob, "Hello.")
    scene.github.tick()
    comment.edit(command(digest("b")))
    assert scene.heard() == []


@pytest.mark.threat(21)
def test_the_author_and_somebody_without_the_role_cannot_type_it(scene: Scene) -> None:
    eve = scene.github.user("eve", role="read")
    scene.show("b")
    typed(scene, eve, command(digest("b")))
    typed(scene, scene.alice, command(digest("b")))
    found = counted(scene)
    assert found["eve"] == "is none of *"
    assert "author's approval" in str(found["alice"])


@pytest.mark.threat(21)
def test_a_bot_cannot_type_it(scene: Scene) -> None:
    scene.show("b")
    typed(scene, scene.github.bot("helper[bot]", role="write"), command(digest("b")))
    assert scene.heard() == []


@pytest.mark.threat(21)
def test_after_the_head_moved_a_typed_approval_is_stale(scene: Scene) -> None:
    scene.show("b")
    old = scene.pull.head_sha
    typed(scene, scene.bob, command(digest("b")))
    scene.pull.push()
    assert scene.latest(scene.bob).head == "unknown"
    scene.pull.review(scene.alice, "COMMENTED", commit_id=old)
    assert scene.latest(scene.bob).head == old
    scene.show("c")
    assert counted(scene, "c")["bob"] is not None


@pytest.mark.threat(21)
def test_digits_that_only_a_later_bundle_has_approve_nothing(scene: Scene) -> None:
    """Otherwise somebody could look for a bundle whose digest starts alike."""
    scene.show("b")
    typed(scene, scene.bob, command(Digest(digest("c")[:19])))
    typed(scene, scene.bob, command(digest("c")))
    scene.show("c")
    assert [one.bundle for one in scene.heard("c")] == [None, None]


@pytest.mark.threat(21)
def test_digits_that_two_bundles_share_approve_nothing(scene: Scene) -> None:
    scene.show("b")
    twin = digest("b")[:40] + "0" * 31
    scene.forge().comment(msgspec.structs.replace(notice(), bundle=Digest(twin)))
    scene.github.tick()
    typed(scene, scene.bob, command(Digest(digest("b")[:19])))
    (review,) = scene.heard()
    assert (review.bundle, review.head) == (None, "unknown")
    typed(scene, scene.bob, command(digest("b")))
    assert scene.latest(scene.bob).bundle == digest("b")


@pytest.mark.threat(4)
def test_a_later_request_for_changes_ends_a_typed_approval(scene: Scene) -> None:
    scene.show("b")
    typed(scene, scene.bob, command(digest("b")))
    scene.review(scene.bob, "CHANGES_REQUESTED")
    assert counted(scene) == {"bob": "asks for changes"}


def test_of_another_model_nothing_is_approved(scene: Scene) -> None:
    scene.show("b")
    typed(scene, scene.bob, command(digest("b"), "fraud"))
    assert scene.heard() == []


def test_a_change_without_a_pull_request_has_no_reviews(scene: Scene) -> None:
    tip = scene.github.repository.push(scene.alice)
    said: dict[str, Any] = {"checkout": scene.checkout(tip), "event": "push", "run": "1"}
    forge = scene.forge(**said)
    change = forge.change()
    assert isinstance(change, Change)
    assert list[Review](forge.reviews("churn", digest("b"))) == []


def withdrawn(scene: Scene, approval: Review, change: str = "#7") -> str | None:
    """Why it does not stand any more, as a run says that has read it in the ledger."""
    return scene.forge().withdrawn("churn", approval, change=change)


@pytest.mark.threat(49)
@pytest.mark.parametrize("has_id", [True, False])
def test_a_recorded_review_that_was_dismissed_does_not_stand(scene: Scene, has_id: bool) -> None:
    scene.show("b")
    scene.review(scene.bob)
    approval = scene.latest(scene.bob)
    if not has_id:  # as older entries are
        approval = msgspec.structs.replace(approval, id=None)
    assert withdrawn(scene, approval) is None
    scene.pull.reviews[-1].dismiss()
    assert "dismissed" in str(withdrawn(scene, approval))


@pytest.mark.threat(49)
@pytest.mark.parametrize("how", ["edit", "delete"])
def test_what_was_typed_and_taken_back_does_not_stand(scene: Scene, how: str) -> None:
    scene.show("b")
    comment = scene.pull.comment(scene.bob, f"/assent approve churn {digest('b')}")
    scene.github.tick()
    approval = scene.latest(scene.bob)
    assert approval.id == f"comment:{comment.id}"
    assert withdrawn(scene, approval) is None
    if how == "edit":
        comment.edit("never mind")
        assert "edited" in str(withdrawn(scene, approval))
    else:
        comment.delete()
        assert "deleted" in str(withdrawn(scene, approval))


@pytest.mark.threat(49)
@pytest.mark.threat(9)
def test_an_approval_of_an_account_that_is_gone_does_not_stand(scene: Scene) -> None:
    scene.show("b")
    scene.review(scene.bob)
    approval = scene.latest(scene.bob)
    scene.bob.delete()
    assert "account is gone" in str(withdrawn(scene, approval))


@pytest.mark.threat(49)
def test_that_it_cannot_be_read_is_an_error(scene: Scene) -> None:
    scene.show("b")
    scene.review(scene.bob)
    approval = scene.latest(scene.bob)
    scene.faults.fail("GET", "*/pulls/7/reviews", 500, times=9)
    with pytest.raises(OutsideError):
        withdrawn(scene, approval)


def test_what_was_recorded_elsewhere_is_not_looked_for(scene: Scene) -> None:
    scene.show("b")
    scene.review(scene.bob)
    approval = scene.latest(scene.bob)
    assert withdrawn(scene, approval, "main@0123456789ab") is None
    assert withdrawn(scene, approval, "#99") == "its pull request is gone"
