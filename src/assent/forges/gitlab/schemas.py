"""The parts of GitLab's answers that are read. What is not read is ignored; what is read has the
type that GitLab's documentation of its API gives it.
"""

from __future__ import annotations

import msgspec

from assent.forges.remote.schemas import MessageAnswer, RequestAnswer, Schema


class User(Schema, frozen=True, kw_only=True):
    """A user. `bot` is only in the answer for one of them."""

    id: int
    username: str
    state: str = "active"
    bot: bool | None = None
    public_email: str | None = None


class Member(Schema, frozen=True, kw_only=True):
    """Somebody's membership of a project or a group, inherited ones included."""

    id: int
    username: str
    state: str
    access_level: int
    membership_state: str = "active"
    expires_at: str | None = None


class GroupFacts(Schema, frozen=True, kw_only=True):
    """A group."""

    id: int
    full_path: str


class ProjectFacts(Schema, frozen=True, kw_only=True):
    """A project."""

    id: int
    path_with_namespace: str
    web_url: str
    default_branch: str | None = None
    merge_method: str = "merge"
    restrict_user_defined_variables: bool | None = None
    ci_pipeline_variables_minimum_override_role: str | None = None
    ci_push_repository_for_job_token_allowed: bool | None = None
    protect_merge_request_pipelines: bool | None = None


class MergeRequest(RequestAnswer, frozen=True, kw_only=True):
    """A merge request. `revision` is its head, also after the merge."""

    number: int = msgspec.field(name="iid")
    revision: str | None = msgspec.field(name="sha")
    target: str = msgspec.field(name="target_branch")
    source_branch: str
    target_project_id: int
    source: int | None = msgspec.field(name="source_project_id")
    address: str = msgspec.field(name="web_url")
    updated_at: str
    opener: User | None = msgspec.field(name="author", default=None)
    assignees: tuple[User, ...] = ()
    merge_commit_sha: str | None = None
    squash_commit_sha: str | None = None

    @property
    def made_of(self) -> tuple[str, ...]:
        """See `Request.made_of`."""
        return tuple(sha for sha in (self.revision, self.squash_commit_sha) if sha is not None)


class Branch(Schema, frozen=True, kw_only=True):
    """A branch."""

    name: str
    default: bool = False


class CommitName(Schema, frozen=True, kw_only=True):
    """A commit in a list."""

    id: str


class Commit(Schema, frozen=True, kw_only=True):
    """A commit. GitLab's REST API names no accounts."""

    id: str
    parent_ids: tuple[str, ...] = ()
    message: str = ""
    author_name: str = ""
    author_email: str = ""
    committer_name: str = ""
    committer_email: str = ""


class Comparison(Schema, frozen=True, kw_only=True):
    """How a commit lies to another one: the commits that the other one does not have."""

    commits: tuple[CommitName, ...]


class Brought(Schema, frozen=True, kw_only=True):
    """The same commits, with what they say of their authors."""

    commits: tuple[Commit, ...]


class Version(Schema, frozen=True, kw_only=True):
    """The state of a merge request after one push."""

    id: int
    head_commit_sha: str
    created_at: str


class PushData(Schema, frozen=True, kw_only=True):
    """What was pushed. A new branch has no commit before, one that was deleted none after."""

    ref_type: str
    ref: str | None = None
    commit_from: str | None = None
    commit_to: str | None = None


class Event(Schema, frozen=True, kw_only=True):
    """Something that somebody did in a project."""

    author: User | None = None
    push_data: PushData | None = None


class GivenApproval(Schema, frozen=True, kw_only=True):
    """Somebody's approval. Older releases of GitLab do not say when it was given."""

    user: User | None = None
    approved_at: str | None = None


class Approvals(Schema, frozen=True, kw_only=True):
    """Who approves of a merge request. The flag `approved` beside it is not read: GitLab sets it
    where nobody could approve.
    """

    approved_by: tuple[GivenApproval, ...] = ()


class Reviewer(Schema, frozen=True, kw_only=True):
    """Somebody who was asked for a review, and where that stands."""

    user: User
    state: str
    created_at: str


class Note(MessageAnswer, frozen=True, kw_only=True):
    """A comment on a merge request, or what GitLab itself writes there (`system`)."""

    body: str
    by: User | None = msgspec.field(name="author", default=None)
    is_of_forge: bool = msgspec.field(name="system", default=False)
    internal: bool = False


