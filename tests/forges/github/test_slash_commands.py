"""The comment that woke a run up: what it asks, and that it is answered once."""

from __future__ import annotations

import pytest

from assent.errors import OutsideError, UsageError
from assent.forges.github.forge import GitHubForge
from assent.ports import Asked, Command, CommandName
from tests.builders import digest
from tests.forges.github.conftest import Scene
from tests.github.pulls import Comment

LINE = f"/assent approve churn {digest('b')}"
COMMENTS = "/repos/acme/churn/issues/7/comments"


def woken(scene: Scene, comment: Comment, **changes: object) -> GitHubForge:
    payload = {**scene.server.events.issue_comment(comment), **changes}
    return scene.forge(event="issue_comment", payload=payload)


def asked(scene: Scene, comment: Comment, **changes: object) -> Asked | None:
    return woken(scene, comment, **changes).asked()


def test_who_when_and_what_come_from_the_api(scene: Scene) -> None:
    scene.show("b")
    comment = scene.pull.comment(scene.bob, f"Fine.\n\n{LINE}\n/assent explain")
    event = scene.server.events.issue_comment(comment)
    event["comment"] |= {"body": "/assent help", "user": None, "created_at": "2001-01-01T00:00:00Z"}
    forge = scene.forge(event="issue_comment", payload=event)
    found = forge.asked()
    assert found is not None
    assert found.id == str(comment.id)
    assert found.by == forge.person("bob")
    assert found.at == forge.reviews("churn", digest("b"))[-1].at
    approve = Command(
        word=CommandName.APPROVE,
        model="churn",
        typed=digest("b"),
        bundle=digest("b"),
        head=scene.pull.head_sha,
    )
    assert found.commands == (approve, Command(word=CommandName.EXPLAIN))
    assert scene.server.writes[2:] == []  # the comment and the status of the review


def test_digits_are_enough(scene: Scene) -> None:
    scene.show("b")
    found = asked(scene, scene.pull.comment(scene.bob, LINE[:-40]))
    assert found is not None
    assert found.commands[0].bundle == digest("b")


@pytest.mark.threat(21)
def test_an_edited_comment_asks_nothing(scene: Scene) -> None:
    comment = scene.pull.comment(scene.bob, "Hello")
    scene.github.tick()
    comment.edit(LINE)
    assert asked(scene, comment) is None


@pytest.mark.threat(21)
@pytest.mark.parametrize("action", ["edited", "deleted", None])
def test_only_a_new_comment_asks_anything(scene: Scene, action: str | None) -> None:
    assert asked(scene, scene.pull.comment(scene.bob, LINE), action=action) is None


@pytest.mark.threat(21)
@pytest.mark.parametrize("body", [f"> {LINE}", f"```\n{LINE}\n```", f"see {LINE}", "thanks", ""])
def test_without_a_command_nothing_is_asked(scene: Scene, body: str) -> None:
    assert asked(scene, scene.pull.comment(scene.bob, body)) is None


@pytest.mark.threat(5)
def test_a_bot_asks_nothing(scene: Scene) -> None:
    bot = scene.github.bot("renovate[bot]")
    assert asked(scene, scene.pull.comment(bot, LINE)) is None
    assert asked(scene, scene.pull.comment(scene.github.actions_bot, LINE)) is None


def test_a_comment_that_is_gone_asks_nothing(scene: Scene) -> None:
    comment = scene.pull.comment(scene.bob, LINE)
    forge = woken(scene, comment)
    comment.delete()
    assert forge.asked() is None


def test_a_run_of_something_else_was_not_asked(scene: Scene) -> None:
    assert scene.forge().asked() is None
    comment = scene.pull.comment(scene.bob, LINE)
    assert asked(scene, comment, issue={"number": 7}) is None


@pytest.mark.threat(18)
def test_a_comment_of_another_pull_request_is_refused(scene: Scene) -> None:
    other = scene.github.open_pull(scene.alice, title="Other")
    comment = scene.pull.comment(scene.bob, LINE)
    issue = {"number": other.number, "pull_request": {}}
    with pytest.raises(UsageError, match="no comment on pull request 8"):
        asked(scene, comment, issue=issue)


