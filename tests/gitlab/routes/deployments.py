"""Deployments."""

from __future__ import annotations

from tests.gitlab.pipelines import Deployment
from tests.gitlab.routing import Call, RefusedError, answers, found, not_found, ordered
from tests.gitlab.shapes import merge_requests, pipelines
from tests.standin.listening import Answer


@answers("deployments/list", "reporter", is_for_jobs=True, is_refused_early=True)
def every(call: Call) -> Answer:
    """Oldest first, unless asked otherwise. Their approvals are not shown here."""
    by = call.text("order_by", "id")
    wanted = [
        one
        for one in call.project.deployments
        if call.text("environment", one.environment.name) == one.environment.name
        and call.text("status", one.status) == one.status
    ]
    if by == "finished_at":
        wanted = [one for one in wanted if one.finished_at is not None]
    chosen = ordered(call, wanted, lambda one: (getattr(one, by), one.id), "asc")
    return call.page(chosen, lambda one: pipelines.deployment(call.where, one))


@answers("deployments/get", "reporter", is_for_jobs=True, is_refused_early=True)
def one(call: Call) -> Answer:
    return _shown(call, _deployment(call))


@answers("deployments/create", "developer", is_for_jobs=True, is_refused_early=True)
def create(call: Call) -> Answer:
    """Another one each time: GitLab does not look whether there is one already."""
    body, project, now = call.body, call.project, call.gitlab.now
    sha = project.find(body["sha"])
    if sha is None:
        raise not_found("Commit")
    protection = project.environment_protection(body["environment"])
    if protection and not any(
        project.level(call.user) >= (one.level or 99) for one in protection.deployers
    ):
        raise RefusedError(403, "403 Forbidden")
    made = Deployment(
        id=call.gitlab.next_id(),
        iid=len(project.deployments) + 1,
        environment=project.environment(body["environment"]),
        ref=body["ref"],
        sha=sha,
        user=call.person,
        created_at=now,
        updated_at=now,
        status=body["status"],
        is_tag=body["tag"],
        finished_at=now if body["status"] != "running" else None,
    )
    project.deployments.append(made)
    return _shown(call, made, 201)


@answers("deployments/update", "developer", is_for_jobs=True, is_refused_early=True)
def update(call: Call) -> Answer:
    deployment, status = _deployment(call), call.body["status"]
    if deployment.job is not None:
        raise RefusedError(
            403,
            "403 Forbidden - Deployments created using GitLab CI can not be updated using the API",
        )
    if deployment.status == status or (deployment.status == "success" and status == "running"):
        said = f"Cannot transition status via :{status} from :{deployment.status}"
        raise RefusedError(400, {"status": [said]})
    deployment.status, deployment.updated_at = status, call.gitlab.now
    return _shown(call, deployment)


@answers("deployments/merge-requests", "reporter", is_for_jobs=True, is_refused_early=True)
def brought(call: Call) -> Answer:
    """The merge requests that a successful deployment brought to its environment."""
    deployment = _deployment(call)
    chosen = [
        one
        for one in call.project.merge_requests
        if one.state == "merged"
        and deployment.status == "success"
        and call.project.objects.has(deployment.sha, one.landed[-1])
    ]
    return call.page(chosen, lambda one: merge_requests.simple(call.where, one))


def _deployment(call: Call) -> Deployment:
    number = call.number("deployment_id")
    return found(next((one for one in call.project.deployments if one.id == number), None))


def _shown(call: Call, deployment: Deployment, status: int = 200) -> Answer:
    protection = call.project.environment_protection(deployment.environment.name)
    shown = pipelines.deployment_detail(call.where, deployment, protection, is_free=call.is_free)
    return Answer(shown, status)
