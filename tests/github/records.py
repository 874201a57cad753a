"""What automation writes beside commits: statuses, check runs, deployments, rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.github.accounts import Account


@dataclass(frozen=True)
class Status:
    """A commit status. Nobody can change or delete one: the newest of a context counts."""

    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: Account
    created_at: datetime


@dataclass(eq=False)
class CheckRun:
    """A check run. Only an app can write one."""

    id: int
    name: str
    head_sha: str
    status: str
    conclusion: str | None
    started_at: datetime
    completed_at: datetime | None
    details_url: str | None
    external_id: str | None
    output: dict[str, Any] = field(default_factory=dict)
    annotations: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class DeploymentStatus:
    """One step of a deployment."""

    id: int
    state: str
    description: str
    environment: str
    environment_url: str
    log_url: str
    creator: Account
    created_at: datetime


@dataclass(eq=False)
class Deployment:
    """A deployment as the API keeps it."""

    id: int
    sha: str
    ref: str
    task: str
    environment: str
    payload: dict[str, Any] | str
    description: str | None
    is_transient: bool
    is_production: bool
    creator: Account
    created_at: datetime
    statuses: list[DeploymentStatus] = field(default_factory=list)


@dataclass(eq=False)
class Ruleset:
    """Rules for the branches that its patterns name."""

    id: int
    name: str
    include: tuple[str, ...]
    rules: list[dict[str, Any]]
    enforcement: str
    bypass: list[dict[str, Any]]
    created_at: datetime
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Push:
    """Somebody moved a branch."""

    id: int
    ref: str
    before: str
    after: str
    kind: str
    by: Account
    at: datetime
