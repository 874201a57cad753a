"""What every forge promises: in memory, in the local stand-in, and GitHub and GitLab over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from assent.core.change import Change, Review, ReviewState
from assent.core.identity import Actor
from assent.errors import OutsideError, UsageError
from assent.forges.github import GitHubForge
from assent.forges.gitlab import GitLabForge
from assent.forges.local import LocalForge, Person
from assent.git import BaseBranch, Repository
from assent.ports import Asked, Deployment, Forge, PendingReason, Proposal
from assent.testing.forge import MemoryForge
from tests.builders import AT, digest, new_clone, new_repository, notice, run_git
from tests.forges.gitlab.graphql import GraphServer
from tests.github.server import Server

Say = Callable[[str, str, ReviewState, str | None], None]


@dataclass(frozen=True)
class Case:
    """A forge with ada, grace and rosa; grace is one of @ml; the change `id` is open, and there is
    a branch `retrain/churn`.

    `say(bundle, by, state, reason)` is what people do: a bundle of churn is shown, and somebody
    says something to it.
    """

    forge: Forge
    id: str
    say: Say
    forgets: bool = False
    """Of what a person said it knows the newest, and not why: GitLab takes an approval away when
    its giver asks for changes.
    """


@pytest.fixture(params=["memory", "local", "github", "gitlab free", "gitlab premium"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    if request.param == "github":
        with Server() as server:
            yield _github(server, tmp_path)
    elif request.param.startswith("gitlab"):
        with GraphServer(tier=request.param.removeprefix("gitlab ")) as server:
            yield _gitlab(server, tmp_path)
    else:
        yield {"memory": _memory, "local": _local}[request.param](tmp_path)


def _memory(tmp_path: Path) -> Case:
    forge = MemoryForge("ada", "grace", "rosa")
    forge.groups["@ml"] = {forge.person("grace").id}
    forge.open_change = Change(id="topic", title="A change", base="main", head="a" * 40, authors=())
    return Case(forge, "topic", _given(forge))


def _local(tmp_path: Path) -> Case:
    folder = new_repository(tmp_path / "work")
    run_git(folder, "checkout", "-q", "-b", "topic")
    run_git(folder, "commit", "-q", "--allow-empty", "-m", "A change")
    repository = Repository(folder)
    people = [
        Person(name=name, email=f"{name}@example.com", groups=("ml",) if name == "grace" else ())
        for name in ("ada", "grace", "rosa")
    ]
    forge = LocalForge(
        repository,
        base=BaseBranch(repository, None),
        people=people,
        folder=tmp_path / "comments",
    )
    return Case(forge, "topic", _given(forge))


def _given(forge: Forge) -> Say:
    """Reviews given through the port, as only a forge without people's own accounts can."""
    times = iter(f"2026-01-{day:02}T00:00:00Z" for day in range(1, 28))

    def say(bundle: str, by: str, state: ReviewState, reason: str | None) -> None:
        forge.review("churn", digest(bundle), by=by, state=state, at=next(times), reason=reason)

    return say


def _github(server: Server, tmp_path: Path) -> Case:
    github = server.github
    users = {name: github.user(name, role="write") for name in ("ada", "grace", "rosa")}
    github.team("ml", users["grace"])
    github.team("nobody")
    pull = github.open_pull(users["ada"], title="A change")
    main = github.repository.tip("main")
    files = {"assent.lock": "format: assent/lock/1\n"}
    github.repository.commit(users["ada"], files=files, parent=main, branch="retrain/churn")
    app = github.bot("assent-acme[bot]")
    token = github.app_token(
        app,
        **dict.fromkeys(("contents", "members", "actions"), "read"),
        **dict.fromkeys(("pull_requests", "issues", "statuses", "deployments"), "write"),
    )
    forge = GitHubForge(
        "acme/churn",
        api=server.url,
        token=token,
        account="assent-acme[bot]",
        checkout=Repository(new_clone(server.git, tmp_path / "work")),
        event="pull_request",
        payload={"pull_request": {"number": pull.number}},
    )

    def say(bundle: str, by: str, state: ReviewState, reason: str | None) -> None:
        forge.comment(notice("churn", bundle, bundle))
        github.tick()
        word = "APPROVED" if state is ReviewState.APPROVED else "CHANGES_REQUESTED"
        pull.review(users[by], word, body=reason or "")  # type: ignore[arg-type]  # one of two
        github.tick()

    return Case(forge, f"#{pull.number}", say)


