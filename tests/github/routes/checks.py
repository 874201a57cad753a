"""Check runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.github.records import CheckRun
from tests.github.routing import Call, RefusedError, answers, found
from tests.github.shapes import records
from tests.standin.listening import Answer


@answers("checks/create", "checks", level="write")
def create(call: Call) -> Answer:
    if call.token.kind != "installation":
        raise RefusedError(403, "You must authenticate via a GitHub App.")
    if call.repository.find(call.body["head_sha"]) is None:
        raise RefusedError(422, f"No commit found for SHA: {call.body['head_sha']}")
    run = CheckRun(
        id=call.github.next_id(),
        name=call.body["name"],
        head_sha=call.body["head_sha"],
        status="queued",
        conclusion=None,
        started_at=call.github.now,
        completed_at=None,
        details_url=None,
        external_id=None,
    )
    _write(call, run)
    call.repository.checks.append(run)
    return Answer(records.check_run(call.where, call.repository, run), 201)


@answers("checks/update", "checks", level="write")
def update(call: Call) -> Answer:
    """Annotations are added to those that are there; the rest is replaced."""
    run = found(
        next((one for one in call.repository.checks if one.id == call.number("check_run_id")), None)
    )
    _write(call, run)
    return Answer(records.check_run(call.where, call.repository, run))


def _write(call: Call, run: CheckRun) -> None:
    body: dict[str, Any] = call.body
    run.name = body.get("name", run.name)
    run.status = body.get("status", run.status)
    run.details_url = body.get("details_url", run.details_url)
    run.external_id = body.get("external_id", run.external_id)
    if "conclusion" in body:  # says that it is over, too
        run.conclusion, run.status = body["conclusion"], "completed"
    if run.status == "completed" and run.completed_at is None:
        run.completed_at = call.github.now
    if completed := body.get("completed_at"):
        run.completed_at = datetime.fromisoformat(completed)
    if "output" in body:
        output = dict(body["output"])
        run.annotations += output.pop("annotations", [])
        run.output |= output


@answers("checks/list-for-ref", "checks")
def every(call: Call) -> Answer:
    sha, query = call.commit("ref"), call.query
    chosen = [one for one in call.repository.checks if one.head_sha == sha]
    if query.get("filter", "latest") == "latest":
        chosen = list({one.name: one for one in chosen}.values())
    if "check_name" in query:
        chosen = [one for one in chosen if one.name == query["check_name"]]
    if "status" in query:
        chosen = [one for one in chosen if one.status == query["status"]]
    return call.page(
        chosen, lambda one: records.check_run(call.where, call.repository, one), "check_runs"
    )