def test_a_comment_that_cannot_be_read_is_an_error(scene: Scene) -> None:
    comment = scene.pull.comment(scene.bob, LINE)
    scene.faults.fail("GET", f"*/issues/comments/{comment.id}", 503, times=9)
    with pytest.raises(OutsideError, match="reading the comment"):
        asked(scene, comment)


@pytest.mark.threat(21)
def test_when_the_head_has_moved_the_digits_still_say_what_they_meant(scene: Scene) -> None:
    scene.show("b")
    old = scene.pull.head_sha
    comment = scene.pull.comment(scene.bob, LINE)
    scene.pull.push(files={"params.yaml": "depth: 10\n"}, by=scene.alice)
    found = asked(scene, comment)
    assert found is not None
    assert (found.commands[0].bundle, found.commands[0].head) == (digest("b"), old)


@pytest.mark.threat(21)
def test_what_was_not_shown_by_then_is_not_meant(scene: Scene) -> None:
    comment = scene.pull.comment(scene.bob, LINE)
    scene.github.tick()
    scene.show("b")
    found = asked(scene, comment)
    assert found is not None
    assert (found.commands[0].bundle, found.commands[0].head) == (None, None)


def answer(scene: Scene, comment: Comment, text: str = "Yes.\n") -> str:
    forge = woken(scene, comment)
    found = forge.asked()
    assert found is not None
    address = forge.answer(found, text)
    assert address is not None
    return address


def test_an_answer_is_a_comment_of_ours(scene: Scene) -> None:
    comment = scene.pull.comment(scene.bob, "/assent help")
    address = answer(scene, comment)
    reply = scene.pull.comments[-1]
    assert reply.author is scene.github.actions_bot
    assert reply.body == f"<!-- assent:answer={comment.id} -->\n\nYes.\n"
    assert address.endswith(f"/pull/7#issuecomment-{reply.id}")


@pytest.mark.threat(32)
def test_a_comment_is_answered_once_however_often_it_is_asked(scene: Scene) -> None:
    comment = scene.pull.comment(scene.bob, "/assent help")
    first = answer(scene, comment)
    assert answer(scene, comment, "something else") == first
    assert len(scene.pull.comments) == 2
    other = scene.pull.comment(scene.bob, "/assent help")
    assert answer(scene, other) != first


@pytest.mark.threat(32)
def test_an_answer_whose_acceptance_was_lost_is_not_posted_again(scene: Scene) -> None:
    comment = scene.pull.comment(scene.bob, "/assent help")
    scene.faults.fail_after("POST", COMMENTS, 502)
    answer(scene, comment)
    assert scene.faults.is_done
    assert len(scene.pull.comments) == 2


@pytest.mark.threat(34)
def test_a_copied_marker_is_no_answer(scene: Scene) -> None:
    comment = scene.pull.comment(scene.bob, "/assent help")
    scene.pull.comment(scene.bob, f"<!-- assent:answer={comment.id} -->\n\nNo.")
    scene.pull.comment(scene.github.actions_bot, f"> <!-- assent:answer={comment.id} -->\n\nNo.")
    answer(scene, comment)
    assert len(scene.pull.comments) == 4


@pytest.mark.threat(35)
def test_an_answer_is_found_behind_many_comments(scene: Scene) -> None:
    comment = scene.pull.comment(scene.bob, "/assent help")
    first = answer(scene, comment)
    for number in range(120):
        scene.pull.comment(scene.alice, f"comment {number}")
    assert answer(scene, comment) == first


@pytest.mark.threat(34)
def test_an_answer_is_not_the_comment_of_the_review(scene: Scene) -> None:
    answer(scene, scene.pull.comment(scene.bob, "/assent help"))
    scene.show("b")
    assert len(scene.pull.comments) == 3
