"""Pipelines and their jobs: who started them, and who let them go on."""

from __future__ import annotations

import re

from assent.core.change import Review, ReviewState
from assent.core.evidence import Run
from assent.core.identity import Actor
from assent.errors import PolicyError
from assent.forges.gitlab.repository import FORGE, RemoteRepository
from assent.forges.gitlab.schemas import (
    DeploymentFacts,
    Job,
    MergeRequest,
    PipelineFacts,
    ProtectedEnvironment,
)
from assent.forges.gitlab.timestamps import timestamp
from assent.forges.http_retries import RefusedError
from assent.forges.remote.changes import Found
from assent.ports import DeploymentRequest

_RUN = re.compile(r"(?P<pipeline>[0-9]{1,19})/(?P<job>.+)", re.DOTALL)


class Runs:
    """The job that we are, if it is one, and others of the project."""

    def __init__(self, remote: RemoteRepository) -> None:
        self._remote = remote

    def presser(self) -> Actor:
        """Who caused this job; outside CI the account of the token."""
        job = self._remote.job
        return self._remote.actor(self._remote.own if job is None else job.user)

    def deployment_request(self, environment: str) -> DeploymentRequest:
        """See `Forge.deployment_request`. The person is read with the job's own token, never from a
        variable: whoever presses the button can set those.
        """
        job = self._remote.job
        deployment = None if job is None else self.deployment(environment, job)
        is_guarded = self._is_guarded(environment)
        if deployment is None:
            return DeploymentRequest(by=self.presser(), is_guarded=is_guarded)
        doing = f"reading who let the deployment {deployment.id} go on"
        summary = deployment.approval_summary
        rules = () if summary is None else summary.rules
        waits = bool(deployment.pending_approval_count) or bool(deployment.approvals)
        # Whoever presses types the version afterwards, as a variable of the job.
        return DeploymentRequest(
            by=self.presser(),
            is_of_version=False,
            approvals=tuple(
                Review(
                    person=self._remote.actor(approval.user),
                    state=ReviewState.APPROVED,
                    at=timestamp(approval.created_at, doing),
                    head=deployment.sha,
                    bundle=None,
                    reason=(approval.comment or "").strip() or None,
                )
                for approval in deployment.approvals
                if approval.status == "approved"
            ),
            is_guarded=is_guarded or waits or any(rule.required_approvals for rule in rules),
        )

    def deployment(self, environment: str, job: Job) -> DeploymentFacts | None:
        """The deployment that GitLab has made for a job with `environment:`, with its approvals."""
        remote = self._remote
        deployments = remote.api.pages(
            remote.path("deployments"),
            DeploymentFacts,
            doing=f"reading the deployments to {environment}",
            parameters={"environment": environment, "order_by": "id", "sort": "desc"},
        )
        for facts in deployments:
            if facts.deployable is not None and facts.deployable.id == job.id:
                doing = f"reading the deployment {facts.id}"
                return remote.api.get(
                    remote.path("deployments", facts.id), DeploymentFacts, doing=doing
                )
        return None

    def starters(self, run: Run, of: Found[MergeRequest]) -> tuple[Actor, ...]:
        """See `Forge.started`. A run is of a change if it ran its revision or its branch, or the
        default branch, whose code nobody chooses alone. Of the job's executions those that failed
        or were cancelled without leaving a file made no bundle; which of the others it was, the
        code of the change says. Whoever started the pipeline has started its first jobs.
        """
        if run.system != FORGE:
            return ()
        doing = f"looking for run {run.id}, which the bundle says it was made in"
        asked = _RUN.fullmatch(run.id)
        of_pipeline = None if asked is None else self._pipeline(int(asked["pipeline"]), of, doing)
        if asked is None or of_pipeline is None:
            raise PolicyError(doing, "this project has no such run", hint=_AGAIN)
        project, pipeline = of_pipeline
        if not self._is_of(project, pipeline, of):
            raise PolicyError(
                doing, f"it ran {pipeline.sha[:12]}, which is not of {of.change.id}", hint=_AGAIN
            )
        jobs = self._remote.api.pages(
            f"/projects/{project}/pipelines/{pipeline.id}/jobs",
            Job,
            doing=doing,
            parameters={"include_retried": "true"},
        )
        named = [job for job in jobs if job.name == asked["job"]]
        named = [job for job in named if job.artifacts or job.status not in _MADE_NOTHING] or named
        if not named:
            raise PolicyError(doing, "the pipeline has no such job", hint=_AGAIN)
        whole = [] if pipeline.user is None else [pipeline.user]
        users = [*whole, *(job.user for job in sorted(named, key=lambda job: job.id))]
        actors = [self._remote.actor(user) for user in users]
        return tuple({actor.key: actor for actor in actors}.values())

    def _pipeline(
        self, number: int, of: Found[MergeRequest], doing: str
    ) -> tuple[int, PipelineFacts] | None:
        """The pipeline, and the number of its project: that of a fork runs in the fork."""
        own = self._remote.facts.id
        source = None if of.request is None else of.request.source
        for project in dict.fromkeys((own, source)):
            if project is None:
                continue
            path = f"/projects/{project}/pipelines/{number}"
            try:
                pipeline = self._remote.api.find(path, PipelineFacts, doing=doing)
            except RefusedError as error:
                if project == own or error.status not in (403, 404):
                    raise
                continue  # a fork that is private, or gone
            if pipeline is not None:
                return project, pipeline
        return None

    def _is_of(self, project: int, pipeline: PipelineFacts, of: Found[MergeRequest]) -> bool:
        if pipeline.sha in (of.change.head, of.change.commit):
            return True
        is_here = project == self._remote.facts.id
        if is_here and pipeline.ref == self._remote.branch:
            return True
        if of.request is None:
            return False
        own = f"refs/merge-requests/{of.request.number}/"
        if is_here and (pipeline.ref or "").startswith(own):
            return True
        is_source = project == of.request.source
        return is_source and pipeline.ref == of.request.source_branch

    def _is_guarded(self, environment: str) -> bool:
        """Whether GitLab asks somebody before a deployment. On the tier Free it cannot, and a
        token of a lesser role does not see it: then the deployment itself tells.
        """
        remote = self._remote
        try:
            protected = remote.api.find(
                remote.path("protected_environments", environment),
                ProtectedEnvironment,
                doing=f"reading the protection of the environment {environment!r}",
            )
        except RefusedError as error:
            if error.status not in (401, 403, 404):
                raise
            return False
        return protected is not None and protected.asks


_MADE_NOTHING = ("failed", "canceled", "skipped")
_AGAIN = "let CI train and evaluate the newest revision"
