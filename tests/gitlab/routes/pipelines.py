"""Pipelines and jobs."""

from __future__ import annotations

from collections.abc import Iterable

from tests.gitlab.pipelines import Job, Pipeline
from tests.gitlab.routing import Call, RefusedError, answers, found, ordered
from tests.gitlab.shapes import pipelines
from tests.standin.listening import Answer


@answers("pipelines/list", "reporter")
def every(call: Call) -> Answer:
    chosen = [
        one
        for one in call.project.pipelines
        if call.text("sha", one.sha) == one.sha
        and call.text("ref", one.ref) == one.ref
        and call.text("status", one.status) == one.status
        and call.text("source", one.source) == one.source
    ]
    newest = ordered(call, chosen, lambda one: one.id, "desc")
    return call.page(newest, lambda one: pipelines.short(call.where, one))


@answers("pipelines/get", "reporter")
def one(call: Call) -> Answer:
    return Answer(pipelines.pipeline(call.where, _pipeline(call)))


@answers("pipelines/jobs", "reporter")
def jobs_of_one(call: Call) -> Answer:
    """Newest first; those that were retried only if asked for."""
    with_all = call.flag("include_retried")
    return _jobs(call, (one for one in _pipeline(call).jobs if with_all or not one.is_retried))


@answers("jobs/list", "reporter")
def jobs(call: Call) -> Answer:
    return _jobs(call, call.project.jobs())


@answers("jobs/get", "reporter")
def job(call: Call) -> Answer:
    number = call.number("job_id")
    chosen = [one for one in call.project.jobs() if one.id == number]
    return Answer(pipelines.job(call.where, found(next(iter(chosen), None))))


@answers("jobs/artifacts", "reporter")
def artifacts(call: Call) -> Answer:
    """The archive: from here, or from where large files are kept. That address opens it alone."""
    number = call.number("job_id")
    chosen = found(next((one for one in call.project.jobs() if one.id == number), None))
    content = found(chosen.archive)
    if call.gitlab.keeps_files_elsewhere:
        address = f"{call.storage}/artifacts/{chosen.id}.zip?signature=x"
        return Answer(b"", 302, {"Location": address})
    return Answer(content, headers={"Content-Type": "application/zip"})


@answers("jobs/own", is_for_jobs=True)
def own(call: Call) -> Answer:
    """The job whose token this is, and with it the person who caused it."""
    if call.token is None or call.token.job is None:
        raise RefusedError(404)
    return Answer(pipelines.job(call.where, call.token.job))


def _pipeline(call: Call) -> Pipeline:
    number = call.number("pipeline_id")
    return found(next((one for one in call.project.pipelines if one.id == number), None))


def _jobs(call: Call, every: Iterable[Job]) -> Answer:
    wanted = call.query.get("scope[]") or call.query.get("scope")
    chosen = [one for one in every if wanted is None or one.status in wanted]
    chosen.sort(key=lambda one: -one.id)
    return call.page(
        chosen, lambda one: pipelines.job(call.where, one), identity=lambda one: one.id
    )
