"""The parts of GitHub's answers that are read. What is not read is ignored; what is read has the
type that GitHub's description of its API gives it.
"""

from __future__ import annotations

import msgspec

from assent.forges.remote.commits import Account, Commit
from assent.forges.remote.schemas import MessageAnswer, RequestAnswer, Schema


class Permissions(Schema, frozen=True, kw_only=True):
    """What the token's account may do in a repository."""

    push: bool = False
    admin: bool = False


class RepositoryFacts(Schema, frozen=True, kw_only=True):
    """A repository."""

    id: int
    full_name: str
    default_branch: str
    html_url: str
    owner: Account
    private: bool = False
    permissions: Permissions | None = None


class RepositoryName(Schema, frozen=True, kw_only=True):
    """A repository as the end of a pull request names it."""

    id: int
    full_name: str = ""
    owner: Account | None = None


class End(Schema, frozen=True, kw_only=True):
    """One end of a pull request."""

    ref: str
    sha: str
    repo: RepositoryName | None = None


class Pull(RequestAnswer, frozen=True, kw_only=True):
    """A pull request. `merged` is only in the answer for one of them."""

    number: int
    address: str = msgspec.field(name="html_url")
    head: End
    base: End
    opener: Account | None = msgspec.field(name="user")
    description: str | None = msgspec.field(name="body", default=None)
    merged_at: str | None = None
    merge_commit_sha: str | None = None
    merged: bool | None = None

    @property
    def revision(self) -> str:
        """See `Request.revision`."""
        return self.head.sha

    @property
    def target(self) -> str:
        """See `Request.target`."""
        return self.base.ref

    @property
    def source(self) -> int | None:
        """See `Request.source`."""
        return None if self.head.repo is None else self.head.repo.id

    @property
    def made_of(self) -> tuple[str, ...]:
        """See `Request.made_of`."""
        return (self.head.sha,)


class Comparison(Schema, frozen=True, kw_only=True):
    """How a commit lies to another one, and the commits that it has beside."""

    status: str
    total_commits: int = 0
    commits: tuple[Commit, ...] = ()


class Activity(Schema, frozen=True, kw_only=True):
    """Somebody moved a branch. Zeros stand for no commit."""

    id: int
    before: str
    after: str
    actor: Account | None = None
    activity_type: str = ""


class PullEvent(Schema, frozen=True, kw_only=True):
    """Something that somebody did to a pull request."""

    event: str
    actor: Account | None = None
    assignee: Account | None = None
    requested_reviewer: Account | None = None


class PullReview(Schema, frozen=True, kw_only=True):
    """A review of a pull request. GitHub changes `state` in place when it is dismissed."""

    id: int
    state: str
    user: Account | None
    body: str | None = None
    commit_id: str | None = None
    submitted_at: str | None = None


class Comment(MessageAnswer, frozen=True, kw_only=True):
    """A comment on a pull request."""

    node_id: str
    address: str = msgspec.field(name="html_url")
    issue_url: str = ""
    by: Account | None = msgspec.field(name="user", default=None)


class CommitStatus(Schema, frozen=True, kw_only=True):
    """A status of a commit. Nobody can change or delete one, and GitHub sets the time."""

    id: int
    state: str
    context: str
    created_at: str
    description: str | None = None
    target_url: str | None = None
    creator: Account | None = None


class WorkflowRun(Schema, frozen=True, kw_only=True):
    """A run of a workflow."""

    id: int
    event: str
    path: str
    head_sha: str
    head_branch: str | None = None
    head_repository: RepositoryName | None = None
    actor: Account | None = None
    triggering_actor: Account | None = None
    created_at: str
    run_started_at: str | None = None
    run_attempt: int = 1
    status: str | None = None
    html_url: str | None = None


class Artifact(Schema, frozen=True, kw_only=True):
    """An archive that a run has left."""

    id: int
    name: str
    size_in_bytes: int
    expired: bool = False


class Artifacts(Schema, frozen=True, kw_only=True):
    """The archives of a run."""

    artifacts: tuple[Artifact, ...] = ()


class Machine(Schema, frozen=True, kw_only=True):
    """A self-hosted runner. An ephemeral one runs a single job."""

    id: int
    name: str
    ephemeral: bool = False


