"""Who somebody is today, as memberships, groups and CODEOWNERS say."""

from __future__ import annotations

from datetime import date

import pytest

from assent.core.identity import Actor
from assent.errors import OutsideError, UsageError
from tests.forges.gitlab.conftest import Scene
from tests.gitlab.accounts import User


def matches(scene: Scene, user: User, who: str, **said: object) -> bool:
    forge = scene.forge(**said)
    return forge.matches(actor(user), who) is not None


def actor(user: User) -> Actor:
    return Actor(
        kind="automation" if user.is_bot else "person",
        forge="gitlab",
        host="gitlab.example.com",
        id=str(user.id),
        login=user.username,
        proof="forge",
    )


def test_a_person_is_found_by_the_login(scene: Scene) -> None:
    found = scene.forge().person("@Bob")
    assert found == actor(scene.bob)
    assert scene.forge().person(scene.bot.username).kind == "automation"


@pytest.mark.parametrize("name", ["nobody", "bo"])
def test_a_login_that_nobody_has_is_named(scene: Scene, name: str) -> None:
    with pytest.raises(UsageError, match="no such account"):
        scene.forge().person(name)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "../x", "a?b", "-x"])
def test_what_can_be_no_login_is_not_asked_for(premium: Scene, name: str) -> None:
    with pytest.raises(UsageError, match="no login of GitLab"):
        premium.forge().person(name)
    assert premium.server.count(path="/users") == 0


@pytest.mark.threat(7)
@pytest.mark.parametrize(
    ("role", "anyone", "named"),
    [
        ("none", False, False),
        ("guest", False, False),
        ("planner", False, False),
        ("reporter", False, False),
        ("developer", True, True),
        ("maintainer", True, True),
        ("owner", True, True),
    ],
)
def test_a_role_is_an_access_level(scene: Scene, role: str, anyone: bool, named: bool) -> None:
    eve = scene.gitlab.user("eve", role=role)
    assert matches(scene, eve, "*") is anyone
    assert matches(scene, eve, "eve") is named
    assert matches(scene, eve, "EVE") is named
    assert not matches(scene, eve, "bob")


@pytest.mark.threat(7)
def test_a_role_that_comes_from_the_group_above_counts(scene: Scene) -> None:
    eve = scene.gitlab.user("eve")
    scene.gitlab.namespace.add(eve, "developer")
    assert matches(scene, eve, "*")


@pytest.mark.threat(9)
@pytest.mark.parametrize("end", ["block", "deactivate", "delete"])
def test_who_is_blocked_or_gone_has_no_role(scene: Scene, end: str) -> None:
    person = actor(scene.bob)
    scene.gitlab.group("ml", scene.bob)
    scene.token = scene.gitlab.personal_token(_admin(scene))
    getattr(scene.bob, end)()
    assert not any(scene.forge().matches(person, who) for who in ("*", "bob", "@ml"))


@pytest.mark.threat(6)
def test_an_invitation_and_a_membership_that_is_over_are_no_role(scene: Scene) -> None:
    today = scene.gitlab.now.date()
    eve, fay = scene.gitlab.user("eve"), scene.gitlab.user("fay")
    scene.project.add(eve, "developer", is_pending=True)
    scene.project.add(fay, "developer", expires_on=today)
    assert not matches(scene, eve, "*")
    assert not matches(scene, fay, "*")
    scene.project.add(fay, "developer", expires_on=date(today.year + 1, 1, 1))
    assert matches(scene, fay, "*")


@pytest.mark.threat(8)
def test_a_name_that_was_recycled_is_somebody_else_s(scene: Scene) -> None:
    person = actor(scene.bob)
    scene.bob.rename("robert")
    scene.gitlab.user("bob", role="developer")
    assert not scene.forge().matches(person, "bob")
    assert scene.forge().matches(person, "robert")


@pytest.mark.threat(8)
def test_an_account_of_another_server_is_nobody_here(premium: Scene) -> None:
    from msgspec.structs import replace

    for stranger in (
        replace(actor(premium.bob), host="gitlab.com"),
        replace(actor(premium.bob), forge="github"),
        replace(actor(premium.bob), id="0"),
    ):
        who = (stranger.id, f"id:{stranger.id}", "*", "bob")
        assert not any(premium.forge().matches(stranger, one) for one in who)


@pytest.mark.threat(5)
def test_a_bot_matches_by_its_number_only(scene: Scene) -> None:
    number = str(scene.bot.id)
    assert matches(scene, scene.bot, number)
    assert matches(scene, scene.bot, f"id:{number}")
    for who in ("*", scene.bot.username, "codeowners", "@acme"):
        assert not matches(scene, scene.bot, who)
    assert matches(scene, scene.bob, f"id:{scene.bob.id}")
    assert not matches(scene, scene.bob, "id:1")


# groups


def _admin(scene: Scene) -> User:
    admin = scene.gitlab.user("root", role="maintainer")
    admin.is_admin = True
    return admin


