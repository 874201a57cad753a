"""Environments, and what protects them (paid tiers)."""

from __future__ import annotations

from tests.gitlab.routing import Call, RefusedError, answers, found
from tests.gitlab.shapes import pipelines
from tests.standin.listening import Answer


@answers("environments/list", "reporter", is_for_jobs=True)
def every(call: Call) -> Answer:
    wanted, state = call.text("name"), call.text("states")
    chosen = [
        one
        for one in call.project.environments
        if wanted in ("", one.name)
        and call.text("search") in one.name
        and (not state or one.is_stopped == (state == "stopped"))
    ]
    return call.page(chosen, pipelines.environment)


@answers("environments/get", "reporter", is_for_jobs=True)
def one(call: Call) -> Answer:
    number = call.number("environment_id")
    environment = found(next((x for x in call.project.environments if x.id == number), None))
    done = [
        each
        for each in call.project.deployments
        if each.environment is environment and each.status == "success"
    ]
    last = done[-1] if done else None
    return Answer(pipelines.environment_detail(call.where, environment, last))


@answers("environments/create", "developer", is_for_jobs=True)
def create(call: Call) -> Answer:
    name = call.body["name"]
    if any(one.name == name for one in call.project.environments):
        raise RefusedError(400, {"name": ["has already been taken"]})
    made = call.project.environment(name)
    made.external_url = call.body.get("external_url")
    return Answer(pipelines.environment(made), 201)


@answers("protected-environments/list", "maintainer")
def protected(call: Call) -> Answer:
    if call.is_free:
        raise RefusedError(404)
    return call.page(call.project.protected_environments, pipelines.protected_environment)


@answers("protected-environments/get", "maintainer")
def protection(call: Call) -> Answer:
    one = call.project.environment_protection(call.in_path["name"])
    return Answer(pipelines.protected_environment(found(one)))
