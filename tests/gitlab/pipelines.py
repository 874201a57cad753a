"""Pipelines, jobs, environments and deployments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from tests.gitlab.accounts import Group, Token, User

if TYPE_CHECKING:
    from tests.gitlab.merge_requests import MergeRequest
    from tests.gitlab.project import Project

Source = Literal[
    "push",
    "web",
    "schedule",
    "trigger",
    "api",
    "merge_request_event",
    "external",
    "pipeline",
    "parent_pipeline",
    "external_pull_request_event",
    "webide",
    "chat",
]
DeploymentState = Literal[
    "created", "running", "success", "failed", "canceled", "skipped", "blocked"
]


@dataclass(eq=False)
class AccessLevel:
    """Somebody that a protected environment names: a role, a person or a group."""

    id: int
    level: int | None = None
    user: User | None = None
    group: Group | None = None
    required_approvals: int = 0


@dataclass(eq=False)
class ProtectedEnvironment:
    """Who may deploy to an environment, and who must approve it before (Premium)."""

    name: str
    deployers: list[AccessLevel]
    rules: list[AccessLevel]
    approval_count: int = 0

    @property
    def required_approvals(self) -> int:
        return self.approval_count + sum(one.required_approvals for one in self.rules)


@dataclass(eq=False)
class Environment:
    """A place to deploy to."""

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    external_url: str | None = None
    is_stopped: bool = False


@dataclass(frozen=True)
class DeploymentApproval:
    """What a person said to a deployment that waits."""

    user: User
    status: Literal["approved", "rejected"]
    created_at: datetime
    comment: str


@dataclass(eq=False)
class Deployment:
    """A deployment: of a job with `environment:`, or one that came through the API."""

    id: int
    iid: int
    environment: Environment
    ref: str
    sha: str
    user: User
    created_at: datetime
    updated_at: datetime
    status: DeploymentState
    job: Job | None = None
    is_tag: bool = False
    finished_at: datetime | None = None
    approvals: list[DeploymentApproval] = field(default_factory=list)


@dataclass(eq=False)
class Job:
    """One job. `user` is who caused it: of a manual job, who pressed the button."""

    id: int
    pipeline: Pipeline
    name: str
    stage: str
    user: User
    created_at: datetime
    status: str
    token: Token
    is_manual: bool = False
    environment: Environment | None = None
    deployment: Deployment | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    is_retried: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    archive: bytes | None = None
    """The zip of its artifacts: anybody's code made it."""

    def leave(self, archive: bytes) -> None:
        """The runner sends the artifacts."""
        self.archive = archive

    def play(self, by: User, **variables: str) -> Job:
        """Press the button of a manual job, with variables that the person types in. From then on
        it is this person's.
        """
        assert self.status == "manual", f"job {self.name} is {self.status}"
        waits = self.deployment is not None and self.deployment.status == "blocked"
        assert not waits, f"job {self.name} waits for approvals"
        self.variables = variables
        self.user = self.token.user = by
        if self.deployment:
            self.deployment.user = by
        self._start()
        return self

    def finish(self, status: Literal["success", "failed", "canceled"] = "success") -> None:
        """The job ends, and its token with it."""
        self.status, self.finished_at = status, self.pipeline.project.gitlab.now
        self.token.is_revoked = True
        if self.deployment:
            self.deployment.status = status
            self.deployment.updated_at = self.deployment.finished_at = self.finished_at

    def retry(self, by: User) -> Job:
        """A new job with the same name in the same pipeline, caused by whoever retried it."""
        self.is_retried = True
        environment = self.environment.name if self.environment else None
        made = self.pipeline.job(self.name, by=by, stage=self.stage, environment=environment)
        made.is_manual = self.is_manual
        return made

    def _start(self) -> None:
        gitlab = self.pipeline.project.gitlab
        self.status, self.started_at = "running", gitlab.now
        if self.deployment:
            self.deployment.status, self.deployment.updated_at = "running", gitlab.now


@dataclass(eq=False)
class Pipeline:
    """A pipeline for one commit. `user` is who caused it."""

    id: int
    iid: int
    project: Project
    source: Source
    ref: str
    sha: str
    user: User
    created_at: datetime
    updated_at: datetime
    status: str = "running"
    merge_request: MergeRequest | None = None
    variables: dict[str, str] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)

    def job(
        self,
        name: str,
        *,
        by: User | None = None,
        stage: str = "test",
        is_manual: bool = False,
        environment: str | None = None,
    ) -> Job:
        """A job that runs, or waits for its button. One with an environment makes a deployment;
        that of a protected environment with approvals waits for them.
        """
        gitlab, project = self.project.gitlab, self.project
        user = by or self.user
        made = Job(
            id=gitlab.next_id(),
            pipeline=self,
            name=name,
            stage=stage,
            user=user,
            created_at=gitlab.now,
            status="created",
            token=gitlab.make_token("job", user, (), prefix="glcbt-64"),
            is_manual=is_manual,
        )
        made.token.job = made
        self.jobs.append(made)
        if environment:
            made.environment = project.environment(environment)
            made.deployment = project.deploy(made)
        if is_manual or (made.deployment and made.deployment.status == "blocked"):
            made.status = "manual"
        else:
            made._start()
        return made
