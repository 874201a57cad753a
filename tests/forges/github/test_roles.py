"""Who somebody is today, asked of GitHub."""

from __future__ import annotations

import msgspec
import pytest

from assent.core.identity import Actor
from assent.errors import OutsideError, UsageError
from tests.forges.github.conftest import Scene
from tests.github.accounts import Account


def actor(scene: Scene, account: Account) -> Actor:
    return scene.forge().person(account.login)


def matches(scene: Scene, person: Actor, who: str, **said: object) -> bool:
    """Asked in a new run: within one run every answer is asked for once."""
    return scene.forge(**said).matches(person, who) is not None


def reader(scene: Scene) -> str:
    """A token that may read teams."""
    app = scene.github.bot("assent-acme[bot]")
    return scene.github.app_token(app, members="read", contents="read", pull_requests="read")


def test_a_person_is_an_account_with_its_number(scene: Scene) -> None:
    bob = scene.forge().person("Bob")
    assert bob == Actor(
        kind="person",
        forge="github",
        host="github.com",
        id=str(scene.bob.id),
        login="bob",
        proof="forge",
    )
    assert scene.forge().person("dependabot[bot]").kind == "automation"


@pytest.mark.parametrize("name", ["", " ", "a/b", "../user", "a b", "-", "x" * 101, "b\nob"])
def test_what_is_no_login_is_not_asked_for(scene: Scene, name: str) -> None:
    with pytest.raises(UsageError, match="no login of GitHub"):
        scene.forge().person(name)
    assert scene.server.requests == []


def test_a_login_that_nobody_has_is_an_error(scene: Scene) -> None:
    with pytest.raises(UsageError, match="no such account"):
        scene.forge().person("nobody")


@pytest.mark.threat(7)
@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("none", False),
        ("read", False),
        ("triage", False),
        ("write", True),
        ("maintain", True),
        ("admin", True),
    ],
)
@pytest.mark.parametrize("is_private", [True, False])
def test_anyone_is_who_may_write(scene: Scene, role: str, may: bool, is_private: bool) -> None:
    scene.github.repository.is_private = is_private
    person = scene.github.user("carol", role=role)
    assert matches(scene, actor(scene, person), "*") is may


def test_a_role_of_the_organizations_own_is_what_it_is_based_on(scene: Scene) -> None:
    scene.github.repository.custom_roles = {"scientist": "write", "visitor": "read"}
    scientist = scene.github.user("carol", role="scientist")
    visitor = scene.github.user("dora", role="visitor")
    assert matches(scene, actor(scene, scientist), "*")
    assert not matches(scene, actor(scene, visitor), "*")


@pytest.mark.threat(6)
def test_a_role_that_was_taken_away_is_gone(scene: Scene) -> None:
    bob = actor(scene, scene.bob)
    assert matches(scene, bob, "*")
    assert matches(scene, bob, "bob")
    scene.github.repository.grant(scene.bob, "none")
    assert not matches(scene, bob, "*")
    assert not matches(scene, bob, "bob")


@pytest.mark.threat(7)
@pytest.mark.parametrize("who", ["*", "bob", "@acme/ml"])
@pytest.mark.parametrize("status", [403, 500])
def test_a_role_that_cannot_be_read_is_an_error(scene: Scene, who: str, status: int) -> None:
    bob = actor(scene, scene.bob)
    scene.faults.fail("GET", "*/collaborators/bob/permission", status, times=9)
    with pytest.raises(OutsideError, match="reading what bob may do in acme/churn"):
        matches(scene, bob, who)


def test_a_name_is_matched_however_it_is_spelled(scene: Scene) -> None:
    bob = actor(scene, scene.bob)
    assert matches(scene, bob, "BOB")
    assert not matches(scene, bob, "alice")
    assert not matches(scene, bob, "nobody")
    assert matches(scene, bob, f"id:{scene.bob.id}")
    assert not matches(scene, bob, f"id:{scene.alice.id}")


