"""Workflow runs, what people approved in them, and what they left."""

from __future__ import annotations

from tests.github.routing import Call, RefusedError, answers, newest_first
from tests.github.shapes import runs
from tests.standin.listening import Answer


@answers("actions/get-workflow-run", "actions")
def one(call: Call) -> Answer:
    without = call.query.get("exclude_pull_requests") == "true"
    return Answer(runs.run(call.where, call.run(), with_pulls=not without))


@answers("actions/get-workflow-run-attempt", "actions")
def attempt(call: Call) -> Answer:
    run, number = call.run(), call.number("attempt_number")
    if not 1 <= number <= run.attempt:
        raise RefusedError(404)
    return Answer(runs.attempt(call.where, run, number))


@answers("actions/get-reviews-for-run", "actions")
def approvals(call: Call) -> Answer:
    each = newest_first(call.run().approvals)
    return Answer([runs.approval(call.where, call.repository, one) for one in each])


@answers("actions/get-pending-deployments-for-run", "actions")
def pending(call: Call) -> Answer:
    each = call.run().waits_for
    return Answer([runs.pending(call.where, call.repository, one, call.account) for one in each])


@answers("actions/list-workflow-run-artifacts", "actions")
def artifacts(call: Call) -> Answer:
    run = call.run()
    chosen = [one for one in run.artifacts if one.name == call.query.get("name", one.name)]
    if call.query.get("direction", "desc") == "desc":
        chosen = newest_first(chosen)
    return call.page(chosen, lambda one: runs.artifact(call.where, run, one), "artifacts")


@answers("actions/download-artifact", "actions")
def download(call: Call) -> Answer:
    """The bytes are on another host, and the address alone opens them."""
    if call.in_path["archive_format"] != "zip":
        raise RefusedError(422, "the archive format must be zip")
    for run in call.repository.runs:
        for artifact in run.artifacts:
            if artifact.id == call.number("artifact_id"):
                if artifact.is_expired:
                    raise RefusedError(410, "Artifact has expired")
                address = f"{call.storage}/artifacts/{artifact.id}.zip?sig=x"
                return Answer(None, 302, {"Location": address})
    raise RefusedError(404)


@answers("actions/get-github-actions-default-workflow-permissions-repository", "administration")
def defaults(call: Call) -> Answer:
    return Answer(
        {
            "default_workflow_permissions": call.repository.workflow_permissions,
            "can_approve_pull_request_reviews": call.repository.workflows_may_approve,
        }
    )


@answers("actions/list-self-hosted-runners-for-repo", "administration")
def runners(call: Call) -> Answer:
    return call.page(call.repository.machines, runs.machine, "runners")


@answers("actions/list-self-hosted-runner-groups-for-org", "organization_self_hosted_runners")
def groups(call: Call) -> Answer:
    """Those of the organization, for whoever may look."""
    each = call.github.machine_groups
    return call.page(each, lambda one: runs.machine_group(call.where, one), "runner_groups")


@answers("actions/list-self-hosted-runners-in-group-for-org", "organization_self_hosted_runners")
def in_group(call: Call) -> Answer:
    for group in call.github.machine_groups:
        if group.id == call.number("runner_group_id"):
            return call.page(group.machines, runs.machine, "runners")
    raise RefusedError(404)
