"""The one note of a model and merge request, and the statuses that remember what it showed."""

from __future__ import annotations

import msgspec
import pytest

from assent.core.verdict import Decision
from assent.errors import OutsideError, UsageError
from assent.forges.http_retries import PAUSES_S
from assent.report.markdown import marker
from tests.builders import digest
from tests.forges.gitlab.conftest import WEB, Scene, notice
from tests.gitlab.records import Status

NOTES = "*/merge_requests/7/notes"
STATUSES = "*/statuses/*"


def bodies(scene: Scene) -> list[str]:
    return [note.body for note in scene.request.notes if not note.is_system]


def all_statuses(scene: Scene) -> list[Status]:
    return scene.project.statuses


def record(scene: Scene, model: str = "churn") -> list[str]:
    """What the names of the records say was shown."""
    start = f"assent/{model}/!7/"
    names = [one.name for one in all_statuses(scene)]
    return [name.removeprefix(start) for name in names if name.startswith(start)]


def verdicts(scene: Scene) -> list[tuple[str, str | None]]:
    return [(one.state, one.description) for one in all_statuses(scene) if _is_verdict(one)]


def _is_verdict(status: Status) -> bool:
    return status.name == "assent/churn"


def test_the_note_comes_first_then_the_record_then_the_verdict(scene: Scene) -> None:
    address = scene.show("b")
    assert bodies(scene) == [notice().body]
    (note,) = scene.request.notes
    assert address == f"{WEB}/acme/churn/-/merge_requests/7#note_{note.id}"
    assert record(scene) == [digest("b")]
    assert verdicts(scene) == [("pending", "1 of 3 wait for somebody")]
    assert [one.path.rsplit("/", 2)[1] for one in scene.server.writes] == [
        "api",  # a question to GraphQL
        "7",
        "statuses",
        "statuses",
    ]
    first, second = all_statuses(scene)
    assert (first.state, first.description) == ("success", "pending")
    assert second.created_at == first.created_at


def test_the_statuses_link_to_the_run(premium: Scene) -> None:
    premium.show(run_address=f"{WEB}/acme/churn/-/jobs/5")
    assert {one.target_url for one in all_statuses(premium)} == {f"{WEB}/acme/churn/-/jobs/5"}


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        (Decision.PASSED, "success"),
        (Decision.BLOCKED, "failed"),
        (Decision.PENDING, "pending"),
    ],
)
def test_the_decision_is_the_state(premium: Scene, decision: Decision, state: str) -> None:
    premium.forge().comment(notice(decision=decision))
    assert verdicts(premium)[0][0] == state
    premium.gitlab.tick()
    premium.approve(premium.bob)
    assert premium.latest(premium.bob).bundle == digest("b")


def test_the_verdict_can_change_in_every_direction(premium: Scene) -> None:
    """GitLab refuses a status that is what it was."""
    every = [Decision.PENDING, Decision.BLOCKED, Decision.PASSED]
    for decision in [*every, *every, *reversed(every), Decision.PENDING, Decision.PASSED]:
        premium.forge().comment(notice(decision=decision))
        premium.gitlab.tick()
        premium.forge().comment(notice(bundle="c", decision=decision))
        premium.gitlab.tick()
    assert verdicts(premium)[-1][0] == "success"
    assert not [one for one in premium.server.requests if one.status == 400]


def test_the_sentence_is_cut_to_what_gitlab_keeps(premium: Scene) -> None:
    long = msgspec.structs.replace(notice(decision=Decision.PASSED), sentence="x\ny " * 100)
    premium.forge().comment(long)
    ((_, description),) = verdicts(premium)
    assert description is not None
    assert len(description) == 140
    assert "\n" not in description


@pytest.mark.threat(35)
def test_the_note_is_updated_in_place(scene: Scene) -> None:
    first = scene.show("b")
    assert scene.show("c") == first
    assert bodies(scene) == [notice(bundle="c").body]


@pytest.mark.threat(35)
def test_what_is_unchanged_is_not_written_again(scene: Scene) -> None:
    scene.show("b")
    writes = _writes(scene)
    scene.show("b")
    assert _writes(scene) == writes


def _writes(scene: Scene) -> int:
    return sum("graphql" not in one.path for one in scene.server.writes)


@pytest.mark.threat(35)
def test_line_ends_that_gitlab_changed_are_no_change(premium: Scene) -> None:
    premium.show("b")
    (note,) = premium.request.notes
    note.body = note.body.rstrip("\n").replace("\n", "\r\n")
    writes = _writes(premium)
    premium.show("b")
    assert _writes(premium) == writes


