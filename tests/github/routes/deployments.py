"""Deployments, their statuses, and environments."""

from __future__ import annotations

from tests.github.records import Deployment, DeploymentStatus
from tests.github.routing import Call, RefusedError, answers, found, newest_first
from tests.github.shapes import records, runs
from tests.standin.listening import Answer


@answers("repos/create-deployment", "deployments", level="write")
def create(call: Call) -> Answer:
    """By default GitHub merges the default branch into the ref, and asks for green statuses."""
    repository, body, ref = call.repository, call.body, str(call.body["ref"])
    sha = repository.find(ref)
    if sha is None:
        raise RefusedError(422, f"No ref found for: {ref}")
    tip = repository.tip(repository.default_branch)
    if body.get("auto_merge", True) and not repository.objects.has(sha, tip):
        said = f"Auto-merged {repository.default_branch} into {ref} on deployment."
        return Answer({"message": said}, 202)
    newest = {one.context: one for one in repository.statuses if one.sha == sha}
    wanted = body.get("required_contexts")
    for context in newest if wanted is None else wanted:
        if context not in newest or newest[context].state != "success":
            raise RefusedError(409, f"Conflict: Commit status checks failed for {ref}.")
    environment = body.get("environment", "production")
    repository.environment(environment)
    deployment = Deployment(
        id=call.github.next_id(),
        sha=sha,
        ref=ref,
        task=body.get("task", "deploy"),
        environment=environment,
        payload=body.get("payload", {}),
        description=body.get("description"),
        is_transient=body.get("transient_environment", False),
        is_production=body.get("production_environment", environment == "production"),
        creator=call.account,
        created_at=call.github.now,
    )
    repository.deployments.append(deployment)
    return Answer(records.deployment(call.where, repository, deployment), 201)


@answers("repos/list-deployments", "deployments")
def every(call: Call) -> Answer:
    chosen = newest_first(
        one
        for one in call.repository.deployments
        if all(
            getattr(one, name) == call.query[name]
            for name in ("sha", "ref", "task", "environment")
            if name in call.query
        )
    )
    return call.page(chosen, lambda one: records.deployment(call.where, call.repository, one))


@answers("repos/get-deployment", "deployments")
def one(call: Call) -> Answer:
    return Answer(records.deployment(call.where, call.repository, _deployment(call)))


@answers("repos/create-deployment-status", "deployments", level="write")
def create_status(call: Call) -> Answer:
    """A success ends what the environment held before, unless the caller says otherwise."""
    deployment, body = _deployment(call), call.body
    status = _status(call, body["state"], deployment)
    deployment.statuses.append(status)
    if body["state"] == "success" and body.get("auto_inactive", True):
        for other in call.repository.deployments:
            is_active = bool(other.statuses) and other.statuses[-1].state == "success"
            is_same = other.environment == status.environment and not other.is_transient
            if other is not deployment and is_same and is_active:
                other.statuses.append(_status(call, "inactive", other))
    return Answer(records.deployment_status(call.where, call.repository, deployment, status), 201)


def _status(call: Call, state: str, deployment: Deployment) -> DeploymentStatus:
    body: dict[str, str] = call.body if state != "inactive" else {}
    return DeploymentStatus(
        id=call.github.next_id(),
        state=state,
        description=body.get("description", ""),
        environment=body.get("environment", deployment.environment),
        environment_url=body.get("environment_url", ""),
        log_url=body.get("log_url", body.get("target_url", "")),
        creator=call.account,
        created_at=call.github.now,
    )


@answers("repos/list-deployment-statuses", "deployments")
def statuses(call: Call) -> Answer:
    deployment = _deployment(call)
    return call.page(
        newest_first(deployment.statuses),
        lambda one: records.deployment_status(call.where, call.repository, deployment, one),
    )


def _deployment(call: Call) -> Deployment:
    wanted = call.number("deployment_id")
    return found(next((one for one in call.repository.deployments if one.id == wanted), None))


@answers("repos/get-all-environments", "actions")
def environments(call: Call) -> Answer:
    return call.page(
        call.repository.environments,
        lambda one: runs.environment(call.where, call.repository, one),
        "environments",
    )


@answers("repos/get-environment", "actions")
def environment(call: Call) -> Answer:
    wanted = call.in_path["environment_name"].lower()
    each = call.repository.environments
    chosen = found(next((one for one in each if one.name.lower() == wanted), None))
    return Answer(runs.environment(call.where, call.repository, chosen))


@answers("repos/list-deployment-branch-policies", "actions")
def branch_policies(call: Call) -> Answer:
    """What a custom policy names; of another one nothing."""
    wanted = call.in_path["environment_name"].lower()
    each = call.repository.environments
    chosen = found(next((one for one in each if one.name.lower() == wanted), None))
    patterns = chosen.patterns if chosen.branch_policy == "custom" else []
    shown = [
        {"id": number, "node_id": f"DBP_{number}", "name": name, "type": kind}
        for number, (kind, name) in enumerate(patterns, start=1)
    ]
    return Answer({"total_count": len(shown), "branch_policies": shown})