@pytest.mark.threat(8)
def test_a_login_that_somebody_else_took_is_not_the_same_person(scene: Scene) -> None:
    bob = actor(scene, scene.bob)
    scene.bob.rename("robert")
    thief = scene.github.user("bob", role="admin")
    found = scene.forge()
    assert found.person("bob").key != bob.key
    assert found.person("robert").key == bob.key
    assert matches(scene, actor(scene, thief), "bob")
    scene.faults.answer(
        "GET", f"/user/{bob.id}", msgspec.json.encode({"id": int(bob.id), "login": "robert"})
    )
    assert not matches(scene, bob, "bob")


@pytest.mark.threat(8)
def test_a_renamed_person_keeps_the_role(scene: Scene) -> None:
    bob = actor(scene, scene.bob)
    scene.bob.rename("robert")
    assert matches(scene, bob, "*")
    assert matches(scene, bob, "robert")
    assert not matches(scene, bob, "bob")


@pytest.mark.threat(8)
def test_the_one_who_took_the_login_does_not_give_the_role(scene: Scene) -> None:
    bob = actor(scene, scene.bob)
    scene.bob.rename("robert")
    scene.github.repository.grant(scene.bob, "read")
    scene.github.user("bob", role="admin")
    assert not matches(scene, bob, "*")


@pytest.mark.threat(9)
@pytest.mark.parametrize("how", ["delete", "suspend"])
@pytest.mark.parametrize("who", ["*", "bob"])
def test_an_account_that_is_gone_matches_nothing(scene: Scene, how: str, who: str) -> None:
    bob = actor(scene, scene.bob)
    getattr(scene.bob, how)()
    assert not matches(scene, bob, who)


@pytest.mark.threat(5)
def test_a_bot_matches_by_its_number_alone(scene: Scene) -> None:
    robot = actor(scene, scene.github.bot("robot[bot]", role="admin"))
    for who in ("*", "robot[bot]", "@acme/ml", "codeowners"):
        assert not matches(scene, robot, who)
    assert matches(scene, robot, robot.id)
    assert matches(scene, robot, f"id:{robot.id}")


@pytest.mark.threat(8)
def test_a_person_of_another_server_is_nobody_here(scene: Scene) -> None:
    bob = actor(scene, scene.bob)
    assert not matches(scene, msgspec.structs.replace(bob, host="ghe.example.com"), "*")
    assert not matches(scene, msgspec.structs.replace(bob, forge="gitlab"), "bob")
    assert not matches(scene, msgspec.structs.replace(bob, id="0"), "*")


@pytest.mark.threat(9)
def test_nobody_can_list_the_ghost(scene: Scene) -> None:
    bob = actor(scene, scene.bob)
    ghost = msgspec.structs.replace(bob, kind="automation", id="0", login="ghost")
    assert not matches(scene, ghost, "0")
    assert not matches(scene, ghost, "id:0")


def test_a_number_is_a_login_for_a_person(scene: Scene) -> None:
    """Somebody may be called by the number of another account."""
    bob = actor(scene, scene.bob)
    assert not matches(scene, bob, bob.id)


# teams


def test_a_team_is_its_active_members(scene: Scene) -> None:
    team = scene.github.team("ml", scene.bob)
    carol = scene.github.user("carol", role="read")
    team.add(carol, pending=True)
    token = reader(scene)
    for who in ("@acme/ml", "@ml", "@ACME/Ml"):
        assert matches(scene, actor(scene, scene.bob), who, token=token)
    assert not matches(scene, actor(scene, carol), "@acme/ml", token=token)
    assert not matches(scene, actor(scene, scene.alice), "@acme/ml", token=token)
    team.remove(scene.bob)
    assert not matches(scene, actor(scene, scene.bob), "@acme/ml", token=token)


def test_the_members_of_a_team_within_it_are_members(scene: Scene) -> None:
    team = scene.github.team("ml")
    scene.github.team("leads", scene.bob, parent=team)
    assert matches(scene, actor(scene, scene.bob), "@acme/ml", token=reader(scene))


