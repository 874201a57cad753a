"""Projects, their branches, and what protects them."""

from __future__ import annotations

from tests.gitlab.accounts import LEVELS
from tests.gitlab.project import Project
from tests.gitlab.routing import Call, RefusedError, answers, found, not_found
from tests.gitlab.shapes import commits, projects
from tests.standin.listening import Answer


@answers("projects/get")
def one(call: Call) -> Answer:
    return Answer(projects.whole(call.where, call.project, call.user))


@answers("variables/list", "maintainer")
def variables(call: Call) -> Answer:
    """Their values are nobody's business here. One of several scopes is several variables."""
    each = [
        projects.variable(name, is_protected=is_protected, scope=scope)
        for name, is_protected in call.project.variables.items()
        for scope in call.project.scopes.get(name, ["*"])
    ]
    return call.page(each, lambda one: one)


@answers("runners/of-project", "maintainer")
def runners(call: Call) -> Answer:
    return call.page(call.project.runners, projects.runner)


@answers("runners/get")
def runner(call: Call) -> Answer:
    """For those who maintain a project that it runs for."""
    for project in call.gitlab.projects:
        for one in project.runners:
            if one.id == call.number("id") and project.level(call.user) >= LEVELS["maintainer"]:
                return Answer(projects.runner_detail(one))
    raise RefusedError(403, "403 Forbidden")


@answers("variables/get", "maintainer")
def variable(call: Call) -> Answer:
    """A variable of the project. Its value is nobody's business here."""
    name = call.in_path["key"]
    if name not in call.project.variables:
        raise not_found("Variable")
    if len(call.project.scopes.get(name, ())) > 1:
        raise RefusedError(409, "There are multiple variables with provided parameters")
    return Answer(projects.variable(name, is_protected=call.project.variables[name]))


@answers("events/list", "reporter")
def events(call: Call) -> Answer:
    """Of all that happened only the pushes, newest first."""
    if not call.project.tells_pushes:
        raise not_found("Project")
    newest = call.project.pushes[::-1]
    return call.page(newest, lambda one: projects.event(call.where, call.project, one))


@answers("branches/list", "reporter", is_for_jobs=True)
def branches(call: Call) -> Answer:
    sought = call.text("search")
    start = call.project.ref("")
    names = [one.removeprefix(start) for one in call.project.objects.refs(start.rstrip("/"))]
    chosen = [one for one in sorted(names) if _fits(one, sought)]
    return call.page(chosen, lambda name: _branch(call, call.project, name))


@answers("branches/get", "reporter", is_for_jobs=True)
def branch(call: Call) -> Answer:
    if call.project.branch(call.in_path["branch"]) is None:
        raise not_found("Branch")
    return Answer(_branch(call, call.project, call.in_path["branch"]))


@answers("protected-branches/list", "maintainer")
def protected(call: Call) -> Answer:
    sought = call.text("search")
    chosen = [one for one in call.project.protected_branches if sought in one.name]
    return call.page(chosen, lambda one: projects.protected_branch(one, is_free=call.is_free))


@answers("protected-branches/get", "maintainer")
def protection(call: Call) -> Answer:
    """By its name or pattern as it was given; a branch that a pattern covers has none."""
    name = call.in_path["name"]
    chosen = [one for one in call.project.protected_branches if one.name == name]
    one = found(next(iter(chosen), None))
    return Answer(projects.protected_branch(one, is_free=call.is_free))


def _fits(name: str, sought: str) -> bool:
    """`^start` and `end$` are bound to the ends of the name."""
    if sought.startswith("^"):
        return name.startswith(sought[1:])
    if sought.endswith("$"):
        return name.endswith(sought[:-1])
    return sought in name


def _branch(call: Call, project: Project, name: str) -> dict[str, object]:
    protection = project.protection(name)
    needed = protection.push_level if protection else 30
    can_push = project.level(call.user) >= needed
    return commits.branch(call.where, project, name, project.tip(name), can_push=can_push)