@pytest.mark.threat(35)
def test_each_model_has_its_own_note(premium: Scene) -> None:
    premium.show("b", model="churn")
    premium.show("b", model="churn2")
    premium.show("c", model="churn")
    assert [body.splitlines()[0] for body in bodies(premium)] == [
        marker("churn"),
        marker("churn2"),
    ]
    assert record(premium) == [digest("b"), "changing", digest("c")]
    assert record(premium, "churn2") == [digest("b")]


@pytest.mark.threat(11)
@pytest.mark.threat(35)
def test_our_note_is_found_behind_three_pages_of_others(premium: Scene) -> None:
    for number in range(250):
        premium.request.note(premium.bob, f"remark {number}")
    first = premium.show("b")
    for number in range(60):
        premium.request.note(premium.bob, f"remark {number}")
    assert premium.show("c") == first
    assert sum(marker("churn") in body for body in bodies(premium)) == 1


@pytest.mark.threat(34)
def test_a_copied_marker_is_not_ours(scene: Scene) -> None:
    scene.note(scene.bob, notice().body)
    scene.show("b")
    assert len(bodies(scene)) == 2
    assert scene.request.notes[0].author is scene.bob


@pytest.mark.threat(34)
def test_a_quoted_note_of_our_own_account_is_not_our_note(premium: Scene) -> None:
    premium.note(premium.bot, "> " + notice().body)
    premium.note(premium.bot, f"See:\n{notice().body}")
    premium.show("b")
    assert len(bodies(premium)) == 3


@pytest.mark.threat(34)
def test_an_edited_note_is_put_right_and_decides_nothing(scene: Scene) -> None:
    scene.show("b")
    note = scene.request.notes[0]
    note.edit(note.body.replace(digest("b"), digest("evil")))
    scene.gitlab.tick()
    scene.approve(scene.bob)
    assert scene.latest(scene.bob).bundle == digest("b")
    scene.show("b")
    assert bodies(scene) == [notice().body]


@pytest.mark.threat(35)
def test_of_two_notes_of_ours_the_older_is_kept_and_the_other_says_where_it_is(
    premium: Scene,
) -> None:
    old, new = (premium.request.note(premium.bot, notice(bundle=one).body) for one in "xy")
    address = premium.show("b")
    assert address.endswith(f"#note_{old.id}")
    assert bodies(premium) == [notice().body, f"See {address}"]
    assert new.body == f"See {address}"


def test_a_second_note_that_cannot_be_changed_is_no_error(premium: Scene) -> None:
    _, new = (premium.request.note(premium.bot, notice(bundle=one).body) for one in "xy")
    premium.faults.fail("PUT", f"*/notes/{new.id}", 403)
    premium.show("b")
    assert record(premium) == [digest("b")]
    assert premium.faults.is_done


@pytest.mark.threat(32)
@pytest.mark.parametrize("fault", ["502", "hang up"])
@pytest.mark.parametrize("path", [NOTES, STATUSES])
def test_a_post_that_succeeded_without_an_answer_is_not_repeated(
    premium: Scene, fault: str, path: str
) -> None:
    if fault == "502":
        premium.faults.gateway("POST", path, after=True)
    else:
        premium.faults.hang_up("POST", path, after=True)
    address = premium.show("b")
    assert premium.faults.is_done
    assert (len(bodies(premium)), record(premium)) == (1, [digest("b")])
    assert address.endswith(str(premium.request.notes[0].id))
    assert premium.waits == [PAUSES_S[0]]


@pytest.mark.threat(32)
def test_a_verdict_that_was_written_without_an_answer_is_not_repeated(premium: Scene) -> None:
    premium.show("b")
    premium.faults.gateway("POST", STATUSES, after=True)
    premium.forge().comment(notice(decision=Decision.BLOCKED))
    assert [state for state, _ in verdicts(premium)] == ["failed"]
    assert premium.faults.is_done


@pytest.mark.threat(32)
@pytest.mark.parametrize("path", [NOTES, STATUSES])
def test_a_post_that_did_not_succeed_is_tried_again(premium: Scene, path: str) -> None:
    premium.faults.fail("POST", path, 502)
    premium.show("b")
    assert premium.faults.is_done
    assert (len(bodies(premium)), record(premium)) == (1, [digest("b")])


@pytest.mark.threat(32)
def test_a_post_that_succeeded_at_last_without_an_answer_is_found(premium: Scene) -> None:
    premium.faults.fail("POST", NOTES, 502, times=len(PAUSES_S))
    premium.faults.fail_after("POST", NOTES, 502)
    premium.show("b")
    assert (len(bodies(premium)), record(premium)) == (1, [digest("b")])