def _gitlab(server: GraphServer, tmp_path: Path) -> Case:
    gitlab = server.gitlab
    users = {name: gitlab.user(name, role="developer") for name in ("ada", "grace", "rosa")}
    # A project's token does not see who is in a group, so this one is that of a member.
    robot = gitlab.user("assent", role="developer", is_bot=True)
    gitlab.group("ml", users["grace"], robot)
    gitlab.group("nobody", robot)
    request = gitlab.open_merge_request(users["ada"], title="A change")
    main = gitlab.project.tip("main")
    files = {"assent.lock": "format: assent/lock/1\n"}
    gitlab.project.commit(users["ada"], files=files, parent=main, branch="retrain/churn")
    forge = GitLabForge(
        "acme/churn",
        api=server.url,
        token=gitlab.personal_token(robot),
        checkout=Repository(new_clone(server.git, tmp_path / "work")),
        merge_request=request.iid,
    )
    gitlab.tick()

    def say(bundle: str, by: str, state: ReviewState, reason: str | None) -> None:
        forge.comment(notice("churn", bundle, bundle))
        gitlab.tick()
        if state is ReviewState.APPROVED:
            request.approve(users[by])
        else:
            request.request_changes(users[by])
        gitlab.tick()

    return Case(forge, f"!{request.iid}", say, forgets=True)


def test_the_open_change_is_known(case: Case) -> None:
    change = case.forge.change()
    assert change is not None
    assert (change.id, change.title, change.base) == (case.id, "A change", "main")
    assert not change.landed
    assert len(change.head) == 40
    assert change.commit == change.head
    assert case.forge.branch() == "main"


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
def test_one_person_has_one_identity_however_they_are_named(case: Case) -> None:
    forge = case.forge
    assert forge.person("grace").key == forge.person("grace").key
    assert forge.person("grace").key != forge.person("rosa").key


@pytest.mark.threat(8)
def test_nobody_of_another_forge_is_matched(case: Case) -> None:
    stranger = Actor(
        kind="person", forge="elsewhere", host="h", id="1", login="rosa", proof="claimed"
    )
    assert not any(case.forge.matches(stranger, who) for who in ("*", "rosa", "@ml"))


@pytest.mark.threat(35)
def test_there_is_one_comment_per_model(case: Case) -> None:
    forge = case.forge
    first = forge.comment(notice("churn", "b", "one"))
    second = forge.comment(notice("churn", "c", "two"))
    assert first == second
    assert forge.comment(notice("fraud", "b", "one")) != first


def test_a_run_that_no_comment_woke_up_was_asked_nothing(case: Case) -> None:
    assert case.forge.asked() is None


def test_a_comment_is_answered_in_one_place(case: Case) -> None:
    asked = Asked(id="1", by=case.forge.person("rosa"), at=AT, commands=())
    assert case.forge.answer(asked, "one") == case.forge.answer(asked, "two")
    other = msgspec.structs.replace(asked, id="2")
    is_shown = case.forge.answer(asked, "one") is not None
    assert (case.forge.answer(other, "one") != case.forge.answer(asked, "one")) is is_shown


def test_what_a_stage_holds_can_be_shown_again(case: Case) -> None:
    deployment = Deployment(
        model="churn",
        stage="production",
        environment="production",
        version=12,
        bundle=digest("b"),
        seq=3,
        entry=digest("entry"),
    )
    assert case.forge.deployed(deployment) == case.forge.deployed(deployment)


