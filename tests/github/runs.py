"""Workflow runs, their environments, approvals and artifacts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from tests.github.accounts import Account, Team

if TYPE_CHECKING:
    from tests.github.pulls import Pull
    from tests.github.repository import Repository


@dataclass(eq=False)
class Environment:
    """A deployment environment with its protection."""

    id: int
    name: str
    created_at: datetime
    reviewers: list[Account | Team] = field(default_factory=list)
    wait_minutes: int = 0
    prevents_self_review: bool = False
    lets_admins_bypass: bool = True
    branch_policy: Literal["protected", "custom"] | None = None
    patterns: list[tuple[Literal["branch", "tag"], str]] = field(default_factory=list)
    """What a custom policy lets deploy."""


@dataclass(eq=False)
class RunApproval:
    """What a person said to jobs that wait for an environment."""

    environments: tuple[Environment, ...]
    state: Literal["approved", "rejected", "pending"]
    author: Account
    comment: str


@dataclass
class Machine:
    """A self-hosted runner."""

    id: int
    name: str
    is_ephemeral: bool = False


@dataclass
class MachineGroup:
    """Runners of the organization. `workflows` are those that may use it; None for all."""

    id: int
    name: str
    machines: list[Machine] = field(default_factory=list)
    workflows: list[str] | None = None
    is_for_public: bool = False


@dataclass(eq=False)
class Artifact:
    """A file that a run left: a zip archive, which anybody's code made."""

    id: int
    name: str
    content: bytes
    created_at: datetime
    is_expired: bool = False


@dataclass(eq=False)
class Run:
    """One run of a workflow."""

    id: int
    number: int
    repository: Repository
    event: str
    path: str
    name: str
    head_sha: str
    head_branch: str | None
    head_repository: Repository
    actor: Account
    triggering_actor: Account
    created_at: datetime
    updated_at: datetime
    pull: Pull | None = None
    """The pull request that caused it. The API does not tell: it has to be found by the head."""
    attempt: int = 1
    attempts: list[Account] = field(default_factory=list)
    """Who started each attempt after the first."""
    status: str = "in_progress"
    conclusion: str | None = None
    waits_for: list[Environment] = field(default_factory=list)
    approvals: list[RunApproval] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)

    def wait(self, environment: str) -> None:
        """A job of the run names an environment that somebody must approve."""
        self.waits_for.append(self.repository.environment(environment))
        self.status = "waiting"

    def approve(self, environment: str, by: Account, comment: str = "") -> None:
        self._answer("approved", environment, by, comment)

    def reject(self, environment: str, by: Account, comment: str = "") -> None:
        self._answer("rejected", environment, by, comment)

    def bypass(self, environment: str) -> None:
        """An administrator starts the job without any approval. The API keeps no trace of it."""
        found = self.repository.environment(environment)
        self.waits_for = [one for one in self.waits_for if one is not found]
        self.status = "in_progress"

    def rerun(self, by: Account) -> None:
        """The same run id, the next attempt; `actor` stays the one who started the first. What
        was approved for the earlier attempt still stands in the list.
        """
        self.attempt += 1
        self.triggering_actor = by
        self.attempts.append(by)
        self.status, self.conclusion = "in_progress", None
        self.updated_at = self.repository.github.now

    def complete(self, conclusion: str = "success") -> None:
        self.status, self.conclusion = "completed", conclusion
        self.updated_at = self.repository.github.now

    def upload(self, name: str, content: bytes) -> Artifact:
        github = self.repository.github
        artifact = Artifact(github.next_id(), name, content, github.now)
        self.artifacts.append(artifact)
        return artifact

    def _answer(
        self, state: Literal["approved", "rejected"], environment: str, by: Account, comment: str
    ) -> None:
        found = self.repository.environment(environment)
        self.approvals.append(RunApproval((found,), state, by, comment))
        self.waits_for = [one for one in self.waits_for if one is not found]
        if not self.waits_for:
            self.status = "in_progress"