@pytest.mark.threat(32)
def test_an_edit_without_an_answer_is_looked_at(premium: Scene) -> None:
    premium.show("b")
    premium.faults.fail_after("PUT", "*/notes/*", 504)
    premium.show("c")
    assert bodies(premium) == [notice(bundle="c").body]
    assert premium.server.count("PUT") == 1


@pytest.mark.threat(32)
def test_a_post_that_is_refused_is_not_tried_again(premium: Scene) -> None:
    premium.faults.fail("POST", NOTES, 422)
    with pytest.raises(OutsideError, match="commenting on merge request 7: GitLab answered 422"):
        premium.show("b")
    assert premium.waits == []
    assert premium.server.count("POST", "/notes") == 1


def test_without_a_note_nothing_is_recorded_as_shown(premium: Scene) -> None:
    premium.faults.fail("POST", NOTES, 502, times=4)
    with pytest.raises(OutsideError):
        premium.show("b")
    assert premium.waits == list(PAUSES_S)
    assert all_statuses(premium) == []


def test_a_bundle_that_comes_back_is_recorded_again(scene: Scene) -> None:
    for bundle in ("b", "c", "b", "b"):
        scene.show(bundle)
    assert record(scene) == [digest("b"), "changing", digest("c"), "changing", digest("b")]
    scene.approve(scene.bob)
    assert scene.latest(scene.bob).bundle == digest("b")


@pytest.mark.threat(3)
@pytest.mark.threat(25)
@pytest.mark.parametrize("stops", ["before the note", "after the note"])
def test_where_showing_stops_halfway_nothing_is_known_to_be_shown(
    premium: Scene, stops: str
) -> None:
    """A reviewer may then see either bundle. An approval must not be taken for one of the old
    bundle only because the new one is not in the record yet.
    """
    premium.show("b")

    def fail_the_record(seconds: float) -> None:
        premium.faults.fail("POST", STATUSES, 422)

    if stops == "before the note":
        premium.faults.fail("PUT", "*", 422)
    else:
        premium.faults.too_many("PUT", "*")
    with pytest.raises(OutsideError):
        premium.show("c", wait=fail_the_record)
    shown = "b" if stops == "before the note" else "c"
    assert bodies(premium) == [notice(bundle=shown).body]
    premium.gitlab.tick()
    premium.approve(premium.bob)
    assert premium.latest(premium.bob).bundle is None
    assert premium.forge().shown("churn") is None
    premium.show("c")
    premium.request.unapprove(premium.bob)
    premium.approve(premium.bob)
    assert premium.latest(premium.bob, "c").bundle == digest("c")


def test_a_body_without_the_marker_gets_it(premium: Scene) -> None:
    premium.forge().comment(msgspec.structs.replace(notice(), body="hello"))
    assert bodies(premium) == [f"{marker('churn')}\nhello"]
    premium.forge().comment(msgspec.structs.replace(notice(), body="again"))
    assert len(bodies(premium)) == 1


@pytest.mark.threat(36)
def test_a_note_of_many_pages_is_taken_whole(premium: Scene) -> None:
    long = notice(text="x" * 900_000)
    premium.forge().comment(long)
    assert bodies(premium) == [long.body]


def test_the_record_of_another_account_can_be_ours(premium: Scene) -> None:
    """The reviewing job may have another token than the promoting one."""
    other = premium.gitlab.project_token(role="developer")
    bot = premium.gitlab.tokens[other].user
    premium.show("b", token=other)
    premium.approve(premium.bob)
    assert premium.latest(premium.bob).bundle is None
    assert premium.latest(premium.bob, account=bot.username).bundle == digest("b")
    with pytest.raises(UsageError, match=f"posted as {premium.bot.username!r}") as caught:
        premium.show("c", account=bot.username)
    assert "ASSENT_ACCOUNT" in str(caught.value.hint)
    with pytest.raises(UsageError, match="no account 'nobody'"):
        premium.show("b", account="nobody")


def test_a_review_of_what_has_no_merge_request_cannot_be_shown(premium: Scene) -> None:
    work = premium.checkout(premium.project.commit(premium.alice), branch="alone")
    with pytest.raises(UsageError, match="no merge request") as caught:
        premium.forge(checkout=work).comment(notice())
    assert "open a merge request" in str(caught.value.hint)


