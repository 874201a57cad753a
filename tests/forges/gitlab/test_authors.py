"""From the addresses in commits to accounts."""

from __future__ import annotations

import pytest

from assent.core.change import Author
from assent.errors import OutsideError
from tests.forges.gitlab.conftest import Scene


def authors(scene: Scene, **said: object) -> list[str | None]:
    """The logins of the authors, and the names of those who are nobody known."""
    return [one.person.login if one.person else f"? {one.name}" for one in found(scene, **said)]


def found(scene: Scene, **said: object) -> tuple[Author, ...]:
    change = scene.forge(**said).change()
    assert change is not None
    return change.authors


def test_whoever_opened_it_and_whoever_wrote_it(scene: Scene) -> None:
    carol = scene.gitlab.user("carol")
    scene.request.push(by=carol)
    assert authors(scene) == ["alice", "carol"]
    assert {one.person.kind for one in found(scene) if one.person} == {"person"}


@pytest.mark.threat(1)
def test_whoever_opened_it_wrote_it_although_no_commit_says_so(scene: Scene) -> None:
    sha = scene.project.commit(scene.bob, branch="bobs")
    scene.request = scene.gitlab.open_merge_request(scene.alice, branch="bobs", sha=sha)
    assert authors(scene) == ["alice", "bob"]


@pytest.mark.threat(1)
def test_an_address_of_nobody_fails_closed(scene: Scene) -> None:
    scene.request.push(by=scene.alice, email="stranger@example.com")
    assert authors(scene) == ["alice", "? Alice <stranger@example.com>"]


@pytest.mark.threat(1)
def test_a_committer_is_known_by_the_address_of_an_author(scene: Scene) -> None:
    scene.request.push(by=scene.bob)
    scene.request.push(by=scene.alice, committer=scene.bob)
    assert authors(scene) == ["alice", "bob"]


@pytest.mark.threat(1)
def test_a_committer_whose_address_nobody_shows_fails_closed(scene: Scene) -> None:
    scene.request.push(by=scene.alice, committer=scene.bob)
    assert authors(scene) == ["alice", "? Bob <bob@example.com>"]
    scene.bob.public_email = "bob@example.com"
    assert authors(scene) == ["alice", "bob"]


@pytest.mark.threat(1)
def test_a_display_name_is_no_address(scene: Scene) -> None:
    """GitLab finds accounts by their names too, and a name is whatever its owner has typed."""
    scene.gitlab.user("sock", name="stranger@example.com")
    scene.request.push(
        by=scene.alice, committer=scene.gitlab.user("x", email="stranger@example.com")
    )
    assert authors(scene)[-1] == "? X <stranger@example.com>"


@pytest.mark.threat(1)
@pytest.mark.parametrize("trailer", ["Co-authored-by", "co-authored-by", "  CO-AUTHORED-BY"])
def test_co_authors_are_authors(scene: Scene, trailer: str) -> None:
    bob, host = scene.bob, "users.noreply.gitlab.example.com"
    for line in (
        f"{trailer}: Bob <{bob.id}-bob@{host}>",
        f"{trailer}: Bob <{bob.id}-old-name@{host.upper()}>",
    ):
        scene.request.push(by=scene.alice, message=f"more\n\n{line}")
        assert authors(scene)[-1] == "bob"
    scene.request.push(by=scene.alice, message=f"more\n\n{trailer}: Zoe <zoe@example.com>")
    assert "? Zoe <zoe@example.com>" in authors(scene)


@pytest.mark.threat(1)
@pytest.mark.parametrize(
    "address",
    ["99999-bob@users.noreply.gitlab.example.com", "{id}-bob@users.noreply.gitlab.com", "", "bob"],
)
def test_an_address_that_gitlab_did_not_make_is_nobody_s(premium: Scene, address: str) -> None:
    written = address.format(id=premium.bob.id)
    premium.request.push(by=premium.alice, message=f"x\n\nCo-authored-by: Bob <{written}>")
    assert None in [one.person for one in found(premium)]


def test_the_commits_of_a_fork_s_merge_request(scene: Scene) -> None:
    fred = scene.gitlab.user("fred")
    scene.request = scene.gitlab.open_merge_request(fred, fork=scene.gitlab.fork(fred))
    assert authors(scene) == ["fred"]


def test_a_deleted_opener_fails_closed(scene: Scene) -> None:
    scene.alice.delete()
    assert authors(scene)[0] == "? a deleted account, which opened it"


@pytest.mark.threat(11)
def test_every_page_of_commits_is_read(premium: Scene) -> None:
    carol = premium.gitlab.user("carol")
    premium.request.push(by=carol)
    for _ in range(120):
        premium.request.push(by=premium.alice)
    premium.server.page = 50
    assert authors(premium) == ["alice", "carol"]
    assert premium.server.count("POST", "graphql") == 3


@pytest.mark.threat(11)
def test_commits_that_gitlab_does_not_list_fail_closed(premium: Scene) -> None:
    premium.faults.answer("GET", "*/merge_requests/7/commits", b"[]")
    assert authors(premium) == ["alice", "? the commits beyond the 0 that GitLab lists"]


def test_a_merge_request_that_the_other_api_does_not_show_is_an_error(premium: Scene) -> None:
    premium.faults.answer("POST", "/api/graphql", b'{"data": {"project": null}}')
    with pytest.raises(OutsideError, match="GitLab does not show it") as caught:
        premium.forge().change()
    assert "read_api" in str(caught.value.hint)


def test_a_commit_without_a_merge_request_has_authors(premium: Scene) -> None:
    tip = premium.project.push(premium.bob)
    assert authors(premium, checkout=premium.checkout(tip)) == ["bob"]
    answer = b'{"data": {"project": {"repository": {"tree": {"lastCommit": null}}}}}'
    premium.faults.answer("POST", "/api/graphql", answer)
    unknown = "? Bob <bob@example.com>"
    assert authors(premium, checkout=premium.checkout(tip)) == [unknown, "bob"], "who pushed it"


def test_an_answer_about_another_commit_maps_nobody(premium: Scene) -> None:
    tip = premium.project.push(premium.bob)
    answer = (
        b'{"data": {"project": {"repository": {"tree": {"lastCommit": {"sha": "%s", '
        b'"authorEmail": "bob@example.com", "author": {"id": "gid://gitlab/User/1", '
        b'"username": "x"}}}}}}}' % (b"0" * 40)
    )
    premium.faults.answer("POST", "/api/graphql", answer)
    unknown = "? Bob <bob@example.com>"
    assert authors(premium, checkout=premium.checkout(tip)) == [unknown, "bob"], "who pushed it"
