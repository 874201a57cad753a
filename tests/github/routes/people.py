"""Accounts, teams and the token itself."""

from __future__ import annotations

from tests.github.accounts import Team
from tests.github.routing import Call, RefusedError, answers, found
from tests.github.shapes import people
from tests.standin.listening import Answer


@answers("users/get-by-username")
def account(call: Call) -> Answer:
    return Answer(people.profile(call.where, found(call.github.login(call.in_path["username"]))))


@answers("users/get-authenticated")
def own_account(call: Call) -> Answer:
    if call.token.kind == "installation":  # it acts as a bot, which is not a user
        raise RefusedError(403, "Resource not accessible by integration")
    return Answer(people.profile(call.where, call.account))


@answers("users/get-by-id")
def account_of_number(call: Call) -> Answer:
    """What a renamed account is called today."""
    wanted = call.number("account_id")
    each = [one for one in call.github.accounts if one.id == wanted and one.is_found]
    return Answer(people.profile(call.where, found(each[0] if each else None)))


@answers("teams/get-by-name", "members")
def team(call: Call) -> Answer:
    return Answer(people.whole_team(call.where, _team(call)))


@answers("teams/get-membership-for-user-in-org", "members")
def membership(call: Call) -> Answer:
    """Of a child team's member too; 404 for who is not in it, or has no account."""
    person = found(call.github.login(call.in_path["username"]))
    team = _team(call)
    url = f"{call.where.api}/organizations/{team.organization.id}/team/{team.id}"
    state = found(team.membership(person.id))
    return Answer({"state": state, "role": "member", "url": f"{url}/memberships/{person.login}"})


def _team(call: Call) -> Team:
    slug, organization = call.in_path["team_slug"], call.in_path["org"].lower()
    each = [one for one in call.github.teams if one.slug == slug]
    each = [one for one in each if one.organization.login.lower() == organization]
    return found(each[0] if each else None)


@answers("rate-limit/get")
def rate_limit(call: Call) -> Answer:
    search = {"limit": 30, "used": 0, "remaining": 30, "reset": call.rate["reset"]}
    core = {**call.rate}
    return Answer({"resources": {"core": core, "search": search}, "rate": core})


@answers("meta/get")
def meta(call: Call) -> Answer:
    return Answer({"verifiable_password_authentication": False})
