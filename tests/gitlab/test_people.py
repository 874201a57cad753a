"""Users, groups and members, seen through the real client."""

from __future__ import annotations

from datetime import date

import pytest
from gitlab import Gitlab, GitlabError
from gitlab.v4.objects import Project

from tests.gitlab.conftest import Connect, read, refusal
from tests.gitlab.world import GitLab


def test_only_the_long_form_says_that_somebody_is_a_bot(gitlab: GitLab, client: Gitlab) -> None:
    bot = gitlab.user("renovate", is_bot=True)
    assert "bot" not in read(client, "/users", username="renovate")[0]
    assert client.users.get(bot.id).bot is True
    client.auth()
    assert client.user is not None
    assert client.user.username.startswith(f"project_{gitlab.project.id}_bot_")
    assert client.users.get(client.user.id).bot is True


def test_an_account_is_its_number(gitlab: GitLab, client: Gitlab) -> None:
    first = gitlab.user("alice")
    first.rename("alicia")
    second = gitlab.user("alice")
    assert [one.id for one in client.users.list(username="Alice", get_all=True)] == [second.id]
    assert client.users.get(first.id).username == "alicia"


def test_an_address_finds_its_owner_only_if_it_is_public(
    gitlab: GitLab, client: Gitlab, connect: Connect
) -> None:
    alice = gitlab.user("alice", email="al@example.com", public_email="alice@example.com")
    assert [one.id for one in client.users.list(search="alice@example.com", get_all=True)] == [
        alice.id
    ]
    assert client.users.list(search="al@example.com", get_all=True) == []
    assert client.users.list(public_email="alice@example.com", get_all=True)[0].id == alice.id
    admin = gitlab.user("root")
    admin.is_admin = True
    asked = connect(gitlab.personal_token(admin)).users
    assert asked.list(search="al@example.com", get_all=True)[0].id == alice.id


def test_a_blocked_person_is_still_shown(gitlab: GitLab, client: Gitlab, project: Project) -> None:
    bob, carol = gitlab.user("bob", role="developer"), gitlab.user("carol", role="developer")
    bob.block()
    carol.deactivate()
    assert project.members_all.get(bob.id).state == "blocked"
    assert project.members_all.get(carol.id).state == "deactivated"
    assert client.users.list(username="bob", active=True, get_all=True) == []
    assert gitlab.project.level(bob) == 0


def test_a_deleted_account_is_the_ghost(gitlab: GitLab, client: Gitlab, project: Project) -> None:
    bob = gitlab.user("bob", role="developer")
    change = gitlab.open_merge_request(gitlab.user("alice"))
    change.note(bob, "yes")
    bob.delete()
    assert project.mergerequests.get(7).notes.list(get_all=True)[0].author["username"] == "ghost"
    with pytest.raises(GitlabError) as refused:
        client.users.get(bob.id)
    assert refusal(refused) == (404, "404 User Not Found")


def test_members_are_inherited(gitlab: GitLab, project: Project) -> None:
    bob, carol = gitlab.user("bob"), gitlab.user("carol", role="reporter")
    gitlab.namespace.add(bob, "developer")
    gitlab.namespace.add(carol, "maintainer")
    assert project.members_all.get(bob.id).access_level == 30
    assert project.members_all.get(carol.id).access_level == 40
    assert project.members.get(carol.id).access_level == 20
    with pytest.raises(GitlabError) as refused:
        project.members.get(bob.id)
    assert refusal(refused) == (404, "404 Not found")


def test_a_membership_that_is_over_is_still_shown(gitlab: GitLab, project: Project) -> None:
    bob = gitlab.user("bob")
    gitlab.project.add(bob, "developer", expires_on=date(2026, 1, 1))
    found = project.members_all.get(bob.id)
    assert (found.access_level, found.expires_at) == (30, "2026-01-01")
    assert gitlab.project.level(bob) == 0
    carol = gitlab.user("carol")
    gitlab.project.add(carol, "developer", is_pending=True)
    assert project.members_all.get(carol.id).membership_state == "awaiting"


def test_the_members_of_a_private_group_are_for_its_members(
    gitlab: GitLab, client: Gitlab, connect: Connect
) -> None:
    bob = gitlab.user("bob")
    group = gitlab.group("acme/ml", bob)
    gitlab.group("other")
    assert client.groups.get("acme").full_path == "acme"
    for path, status in (("acme", 403), ("acme/ml", 404), ("other", 404)):
        with pytest.raises(GitlabError) as refused:
            client.groups.get(path, lazy=True).members_all.list(get_all=True)
        assert refused.value.response_code == status
    own = connect(gitlab.group_token("read_api", role="guest"))
    assert own.groups.get("ACME/ml").members_all.get(bob.id).access_level == 30
    group.remove(bob)
    with pytest.raises(GitlabError):
        own.groups.get("acme/ml").members_all.get(bob.id)
