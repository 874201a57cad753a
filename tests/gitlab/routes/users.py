"""Users."""

from __future__ import annotations

from collections.abc import Callable

from tests.gitlab.accounts import User
from tests.gitlab.routing import Call, RefusedError, answers, not_found, ordered
from tests.gitlab.shapes import people
from tests.standin.listening import Answer


@answers("users/current")
def current(call: Call) -> Answer:
    return Answer(people.current(call.where, call.person))


@answers("users/get")
def one(call: Call) -> Answer:
    number = call.number("id")
    for user in call.gitlab.users:
        if user.id == number:
            return Answer(people.whole(call.where, user))
    raise not_found("User")


@answers("users/list", is_for_all=True)
def every(call: Call) -> Answer:
    """Without a token only by name. Whoever is no administrator finds an address only if its owner
    made it public.
    """
    if call.user is None and "username" not in call.query:
        raise RefusedError(403, "403 Forbidden - Not authorized to access /api/v4/users")
    chosen = ordered(call, filter(_fits(call), call.gitlab.users), lambda one: one.id, "desc")
    return call.page(chosen, lambda one: people.short(call.where, one), identity=lambda one: one.id)


def _fits(call: Call) -> Callable[[User], bool]:
    name = call.text("username").lower()
    sought = call.text("search").lower()
    public = call.text("public_email").lower()

    def fits(user: User) -> bool:
        facts = (
            not name or user.username.lower() == name,
            not public or user.public_email.lower() == public,
            not sought or _is_found(user, sought, sees_all=bool(call.user and call.user.is_admin)),
            not call.flag("active") or user.state == "active",
            not call.flag("exclude_active") or user.state != "active",
            not call.flag("blocked") or user.state == "blocked",
            not call.flag("humans") or not user.is_bot,
            not call.flag("exclude_humans") or user.is_bot,
            not call.flag("without_project_bots") or not user.is_bot,
        )
        return all(facts)

    return fits


def _is_found(user: User, sought: str, *, sees_all: bool) -> bool:
    if sought == user.public_email.lower() or (sees_all and sought == user.email.lower()):
        return True
    return sought in user.username.lower() or sought in user.name.lower()
