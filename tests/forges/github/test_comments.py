"""The one comment of a model and pull request, and the statuses that remember what it showed."""

from __future__ import annotations

import msgspec
import pytest

from assent.core.digest import digest_of
from assent.core.verdict import Decision
from assent.errors import OutsideError, UsageError
from assent.forges.github.api import PAUSES_S
from assent.report.markdown import LIMIT, marker
from tests.builders import digest
from tests.forges.github.conftest import Scene, notice

COMMENTS = "/repos/acme/churn/issues/7/comments"


def bodies(scene: Scene) -> list[str]:
    return [comment.body for comment in scene.pull.comments]


def statuses(scene: Scene) -> list[tuple[str, str, str | None]]:
    found = scene.github.repository.statuses
    return [(one.context, one.state, one.description) for one in found]


def test_the_comment_comes_first_and_then_the_status(scene: Scene) -> None:
    address = scene.show("b")
    assert bodies(scene) == [notice().body]
    assert address.startswith("https://github.com/acme/churn/pull/7#issuecomment-")
    description = f"pending · {digest('b')} · #7 · 1 of 3 wait for somebody"
    assert statuses(scene) == [("assent/churn", "pending", description)]
    assert [one.path.rsplit("/", 2)[1] for one in scene.server.writes] == ["7", "statuses"]


def test_the_status_links_to_the_run(scene: Scene) -> None:
    scene.show(run_address="https://github.com/acme/churn/actions/runs/5")
    (status,) = scene.github.repository.statuses
    assert status.target_url == "https://github.com/acme/churn/actions/runs/5"


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        (Decision.PASSED, "success"),
        (Decision.BLOCKED, "failure"),
        (Decision.PENDING, "pending"),
    ],
)
def test_the_decision_is_the_state(scene: Scene, decision: Decision, state: str) -> None:
    scene.forge().comment(msgspec.structs.replace(notice(), decision=decision))
    assert statuses(scene)[0][1] == state
    scene.github.tick()
    scene.review(scene.bob)
    assert scene.latest(scene.bob).bundle == digest("b")


def test_a_sentence_that_is_too_long_is_left_out(scene: Scene) -> None:
    scene.forge().comment(msgspec.structs.replace(notice(), sentence="x" * 200))
    assert statuses(scene)[0][2] == f"pending · {digest('b')} · #7"


@pytest.mark.threat(35)
def test_the_comment_is_updated_in_place(scene: Scene) -> None:
    first = scene.show("b")
    assert scene.show("c") == first
    assert bodies(scene) == [notice(bundle="c").body]


@pytest.mark.threat(35)
def test_what_is_unchanged_is_not_written_again(scene: Scene) -> None:
    scene.show("b")
    writes = len(scene.server.writes)
    scene.show("b")
    assert len(scene.server.writes) == writes


@pytest.mark.threat(35)
def test_line_ends_that_github_changed_are_no_change(scene: Scene) -> None:
    scene.show("b")
    (comment,) = scene.pull.comments
    comment.body = comment.body.rstrip("\n").replace("\n", "\r\n")
    writes = len(scene.server.writes)
    scene.show("b")
    assert len(scene.server.writes) == writes


@pytest.mark.threat(35)
def test_each_model_has_its_own_comment(scene: Scene) -> None:
    scene.show("b", model="churn")
    scene.show("b", model="churn2")
    scene.show("c", model="churn")
    assert [body.splitlines()[0] for body in bodies(scene)] == [marker("churn"), marker("churn2")]


@pytest.mark.threat(35)
def test_our_comment_is_found_behind_three_pages_of_others(scene: Scene) -> None:
    for number in range(250):
        scene.pull.comment(scene.bob, f"remark {number}")
    first = scene.show("b")
    for number in range(60):
        scene.pull.comment(scene.bob, f"remark {number}")
    assert scene.show("c") == first
    assert sum(marker("churn") in body for body in bodies(scene)) == 1


@pytest.mark.threat(34)
def test_a_copied_marker_is_not_ours(scene: Scene) -> None:
    scene.pull.comment(scene.bob, notice().body)
    scene.show("b")
    assert len(bodies(scene)) == 2
    assert scene.pull.comments[0].author is scene.bob


@pytest.mark.threat(34)
def test_a_quoted_comment_of_our_own_account_is_not_our_comment(scene: Scene) -> None:
    bot = scene.github.actions_bot
    scene.pull.comment(bot, "> " + notice().body)
    scene.pull.comment(bot, f"See:\n{notice().body}")
    scene.show("b")
    assert len(bodies(scene)) == 3


@pytest.mark.threat(34)
def test_an_edited_comment_is_put_right_and_decides_nothing(scene: Scene) -> None:
    scene.show("b")
    (comment,) = scene.pull.comments
    comment.edit(comment.body.replace(digest("b"), digest("evil")))
    scene.github.tick()
    scene.review(scene.bob)
    assert scene.latest(scene.bob).bundle == digest("b")
    scene.show("b")
    assert bodies(scene) == [notice().body]


