"""Commit statuses."""

from __future__ import annotations

from tests.github.records import Status
from tests.github.routing import Call, RefusedError, answers, newest_first
from tests.github.shapes import records
from tests.standin.listening import Answer

LONGEST_DESCRIPTION = 140
MOST = 1000


def _invalid(said: str) -> RefusedError:
    facts = {"resource": "Status", "code": "custom", "message": said}
    return RefusedError(422, "Validation Failed", errors=[facts])


@answers("repos/create-commit-status", "statuses", level="write")
def create(call: Call) -> Answer:
    repository, sha = call.repository, call.in_path["sha"]
    if len(sha) != 40 or repository.find(sha) is None:
        raise RefusedError(422, f"No commit found for SHA: {sha}")
    context = call.body.get("context", "default")
    description = call.body.get("description")
    if description and len(description) > LONGEST_DESCRIPTION:
        raise _invalid(f"description is too long (maximum is {LONGEST_DESCRIPTION} characters)")
    if sum((one.sha, one.context) == (sha, context) for one in repository.statuses) >= MOST:
        raise _invalid("This SHA and context has reached the maximum number of statuses.")
    status = Status(
        id=call.github.next_id(),
        sha=sha,
        state=call.body["state"],
        context=context,
        description=description,
        target_url=call.body.get("target_url"),
        creator=call.account,
        created_at=call.github.now,
    )
    repository.statuses.append(status)
    return Answer(records.status(call.where, repository, status), 201)


@answers("repos/list-commit-statuses-for-ref", "statuses")
def every(call: Call) -> Answer:
    """All that were ever written, newest first."""
    sha = call.commit("ref")
    chosen = newest_first(one for one in call.repository.statuses if one.sha == sha)
    return call.page(chosen, lambda one: records.status(call.where, call.repository, one))


@answers("repos/get-combined-status-for-ref", "statuses")
def combined(call: Call) -> Answer:
    sha = call.commit("ref")
    newest = {one.context: one for one in call.repository.statuses if one.sha == sha}
    return Answer(records.combined(call.where, call.repository, sha, list(newest.values())))