@pytest.mark.threat(7)
def test_a_team_that_the_token_may_not_read_is_an_error_with_the_remedy(scene: Scene) -> None:
    scene.github.team("ml", scene.bob)
    with pytest.raises(OutsideError, match="whether bob is in @acme/ml") as caught:
        matches(scene, actor(scene, scene.bob), "@acme/ml")
    assert "members: read" in str(caught.value.hint)


@pytest.mark.threat(7)
def test_a_team_that_does_not_exist_is_an_error(scene: Scene) -> None:
    with pytest.raises(OutsideError, match="no such team") as caught:
        matches(scene, actor(scene, scene.bob), "@alice", token=reader(scene))
    assert "named without the @" in str(caught.value.hint)


@pytest.mark.threat(8)
def test_a_member_is_found_under_a_new_name_and_a_thief_of_the_old_one_is_not(
    scene: Scene,
) -> None:
    scene.github.team("ml", scene.bob)
    bob, token = actor(scene, scene.bob), reader(scene)
    scene.bob.rename("robert")
    thief = actor(scene, scene.github.user("bob", role="write"))
    assert matches(scene, bob, "@acme/ml", token=token)
    assert not matches(scene, thief, "@acme/ml", token=token)


# CODEOWNERS


def own(scene: Scene, text: str, place: str = ".github/CODEOWNERS") -> None:
    scene.github.repository.push(scene.alice, files={place: text})