def test_a_member_of_a_group_matches(scene: Scene) -> None:
    scene.gitlab.group("acme/ml", scene.bob)
    carol = scene.gitlab.user("carol")
    scene.gitlab.namespace.add(carol, "guest")
    token = scene.gitlab.group_token()
    assert matches(scene, scene.bob, "@acme/ml", token=token)
    assert matches(scene, carol, "@acme/ml", token=token)  # of the group above
    assert not matches(scene, scene.alice, "@acme/ml", token=token)


@pytest.mark.threat(7)
def test_a_group_that_is_not_there_is_an_error(scene: Scene) -> None:
    with pytest.raises(OutsideError, match="no such group") as caught:
        matches(scene, scene.bob, "@acme/unheard-of")
    assert "whole path" in str(caught.value.hint)


@pytest.mark.threat(7)
def test_a_group_that_the_token_does_not_see_into_is_an_error(scene: Scene) -> None:
    """A project's token sees the group above the project, but not who is in it."""
    with pytest.raises(OutsideError, match="whether bob is in @acme: GitLab answered 403") as found:
        matches(scene, scene.bob, "@acme")
    assert "group access token" in str(found.value.hint)


@pytest.mark.threat(7)
@pytest.mark.parametrize("status", [401, 403, 500])
@pytest.mark.parametrize("who", ["*", "bob", "@acme"])
def test_a_role_that_cannot_be_read_is_an_error(premium: Scene, status: int, who: str) -> None:
    premium.faults.fail("GET", "*/members/all/*", status, times=9)
    with pytest.raises(OutsideError):
        matches(premium, premium.bob, who)


@pytest.mark.threat(7)
def test_an_answer_about_somebody_else_is_an_error(premium: Scene) -> None:
    body = b'{"id": 1, "username": "bob", "state": "active", "access_level": 50}'
    premium.faults.answer("GET", "*/members/all/*", body)
    with pytest.raises(OutsideError, match="somebody else"):
        matches(premium, premium.bob, "*")


def test_each_role_is_asked_for_once(premium: Scene) -> None:
    forge = premium.forge()
    for _ in range(3):
        assert forge.matches(actor(premium.bob), "*")
        assert forge.matches(actor(premium.bob), "bob")
    assert premium.server.count("GET", "/members/all/") == 1


# CODEOWNERS


def owned(scene: Scene, text: str, place: str = "CODEOWNERS") -> None:
    scene.project.push(scene.alice, files={place: text})


@pytest.mark.parametrize("place", ["CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"])
def test_the_owners_of_the_policy_match(scene: Scene, place: str) -> None:
    scene.gitlab.group("experts", scene.bob)
    owned(scene, "* @carol\n/assent.yaml @alice @nobody @nobody/here x@example.com\n", place)
    carol = scene.gitlab.user("carol", role="developer")
    assert matches(scene, scene.alice, "codeowners")
    assert not matches(scene, scene.bob, "codeowners")
    assert not matches(scene, carol, "codeowners")
    assert any("'x@example.com'" in said for said in scene.said)


def test_an_owner_can_be_a_group_or_a_role(scene: Scene) -> None:
    group = scene.gitlab.group("experts", scene.bob)
    owned(scene, "assent.yaml @experts @@maintainers\n")
    token = scene.gitlab.personal_token(_admin(scene))
    dana = scene.gitlab.user("dana", role="maintainer")
    assert matches(scene, scene.bob, "codeowners", token=token)
    assert matches(scene, dana, "codeowners", token=token)
    assert not matches(scene, scene.alice, "codeowners", token=token)
    group.remove(scene.bob)
    assert not matches(scene, scene.bob, "codeowners", token=token)


def test_only_who_may_write_owns_anything(scene: Scene) -> None:
    eve = scene.gitlab.user("eve", role="reporter")
    owned(scene, "* @eve\n")
    assert not matches(scene, eve, "codeowners")


@pytest.mark.threat(12)
def test_codeowners_are_those_of_the_default_branch(scene: Scene) -> None:
    owned(scene, "* @bob\n")
    scene.request.push(files={"CODEOWNERS": "* @alice\n"})
    assert not matches(scene, scene.alice, "codeowners")
    assert matches(scene, scene.bob, "codeowners")


@pytest.mark.threat(13)
@pytest.mark.parametrize("text", ["", "*.py @bob\n", "* @bob\nassent.yaml\n", "# assent.yaml @bob"])
def test_nobody_owns_it_is_an_error(scene: Scene, text: str) -> None:
    if text:
        owned(scene, text)
    with pytest.raises(UsageError, match="nobody could approve"):
        matches(scene, scene.bob, "codeowners")


def test_a_file_that_cannot_be_read_is_an_error(premium: Scene) -> None:
    premium.faults.fail("GET", "*/files/*/raw", 403)
    with pytest.raises(OutsideError, match="reading CODEOWNERS of main: GitLab answered 403"):
        matches(premium, premium.bob, "codeowners")