@pytest.mark.threat(35)
def test_of_two_comments_of_ours_the_older_is_kept_and_the_other_folded_away(
    scene: Scene,
) -> None:
    bot = scene.github.actions_bot
    old, new = (scene.pull.comment(bot, notice(bundle=one).body) for one in "xy")
    address = scene.show("b")
    assert address.endswith(str(old.id))
    assert (old.body, old.is_minimized) == (notice().body, False)
    assert (new.body, new.is_minimized) == (notice(bundle="y").body, True)


def test_a_duplicate_that_cannot_be_folded_away_is_no_error(scene: Scene) -> None:
    bot = scene.github.actions_bot
    for one in "xy":
        scene.pull.comment(bot, notice(bundle=one).body)
    scene.faults.fail("POST", "/graphql", 403)
    scene.show("b")
    assert statuses(scene)
    assert scene.faults.is_done


@pytest.mark.threat(32)
@pytest.mark.parametrize("fault", ["502", "hang up"])
@pytest.mark.parametrize("path", [COMMENTS, "/repos/acme/churn/statuses/*"])
def test_a_post_that_succeeded_without_an_answer_is_not_repeated(
    scene: Scene, fault: str, path: str
) -> None:
    if fault == "502":
        scene.faults.fail_after("POST", path, 502)
    else:
        scene.faults.hang_up("POST", path, after=True)
    address = scene.show("b")
    assert scene.faults.is_done
    assert (len(bodies(scene)), len(statuses(scene))) == (1, 1)
    assert address.endswith(str(scene.pull.comments[0].id))
    assert scene.waits == [PAUSES_S[0]]


@pytest.mark.threat(32)
@pytest.mark.parametrize("path", [COMMENTS, "/repos/acme/churn/statuses/*"])
def test_a_post_that_did_not_succeed_is_tried_again(scene: Scene, path: str) -> None:
    scene.faults.fail("POST", path, 502)
    scene.show("b")
    assert scene.faults.is_done
    assert (len(bodies(scene)), len(statuses(scene))) == (1, 1)


@pytest.mark.threat(32)
def test_a_post_that_succeeded_at_last_without_an_answer_is_found(scene: Scene) -> None:
    scene.faults.fail("POST", COMMENTS, 502, times=len(PAUSES_S))
    scene.faults.fail_after("POST", COMMENTS, 502)
    scene.show("b")
    assert (len(bodies(scene)), len(statuses(scene))) == (1, 1)


@pytest.mark.threat(32)
def test_an_edit_without_an_answer_is_looked_at(scene: Scene) -> None:
    scene.show("b")
    scene.faults.fail_after("PATCH", "*/comments/*", 504)
    scene.show("c")
    assert bodies(scene) == [notice(bundle="c").body]
    assert scene.server.count("PATCH") == 1


@pytest.mark.threat(32)
def test_a_post_that_is_refused_is_not_tried_again(scene: Scene) -> None:
    scene.faults.fail("POST", COMMENTS, 422)
    with pytest.raises(OutsideError, match="commenting on pull request 7: GitHub answered 422"):
        scene.show("b")
    assert scene.waits == []
    assert scene.server.count("POST") == 1


def test_without_a_comment_nothing_is_recorded_as_shown(scene: Scene) -> None:
    scene.faults.fail("POST", COMMENTS, 502, times=4)
    with pytest.raises(OutsideError):
        scene.show("b")
    assert scene.waits == list(PAUSES_S)
    assert statuses(scene) == []


def test_a_bundle_that_comes_back_is_recorded_again(scene: Scene) -> None:
    for bundle in ("b", "c", "b", "b"):
        scene.show(bundle)
    assert [str(said).split(" · ")[1] for _, _, said in statuses(scene)] == [
        digest("b"),
        "#7",
        digest("c"),
        "#7",
        digest("b"),
    ]


@pytest.mark.threat(3)
@pytest.mark.threat(25)
@pytest.mark.parametrize("stops", ["before the comment", "after the comment"])
def test_where_showing_stops_halfway_nothing_is_known_to_be_shown(scene: Scene, stops: str) -> None:
    """A reviewer may then see either bundle. An approval must not be taken for one of the old
    bundle only because the new one is not in the record yet.
    """
    scene.show("b")

    def fail_the_record(seconds: float) -> None:
        scene.faults.fail("POST", "*/statuses/*", 422)

    if stops == "before the comment":
        scene.faults.fail("PATCH", "*", 422)
    else:
        scene.faults.secondary_limit("PATCH", "*", retry_after_s=1)
    with pytest.raises(OutsideError):
        scene.show("c", wait=fail_the_record)
    assert bodies(scene) == [notice(bundle="b" if stops == "before the comment" else "c").body]
    scene.github.tick()
    scene.review(scene.bob)
    assert scene.latest(scene.bob).bundle is None
    assert scene.forge().shown("churn") is None
    scene.show("c")
    scene.review(scene.bob)
    assert scene.latest(scene.bob, "c").bundle == digest("c")