@pytest.mark.parametrize("place", [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"])
def test_the_owners_of_the_configuration_are_matched(scene: Scene, place: str) -> None:
    own(scene, "* @alice\n/assent.yaml @bob # the model\n", place)
    assert matches(scene, actor(scene, scene.bob), "codeowners")
    assert not matches(scene, actor(scene, scene.alice), "codeowners")


def test_the_path_of_the_configuration_is_asked_for(scene: Scene) -> None:
    own(scene, "* @alice\n/models/ @bob\n")
    bob = actor(scene, scene.bob)
    assert matches(scene, bob, "codeowners", file="models/assent.yaml")
    assert not matches(scene, bob, "codeowners", file="assent.yaml")


@pytest.mark.threat(12)
def test_the_owners_are_those_of_the_default_branch(scene: Scene) -> None:
    own(scene, "* @bob\n")
    scene.pull.push(files={".github/CODEOWNERS": "* @alice\n"})
    assert matches(scene, actor(scene, scene.bob), "codeowners")
    assert not matches(scene, actor(scene, scene.alice), "codeowners")


def test_owners_are_teams_too(scene: Scene) -> None:
    own(scene, "* @acme/ml\n")
    scene.github.team("ml", scene.bob)
    assert matches(scene, actor(scene, scene.bob), "codeowners", token=reader(scene))
    with pytest.raises(OutsideError, match="whether bob is in @acme/ml"):
        matches(scene, actor(scene, scene.bob), "codeowners")


def test_an_owner_who_may_not_write_owns_nothing(scene: Scene) -> None:
    own(scene, "* @bob\n")
    scene.github.repository.grant(scene.bob, "read")
    assert not matches(scene, actor(scene, scene.bob), "codeowners")


def test_an_address_is_nobody_and_it_is_said(scene: Scene) -> None:
    own(scene, "* bob@example.com\n")
    assert not matches(scene, actor(scene, scene.bob), "codeowners")
    assert "'bob@example.com'" in scene.said[0]


@pytest.mark.threat(13)
@pytest.mark.parametrize("text", [None, "", "/docs/ @bob\n", "* @bob\nassent.yaml\n"])
def test_no_owners_is_an_error_and_not_a_pass(scene: Scene, text: str | None) -> None:
    if text is not None:
        own(scene, text)
    with pytest.raises(UsageError, match="nobody could approve"):
        matches(scene, actor(scene, scene.bob), "codeowners")


def test_within_a_run_a_role_is_asked_for_once(scene: Scene) -> None:
    own(scene, "* @bob\n")
    forge = scene.forge()
    bob = forge.person("bob")
    for _ in range(3):
        for who in ("*", "bob", "codeowners"):
            assert forge.matches(bob, who)
    assert scene.server.count("GET", "/permission") == 1
    assert scene.server.count("GET", "/contents/") == 1


# names that are given up, and names that are bound


@pytest.mark.threat(42)
def test_a_stranger_who_takes_a_name_of_the_policy_is_nobody(scene: Scene) -> None:
    """In a public repository everybody may read."""
    scene.github.repository.is_private = False
    scene.bob.rename("robert")
    stranger = actor(scene, scene.github.user("bob"))
    for who in ("bob", f"bob#{scene.bob.id}", f"id:{scene.bob.id}", "*"):
        assert not matches(scene, stranger, who)


@pytest.mark.threat(42)
def test_a_name_alone_needs_somebody_who_may_write(scene: Scene) -> None:
    carol = scene.github.user("carol", role="read")
    assert not matches(scene, actor(scene, carol), "carol")
    assert matches(scene, actor(scene, carol), f"carol#{carol.id}")


@pytest.mark.threat(42)
@pytest.mark.parametrize("is_private", [True, False])
def test_a_number_needs_a_member_who_may_read(scene: Scene, is_private: bool) -> None:
    scene.github.repository.is_private = is_private
    expert = scene.github.user("expert", role="read")
    stranger = scene.github.user("stranger")
    for who in ("{0.login}#{0.id}", "id:{0.id}"):
        assert matches(scene, actor(scene, expert), who.format(expert))
        assert not matches(scene, actor(scene, stranger), who.format(stranger))


@pytest.mark.threat(8)
def test_a_bound_name_is_the_account_whatever_it_is_called(scene: Scene) -> None:
    bob, who = actor(scene, scene.bob), f"bob#{scene.bob.id}"
    scene.bob.rename("robert")
    found = scene.forge().matches(bob, who)
    assert found is not None
    assert (found.name, found.id) == ("bob", f"user:{scene.bob.id}")
    assert not matches(scene, bob, f"bob#{scene.alice.id}")
    assert not matches(scene, actor(scene, scene.alice), who)


@pytest.mark.threat(8)
def test_what_a_team_was_is_told_and_can_be_bound(scene: Scene) -> None:
    team = scene.github.team("ml", scene.bob)
    bob, token = actor(scene, scene.bob), reader(scene)
    found = scene.forge(token=token).matches(bob, "@acme/ml")
    assert found is not None
    assert (found.name, found.id) == ("@acme/ml", f"team:{team.id}")
    assert matches(scene, bob, f"@acme/ml#{team.id}", token=token)
    assert not matches(scene, bob, f"@acme/ml#{team.id + 1}", token=token)


@pytest.mark.threat(8)
def test_what_a_line_of_codeowners_meant_is_told(scene: Scene) -> None:
    own(scene, "* @bob\n")
    found = scene.forge().matches(actor(scene, scene.bob), "codeowners")
    assert found is not None
    assert (found.name, found.id) == ("bob", f"user:{scene.bob.id}")


@pytest.mark.threat(7)
def test_whether_somebody_is_a_member_must_be_readable(scene: Scene) -> None:
    scene.github.repository.is_private = False
    expert = scene.github.user("expert", role="read")
    person = actor(scene, expert)
    scene.faults.fail("GET", "*/collaborators/expert", 403, times=9)
    with pytest.raises(OutsideError, match="whether expert is a collaborator"):
        matches(scene, person, f"expert#{expert.id}")


@pytest.mark.threat(42)
def test_a_team_owns_what_its_member_may_write(scene: Scene) -> None:
    """Anybody may read a public repository, and be put into a team."""
    scene.github.repository.is_private = False
    carol = scene.github.user("carol", role="read")
    dan = scene.github.user("dan", role="write")
    scene.github.team("ml", carol, dan)
    own(scene, "* @acme/ml\n")
    token = reader(scene)
    assert not matches(scene, actor(scene, carol), "codeowners", token=token)
    assert matches(scene, actor(scene, dan), "codeowners", token=token)
