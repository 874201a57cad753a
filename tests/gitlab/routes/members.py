"""Members of groups and projects: their own, and those of the groups above."""

from __future__ import annotations

from collections.abc import Mapping

from tests.gitlab.accounts import Group, Membership
from tests.gitlab.routing import Call, RefusedError, answers, found
from tests.gitlab.shapes import people
from tests.standin.listening import Answer


def _page(call: Call, members: Mapping[int, Membership]) -> Answer:
    sought = call.text("query").lower()
    numbers = call.query.get("user_ids[]")
    chosen = [
        one
        for one in members.values()
        if sought in f"{one.user.username} {one.user.name}".lower()
        and (numbers is None or str(one.user.id) in numbers)
    ]
    return call.page(chosen, lambda one: people.member(call.where, one))


def _one(call: Call, members: Mapping[int, Membership]) -> Answer:
    return Answer(people.member(call.where, found(members.get(call.number("user_id")))))


@answers("projects/members", "guest")
def of_project(call: Call) -> Answer:
    return _page(call, call.project.members)


@answers("projects/all-members", "guest")
def all_of_project(call: Call) -> Answer:
    return _page(call, call.project.all_members())


@answers("projects/member", "guest")
def one_of_project(call: Call) -> Answer:
    return _one(call, call.project.members)


@answers("projects/any-member", "guest")
def any_of_project(call: Call) -> Answer:
    return _one(call, call.project.all_members())


@answers("groups/get", is_for_all=True)
def group(call: Call) -> Answer:
    return Answer(people.group(call.where, call.group()))


def _group(call: Call) -> Group:
    """Whoever only sees a private group because of a project in it may not see its members."""
    one = call.group()
    if one.is_private and not one.level(call.user):
        raise RefusedError(403, "403 Forbidden")
    return one


@answers("groups/members", is_for_all=True)
def of_group(call: Call) -> Answer:
    return _page(call, _group(call).members)


@answers("groups/all-members", is_for_all=True)
def all_of_group(call: Call) -> Answer:
    return _page(call, _group(call).all_members())


@answers("groups/member", is_for_all=True)
def one_of_group(call: Call) -> Answer:
    return _one(call, _group(call).members)


@answers("groups/any-member", is_for_all=True)
def any_of_group(call: Call) -> Answer:
    return _one(call, _group(call).all_members())