def test_a_comment_at_the_limit_is_taken(scene: Scene) -> None:
    long = notice(text="x" * (LIMIT - 200))
    scene.forge().comment(long)
    assert bodies(scene) == [long.body]


def test_a_body_without_the_marker_gets_it(scene: Scene) -> None:
    scene.forge().comment(msgspec.structs.replace(notice(), body="hello"))
    assert bodies(scene) == [f"{marker('churn')}\nhello"]
    scene.forge().comment(msgspec.structs.replace(notice(), body="again"))
    assert len(bodies(scene)) == 1


def test_an_app_is_told_its_name(scene: Scene) -> None:
    app = scene.github.bot("assent-acme[bot]")
    token = scene.github.app_token(
        app, contents="write", pull_requests="write", statuses="write", issues="write"
    )
    scene.show("b", token=token, account="assent-acme[bot]")
    scene.show("c", token=token, account="assent-acme[bot]")
    assert [comment.author for comment in scene.pull.comments] == [app]
    scene.review(scene.bob)
    found = scene.heard("c", token=token, account="assent-acme[bot]")
    assert found[0].bundle == digest("c")


def test_an_app_that_was_not_told_its_name_says_so(scene: Scene) -> None:
    app = scene.github.bot("assent-acme[bot]")
    token = scene.github.app_token(
        app, contents="write", pull_requests="write", statuses="write", issues="write"
    )
    with pytest.raises(UsageError, match="posted as 'assent-acme\\[bot\\]'") as caught:
        scene.show("b", token=token)
    assert "ASSENT_ACCOUNT" in str(caught.value.hint)
    assert statuses(scene) == []


def test_an_account_that_does_not_exist_is_named(scene: Scene) -> None:
    with pytest.raises(UsageError, match="no account 'nobody'"):
        scene.show("b", account="nobody")


def test_a_model_whose_name_could_end_the_marker_has_its_digest_there(scene: Scene) -> None:
    name = "a-->b"
    scene.forge().comment(msgspec.structs.replace(notice(name), bundle=digest("b")))
    assert bodies(scene)[0].startswith(f"<!-- assent:model={digest_of(name.encode())} -->")


def test_a_review_of_what_has_no_pull_request_cannot_be_shown(scene: Scene) -> None:
    work = scene.checkout(scene.github.repository.commit(scene.alice), branch="alone")
    with pytest.raises(UsageError, match="no pull request") as caught:
        scene.forge(checkout=work).comment(notice())
    assert "open a pull request" in str(caught.value.hint)


def test_what_was_shown_last_is_known(scene: Scene) -> None:
    assert scene.forge().shown("churn") is None
    scene.show("b")
    scene.show("c")
    assert scene.forge().shown("churn") == digest("c")
    assert scene.forge().shown("fraud") is None
    scene.pull.push()
    assert scene.forge().shown("churn") is None
    tip = scene.github.repository.push(scene.alice)
    assert scene.forge(checkout=scene.checkout(tip)).shown("churn") is None


class Rival:
    """Other runs, which show their own bundle at the worst moments: between our comment and our
    status, and before we look at the comment again. Our run waits then, because it is limited.
    """

    MOMENTS = (("POST", "*/statuses/*"), ("GET", "*/issues/comments/*"))

    def __init__(self, scene: Scene, *, times: int) -> None:
        self.scene = scene
        self.times = times
        self.done = 0
        self.limit()

    def __call__(self, seconds: float) -> None:
        self.scene.forge().comment(notice(bundle=f"rival {self.done}"))
        self.done += 1
        if self.done < self.times:
            self.limit()

    def limit(self) -> None:
        method, path = self.MOMENTS[self.done % 2]
        self.scene.faults.secondary_limit(method, path, retry_after_s=1)


@pytest.mark.threat(3)
@pytest.mark.threat(35)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_the_last_comment_is_the_last_in_the_record(scene: Scene, times: int) -> None:
    rival = Rival(scene, times=times)
    scene.show("b", wait=rival)
    assert rival.done == times
    assert bodies(scene) == [notice().body]
    assert str(statuses(scene)[-1][2]).split(" · ")[1] == digest("b")
    scene.review(scene.bob)
    assert scene.latest(scene.bob).bundle == digest("b")


@pytest.mark.threat(3)
def test_a_record_that_was_read_long_ago_is_read_again(scene: Scene) -> None:
    scene.show("b")
    forge = scene.forge()
    assert forge.shown("churn") == digest("b")
    scene.show("c")
    forge.comment(notice())
    assert bodies(scene) == [notice().body]
    assert scene.forge().shown("churn") == digest("b")


@pytest.mark.threat(35)
def test_runs_that_do_not_wait_for_each_other_are_told_to(scene: Scene) -> None:
    with pytest.raises(OutsideError, match="other runs keep changing") as caught:
        scene.show("b", wait=Rival(scene, times=99))
    assert "concurrency group" in str(caught.value.hint)