def test_what_was_shown_last_is_known(premium: Scene) -> None:
    assert premium.forge().shown("churn") is None
    premium.show("b")
    premium.show("c")
    assert premium.forge().shown("churn") == digest("c")
    assert premium.forge().shown("fraud") is None
    premium.request.push()
    assert premium.forge().shown("churn") is None
    tip = premium.project.push(premium.alice)
    assert premium.forge(checkout=premium.checkout(tip)).shown("churn") is None


def test_a_fork_s_commit_is_on_no_branch_here_and_gets_its_statuses(scene: Scene) -> None:
    fork = scene.gitlab.fork(scene.gitlab.user("fred"))
    request = scene.gitlab.open_merge_request(scene.gitlab.username("fred"), fork=fork)  # type: ignore[arg-type]  # fred is somebody
    scene.gitlab.tick()
    scene.show("b", merge_request=request.iid)
    refs = {pipeline.ref for pipeline in scene.project.pipelines}
    assert refs == {f"refs/merge-requests/{request.iid}/head"}
    request.approve(scene.bob)
    scene.gitlab.tick()
    (review,) = scene.heard("b", merge_request=request.iid)
    assert (review.bundle, review.head) == (digest("b"), request.sha)


@pytest.mark.threat(3)
@pytest.mark.threat(34)
def test_a_status_of_anybody_else_shows_nothing(scene: Scene) -> None:
    scene.show("b")
    mallory = scene.gitlab.user("mallory", role="developer")
    scene.forge(token=scene.gitlab.personal_token(mallory)).comment(notice(bundle="evil"))
    scene.gitlab.tick()
    scene.approve(scene.bob)
    assert scene.latest(scene.bob).bundle == digest("b")


@pytest.mark.threat(3)
@pytest.mark.threat(34)
def test_a_job_with_the_name_of_a_record_shows_nothing(scene: Scene) -> None:
    """The jobs of a pipeline are statuses as well, and a merge request chooses their names. Even
    in a pipeline that our own account has started they are not what we have posted.
    """
    scene.show("b")
    name = f"assent/churn/!7/{digest('evil')}"
    for by in (scene.alice, scene.bot):
        pipeline = scene.gitlab.run_pipeline("merge_request_event", by, merge_request=scene.request)
        pipeline.job(name).finish()
    scene.gitlab.tick()
    scene.approve(scene.bob)
    assert scene.latest(scene.bob).bundle == digest("b")
    assert scene.forge().shown("churn") == digest("b")


@pytest.mark.threat(3)
@pytest.mark.threat(18)
def test_another_merge_request_with_the_same_head_shows_nothing_here(scene: Scene) -> None:
    """Anybody can open one from a fork; then its bundle must not take the place of ours."""
    scene.show("b")
    fred = scene.gitlab.user("fred")
    twin = scene.gitlab.open_merge_request(
        fred, fork=scene.gitlab.fork(fred), branch="twin", sha=scene.request.sha
    )
    scene.show("evil", merge_request=twin.iid)
    scene.approve(scene.bob)
    assert scene.latest(scene.bob).bundle == digest("b")
    assert scene.forge().shown("churn") == digest("b")
    assert scene.forge(merge_request=twin.iid).shown("churn") == digest("evil")


class Rival:
    """Other runs, which show their own bundle at the worst moments: between our note and our
    record, and before we look at the note again. Our run waits then, because it is limited.
    """

    MOMENTS = (("POST", STATUSES), ("GET", "*/notes/*"))

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
        self.scene.faults.too_many(method, path)


@pytest.mark.threat(3)
@pytest.mark.threat(35)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_the_last_note_is_the_last_in_the_record(premium: Scene, times: int) -> None:
    rival = Rival(premium, times=times)
    premium.show("b", wait=rival)
    assert rival.done == times
    assert bodies(premium) == [notice().body]
    assert record(premium)[-1] == digest("b")
    premium.approve(premium.bob)
    assert premium.latest(premium.bob).bundle == digest("b")


@pytest.mark.threat(3)
def test_a_record_that_was_read_long_ago_is_read_again(premium: Scene) -> None:
    premium.show("b")
    forge = premium.forge()
    assert forge.shown("churn") == digest("b")
    premium.show("c")
    forge.comment(notice())
    assert bodies(premium) == [notice().body]
    assert premium.forge().shown("churn") == digest("b")


@pytest.mark.threat(35)
def test_runs_that_do_not_wait_for_each_other_are_told_to(premium: Scene) -> None:
    with pytest.raises(OutsideError, match="other runs keep changing") as caught:
        premium.show("b", wait=Rival(premium, times=99))
    assert "resource_group" in str(caught.value.hint)
