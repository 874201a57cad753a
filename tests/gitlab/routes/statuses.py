"""Commit statuses. They hang on a pipeline; the API makes one where there is none."""

from __future__ import annotations

from tests.gitlab.pipelines import Job, Pipeline
from tests.gitlab.records import Status
from tests.gitlab.routing import Call, RefusedError, answers, not_found, ordered
from tests.gitlab.shapes import commits
from tests.standin.listening import Answer

LONGEST = 255
UNFINISHED = ("created", "pending", "running")
EVENTS = {"pending": "enqueue", "running": "run", "skipped": "skip", "canceled": "cancel"}


@answers("commits/statuses", "reporter", is_refused_early=True)
def every(call: Call) -> Answer:
    """Those of the API and the jobs of the commit's pipelines; without `all` the newest of each."""
    sha = call.commit()
    things: list[Status | Job] = [*call.project.statuses, *call.project.jobs()]
    wanted = [
        one
        for one in things
        if one.pipeline.sha == sha
        and call.text("ref", one.pipeline.ref) == one.pipeline.ref
        and call.text("name", one.name) == one.name
        and call.text("pipeline_id", str(one.pipeline.id)) == str(one.pipeline.id)
        and (call.flag("all") or not one.is_retried)
    ]
    chosen = ordered(call, wanted, lambda one: one.id, "asc")
    return call.page(chosen, lambda one: commits.status(call.where, one))


@answers("commits/set-status", "developer", is_refused_early=True)
def write(call: Call) -> Answer:
    """What is pending or running moves on, if this very account began it. What has ended stays,
    and another one of the name takes its place.
    """
    body, project = call.body, call.project
    sha = project.find(call.in_path["sha"]) if len(call.in_path["sha"]) == 40 else None
    if sha is None:
        raise not_found("Commit")
    name = body.get("name") or body.get("context") or "default"
    for key in ("name", "description", "target_url"):
        if len(body.get(key) or "") > LONGEST:
            said = {key: [f"is too long (maximum is {LONGEST} characters)"]}
            raise RefusedError(400, said)
    pipeline = _pipeline(call, sha)
    older = [
        one
        for one in project.statuses
        if one.pipeline is pipeline and one.name == name and not one.is_retried
    ]
    mine = [one for one in older if one.state in UNFINISHED and one.author is call.person]
    status = (
        mine[-1] if mine else Status(0, pipeline, name, "created", call.person, call.gitlab.now)
    )
    _move(status, body["state"], call)
    if not mine:
        status.id = call.gitlab.next_id()
        project.statuses.append(status)
        for one in older:
            one.is_retried = True
    for key in ("description", "target_url", "coverage"):
        if key in body:
            setattr(status, key, body[key])
    return Answer(commits.status(call.where, status), 201)


def _move(status: Status, state: str, call: Call) -> None:
    """The steps that GitLab's states admit."""
    was, now = status.state, call.gitlab.now
    event = EVENTS.get(state, state)
    admitted = {
        "pending": was in ("created", "skipped"),
        "running": was in ("created", "pending"),
        "success": was != "success",
        "failed": was != "failed",
        "canceled": was in UNFINISHED,
        "skipped": was in ("created", "pending"),
    }
    if not admitted[state]:
        raise RefusedError(
            400,
            f"Cannot transition status via :{event} from :{was} (Reason(s): Status cannot "
            f'transition via "{event}")',
        )
    status.state = state
    if state == "running":
        status.started_at = now
    elif state != "pending":
        status.finished_at = now


def _pipeline(call: Call, sha: str) -> Pipeline:
    """The newest one of the commit, of whatever source. Without any, one that only holds statuses:
    of the branch that has the commit.
    """
    project, body = call.project, call.body
    chosen = [
        one
        for one in project.pipelines
        if one.sha == sha
        and body.get("ref", one.ref) == one.ref
        and body.get("pipeline_id", one.id) == one.id
    ]
    if chosen:
        return chosen[-1]
    if "pipeline_id" in body:
        raise not_found("Pipeline for pipeline_id, sha and ref")
    ref = body.get("ref") or _branch(call, sha)
    if ref is None:
        raise not_found("References for commit")
    return project.start_pipeline("external", call.person, ref=ref, sha=sha)


def _branch(call: Call, sha: str) -> str | None:
    project = call.project
    start = project.ref("")
    for ref, tip in project.objects.refs(start.rstrip("/")).items():
        if project.objects.has(tip, sha):
            return ref.removeprefix(start)
    return None