class Machines(Schema, frozen=True, kw_only=True):
    """Self-hosted runners: how many there are, and those of the first page."""

    total_count: int
    runners: tuple[Machine, ...] = ()


class MachineGroup(Schema, frozen=True, kw_only=True):
    """A group of an organization's runners, and which workflows may use it."""

    id: int
    name: str
    allows_public_repositories: bool = True
    restricted_to_workflows: bool = False
    selected_workflows: tuple[str, ...] = ()


class MachineGroups(Schema, frozen=True, kw_only=True):
    """The groups that a repository can use."""

    total_count: int
    runner_groups: tuple[MachineGroup, ...] = ()


class EnvironmentName(Schema, frozen=True, kw_only=True):
    """An environment as the review of a run names it."""

    name: str = ""


class RunApproval(Schema, frozen=True, kw_only=True):
    """What somebody said when GitHub asked whether a run may go on."""

    state: str
    environments: tuple[EnvironmentName, ...]
    user: Account | None = None
    comment: str | None = None


class ProtectionRule(Schema, frozen=True, kw_only=True):
    """One rule of an environment."""

    type: str
    prevent_self_review: bool | None = None
    reviewers: tuple[msgspec.Raw, ...] | None = None


class BranchPolicy(Schema, frozen=True, kw_only=True):
    """Which branches may deploy to an environment."""

    protected_branches: bool
    custom_branch_policies: bool


class BranchPattern(Schema, frozen=True, kw_only=True):
    """A branch, a tag, or a pattern of such, that may deploy to an environment."""

    name: str
    type: str = "branch"


class BranchPatterns(Schema, frozen=True, kw_only=True):
    """All of them."""

    branch_policies: tuple[BranchPattern, ...]


class EnvironmentFacts(Schema, frozen=True, kw_only=True):
    """An environment and what protects it."""

    name: str
    protection_rules: tuple[ProtectionRule, ...] = ()
    deployment_branch_policy: BranchPolicy | None = None
    can_admins_bypass: bool | None = None


class Permission(Schema, frozen=True, kw_only=True):
    """What an account may do in a repository: `admin`, `write`, `read` or `none`."""

    permission: str
    user: Account | None = None


class Membership(Schema, frozen=True, kw_only=True):
    """Somebody's membership of a team."""

    state: str


class Team(Schema, frozen=True, kw_only=True):
    """A team."""

    id: int


class Content(Schema, frozen=True, kw_only=True):
    """A file of the repository."""

    type: str
    encoding: str = ""
    content: str = ""


class DeploymentFacts(Schema, frozen=True, kw_only=True):
    """A deployment. `payload` is an object, or a text that may be one."""

    id: int
    environment: str
    creator: Account | None = None
    payload: msgspec.Raw = msgspec.Raw(b"null")


class DeploymentStatus(Schema, frozen=True, kw_only=True):
    """A status of a deployment."""

    id: int
    state: str
    creator: Account | None = None


class StatusCheck(Schema, frozen=True, kw_only=True):
    """A check that must pass before a merge."""

    context: str


class RuleParameters(Schema, frozen=True, kw_only=True):
    """Of the parameters of a branch rule, those that matter here."""

    required_approving_review_count: int = 0
    dismiss_stale_reviews_on_push: bool = False
    required_status_checks: tuple[StatusCheck, ...] = ()


class Rule(Schema, frozen=True, kw_only=True):
    """A rule that applies to a branch."""

    type: str
    parameters: RuleParameters | None = None


class RequiredReviews(Schema, frozen=True, kw_only=True):
    """Reviews that classic branch protection asks for."""

    required_approving_review_count: int = 0
    dismiss_stale_reviews: bool = False


class RequiredChecks(Schema, frozen=True, kw_only=True):
    """Checks that classic branch protection asks for."""

    contexts: tuple[str, ...] = ()


class BranchProtection(Schema, frozen=True, kw_only=True):
    """Classic branch protection."""

    required_pull_request_reviews: RequiredReviews | None = None
    required_status_checks: RequiredChecks | None = None


class Branch(Schema, frozen=True, kw_only=True):
    """A branch. `protection` has the checks alone; the rest needs an administrator's token."""

    name: str
    protected: bool = False
    protection: BranchProtection | None = None