def test_guards_are_told_and_change_nothing(case: Case) -> None:
    asked = {"models": ["churn"], "environments": ["production"]}
    found = case.forge.protections(**asked)
    assert found == case.forge.protections(**asked)
    assert all(guard.name and guard.reason for guard in found)


def test_only_a_forge_of_claims_knows_a_stranger(case: Case) -> None:
    if isinstance(case.forge, LocalForge):
        assert case.forge.person("mallory").proof == "claimed"
        return
    with pytest.raises(UsageError, match="no such account"):
        case.forge.person("mallory")


def test_a_forge_of_people_reviews_in_nobodys_name(case: Case) -> None:
    bundle = digest("b")

    def review() -> Review:
        return case.forge.review(
            "churn", bundle, by="grace", state=ReviewState.APPROVED, at=AT, reason=None
        )

    if not isinstance(case.forge, GitHubForge | GitLabForge):
        assert review().person == case.forge.person("grace")
        return
    with pytest.raises(UsageError, match="reviewing in the name of 'grace'") as caught:
        review()
    assert f"/assent approve churn {bundle}" in str(caught.value.hint)


@pytest.mark.threat(7)
def test_a_group_that_does_not_exist_matches_nobody(case: Case) -> None:
    """A forge that knows its groups says that there is none."""
    rosa = case.forge.person("rosa")
    if isinstance(case.forge, GitHubForge | GitLabForge):
        with pytest.raises(OutsideError, match=r"no such (?:team|group)"):
            case.forge.matches(rosa, "@unheard-of")
    else:
        assert not case.forge.matches(rosa, "@unheard-of")


def test_a_commit_of_ours_names_somebody(case: Case) -> None:
    signature = case.forge.commit_author()
    assert signature.name
    assert signature.email
    assert not set("<>\n") & set(signature.name + signature.email)


def test_a_branch_is_proposed_once(case: Case) -> None:
    proposal = Proposal(
        model="churn", branch="retrain/churn", base="main", title="Retrain churn", body="Better."
    )
    address = case.forge.propose(proposal)
    assert address
    again = msgspec.structs.replace(proposal, title="Retrain churn again")
    assert case.forge.propose(again) == address


def test_what_waits_is_of_open_changes_each_with_its_own_forge(case: Case) -> None:
    case.say("b", "grace", ReviewState.APPROVED, None)
    found = case.forge.waiting("churn", "assent-bundle")
    assert len({one.id for one in found}) == len(found)
    for one in found:
        change = one.forge.change()
        assert change is not None
        assert change.id == one.id
        assert not change.landed
        assert one.pending_reason() in (None, *PendingReason)
    if isinstance(case.forge, GitLabForge):
        assert [one.id for one in found] == [case.id]
        # The word of grace is newer than what she was shown.
        assert [one.pending_reason() for one in found] == [PendingReason.WORD]


def test_a_change_is_found_again_by_its_id(case: Case) -> None:
    change = case.forge.change()
    assert change is not None
    assert case.forge.change_of(change.id) == change
    assert case.forge.change_of("another") is None


@pytest.mark.threat(42)
def test_a_name_that_is_bound_to_another_account_is_nobody(case: Case) -> None:
    grace = case.forge.person("grace")
    assert case.forge.matches(grace, f"grace#{grace.id}")
    assert not case.forge.matches(grace, f"grace#{case.forge.person('rosa').id}")


@pytest.mark.threat(49)
def test_an_approval_stands_until_it_is_taken_back(case: Case) -> None:
    """The local stand-in keeps reviews in one clone: what another one lacks says nothing."""
    case.say("b", "grace", ReviewState.APPROVED, None)
    [review] = case.forge.reviews("churn", digest("b"))
    assert case.forge.withdrawn("churn", review, change=case.id) is None
    earlier = msgspec.structs.replace(review, at="2020-01-01T00:00:00Z", id=None)
    is_told = case.forge.withdrawn("churn", earlier, change=case.id) is not None
    assert is_told is not isinstance(case.forge, LocalForge)
