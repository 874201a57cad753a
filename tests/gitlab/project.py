"""A project: members, protection, and everything that hangs on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

from tests.gitlab.accounts import LEVELS, Group, Members, Membership, User
from tests.gitlab.merge_requests import MergeRequest
from tests.gitlab.pipelines import (
    AccessLevel,
    Deployment,
    Environment,
    Job,
    Pipeline,
    ProtectedEnvironment,
    Source,
)
from tests.gitlab.records import ApprovalRule, Note, ProtectedBranch, Push, Status
from tests.standin.branches import Branches
from tests.standin.objects import Objects

if TYPE_CHECKING:
    from tests.gitlab.world import GitLab

SETTINGS = {
    "reset_approvals_on_push": True,
    "selective_code_owner_removals": False,
    "disable_overriding_approvers_per_merge_request": False,
    "merge_requests_author_approval": False,
    "merge_requests_disable_committers_approval": False,
    "require_password_to_approve": False,
    "require_reauthentication_to_approve": False,
}


@dataclass
class Machine:
    """A runner."""

    id: int
    description: str
    kind: Literal["instance_type", "group_type", "project_type"] = "project_type"
    is_protected: bool = False


@dataclass(eq=False)
class Project(Members, Branches):
    """A project, or a fork of one."""

    id: int
    path: str
    namespace: Group | User
    gitlab: GitLab = field(repr=False)
    objects: Objects = field(repr=False)
    created_at: datetime
    parent: Project | None = None
    default_branch: str = "main"
    visibility: Literal["private", "internal", "public"] = "private"
    merge_method: Literal["merge", "rebase_merge", "ff"] = "merge"
    role_for_variables: Literal["no_one_allowed", "developer", "maintainer", "owner"] = "developer"
    """Who may set variables when starting a pipeline or a manual job."""
    members: dict[int, Membership] = field(default_factory=dict)
    jobs_may_push: bool = False
    """Whether a job can push with its own token."""
    protects_merge_requests: bool = False
    """Whether the pipeline of a merge request between protected branches is a protected one."""
    runners: list[Machine] = field(default_factory=list)
    scopes: dict[str, list[str]] = field(default_factory=dict)
    """The environments that a variable is for, where it is not for all."""
    variables: dict[str, bool] = field(default_factory=dict)
    """Variables of the project by name, and whether they are protected."""
    merge_requests: list[MergeRequest] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    tells_pushes: bool = True
    """A token of a lesser role does not see who pushed."""
    pipelines: list[Pipeline] = field(default_factory=list)
    environments: list[Environment] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    protected_branches: list[ProtectedBranch] = field(default_factory=list)
    protected_environments: list[ProtectedEnvironment] = field(default_factory=list)
    approval_rules: list[ApprovalRule] = field(default_factory=list)
    approval_settings: dict[str, bool] = field(default_factory=lambda: dict(SETTINGS))

    @property
    def full_name(self) -> str:
        space = self.namespace
        return f"{space.full_path if isinstance(space, Group) else space.username}/{self.path}"

    @property
    def is_fork(self) -> bool:
        return self.parent is not None

    @property
    def clock(self) -> GitLab:
        return self.gitlab

    @property
    def above(self) -> Members | None:
        return self.namespace if isinstance(self.namespace, Group) else None

    def groups(self) -> list[Group]:
        """The groups above, the nearest first."""
        found, one = [], self.namespace if isinstance(self.namespace, Group) else None
        while one is not None:
            found.append(one)
            one = one.parent
        return found

    def level(self, user: User | None) -> int:
        if user is self.namespace and user.state == "active":
            return LEVELS["owner"]
        return super().level(user)

    @property
    def is_public(self) -> bool:
        return self.visibility == "public"

    # --- finding things ---

    def merge_request(self, iid: int) -> MergeRequest | None:
        return next((one for one in self.merge_requests if one.iid == iid), None)

    def note(self, number: int) -> Note | None:
        every = (one for each in self.merge_requests for one in each.notes)
        return next((one for one in every if one.id == number), None)

    def jobs(self) -> list[Job]:
        return [job for pipeline in self.pipelines for job in pipeline.jobs]

    def environment(self, name: str) -> Environment:
        """The environment, made when a job or a deployment first names it."""
        found = [one for one in self.environments if one.name == name]
        if not found:
            now = self.gitlab.now
            found = [Environment(self.gitlab.next_id(), name, now, now)]
            self.environments += found
        return found[0]

    def protection(self, branch: str) -> ProtectedBranch | None:
        """What protects a branch, by name or by pattern."""
        every = self.protected_branches
        return next((one for one in every if fnmatchcase(branch, one.name)), None)

    def environment_protection(self, name: str) -> ProtectedEnvironment | None:
        if self.gitlab.tier == "free":
            return None
        return next((one for one in self.protected_environments if one.name == name), None)

    # --- what people set up ---

    def protect(self, name: str, *, push: str = "maintainer", merge: str = "maintainer") -> None:
        """Protect a branch, or all that fit a pattern such as `assent/*`."""
        self.protected_branches = [one for one in self.protected_branches if one.name != name]
        number = self.gitlab.next_id()
        made = ProtectedBranch(number, name, LEVELS[push], LEVELS[merge])
        self.protected_branches.append(made)

    def unprotect(self, name: str) -> None:
        self.protected_branches = [one for one in self.protected_branches if one.name != name]

    def protect_environment(
        self,
        name: str,
        *approvers: User | Group | str,
        required: int = 1,
        deploy: str | None = None,
    ) -> ProtectedEnvironment:
        """Protect an environment: each of the approvers (a person, a group or a role) must give
        `required` approvals.
        """

        def level(one: User | Group | str, count: int) -> AccessLevel:
            number = self.gitlab.next_id()
            if isinstance(one, User):
                return AccessLevel(number, user=one, required_approvals=count)
            if isinstance(one, Group):
                return AccessLevel(number, group=one, required_approvals=count)
            return AccessLevel(number, level=LEVELS[one], required_approvals=count)

        made = ProtectedEnvironment(
            name=name,
            deployers=[level(deploy or "maintainer", 0)],
            rules=[level(one, required) for one in approvers],
        )
        self.protected_environments.append(made)
        return made

    def require_approval(self, name: str, *by: User | Group, count: int = 1) -> ApprovalRule:
        """An approval rule (Premium). Without anybody in it, it is one for any approver."""
        made = ApprovalRule(
            id=self.gitlab.next_id(),
            name=name,
            approvals_required=count,
            users=[one for one in by if isinstance(one, User)],
            groups=[one for one in by if isinstance(one, Group)],
            kind="regular" if by else "any_approver",
        )
        self.approval_rules.append(made)
        return made

    # --- what happens ---

    def push(self, by: User, *, pusher: User | None = None, **made: Any) -> str:  # type: ignore[override]  # a user of GitLab
        """A commit straight to the default branch, by whoever wrote it or the `pusher`."""
        before = self.branch(self.default_branch)
        sha = super().push(by, **made)
        self.pushed(self.default_branch, before, sha, pusher or by)
        return sha

    def pushed(
        self, branch: str, before: str | None, after: str, by: User, *, refs: int = 1
    ) -> None:
        """Somebody pushes a branch, and GitLab keeps who it was."""
        self.set_branch(branch, after)
        made = Push(self.gitlab.next_id(), branch, before, after, by, self.gitlab.now, refs)
        self.pushes.append(made)

    def start_pipeline(
        self,
        source: Source,
        by: User,
        *,
        ref: str | None = None,
        sha: str | None = None,
        merge_request: MergeRequest | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Pipeline:
        """A pipeline of a branch (the default one), or of a merge request's head."""
        ref = ref or self.default_branch
        if merge_request is not None:
            ref, sha = f"refs/merge-requests/{merge_request.iid}/head", merge_request.sha
        now = self.gitlab.now
        made = Pipeline(
            id=self.gitlab.next_id(),
            iid=len(self.pipelines) + 1,
            project=self,
            source=source,
            ref=ref,
            sha=sha or self.tip(ref),
            user=by,
            created_at=now,
            updated_at=now,
            merge_request=merge_request,
            variables=dict(variables or {}),
        )
        self.pipelines.append(made)
        return made

    def deploy(self, job: Job) -> Deployment:
        """The deployment that GitLab makes for a job with `environment:`."""
        assert job.environment is not None
        protection = self.environment_protection(job.environment.name)
        waits = protection is not None and protection.required_approvals > 0
        now = self.gitlab.now
        made = Deployment(
            id=self.gitlab.next_id(),
            iid=len(self.deployments) + 1,
            environment=job.environment,
            ref=job.pipeline.ref,
            sha=job.pipeline.sha,
            user=job.user,
            created_at=now,
            updated_at=now,
            status="blocked" if waits else "created",
            job=job,
        )
        self.deployments.append(made)
        return made