class CommitStatus(Schema, frozen=True, kw_only=True):
    """A status of a commit: one that was posted, or a job of a pipeline."""

    id: int
    status: str
    name: str
    created_at: str
    description: str | None = None
    author: User | None = None


class PipelineFacts(Schema, frozen=True, kw_only=True):
    """A pipeline."""

    id: int
    sha: str
    ref: str | None = None
    source: str | None = None
    project_id: int = 0
    user: User | None = None


class JobFile(Schema, frozen=True, kw_only=True):
    """A file that a job has left. The one of the type `archive` holds its artifacts."""

    file_type: str
    size: int = 0


class Job(Schema, frozen=True, kw_only=True):
    """A job. `user` is who caused it: of a manual job, who pressed the button."""

    id: int
    name: str
    created_at: str
    status: str = ""
    finished_at: str | None = None
    artifacts: tuple[JobFile, ...] = ()
    web_url: str = ""
    user: User | None = None
    pipeline: PipelineFacts | None = None


class Deployable(Schema, frozen=True, kw_only=True):
    """The job of a deployment."""

    id: int


class EnvironmentName(Schema, frozen=True, kw_only=True):
    """The environment of a deployment."""

    id: int
    name: str


class DeploymentApproval(Schema, frozen=True, kw_only=True):
    """What somebody said to a deployment that waits (Premium)."""

    status: str
    created_at: str
    user: User | None = None
    comment: str | None = None


class DeploymentRule(Schema, frozen=True, kw_only=True):
    """How many must approve a deployment (Premium)."""

    required_approvals: int = 0


class DeploymentSummary(Schema, frozen=True, kw_only=True):
    """The rules of a deployment (Premium)."""

    rules: tuple[DeploymentRule, ...] = ()


class DeploymentFacts(Schema, frozen=True, kw_only=True):
    """A deployment. Its approvals are only in the answer for one of them."""

    id: int
    ref: str
    sha: str
    status: str
    created_at: str
    user: User | None = None
    deployable: Deployable | None = None
    environment: EnvironmentName | None = None
    approvals: tuple[DeploymentApproval, ...] = ()
    pending_approval_count: int | None = None
    approval_summary: DeploymentSummary | None = None


class AccessLevel(Schema, frozen=True, kw_only=True):
    """Whom a protection lets through: a role, or one user or group."""

    access_level: int | None = None
    user_id: int | None = None
    group_id: int | None = None
    required_approvals: int | None = None


class ProtectedEnvironment(Schema, frozen=True, kw_only=True):
    """What protects an environment (Premium)."""

    name: str
    required_approval_count: int | None = None
    approval_rules: tuple[AccessLevel, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether somebody must approve a deployment."""
        rules = [rule.required_approvals or 0 for rule in self.approval_rules]
        return (self.required_approval_count or 0) + sum(rules) > 0


class ProtectedBranch(Schema, frozen=True, kw_only=True):
    """A branch, or a pattern of names, that not everybody may push to."""

    name: str
    push_access_levels: tuple[AccessLevel, ...] = ()
    merge_access_levels: tuple[AccessLevel, ...] = ()
    allow_force_push: bool = False


class ApprovalSettings(Schema, frozen=True, kw_only=True):
    """How a project's merge requests are approved (Premium)."""

    reset_approvals_on_push: bool = False
    merge_requests_author_approval: bool = True
    merge_requests_disable_committers_approval: bool = False


class ApprovalRule(Schema, frozen=True, kw_only=True):
    """Who must approve a merge request (Premium)."""

    name: str
    approvals_required: int = 0


class Variable(Schema, frozen=True, kw_only=True):
    """A variable of a project. Its value is not read. There may be several of one key, each for
    other environments.
    """

    key: str
    protected: bool
    environment_scope: str = "*"


class Machine(Schema, frozen=True, kw_only=True):
    """A runner in a list. `runner_type` is whose it is: of the instance, a group or the project."""

    id: int
    runner_type: str = ""


class MachineFacts(Schema, frozen=True, kw_only=True):
    """A runner. With the access level `ref_protected` it runs protected pipelines alone."""

    id: int
    description: str | None = None
    access_level: str = "not_protected"


class TokenFacts(Schema, frozen=True, kw_only=True):
    """What an access token may do."""

    scopes: tuple[str, ...] = ()
    expires_at: str | None = None
